"""Names of the measures for people, and what each is. Asks nothing."""

from __future__ import annotations

from fucai.cli.out.sheet import Kind
from fucai.domain.labels import Label

_RATIOS = frozenset({"attach_rate", "share"})
_COUNTS = frozenset({"bets", "tickets", "events", "visits", "selling_outlets"})
MEASURES = {
    "sales": Label("销售额", "sales"),
    "bets": Label("注数", "bets"),
    "tickets": Label("张数", "tickets"),
    "events": Label("事件数", "events"),
    "visits": Label("到店次数", "visits"),
    "payouts": Label("兑奖", "payouts"),
    "companion": Label("伴随消费", "companion"),
    "attach_rate": Label("连带率", "attach rate"),
    "spend_per_visit": Label("次均伴随消费", "spend per visit"),
    "spend_per_attached_visit": Label("连带次均消费", "spend per attached visit"),
    "welfare_fund": Label("公益金", "welfare fund"),
    "issuing_fee": Label("发行费", "issuing fee"),
    "prize_pool": Label("返奖", "prize pool"),
    "commission": Label("代销费", "commission"),
    "selling_outlets": Label("有销网点", "selling outlets"),
    "sales_per_outlet": Label("站均销量", "sales per outlet"),
    "sales_per_open_day": Label("开市日均销售额", "sales per open day"),
    "share": Label("份额", "share"),
}
"""Names of the measures for people."""


def measure_kind(measure: str) -> Kind:
    """What the column of a measure holds."""
    return Kind.RATIO if measure in _RATIOS else Kind.COUNT if measure in _COUNTS else Kind.MONEY
