"""The spool: identity, claims and batches of rows of history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.terminal.known import import_terminal_id
from fucai.terminal.spool import EVENTS_A_BATCH, Days, HistoryRow, Spool

FIRST = date(2014, 1, 1).toordinal()
TORONTO = ZoneInfo("America/Toronto")

rows = st.lists(
    st.builds(
        HistoryRow,
        outlet_id=st.sampled_from(["M1B", "007", "门店"]),
        game=st.sampled_from(["ssq", "lotto_649"]),
        day=st.integers(FIRST, FIRST + 40),
        bets=st.integers(1, 2**32 - 1),
        amount_fen=st.integers(1, 2**63 - 1),
    ),
    max_size=60,
)


def filled(taken: Iterable[HistoryRow]) -> tuple[Spool, list[HistoryRow]]:
    """A spool with those rows, and the rows that it took."""
    spool = Spool()
    return spool, [row for row in taken if spool.add(row)]


@given(days=st.lists(st.integers(719_163, 760_000), max_size=50))
def test_days_behave_as_a_sorted_set(days: list[int]) -> None:
    """Days are kept once, given back in order, and told apart from those that were there."""
    kept = Days()
    assert [kept.add(day) for day in days] == [day not in days[:index] for index, day in enumerate(days)]
    assert list(kept) == sorted(set(days))


@given(taken=rows, stored=st.dictionaries(st.sampled_from(["M1B", "007", "门店"]), st.integers(0, 70)))
def test_batches_bring_each_row_once_in_order(taken: list[HistoryRow], stored: dict[str, int]) -> None:
    """Per outlet, events are the rows in their order, numbered from 1, less those stored before."""
    spool, kept = filled(taken)
    terminals = {import_terminal_id(outlet_id): seq for outlet_id, seq in stored.items()}
    with spool:
        batches = list(spool.batches(epoch=7, stored=terminals, zone=TORONTO))
    for outlet_id in ("M1B", "007", "门店"):
        expected = [row for row in kept if row.outlet_id == outlet_id]
        done = stored.get(outlet_id, 0)
        events = [event for batch in batches if batch.outlet_id == outlet_id for event in batch.events]
        assert [event.seq for event in events] == list(range(done + 1, len(expected) + 1))
        assert [(event.game, event.bets, event.amount_fen) for event in events] == [
            (row.game, row.bets, row.amount_fen) for row in expected[done:]
        ]
    assert all(batch.terminal_id == import_terminal_id(batch.outlet_id) and batch.epoch == 7 for batch in batches)


@given(taken=rows)
def test_claims_name_each_outlet_game_and_day_once(taken: list[HistoryRow]) -> None:
    """What is claimed is what is sent, no day more, no day less."""
    spool, kept = filled(taken)
    with spool:
        claims = list(spool.claims("file.csv"))
        claimed = [(claim.outlet_id, claim.game, day) for claim in claims for day in claim.days]
        assert sorted(claimed) == sorted(
            (row.outlet_id, row.game, date.fromordinal(row.day).isoformat()) for row in kept
        )
        assert {claim.content_sha256 for claim in claims} <= {spool.content_sha256}


@given(taken=rows, change=st.integers(0, 10**6))
def test_identity_follows_content(taken: list[HistoryRow], change: int) -> None:
    """The same rows have the same identity; one amount changed gives another."""
    first, kept = filled(taken)
    again, _ = filled(taken)
    with first, again:
        assert first.content_sha256 == again.content_sha256
    if kept:
        index = change % len(kept)
        row = kept[index]
        other = HistoryRow(row.outlet_id, row.game, row.day, row.bets, row.amount_fen - 1 or 2)
        changed, _ = filled([*kept[:index], other, *kept[index + 1 :]])
        with changed:
            assert changed.content_sha256 != first.content_sha256


def test_events_are_daily_summaries_at_noon_of_the_stores_zone() -> None:
    """Noon is local noon, also on the days when clocks change."""
    spool, _ = filled(HistoryRow("M1B", "ssq", day, 3, 500) for day in range(FIRST, FIRST + 400))
    with spool:
        events = [event for batch in spool.batches(epoch=1, stored={}, zone=TORONTO) for event in batch.events]
    moments = [datetime.fromtimestamp(event.sold_at_ms / 1000, TORONTO) for event in events]
    assert [moment.toordinal() for moment in moments] == list(range(FIRST, FIRST + 400))
    assert {(moment.hour, moment.minute) for moment in moments} == {(12, 0)}
    assert all(event.daily_summary and not event.draw_no for event in events)


def test_outlets_are_interleaved_and_batches_bounded() -> None:
    """Rows by day over two outlets leave as batches of 500, turn by turn."""
    spool, _ = filled(HistoryRow(outlet, "ssq", FIRST + day, 1, 200) for day in range(1_100) for outlet in ("a", "b"))
    with spool:
        batches = list(spool.batches(epoch=1, stored={}, zone=TORONTO))
    assert [batch.outlet_id for batch in batches] == ["a", "b", "a", "b", "a", "b"]
    assert max(len(batch.events) for batch in batches) == EVENTS_A_BATCH


@pytest.mark.parametrize("same", [HistoryRow("M1B", "ssq", FIRST, 3, 500), HistoryRow("M1B", "ssq", FIRST, 9, 1)])
def test_a_second_row_of_the_same_outlet_day_and_game_is_not_taken(same: HistoryRow) -> None:
    """Whatever it says, it changes neither totals nor identity."""
    spool, _ = filled([HistoryRow("M1B", "ssq", FIRST, 3, 500)])
    with spool:
        before = (spool.content_sha256, spool.rows, spool.bets, spool.amount_fen)
        assert not spool.add(same)
        assert (spool.content_sha256, spool.rows, spool.bets, spool.amount_fen) == before
