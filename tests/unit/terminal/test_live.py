"""Live sales: what the tills record must pass the collector, and look like customers."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from fucai.domain.catalogue import build_catalogue
from fucai.domain.chain import chain_next, chain_start, event_bytes
from fucai.domain.validation import Validator, Window
from fucai.terminal.live import EVENTS_A_BATCH, LiveSales, tills
from fucai.terminal.model_market import Market
from fucai.v1.registry_pb2 import RegistryRecord, Terminal
from fucai.v1.sales_pb2 import EventKind, SalesBatch, SalesEvent
from tests.unit.terminal import town

ZONE = ZoneInfo("Asia/Shanghai")
DAY_MS = 86_400_000
KNOWN = town.known()
TUESDAY_MS = int(datetime(2025, 11, 25, tzinfo=ZONE).timestamp() * 1000)


def live(seed: int = 1, day: str = "2025-11-25") -> LiveSales:
    """Fifty-four outlets with a till each."""
    return LiveSales(Market(KNOWN, seed), tills(KNOWN, day, epoch=7), Random(seed))


def handed_over(sales: LiveSales) -> list[SalesBatch]:
    """All that the tills have recorded."""
    return [batch for till in sales.tills for batch in till.batches()]


@pytest.fixture(scope="module")
def two_days() -> list[SalesBatch]:
    """Two days of sales in real order of time, taken over hour by hour."""
    sales = live()
    batches: list[SalesBatch] = []
    for hour in range(48):
        sales.advance(TUESDAY_MS + hour * DAY_MS // 24, TUESDAY_MS + (hour + 1) * DAY_MS // 24)
        batches += handed_over(sales)
    return batches


def events_of(batches: list[SalesBatch]) -> list[SalesEvent]:
    """Their events."""
    return [event for batch in batches for event in batch.events]


def faults(batches: list[SalesBatch], now_ms: int) -> list[str]:
    """What the collector's own rules find wrong."""
    validator = Validator(build_catalogue(1, town.records()), zone=ZONE, window=Window())
    runs = [run for batch in batches for run in validator.examine(batch, now_ms=now_ms)]
    return [f"{finding.field}: {finding.detail}" for run in runs for finding in run.findings]


def test_the_collector_has_nothing_to_object(two_days: list[SalesBatch]) -> None:
    """Prices, limits, draw numbers, references and sequence numbers pass its rules."""
    assert faults(two_days, TUESDAY_MS + 2 * DAY_MS) == []
    assert all(0 < len(batch.events) <= EVENTS_A_BATCH for batch in two_days)


def test_sequence_numbers_and_time_rise_at_each_till(two_days: list[SalesBatch]) -> None:
    """Numbers run from 1 without a gap over all batches of a till, and its clock never goes back."""
    by_till: dict[str, list[SalesEvent]] = {}
    for batch in two_days:
        by_till.setdefault(batch.terminal_id, []).extend(batch.events)
    for events in by_till.values():
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert [event.sold_at_ms for event in events] == sorted(event.sold_at_ms for event in events)


def test_batches_carry_the_chain_of_their_till(two_days: list[SalesBatch]) -> None:
    """The digest of each batch is chained over all events of its till so far, by the formula of the contract."""
    digests: dict[str, bytes] = {}
    for batch in two_days:
        digest = digests.get(batch.terminal_id) or chain_start(batch.terminal_id, batch.epoch)
        for event in batch.events:
            digest = chain_next(digest, event_bytes(event))
        assert batch.digest == digest
        digests[batch.terminal_id] = digest


def test_live_days_sell_what_the_market_expects(two_days: list[SalesBatch]) -> None:
    """Net of voids, two days come within 10 % of the expected sales of these days."""
    market = Market(KNOWN, 1)
    expected = sum(
        market.expected_fen(outlet, play, day)
        for day in (date(2025, 11, 25).toordinal(), date(2025, 11, 26).toordinal())
        for outlet_id in KNOWN.outlets
        if (outlet := market.profile_on(outlet_id, day))
        for play in market.plays_on(day)
    )
    sold = sum(event.amount_fen for event in events_of(two_days) if event.kind == EventKind.EVENT_KIND_SALE)
    assert sold == pytest.approx(expected, rel=0.10)


