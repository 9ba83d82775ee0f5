"""What is stored of one draw, once everybody may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from clickhouse_connect.driver.client import Client

_LATE = """
SELECT count() FROM visible_sales
WHERE game = {game:String} AND draw_no = {draw_no:String} AND late AND business_day BETWEEN {first:Date} AND {last:Date}
"""


def count_late(client: Client, game: str, draw_no: str, first: date, last: date) -> int:
    """Return how many stored events of a draw were received after its seal; those of some business days, both included.

    Nothing is counted of a draw that is sealed.

    Raises:
        ClickHouseError: the server is away or refuses.
    """
    asked = {"game": game, "draw_no": draw_no, "first": first, "last": last}
    return int(client.query(_LATE, asked).result_rows[0][0])
