"""When a draw's figures are withheld: from the close of sales until it has ended, and whenever it is not known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.embargo import DrawTimes, Embargo, build_embargo
from fucai.v1.registry_pb2 import Draw, DrawAct, Game, RegistryRecord

CLOSE, DRAWN = 1_000, 2_000
EMBARGO = build_embargo(
    [
        RegistryRecord(game=Game(game="ssq", valid_from="2009-01-01", has_draws=True)),
        RegistryRecord(game=Game(game="instant", valid_from="2009-01-01")),
        RegistryRecord(draw=Draw(game="ssq", draw_no="2025001", sales_close_ms=CLOSE, drawn_ms=DRAWN)),
        RegistryRecord(draw=Draw(game="ssq", draw_no="2025002", sales_close_ms=CLOSE)),
    ]
)


@pytest.mark.parametrize(
    ("draw_no", "now_ms", "sealed"),
    [
        ("2025001", CLOSE - 1, False),
        ("2025001", CLOSE, True),
        ("2025001", DRAWN - 1, True),
        ("2025001", DRAWN, False),
        ("2025002", CLOSE - 1, False),
        ("2025002", 10**13, True),
        ("2025003", 0, True),
        ("", 10**13, False),
    ],
)
def test_a_draw_is_sealed_between_close_and_end(draw_no: str, now_ms: int, sealed: bool) -> None:  # noqa: FBT001
    """From the very close to before the very end; one that has not ended, or is unknown, stays sealed."""
    assert EMBARGO.is_sealed("ssq", draw_no, now_ms) is sealed


@pytest.mark.parametrize(
    ("game", "draw_no", "summary", "hidden"),
    [
        ("ssq", "", False, True),
        ("ssq", "", True, False),
        ("instant", "", False, False),
        ("instant", "2025001", False, True),
        ("unheard", "", False, True),
        ("kl8", "2025001", False, True),
    ],
)
def test_an_event_that_may_belong_to_a_sealed_draw_is_hidden(
    game: str,
    draw_no: str,
    summary: bool,  # noqa: FBT001
    hidden: bool,  # noqa: FBT001
) -> None:
    """Where an event does not tell its draw, it is hidden unless its game has none; daily summaries have none."""
    assert EMBARGO.hides_event(game, draw_no, DRAWN, daily_summary=summary) is hidden


@given(st.integers(1, 100), st.integers(0, 100), st.integers(0, 200))
def test_knowing_less_withholds_more(close_ms: int, after_ms: int, now_ms: int) -> None:
    """Without the draw's end, or without the draw, whatever was sealed stays sealed."""
    full = Embargo({("g", "1"): DrawTimes(close_ms, close_ms + after_ms)})
    without_end = Embargo({("g", "1"): DrawTimes(close_ms, 0)})
    if full.is_sealed("g", "1", now_ms):
        assert without_end.is_sealed("g", "1", now_ms)
    if without_end.is_sealed("g", "1", now_ms):
        assert Embargo().is_sealed("g", "1", now_ms)


def test_an_act_seals_earlier_and_ends_whatever_was_planned() -> None:
    """A seal after the close changes nothing; an end by hand replaces the registered one; acts need a draw."""

    def times(*acts: tuple[str, int]) -> DrawTimes:
        draw = RegistryRecord(draw=Draw(game="ssq", draw_no="2025001", sales_close_ms=CLOSE, drawn_ms=DRAWN))
        found = [RegistryRecord(draw_act=DrawAct(game="ssq", draw_no="2025001", act=act, at_ms=at)) for act, at in acts]
        return build_embargo([*found, draw]).draws["ssq", "2025001"]

    assert times(("seal", 10)) == DrawTimes(10, DRAWN)
    assert times(("seal", CLOSE + 5)) == DrawTimes(CLOSE, DRAWN)
    assert times(("end", DRAWN + 7), ("seal", 10)) == DrawTimes(10, DRAWN + 7)
    assert build_embargo(
        [RegistryRecord(draw_act=DrawAct(game="ssq", draw_no="2025001", act="end", at_ms=1))]
    ).is_sealed("ssq", "2025001", 9)


TIMES = st.dictionaries(
    st.tuples(st.sampled_from("gh"), st.sampled_from("123")),
    st.builds(DrawTimes, st.integers(1, 50), st.integers(0, 60)),
)


@given(TIMES, TIMES, st.integers(0, 60))
def test_newer_times_of_draws_replace_older_ones(
    old: dict[tuple[str, str], DrawTimes], new: dict[tuple[str, str], DrawTimes], now_ms: int
) -> None:
    """`sealed` lists the draws of a table that `is_sealed` finds, by the newer times where there are any."""
    embargo = Embargo(old, frozenset({"instant"})).with_draws(new)
    assert embargo.drawless == {"instant"}
    sealed = {key for key in old | new if (new.get(key) or old[key]).is_sealed(now_ms)}
    assert embargo.sealed(now_ms) == sealed == {key for key in old | new if embargo.is_sealed(*key, now_ms)}
