"""What tills and import terminals send, good unless a test spoils it, and the catalogue that it is good under."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from fucai.domain.catalogue import Catalogue, build_catalogue
from fucai.domain.validation import Validator, Window
from fucai.v1 import sales_pb2
from fucai.v1.registry_pb2 import RegistryRecord
from tests.support.registry_stub import terminal, usual_games

NOW_MS = 1_760_000_000_000
"""2025-10-09 16:53:20 in Shanghai."""

HOUR_MS = 3_600_000
TILL, TILL_OUTLET = "T-01", "O-01"
IMPORTER = f"import:{TILL_OUTLET}"


def sale(seq: int, **spoiled: Any) -> sales_pb2.SalesEvent:
    """A lotto sale an hour ago, with fields replaced."""
    fields: dict[str, Any] = {
        "seq": seq,
        "kind": sales_pb2.EVENT_KIND_SALE,
        "game": "ssq",
        "draw_no": "2025117",
        "amount_fen": 1_200,
        "bets": 3,
        "multiplier": 2,
        "ticket_serial": f"S{seq:08d}",
        "sold_at_ms": NOW_MS - HOUR_MS + seq,
    }
    return sales_pb2.SalesEvent(**{**fields, **spoiled})


def instant(seq: int, **spoiled: Any) -> sales_pb2.SalesEvent:
    """Two instant tickets of 10 yuan, with fields replaced."""
    fields: dict[str, Any] = {
        "game": "instant",
        "draw_no": "",
        "amount_fen": 2_000,
        "bets": 2,
        "multiplier": 0,
        "face_value_fen": 1_000,
    }
    return sale(seq, **{**fields, **spoiled})


def summary(seq: int, **spoiled: Any) -> sales_pb2.SalesEvent:
    """A day's summary of one outlet and game, ten years ago, with fields replaced."""
    fields: dict[str, Any] = {
        "game": "on_daily",
        "draw_no": "",
        "amount_fen": 123_457,
        "bets": 311,
        "multiplier": 0,
        "ticket_serial": "",
        "sold_at_ms": NOW_MS - 3_650 * 24 * HOUR_MS,
        "daily_summary": True,
    }
    return sale(seq, **{**fields, **spoiled})


def batch(*events: sales_pb2.SalesEvent, **spoiled: Any) -> sales_pb2.SalesBatch:
    """A till's batch, with fields replaced."""
    fields: dict[str, Any] = {
        "terminal_id": TILL,
        "outlet_id": TILL_OUTLET,
        "epoch": 1_700_000_000,
        "events": events,
        "digest": b"d" * 32,
    }
    return sales_pb2.SalesBatch(**{**fields, **spoiled})


def usual_records() -> list[RegistryRecord]:
    """The usual games, one till that moved once, and one import terminal."""
    return [
        *usual_games(),
        terminal(TILL, "O-00", valid_from="2020-01-01"),
        terminal(TILL, TILL_OUTLET, valid_from="2025-09-01"),
        terminal("T-withdrawn", "", valid_from="2020-01-01"),
        terminal(IMPORTER, TILL_OUTLET, kind="import"),
    ]


def usual_catalogue() -> Catalogue:
    """The catalogue of `usual_records`."""
    return build_catalogue(1, usual_records())


def usual_validator() -> Validator:
    """A fresh validator over `usual_catalogue`, business days in Shanghai."""
    return Validator(usual_catalogue(), zone=ZoneInfo("Asia/Shanghai"), window=Window())
