"""Who is silent equals an independent recomputation from the raw events, written from docs/definitions.md."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import grpc
import polars as pl
import pytest

from fucai.runtime.errors import violations_of
from fucai.v1 import analytics_pb2 as pb
from fucai.v1.analytics_pb2_grpc import AnalyticsServiceStub
from tests.integration.analytics.busy import CLOSURES, DAY, DRAWLESS, FIRST, NOW, ZONE, Busy, Shop, keep
from tests.integration.analytics.served import served

MOMENTS = (
    NOW,
    datetime(2025, 3, 10, 12, tzinfo=ZONE),
    datetime(2025, 3, 9, 20, 30, tzinfo=ZONE),
    datetime(2025, 2, 3, 17, 59, tzinfo=ZONE),
    datetime(2025, 2, 20, 10, tzinfo=ZONE),
)
Hours = Mapping[tuple[date, int], int]


@dataclass(frozen=True)
class Sales:
    """One outlet's sales by hour, and of games without draws; every hour that ends a silence; the last sale in ms."""

    all: Hours
    drawless: Hours
    selling: Collection[tuple[date, int]]
    last_ms: int


def sales_of(world: Busy, outlet: str, until: datetime, left_out: Collection[str] = ()) -> Sales:
    """From the raw events before a moment."""
    rows = [
        (e.day, e.at.hour, e.kind, e.game, e.fen, e.summary, int(e.at.timestamp() * 1000), e.bets)
        for e in world.events
        if e.outlet == outlet and e.at < until and e.kind != "PAYOUT"
    ]
    schema = ["day", "hour", "kind", "game", "fen", "summary", "ms", "bets"]
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        fen=pl.when(pl.col("kind") == "VOID").then(-pl.col("fen")).otherwise(pl.col("fen"))
    )
    if not rows:
        return Sales({}, {}, set(), 0)
    timed = frame.filter(~pl.col("summary"))
    sale = timed.filter(pl.col("kind") == "SALE")
    wholly = frame.filter(pl.col("summary") & (pl.col("bets") > 0))["day"].to_list()
    selling = {*zip(sale["day"], sale["hour"], strict=True), *((day, hour) for day in wholly for hour in range(24))}
    last = sale["ms"].max() if sale.height else 0
    counted = timed.filter(~pl.col("game").is_in(list(left_out)))
    assert isinstance(last, int)
    return Sales(_hours(counted), _hours(counted.filter(pl.col("game").is_in(DRAWLESS))), selling, last)


def _hours(frame: pl.DataFrame) -> Hours:
    """Fen of the hours with a sale."""
    grouped = frame.group_by("day", "hour").agg(pl.col("fen").sum(), sales=(pl.col("kind") == "SALE").sum())
    return {(day, hour): fen for day, hour, fen, _ in grouped.filter(pl.col("sales") > 0).iter_rows()}


def usual(sales: Sales, day: date, since: date) -> dict[int, int]:
    """The hours of a day in which the outlet usually sells, with the median of its sales in them."""
    wholly = {day for first, last, scope, _ in CLOSURES if scope == "all" for day in span(first, last)}
    partly = {day for first, last, scope, _ in CLOSURES if scope == "draw_games" for day in span(first, last)}
    hours, closed = (sales.drawless, wholly) if day in partly else (sales.all, wholly | partly)
    if day in closed:
        return {}
    before = [day - DAY * 7 * weeks for weeks in range(1, 17)]
    pattern = [past for past in before if past >= since and past not in closed][:8]
    found = {}
    for hour in range(24):
        values = [hours.get((past, hour)) for past in pattern]
        sold = [value for value in values if value is not None]
        if len(pattern) >= 4 and 10 * len(sold) >= 8 * len(pattern):
            found[hour] = round(statistics.median([value or 0 for value in values]))
    return found


def span(first: date, last: date) -> list[date]:
    """All days from first to last."""
    return [first + DAY * number for number in range((last - first).days + 1)]


def silent_hours(sales: Sales, moment: datetime, since: date) -> tuple[int, int]:
    """Usual hours since the last sale, and the usual sales in them."""
    if any(day == moment.date() and hour == moment.hour for day, hour in sales.selling):
        return 0, 0
    hours = fen = 0
    for day in (moment.date() - DAY * back for back in range(28)):
        expected = usual(sales, day, since) if day >= since else {}
        for hour in reversed(range(moment.hour if day == moment.date() else 24)):
            if (day, hour) in sales.selling:
                return hours, fen
            if hour in expected:
                hours, fen = hours + 1, fen + expected[hour]
    return hours, fen


def is_open(shop: Shop, day: date) -> bool:
    """Whether the outlet is registered and open on a day."""
    return shop.opened <= day and (shop.closed is None or day < shop.closed)


Row = tuple[str, int, int, int]


def silences(world: Busy, moment: datetime, left_out: Collection[str] = ()) -> list[Row]:
    """The silence of every open outlet at a moment: id, hours, usual sales, last sale."""
    found = []
    for shop in world.shops:
        if is_open(shop, moment.date()):
            sales = sales_of(world, shop.outlet, moment, left_out)
            hours, fen = silent_hours(sales, moment, max(shop.opened, FIRST))
            found.append((shop.outlet, hours, fen, sales.last_ms))
    return found


def expected(rows: list[Row], moment: datetime, least: int) -> list[Row]:
    """Those that are silent, largest usual sales first."""
    before_ms = (moment - timedelta(hours=least)).timestamp() * 1000
    found = [row for row in rows if row[1] >= least and row[3] < before_ms]
    return sorted(found, key=lambda row: (-row[2], row[0]))


