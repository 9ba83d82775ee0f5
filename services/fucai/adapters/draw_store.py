"""When draws are sealed and end, as the store has it now; and what is stored of one draw, once everybody may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from clickhouse_connect.driver.client import Client

_LATE = """
SELECT count() FROM visible_sales
WHERE game = {game:String} AND draw_no = {draw_no:String} AND late AND business_day BETWEEN {first:Date} AND {last:Date}
"""

_NOW = "SELECT toUnixTimestamp64Milli(now64(3))"
_TIMES = "SELECT game, draw_no, sealed_ms, drawn_ms FROM draw_seals"


def read_times(client: Client) -> dict[tuple[str, str], tuple[int, int]]:
    """Return by game and number when each draw is sealed, and when it ends (0 while that is not known), Unix ms.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return {(str(game), str(draw)): (int(at), int(end)) for game, draw, at, end in client.query(_TIMES).result_rows}


def read_now_ms(client: Client) -> int:
    """Return the time by the store's clock, Unix ms: the one by which its views judge draws.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    return int(client.query(_NOW).result_rows[0][0])


def count_late(client: Client, game: str, draw_no: str, first: date, last: date) -> int:
    """Return how many stored events of a draw were received after its seal; those of some business days, both included.

    Nothing is counted of a draw that is sealed.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    asked = {"game": game, "draw_no": draw_no, "first": first, "last": last}
    return int(client.query(_LATE, asked).result_rows[0][0])
