"""Connections to ClickHouse: every client of the suite is made here. Holds no SQL of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ClickHouseError", "Client", "DatabaseError", "OperationalError", "connect", "error_code"]


def connect(
    url: str,
    database: str = "",
    *,
    log_comment: str = "",
    settings: Mapping[str, str | int] | None = None,
    timeout_s: float = 60.0,
) -> Client:
    """Return a client of its own for the server at `url` (http://host:port or chdb:///dir).

    A client runs one query at a time: give each thread its own. `log_comment` marks the client's queries in the
    server's query log.

    Raises:
        OperationalError: the server cannot be reached.
    """
    chosen: dict[str, str | int] = {"log_comment": log_comment, **(settings or {})}
    return clickhouse_connect.get_client(
        dsn=url,
        database=database or None,
        settings=chosen,
        autogenerate_session_id=False,
        send_receive_timeout=int(timeout_s),
        connect_timeout=5,
        query_limit=0,
    )


def error_code(error: ClickHouseError) -> int:
    """Return ClickHouse's number of the error, such as 60 for UNKNOWN_TABLE, or 0 if it carries none."""
    code = getattr(error, "code", None)
    return int(code) if code is not None else 0
