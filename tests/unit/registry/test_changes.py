"""Records beside each other and beside what is stored: references, repetitions, and what storing them changes."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.domain.registry.changes import Entry, check, plan
from fucai.domain.registry.tables import OUTLETS, ZONES, Snapshot, newest, version_on
from tests.unit.registry.records import CLOSE_MS, good, kind_of, stored, table_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
BASE = stored(good("zone"), good("outlet"), good("game"), good("draw"), good("closure"))


def entries(*messages: Any) -> list[Entry[int]]:
    """The records as entries, numbered."""
    return [Entry(place, table_of(kind_of(message)), message) for place, message in enumerate(messages)]


def checked(*messages: Any, beside: Snapshot = BASE, unreadable: tuple[str, ...] = ()) -> list[tuple[int, str, str]]:
    """Place, field and remedy of every fault."""
    made = entries(*messages)
    check(made, beside, SHANGHAI, unreadable)
    return [(entry.origin, fault.field, fault.remedy) for entry in made for fault in entry.faults]


@pytest.mark.parametrize(
    ("message", "field", "told"),
    [
        (good("outlet", zone_id="Z9"), "zone_id", "no known zone"),
        (good("terminal", outlet_id="009"), "outlet_id", "no known outlet"),
        (good("terminal", valid_from="2019-12-31"), "outlet_id", "known from 2020-01-01 only"),
        (good("draw", game="kl8"), "game", "no known game"),
        (good("draw", draw_no="2025001", sales_close_ms=CLOSE_MS + 1, drawn_ms=0), "draw_no", "another year"),
        (good("draw", draw_no="2024002"), "sales_close_ms", "2024001"),
        (good("closure", first_day="2024-02-17", last_day="2024-02-20"), "first_day", "overlaps"),
        (good("zone", zone_id="Z2", district="河东"), "district", "'和平'"),
    ],
)
def test_record_that_does_not_fit_what_is_stored(message: Any, field: str, told: str) -> None:
    """Each rule between records, broken beside a good registry, is told with its field."""
    ((_, found, remedy),) = checked(message)
    assert found == field
    assert told in remedy


def test_terminal_cannot_be_bound_to_a_closed_outlet() -> None:
    """On the day of closing an outlet is closed; the day before it is not."""
    beside = stored(good("outlet", zone_id="", closed="2024-01-01"))
    assert checked(good("terminal", valid_from="2023-12-31"), beside=beside) == []
    ((_, field, remedy),) = checked(good("terminal", valid_from="2024-01-01"), beside=beside)
    assert field == "outlet_id"
    assert "closed on 2024-01-01" in remedy


def test_draw_of_a_game_without_draws_or_before_its_sale_is_refused() -> None:
    """A draw needs the game's version of its own day to have draws."""
    later = good("game", valid_from="2024-01-03")
    ((_, field, remedy),) = checked(good("draw"), beside=stored(later))
    assert (field, "2024-01-03" in remedy) == ("game", True)
    summary = good("game", game_type="summary", has_draws=False, draw_weekdays=[], draw_time="", unit_price_fen=0)
    ((_, field, remedy),) = checked(good("draw"), beside=stored(summary))
    assert (field, "has no draws" in remedy) == ("game", True)


def test_year_of_a_draw_is_that_of_the_business_day() -> None:
    """A draw that closes in the first hours of a year in Shanghai is of that year, although it is not yet in UTC."""
    new_year_ms = CLOSE_MS - (24 + 20) * 3_600_000 + 60_000  # 2024-01-01T00:01 in Shanghai
    assert checked(good("draw", sales_close_ms=new_year_ms, drawn_ms=0)) == []


def test_records_of_one_request_know_each_other() -> None:
    """What a request brings itself need not be stored before, in whatever order it comes."""
    assert checked(good("terminal"), good("outlet"), good("zone"), beside=Snapshot()) == []


def test_reference_into_an_unreadable_file_is_not_judged() -> None:
    """Nothing is said to be unknown where the file that may hold it could not be read."""
    wanting = [good("outlet", zone_id="Z9"), good("terminal", outlet_id="009"), good("draw", game="kl8")]
    assert checked(*wanting, unreadable=("zones", "outlets", "games")) == []


def test_same_key_twice_is_told_once() -> None:
    """Two records of one id and valid_from in a request are a mistake, even if they are equal."""
    ((place, field, remedy),) = checked(good("outlet"), good("outlet"))
    assert (place, field) == (1, "outlet_id")
    assert "twice" in remedy


def test_new_name_of_a_district_must_be_given_to_all_its_zones() -> None:
    """A district is renamed by correcting all its zones at once."""
    beside = stored(good("zone"), good("zone", zone_id="Z2"))
    renamed = [good("zone", district="和平区"), good("zone", zone_id="Z2", district="和平区")]
    assert checked(*renamed, beside=beside) == []
    assert len(checked(renamed[0], beside=beside)) == 1


outlets = st.builds(
    lambda number, day, name: good("outlet", outlet_id=f"{number:03}", valid_from=f"2024-01-{day:02}", name=name),
    st.integers(0, 4),
    st.integers(1, 4),
    st.sampled_from(["a", "b"]),
)
uploads = st.lists(outlets, max_size=12, unique_by=OUTLETS.key)


@given(uploads, uploads)
def test_storing_twice_changes_nothing_and_absent_rows_stay(before: list[Any], upload: list[Any]) -> None:
    """After an upload the registry holds it, and what was there before; the same upload again is all unchanged."""
    old = stored(*before)
    first = plan(entries(*upload), old)
    now = first.records_after["outlets"]
    assert {OUTLETS.key(message): message for message in upload}.items() <= now.items()
    assert {**old.of(OUTLETS), **{OUTLETS.key(message): message for message in upload}} == now
    assert first.added + first.corrected + first.unchanged == len(upload)
    assert first.added == len(now) - len(before)
    again = plan(entries(*upload), Snapshot(2, first.records_after))
    assert (again.rows, again.unchanged) == (0, len(upload))


def test_hash_of_an_import_depends_on_its_rows_only() -> None:
    """The same rows have the same SHA-256, other rows another."""
    one, two = entries(good("zone")), entries(good("zone", name="银街"))
    assert plan(one, Snapshot()).content_sha256 == plan(one, stored(good("outlet"))).content_sha256
    assert plan(one, Snapshot()).content_sha256 != plan(two, Snapshot()).content_sha256


@given(uploads, st.integers(0, 6))
def test_version_on_a_day_is_the_last_that_began(versions: list[Any], day: int) -> None:
    """The version on a day is the newest with valid_from up to it; without a day, the newest of all."""
    records = stored(*versions).of(OUTLETS)
    text = f"2024-01-{day:02}" if day else ""
    for number in range(5):
        wanted = f"{number:03}"
        of_outlet = [m for m in versions if m.outlet_id == wanted and (not text or m.valid_from <= text)]
        expected = max(of_outlet, key=lambda m: str(m.valid_from), default=None)
        assert version_on(OUTLETS, records, (wanted,), text) == expected


def test_newest_of_a_table_without_versions_is_every_record() -> None:
    """Zones have no versions, so each is its own newest."""
    records = stored(good("zone"), good("zone", zone_id="Z2")).of(ZONES)
    assert newest(ZONES, records) == [("Z1",), ("Z2",)]