def rows_of(answer: pb.SilentResponse) -> list[Row]:
    """The answer in the same form."""
    return [(one.outlet_id, int(one.silent_hours), one.usual_sales_fen, one.last_sale_ms) for one in answer.outlets]


def test_the_silent_outlets_are_those_of_the_definition(watch: AnalyticsServiceStub, busy: Busy) -> None:
    """At any moment and for any least number of hours: the same outlets, hours, usual sales and last sale, in order."""
    sizes = set()
    for moment in MOMENTS:
        rows = silences(busy, min(moment, max(event.at for event in busy.events)))
        for least in (0, 1, 72):
            answer = watch.Silent(pb.SilentRequest(at_ms=int(moment.timestamp() * 1000), least_hours=least))
            at = datetime.fromtimestamp(answer.at_ms / 1000, ZONE)
            assert at <= moment
            assert rows_of(answer) == expected(rows, at, least or 24), (moment, least)
            assert answer.watched == sum(is_open(shop, moment.date()) for shop in busy.shops)
            assert answer.total_rows == len(answer.outlets)
            sizes.add(len(answer.outlets))
    assert len(sizes) > 4
    assert max(sizes) > 5


def test_what_nobody_sent_yet_is_no_silence(watch: AnalyticsServiceStub, busy: Busy) -> None:
    """Silence is judged up to the latest reception, so an outage of the collection makes nobody silent."""
    latest = max(event.at for event in busy.events)
    answer = watch.Silent(pb.SilentRequest())
    assert latest < NOW
    assert answer.at_ms == int(latest.timestamp() * 1000)
    early = pb.SilentRequest(selection=pb.Selection(as_of_ms=int(MOMENTS[1].timestamp() * 1000)))
    assert watch.Silent(early).at_ms == early.selection.as_of_ms


def test_filters_part_the_silent_and_pages_sum_to_the_whole(watch: AnalyticsServiceStub) -> None:
    """Zones part the outlets, an outlet may be asked alone; pages of two are the answer; reasons name the last sale."""
    request = pb.SilentRequest(least_hours=5)
    whole = watch.Silent(request)
    parts: list[Row] = []
    watched = 0
    for zone in ("Z1", "Z2"):
        part = watch.Silent(pb.SilentRequest(least_hours=5, selection=only("zone", zone)))
        parts += rows_of(part)
        watched += part.watched
    assert (sorted(parts), watched) == (sorted(rows_of(whole)), whole.watched)
    first = whole.outlets[0].outlet_id
    assert [one.outlet_id for one in watch.Silent(pb.SilentRequest(selection=only("outlet", first))).outlets] == [first]
    paged: list[pb.SilentOutlet] = []
    request.page_size = 2
    while True:
        page = watch.Silent(request)
        paged += page.outlets
        assert page.total_rows == whole.total_rows
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert paged == list(whole.outlets)
    one = whole.outlets[0]
    last = datetime.fromtimestamp(one.last_sale_ms / 1000, ZONE)
    assert f"{last:%Y-%m-%d %H:%M}" in one.reason_zh
    assert f"{one.silent_hours:.0f} hours" in one.reason_en


def only(dimension: str, *values: str) -> pb.Selection:
    """A condition."""
    return pb.Selection(filters=[pb.Filter(dimension=dimension, values=values)])


def test_a_sealed_draw_makes_nobody_silent(engine_url: str, busy: Busy) -> None:
    """While draws of 3D are withheld it makes no pattern for anybody; a sale that may be seen still ends a silence."""
    sealed = [f"2025{day:03}" for day in range(60, 71)]
    keep(engine_url, "busy_sealed", busy, unended=sealed)
    visible = Busy(busy.shops, busy.terminals, [e for e in busy.events if e.draw_no not in sealed])
    with served(engine_url, "busy_sealed", NOW) as stub:
        answer = stub.Silent(pb.SilentRequest(least_hours=5))
    at = datetime.fromtimestamp(answer.at_ms / 1000, ZONE)
    assert list(answer.games_left_out) == ["3d"]
    assert "福彩3D" in answer.note_zh
    assert rows_of(answer) == expected(silences(visible, at, left_out=["3d"]), at, 5)
    naive = {row[0] for row in expected(silences(visible, at), at, 5)}
    naive -= {row[0] for row in expected(silences(busy, at), at, 5)}
    assert len(naive) > 1
    assert not naive & {one.outlet_id for one in answer.outlets}


@pytest.mark.parametrize(
    ("request_", "field", "told"),
    [
        (pb.SilentRequest(at_ms=-1), "at_ms", "-1 is not a moment up to now"),
        (pb.SilentRequest(at_ms=4_000_000_000_000), "at_ms", "is not a moment up to now"),
        (pb.SilentRequest(least_hours=673), "least_hours", "choose 1 to 672"),
        (pb.SilentRequest(selection=only("game", "3d")), "selection.filters[0].dimension", "choose zone, zone_type"),
        (
            pb.SilentRequest(selection=only("outlet", "' OR 1=1; DROP TABLE sales --")),
            "selection.filters[0].values[0]",
            "choose one of the 21 that are",
        ),
        (pb.SilentRequest(page_size=50_001), "page_size", "choose 1 to 50,000"),
    ],
)
def test_a_bad_field_is_named(watch: AnalyticsServiceStub, request_: pb.SilentRequest, field: str, told: str) -> None:
    """INVALID_ARGUMENT with field, value and the valid choices."""
    with pytest.raises(grpc.RpcError) as caught:
        watch.Silent(request_)
    assert [one.field for one in violations_of(caught.value) if told in one.description] == [field]