def test_evening_peaks_come_out_of_the_tills() -> None:
    """Over a week, night markets sell more at 20 than at 14 o'clock, business districts the reverse."""
    sales = live()
    sales.advance(TUESDAY_MS, TUESDAY_MS + 7 * DAY_MS)
    sold: Counter[tuple[str, int]] = Counter()
    for batch in handed_over(sales):
        zone_type = KNOWN.zones[KNOWN.outlets[batch.outlet_id][0].zone_id].zone_type
        for event in batch.events:
            sold[zone_type, datetime.fromtimestamp(event.sold_at_ms / 1000, ZONE).hour] += 1
    assert sold["night_market", 20] > 3 * sold["night_market", 14]
    assert sold["business_district", 13] > 1.5 * sold["business_district", 20]


def test_a_burst_has_the_number_of_events_asked_for() -> None:
    """Whatever the hour, with voids of about 0.3 % of the sales, payouts, and spend beside the ticket."""
    sales = live()
    for second in range(40):
        start_ms = TUESDAY_MS + 4 * DAY_MS // 24 + second * 60_000
        sales.burst(1_000, start_ms, start_ms + 60_000)
    batches = handed_over(sales)
    events = events_of(batches)
    kinds = Counter(event.kind for event in events)
    assert sum(kinds.values()) == pytest.approx(40_000, abs=40)
    assert 0.002 < kinds[EventKind.EVENT_KIND_VOID] / kinds[EventKind.EVENT_KIND_SALE] < 0.004
    assert 0.1 < kinds[EventKind.EVENT_KIND_PAYOUT] / kinds[EventKind.EVENT_KIND_SALE] < 0.4
    assert 0.3 < sum(event.companion_fen > 0 for event in events) / len(events) < 0.5
    assert faults(batches, TUESDAY_MS + DAY_MS) == []


def test_a_void_takes_back_its_sale() -> None:
    """It names terminal, epoch and number of an earlier sale of the same amount."""
    sales = live()
    sales.burst(20_000, TUESDAY_MS, TUESDAY_MS + 10 * 60_000)
    sales.advance(TUESDAY_MS + 10 * 60_000, TUESDAY_MS + 20 * 60_000)
    recorded: dict[tuple[str, int], SalesEvent] = {}
    voids = 0
    for batch in handed_over(sales):
        for event in batch.events:
            recorded[batch.terminal_id, event.seq] = event
            if event.kind == EventKind.EVENT_KIND_VOID:
                voids += 1
                sale = recorded[event.refers_to.terminal_id, event.refers_to.seq]
                assert sale.kind == EventKind.EVENT_KIND_SALE
                assert (sale.game, sale.draw_no, sale.amount_fen) == (event.game, event.draw_no, event.amount_fen)
                assert sale.sold_at_ms < event.sold_at_ms
    assert voids > 20


def test_the_same_seed_gives_the_same_customers() -> None:
    """Two runs over the same span record the same bytes; another seed does not."""
    runs = []
    for seed in (1, 1, 2):
        sales = live(seed)
        sales.advance(TUESDAY_MS, TUESDAY_MS + DAY_MS)
        runs.append([batch.SerializeToString() for batch in handed_over(sales)])
    assert runs[0] == runs[1] != runs[2]


def test_only_instant_tickets_are_sold_while_draw_games_are_closed() -> None:
    """In the spring closure no draw game is sold."""
    sales = live(day="2025-01-30")
    start_ms = int(datetime(2025, 1, 30, tzinfo=ZONE).timestamp() * 1000)
    sales.advance(start_ms, start_ms + DAY_MS)
    assert {event.game for event in events_of(handed_over(sales))} == {"instant"}


def test_only_tills_that_stand_in_an_open_outlet_are_played() -> None:
    """Withdrawn tills and import terminals stay silent."""
    withdrawn = Terminal(terminal_id="T0001", valid_from="2025-06-01", kind="till")
    known = town.known([RegistryRecord(terminal=withdrawn)], outlets=3)
    assert [till.terminal_id for till in tills(known, "2025-05-31", 1)] == ["T0001", "T0002", "T0003"]
    assert [till.terminal_id for till in tills(known, "2025-06-01", 1)] == ["T0002", "T0003"]
