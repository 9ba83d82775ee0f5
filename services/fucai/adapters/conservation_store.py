"""Counts events stored, duplicate and quarantined, each from where it stands. Knows no embargo: the caller does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, NamedTuple

from fucai.adapters.ledger_store import Key

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

# $groups stands for columns, $table for a table; both are fixed texts. Duplicates written again after a crash
# stand twice until ClickHouse merges them: FINAL takes each (topic, partition, offset, number) once.
_COUNT = Template("""
SELECT $groups, count(), sum(amount_fen) FROM $table
WHERE $where GROUP BY $groups
""")
_COLUMNS = {"outlet_id": "outlet_id", "game": "game", "draw_no": "draw_no"}
_CONDITIONS = {
    "outlet_id": "outlet_id = {outlet_id:String}",
    "game": "game = {game:String}",
    "draw_no": "draw_no = {draw_no:String}",
}
_NOT_SEALED = "(game, draw_no) NOT IN {sealed:Array(Tuple(String, String))}"
_QUARANTINED = Template("""
SELECT terminal_id, epoch, outlet_id, game, draw_no, daily_summary, groupArray((seq, amount_fen)) FROM quarantine FINAL
WHERE reason != 'BAD_RECORD' AND $where
GROUP BY terminal_id, epoch, outlet_id, game, draw_no, daily_summary
""")
_UNREADABLE = "SELECT count() FROM quarantine FINAL WHERE reason = 'BAD_RECORD'"
_NAMED = Template("""
SELECT DISTINCT game, draw_no, found_good
FROM
(
    SELECT toString(game) AS game, toString(draw_no) AS draw_no, true AS found_good
    FROM (SELECT game, draw_no, count() FROM sales WHERE $where GROUP BY game, draw_no)
    UNION ALL
    SELECT toString(game), toString(draw_no), NOT was_quarantined FROM sales_duplicates WHERE $where
    UNION ALL
    SELECT game, draw_no, daily_summary FROM quarantine WHERE reason != 'BAD_RECORD' AND $where
)
""")
_DRAWS = "SELECT game, draw_no FROM sales WHERE draw_no != '' GROUP BY game, draw_no"


@dataclass(frozen=True, slots=True)
class Scope:
    """What to count; empty for all."""

    outlet_id: str = ""
    game: str = ""
    draw_no: str = ""


class Counted(NamedTuple):
    """Events of one group and their amounts in fen. `group` has the values of the columns asked for.

    `found_good` is False for duplicates of events in quarantine, which no collector has found good.
    """

    group: tuple[str, ...]
    events: int
    amount_fen: int
    found_good: bool = True


class QuarantinedGroup(NamedTuple):
    """Entries of one terminal and epoch that name the same outlet, game and draw: numbers and amounts in fen."""

    key: Key
    outlet_id: str
    game: str
    draw_no: str
    daily_summary: bool
    numbers: Sequence[tuple[int, int]]


def count_stored(
    client: Client, scope: Scope, by: Sequence[str], sealed: Sequence[tuple[str, str]] = ()
) -> list[Counted]:
    """Return stored events by some of outlet_id, game and draw_no, without `sealed` draws.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    where, parameters = _where(scope)
    if sealed:
        where, parameters = f"{where} AND {_NOT_SEALED}", {**parameters, "sealed": list(sealed)}
    text = _COUNT.substitute(groups=_groups(by), table="sales", where=where)
    rows = client.query(text, parameters).result_rows
    return [Counted(tuple(map(str, group)), int(events), int(fen)) for *group, events, fen in rows]


def count_duplicates(client: Client, scope: Scope, by: Sequence[str]) -> list[Counted]:
    """Return duplicate events by some of outlet_id, game and draw_no.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    where, parameters = _where(scope)
    groups = f"{_groups(by)}, was_quarantined"
    text = _COUNT.substitute(groups=groups, table="sales_duplicates FINAL", where=where)
    rows = client.query(text, parameters).result_rows
    return [
        Counted(tuple(map(str, group)), int(events), int(fen), not was_quarantined)
        for *group, was_quarantined, events, fen in rows
    ]


def quarantined_events(client: Client, scope: Scope) -> list[QuarantinedGroup]:
    """Return all entries that are events, whatever became of them since.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    where, parameters = _where(scope)
    rows = client.query(_QUARANTINED.substitute(where=where), parameters).result_rows
    return [QuarantinedGroup((terminal, epoch), *rest) for terminal, epoch, *rest in rows]


def count_unreadable(client: Client) -> int:
    """Return how many Kafka records are kept as raw bytes.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return int(client.query(_UNREADABLE).result_rows[0][0])


def stored_draws(client: Client) -> set[tuple[str, str]]:
    """Return the game and number of every draw that a stored event names.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return {(str(game), str(draw_no)) for game, draw_no in client.query(_DRAWS).result_rows}


def named_draws(client: Client, scope: Scope) -> set[tuple[str, str, bool]]:
    """Return game and number of every draw that an event of a scope names, wherever it stands, and if it is a good one.

    The number is empty where an event names none. False for what no collector has found good, daily summaries apart.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    where, parameters = _where(scope)
    rows = client.query(_NAMED.substitute(where=where), parameters).result_rows
    return {(str(game), str(draw_no), bool(found_good)) for game, draw_no, found_good in rows}


def _groups(by: Sequence[str]) -> str:
    return ", ".join(_COLUMNS[name] for name in by)


def _where(scope: Scope) -> tuple[str, dict[str, object]]:
    parameters: dict[str, object] = {name: getattr(scope, name) for name in _CONDITIONS if getattr(scope, name)}
    return " AND ".join(_CONDITIONS[name] for name in parameters) or "1", parameters
