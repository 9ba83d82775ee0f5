"""Good records of every table, to be spoilt by tests."""

from __future__ import annotations

from typing import Any

from fucai.domain.registry.tables import BY_KIND, Snapshot, Table, empty_records
from fucai.v1.registry_pb2 import Benchmark, Closure, Draw, Game, Outlet, Terminal, Zone

CLOSE_MS = 1_704_196_800_000  # 2024-01-02T20:00 in Shanghai


def good(kind: str, /, **changes: Any) -> Any:
    """A good record of that kind, with some fields changed."""
    message = type(_GOOD[kind])()
    message.CopyFrom(_GOOD[kind])
    for field, value in changes.items():
        if isinstance(value, list):
            message.ClearField(field)
            getattr(message, field).extend(value)
        else:
            setattr(message, field, value)
    return message


def table_of(kind: str) -> Table:
    """The table of that kind of record."""
    return BY_KIND[kind]


def kind_of(message: Any) -> str:
    """The kind of a record."""
    return next(kind for kind, record in _GOOD.items() if isinstance(message, type(record)))


def stored(*messages: Any, revision: int = 1) -> Snapshot:
    """A registry that holds these records."""
    records = empty_records()
    for message in messages:
        table = table_of(kind_of(message))
        records[table.name][table.key(message)] = message
    return Snapshot(revision, records)


_GOOD: dict[str, Any] = {
    "zone": Zone(zone_id="Z1", name="金街", zone_type="complex", district_code="120101", district="和平", basis="read"),
    "outlet": Outlet(
        outlet_id="001",
        valid_from="2020-01-01",
        name="金街便利店",
        agent_id="A1",
        zone_id="Z1",
        mgmt_area="一分区",
        format="convenience_store",
        channel_class="social",
        opened="2020-01-01",
    ),
    "terminal": Terminal(terminal_id="T001", valid_from="2020-01-01", outlet_id="001", kind="till"),
    "game": Game(
        game="ssq",
        valid_from="2019-01-01",
        name="双色球",
        game_type="lotto",
        unit_price_fen=200,
        has_draws=True,
        max_multiplier=99,
        max_ticket_fen=2_000_000,
        prize_bp=5100,
        issuing_fee_bp=1300,
        welfare_fund_bp=3600,
        commission_bp=780,
        draw_weekdays=[2, 4, 7],
        draw_time="21:15",
    ),
    "draw": Draw(game="ssq", draw_no="2024001", sales_close_ms=CLOSE_MS, drawn_ms=CLOSE_MS + 4_500_000),
    "closure": Closure(first_day="2024-02-08", last_day="2024-02-17", scope="draw_games", name="spring_festival"),
    "benchmark": Benchmark(series="own", period="2024-02", amount_fen=1, yoy_pct="-14.8", basis="ours"),
}

KINDS = tuple(_GOOD)
