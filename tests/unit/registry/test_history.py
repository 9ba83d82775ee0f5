"""Claims on days of history, and page tokens."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.calendar import day_spans
from fucai.domain.registry.history import Conflict, OtherClaim, Place, conflicts, next_epoch, stored_through
from fucai.registry.history import ClaimError, Claiming
from fucai.registry.paging import BadTokenError, page
from fucai.v1.registry_pb2 import OpenHistoryRequest
from tests.unit.registry.records import good, stored

places = st.builds(Place, st.sampled_from(["001", "002"]), st.sampled_from(["ssq", "3d"]))
days = st.integers(0, 40).map(lambda n: date(2024, 1, 1) + timedelta(days=n))
claims = st.dictionaries(places, st.sets(days, min_size=1))
HASH = "ab" * 32


@given(claims, claims)
def test_conflicts_are_the_days_that_both_bring(mine: dict[Place, set[date]], theirs: dict[Place, set[date]]) -> None:
    """Exactly the outlets, games and days that stand in both files are in conflict."""
    others = [OtherClaim(place, span, "first.csv") for place, chosen in theirs.items() for span in day_spans(chosen)]
    found = list(conflicts({place: day_spans(chosen) for place, chosen in mine.items()}, others))
    expected = {
        Conflict(place, day, "first.csv")
        for place in mine.keys() & theirs.keys()
        for day in mine[place] & theirs[place]
    }
    assert set(found) == expected
    assert len(found) == len(expected)


@given(st.integers(1, 2**31), st.integers(0, 2**31))
def test_epochs_rise(now_s: int, highest: int) -> None:
    """A new epoch is above all given, and not before the clock."""
    assert next_epoch(now_s, highest) > highest
    assert next_epoch(now_s, highest) >= now_s


@given(st.sets(st.integers(1, 12)))
def test_stored_through_claims_no_more_than_is_stored(numbers: set[int]) -> None:
    """Everything up to the number told is stored; without a hole it is the last number."""
    if not numbers:
        return
    through = stored_through(min(numbers), max(numbers), len(numbers))
    assert set(range(1, through + 1)) <= numbers
    assert through in (0, max(numbers))
    if numbers == set(range(1, max(numbers) + 1)):
        assert through == max(numbers)


@pytest.mark.parametrize(
    ("requests", "field", "told"),
    [
        ([], "days", "missing"),
        ([OpenHistoryRequest(content_sha256=HASH, outlet_id="001", game="ssq")], "days", "missing"),
        ([OpenHistoryRequest(content_sha256="ab", outlet_id="001", game="ssq")], "content_sha256", "no SHA-256"),
        ([OpenHistoryRequest(content_sha256=HASH, game="ssq")], "outlet_id", "empty"),
        ([OpenHistoryRequest(content_sha256=HASH, outlet_id="001")], "game", "empty"),
        ([OpenHistoryRequest(content_sha256=HASH, outlet_id="001", game="ssq", days=["1.1.24"])], "days", "YYYY-MM-DD"),
        (
            [OpenHistoryRequest(content_sha256=each * 32, outlet_id="001", game="ssq") for each in ("ab", "cd")],
            "content_sha256",
            "one file at a time",
        ),
    ],
)
def test_unusable_claim_names_the_field(requests: list[OpenHistoryRequest], field: str, told: str) -> None:
    """What cannot be claimed is refused with the field at fault."""

    def claim() -> None:
        claiming = Claiming()
        for request in requests:
            claiming.add(request)
        claiming.claims()

    with pytest.raises(ClaimError, match=told) as caught:
        claim()
    assert [violation.field for violation in caught.value.violations] == [field]


@pytest.mark.parametrize(("outlet_id", "game", "field"), [("001", "kl8", "game"), ("009", "ssq", "outlet_id")])
def test_history_of_unknown_outlets_and_games_is_refused(outlet_id: str, game: str, field: str) -> None:
    """Only what is registered can have history."""
    claiming = Claiming()
    claiming.add(OpenHistoryRequest(content_sha256=HASH, outlet_id=outlet_id, game=game, days=["2024-01-01"]))
    with pytest.raises(ClaimError) as caught:
        claiming.check(stored(good("outlet"), good("game")))
    assert [violation.field for violation in caught.value.violations] == [field]


@given(st.sets(st.integers(0, 99), min_size=1), st.integers(1, 5))
def test_pages_make_the_whole(numbers: set[int], size: int) -> None:
    """Walking the pages gives every key once and in order, even when keys are added behind the walker's back."""
    keys = [(f"{number:03}", "x") for number in sorted(numbers)]
    growing = list(keys)
    seen: list[tuple[str, ...]] = []
    token = ""
    while True:
        chosen, token = page(growing, size, token)
        seen += chosen
        if not token:
            break
        assert len(chosen) == size
        growing = sorted({*growing, (seen[0][0], "w")})
    assert seen == keys


@pytest.mark.parametrize("token", ["x", "e30=", "WzFd", "☃"])
def test_token_of_somebody_else_is_refused(token: str) -> None:
    """A token that was not given out is refused, not guessed at."""
    with pytest.raises(BadTokenError, match="next_page_token"):
        page([("a",)], 1, token)
