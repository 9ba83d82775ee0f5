"""Days that count as settled: the quick half of what may be seen never has an event of a sealed draw."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from fucai.analytics import outlet_days
from fucai.analytics.texts import where
from fucai.domain.periods import DayRange
from tests.support.clickhouse import Database, fresh_database

FIRST = date(2025, 1, 1)
DAYS = 62
"""January and February whole, and three days of March."""
SEALED_FEN = 10**9
LEAST_QUERIES = 5
SHARED = "enable_shared_storage_snapshot_in_query"
_ROW = "outlet_id, business_day, kind, game, draw_no, amount_fen, bets, terminal_id, epoch, seq"
_EACH_DAY = f"""
INSERT INTO sales ({_ROW})
SELECT concat('O', toString(number % 5)), toDate('{FIRST}') + number % {DAYS}, if(number % 7 = 0, 'VOID', 'SALE'),
       if(number % 3 = 0, 'instant', 'ssq'), if(number % 3 = 0, '', '2025001'), 200, 1, 'T', 7, number
FROM numbers(4000)
"""
_ALL = where(())
_SETTLED_TEXT = outlet_days.rows(["bet_count"], {"outlet_id"}, outlet_days.NOW, _ALL)
_MONTHS_TEXT = outlet_days.rows(["bet_count"], {"outlet_id"}, outlet_days.NOW, _ALL, by_month=True)
_VISIBLE_TEXT = outlet_days.rows(["bet_count"], {"outlet_id"}, outlet_days.NOW, _ALL._replace(fine=True))
_PERIOD = outlet_days.of_days(DayRange(FIRST, FIRST + timedelta(days=DAYS - 1)))
_MOVES = {"O1": date(2025, 1, 15), "O2": date(2025, 2, 1), "O3": date(2025, 3, 2)}
"""When outlets change zone: within a whole month, on the first of one, and in the part of a month at the end."""


@pytest.fixture
def database(engine_url: str) -> Iterator[Database]:
    """A store of its own in which draw 2025001 was drawn, and 2025002 is sealed; some outlets change zone."""
    with fresh_database(engine_url) as found:
        client = found.client()
        columns = ["game", "draw_no", "sales_close_ms", "drawn_ms", "import_id"]
        client.insert("draw_rows", [("ssq", "2025001", 1, 2, 1), ("ssq", "2025002", 1, 0, 1)], column_names=columns)
        stays = [(outlet, stay) for outlet, moved in _MOVES.items() for stay in ((FIRST, "a"), (moved, "b"))]
        places = [(outlet, day, zone, 1) for outlet, (day, zone) in stays]
        client.insert("outlet_rows", places, column_names=["outlet_id", "valid_from", "zone_id", "import_id"])
        client.insert(
            "imports",
            [(1, "test", "", 0, 0, 0)],
            column_names=["import_id", "source", "sha256", "added", "corrected", "unchanged"],
        )
        client.command("SYSTEM RELOAD DICTIONARY draw_times")
        client.command("SYSTEM RELOAD DICTIONARY outlet_history")
        client.command(_EACH_DAY)
        client.close()
        yield found


def _store_sealed(client: Client, day: date, seq: int) -> None:
    """An event of the sealed draw, stored now on however old a day."""
    row = ("O1", day, "SALE", "ssq", "2025002", SEALED_FEN, 1, "T", 8, seq)
    client.insert("sales", [row], column_names=_ROW.split(", "))


def _sums(client: Client, text: str) -> list[tuple[Any, ...]]:
    """Figures by outlet, day and kind."""
    found = client.query(f"SELECT business_day, kind, outlet_id, fen, bet_count FROM ({text})", _PERIOD).result_rows
    return sorted(tuple(row) for row in found)


def test_both_halves_are_what_may_be_seen(database: Database) -> None:
    """The two halves give what the one view gives; only days with a sealed event are not settled."""
    client = database.client()
    sealed = [FIRST + timedelta(days=nth) for nth in (3, 17)]
    for seq, day in enumerate(sealed):
        _store_sealed(client, day, seq)
    ((days,),) = client.query("SELECT days FROM unsettled_days").result_rows
    assert sorted(days) == sealed
    assert _sums(client, _SETTLED_TEXT) == _sums(client, _VISIBLE_TEXT)
    client.close()


def _by_place(client: Client, text: str) -> list[tuple[Any, ...]]:
    """Figures by month, outlet, kind, and the zone on the day that the row names."""
    zone = "dictGetOrDefault('outlet_history', 'zone_id', tuple(outlet_id), business_day, '')"
    keys = f"toStartOfMonth(business_day), outlet_id, kind, {zone}"
    rows = client.query(f"SELECT {keys}, sum(fen), sum(bet_count) FROM ({text}) GROUP BY ALL ORDER BY ALL", _PERIOD)
    return [tuple(row) for row in rows.result_rows]


@pytest.mark.parametrize("sealed", [(), (40,), (3, 40, 61)])
def test_months_read_as_one_row_are_what_may_be_seen_of_their_days(database: Database, sealed: tuple[int, ...]) -> None:
    """An outlet that moves within a month has its days told apart, and so has a month with a sealed event."""
    client = database.client()
    for seq, nth in enumerate(sealed):
        _store_sealed(client, FIRST + timedelta(days=nth), seq)
    assert _by_place(client, _MONTHS_TEXT) == _by_place(client, _VISIBLE_TEXT)
    asked = f"SELECT outlet_id, toMonth(business_day), count() FROM ({_MONTHS_TEXT}) WHERE kind = 'SALE' GROUP BY ALL"
    rows = {(outlet, month): count for outlet, month, count in client.query(asked, _PERIOD).result_rows}
    whole = {(outlet, month) for (outlet, month), count in rows.items() if count == 1}
    assert whole == {
        (f"O{nth}", month)
        for nth in range(5)
        for month in (1, 2)
        if (nth, month) != (1, 1) and not any((FIRST + timedelta(days=day)).month == month for day in sealed)
    }
    client.close()


def test_without_shared_snapshots_no_day_counts_as_settled(database: Database) -> None:
    """Where snapshots are not shared within a query, the same figures come from the slow half alone."""
    client = database.client()
    _store_sealed(client, FIRST, 0)
    expected = _sums(client, _VISIBLE_TEXT)
    client.set_client_setting(SHARED, 0)
    assert client.query("SELECT count() FROM settled_sales").first_row == (0,)
    assert _sums(client, _SETTLED_TEXT) == expected
    client.close()


def _leaks(database: Database, text: str, *, asked_before: bool = False) -> int:
    """How many queries show the sealed draw, while one event of it is stored on every other day.

    With `asked_before` the days that are not settled are asked for by a query of its own, before.
    """
    reader, writer = database.client(), database.client()
    reader.set_client_setting("merge_tree_storage_snapshot_sleep_ms", 40)

    def store() -> None:
        for nth in range(0, DAYS, 2):
            _store_sealed(writer, FIRST + timedelta(days=nth), nth)

    storing = threading.Thread(target=store)
    storing.start()
    leaks = queries = 0
    while storing.is_alive():
        before = reader.query("SELECT days FROM unsettled_days").result_rows[0][0] if asked_before else []
        ((most,),) = reader.query(f"SELECT max(fen) FROM ({text})", {**_PERIOD, "unsettled": before}).result_rows
        leaks += most >= SEALED_FEN
        queries += 1
    storing.join()
    reader.close()
    writer.close()
    assert queries >= LEAST_QUERIES
    return leaks


def test_an_event_stored_while_a_query_runs_does_not_slip_in(database: Database) -> None:
    """Settled days are found in the snapshot that is summed; by a query before, they let sealed events through."""
    assert _leaks(database, _SETTLED_TEXT) == 0
    client = database.client()
    client.command("ALTER TABLE sales DELETE WHERE draw_no = '2025002' SETTINGS mutations_sync = 2")
    client.close()
    place = "toYYYYMM(business_day) * 1000000000000 + cityHash64(outlet_id) % 1000000000000 AS place"
    settled_before = f"FROM (SELECT *, {place} FROM sales WHERE NOT has({{unsettled:Array(Date)}}, business_day))"
    careless = _SETTLED_TEXT.replace("FROM settled_sales", settled_before)
    assert _leaks(database, careless, asked_before=True) > 0


def test_an_event_stored_while_months_are_read_does_not_slip_in(database: Database) -> None:
    """So are settled months."""
    assert _leaks(database, _MONTHS_TEXT) == 0
