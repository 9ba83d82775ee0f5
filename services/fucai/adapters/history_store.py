"""Reads and writes which files of history were let in, which days they claim, and what is stored of them.

As in `registry_store`, an insert may be sent twice without anybody's will: rows that stand twice count once.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from fucai.domain.registry.history import Claims, OtherClaim, Place, stored_through

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clickhouse_connect.driver.client import Client

    from fucai.domain.calendar import DaySpan

_OUTLETS_A_QUERY = 500

_EPOCH = "SELECT min(epoch) FROM history_files WHERE content_sha256 = {content_sha256:String}"
_HIGHEST_EPOCH = """
SELECT greatest((SELECT max(epoch) FROM history_files), (SELECT max(epoch) FROM history_claims))
"""
_CLAIMS = """
SELECT DISTINCT outlet_id, game, first_day, last_day FROM history_claims WHERE epoch = {epoch:UInt32}
ORDER BY outlet_id, game, first_day
"""
_OTHERS = """
SELECT claim.outlet_id, claim.game, claim.first_day, claim.last_day, given.file
FROM history_claims AS claim
INNER JOIN history_files AS given ON given.epoch = claim.epoch
WHERE claim.outlet_id IN {outlets:Array(String)}
ORDER BY claim.outlet_id, claim.game, claim.first_day, claim.last_day, claim.epoch
LIMIT 1 BY claim.outlet_id, claim.game, claim.first_day, claim.last_day, claim.epoch
"""
_STORED = """
SELECT terminal_id, min(low), max(high), sum(rows)
FROM
(
    SELECT terminal_id, min(seq) AS low, max(seq) AS high, count() AS rows
    FROM sales WHERE epoch = {epoch:UInt32} GROUP BY kafka_partition, terminal_id, epoch
)
GROUP BY terminal_id ORDER BY terminal_id
"""


def epoch_of(client: Client, content_sha256: str) -> int:
    """Return the epoch given to the file with this content, 0 if it was never let in.

    Raises:
        ClickHouseError: the server is away.
    """
    return int(client.query(_EPOCH, {"content_sha256": content_sha256}).result_rows[0][0])


def highest_epoch(client: Client) -> int:
    """Return the highest epoch ever given, 0 if none was.

    Raises:
        ClickHouseError: the server is away.
    """
    return int(client.query(_HIGHEST_EPOCH).result_rows[0][0])


def claims_of(client: Client, epoch: int) -> Claims:
    """Return the days that the file with this epoch claims.

    Raises:
        ClickHouseError: the server is away.
    """
    found: defaultdict[Place, list[DaySpan]] = defaultdict(list)
    for outlet_id, game, first, last in client.query(_CLAIMS, {"epoch": epoch}).result_rows:
        found[Place(outlet_id, game)].append((first, last))
    return found


def other_claims(client: Client, outlets: Sequence[str]) -> Iterator[OtherClaim]:
    """Yield what was claimed of these outlets by files that were let in, by outlet, game and day.

    Raises:
        ClickHouseError: the server is away.
    """
    for start in range(0, len(outlets), _OUTLETS_A_QUERY):
        wanted = {"outlets": list(outlets[start : start + _OUTLETS_A_QUERY])}
        for outlet_id, game, first, last, file in client.query(_OTHERS, wanted).result_rows:
            yield OtherClaim(Place(outlet_id, game), (first, last), file)


def let_in(client: Client, epoch: int, content_sha256: str, file: str, claims: Claims) -> None:
    """Write a file's claims, which count all at once, with the last row written.

    Raises:
        ClickHouseError: the claims may count or not; ask `epoch_of`, and take a new epoch if they do not.
    """
    rows = [
        [place.outlet_id, place.game, first, last, epoch] for place, spans in claims.items() for first, last in spans
    ]
    client.insert("history_claims", rows, column_names=["outlet_id", "game", "first_day", "last_day", "epoch"])
    client.insert("history_files", [[epoch, content_sha256, file]], column_names=["epoch", "content_sha256", "file"])


def read_stored(client: Client, epoch: int) -> dict[str, int]:
    """Return, by terminal, the number up to which all its events of the epoch are stored; without terminals with 0.

    Raises:
        ClickHouseError: the server is away.
    """
    rows = client.query(_STORED, {"epoch": epoch}).result_rows
    through = {str(terminal): stored_through(low, high, count) for terminal, low, high, count in rows}
    return {terminal: seq for terminal, seq in through.items() if seq}
