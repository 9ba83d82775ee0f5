"""What is measured: each measure's kind, meaning, and how it is computed from sums. Asks nothing, knows no SQL."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from fucai.analytics.sums import OPEN_DAYS, OUTLETS
from fucai.domain.comparison import Pairing
from fucai.domain.growth import Coverage, Growth, Mark, grow
from fucai.domain.rounding import BASIS_POINTS
from fucai.runtime.errors import Violation
from fucai.v1 import analytics_pb2

Sums = Mapping[str, int]
"""Sums by name, as in `sums.SUMS`, OUTLETS and OPEN_DAYS."""
Compute = Callable[[Sums, Sums], Fraction | None]
"""The value from the sums of a group and those of the whole; None where it can not be formed."""


class Kind(enum.Enum):
    """What a value is: whole fen, a whole number, a ratio."""

    FEN = enum.auto()
    COUNT = enum.auto()
    RATIO = enum.auto()


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure.

    Attributes:
        name: as it is asked for.
        kind: of its value.
        sums: the names of the sums it needs.
        compute: its exact value; whoever shows it rounds once, half to even.
        flow: whether it grows with the days counted, so that an average per open day means something.
        zh: what it means, Chinese.
        en: the same, English.
    """

    name: str
    kind: Kind
    sums: tuple[str, ...]
    compute: Compute
    flow: bool
    zh: str
    en: str

    def definition(self) -> analytics_pb2.Definition:
        """As it goes beside an answer."""
        return analytics_pb2.Definition(name=self.name, text_zh=self.zh, text_en=self.en)


def _sum(name: str) -> Compute:
    return lambda group, _: Fraction(group[name])


def _fund(rate: str, without: str) -> Compute:
    """Fen of a fund: the exact sum of sales times rates; none where an event's game has no rate on its day."""
    return lambda group, _: None if group[without] else Fraction(group[rate], BASIS_POINTS)


def _ratio(top: str, bottom: str) -> Compute:
    return lambda group, _: Fraction(group[top], group[bottom]) if group[bottom] > 0 else None


def _share(group: Sums, whole: Sums) -> Fraction | None:
    return Fraction(group["sales"], whole["sales"]) if whole["sales"] > 0 else None


def _fund_of(name: str, rate: str, zh: str, en: str) -> Measure:
    rated_zh = f"{zh}：销售额乘以该游戏在营业日有效的比率，合计后舍入一次；缺比率时不给出"
    rated_en = f"{en}: sales times the game's rate on the business day, rounded once when summed; absent without a rate"
    without = "uncommissioned" if name == "commission" else "unrated"
    return Measure(name, Kind.FEN, (rate, without), _fund(rate, without), flow=True, zh=rated_zh, en=rated_en)


def _plain(name: str, kind: Kind, zh: str, en: str) -> Measure:
    return Measure(name, kind, (name,), _sum(name), flow=True, zh=zh, en=en)


_ALL = (
    _plain(
        "sales",
        Kind.FEN,
        "销售额：销售金额减注销金额，各计入其自身营业日",
        "Sales: amount of SALE less amount of VOID events, each on its own business day",
    ),
    _plain(
        "bets",
        Kind.COUNT,
        "注数：销售注数减注销注数（即开票为张数）",
        "Bets: those of SALE less those of VOID events (tickets for instant games)",
    ),
    _plain(
        "tickets",
        Kind.COUNT,
        "张数：无期次游戏（即开票）的销售张数减注销张数",
        "Tickets: those of games without draws (instant), sold less voided",
    ),
    _plain("events", Kind.COUNT, "事件数：销售、注销、兑奖", "Events: SALE, VOID and PAYOUT"),
    _plain(
        "visits",
        Kind.COUNT,
        "到店次数：销售事件数，不含日汇总，注销不减",
        "Visits: SALE events without daily summaries; a void takes none away",
    ),
    _plain("payouts", Kind.FEN, "兑奖金额：兑奖事件金额", "Payouts: amount of PAYOUT events"),
    _plain(
        "companion",
        Kind.FEN,
        "伴随消费：同次到店的其他业态消费，注销不减",
        "Companion spend: on the other trade in the same visit; a void takes none away",
    ),
    Measure(
        "attach_rate",
        Kind.RATIO,
        ("attached", "visits"),
        _ratio("attached", "visits"),
        flow=False,
        zh="连带率：有伴随消费的到店次数÷到店次数",
        en="Attach rate: visits with companion spend over visits",
    ),
    Measure(
        "spend_per_visit",
        Kind.FEN,
        ("companion", "visits"),
        _ratio("companion", "visits"),
        flow=False,
        zh="次均伴随消费：伴随消费÷到店次数，四舍六入五成双",
        en="Spend per visit: companion spend over visits, rounded half to even",
    ),
    Measure(
        "spend_per_attached_visit",
        Kind.FEN,
        ("companion", "attached"),
        _ratio("companion", "attached"),
        flow=False,
        zh="连带次均消费：伴随消费÷有伴随消费的到店次数，四舍六入五成双",
        en="Spend per attached visit: companion spend over visits with any, rounded half to even",
    ),
    _fund_of("welfare_fund", "welfare_fund_bp", "公益金", "Welfare fund"),
    _fund_of("issuing_fee", "issuing_fee_bp", "发行费", "Issuing fee"),
    _fund_of("prize_pool", "prize_bp", "返奖", "Prize pool"),
    _fund_of("commission", "commission_bp", "代销费", "Commission"),
    Measure(
        "selling_outlets",
        Kind.COUNT,
        (OUTLETS,),
        _sum(OUTLETS),
        flow=False,
        zh="有销网点：期内至少有一笔有注数销售的网点数；各组之和可多于合计",
        en="Selling outlets: those with at least one sale in the period; groups may add up to more than the whole",
    ),
    Measure(
        "sales_per_outlet",
        Kind.FEN,
        ("sales", OUTLETS),
        _ratio("sales", OUTLETS),
        flow=True,
        zh="站均销量：销售额÷有销网点数，四舍六入五成双",
        en="Sales per outlet: sales over selling outlets, rounded half to even",
    ),
    Measure(
        "sales_per_open_day",
        Kind.FEN,
        ("sales", OPEN_DAYS),
        _ratio("sales", OPEN_DAYS),
        flow=False,
        zh="开市日均销售额：销售额÷期内开市日数，四舍六入五成双；没有开市日时不给出",
        en="Sales per open day: sales over the open days of the period, rounded half to even; absent without any",
    ),
    Measure(
        "share",
        Kind.RATIO,
        ("sales",),
        _share,
        flow=False,
        zh="份额：本组销售额÷合计销售额；合计不为正时不给出",
        en="Share: sales of the group over sales of the whole; absent where those are not positive",
    ),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
"""By name, in the order in which they are offered."""


def read_measures(names: Iterable[str], default: Iterable[str], bad: list[Violation]) -> tuple[Measure, ...]:
    """The measures of a request, the default ones where it names none; what is wrong goes into `bad`."""
    asked = tuple(names) or tuple(default)
    for place, name in enumerate(asked):
        if name not in MEASURES:
            text = f"{name!r} is no measure: choose {', '.join(MEASURES)}"
            bad.append(Violation(f"measures[{place}]", text))
        elif name in asked[:place]:
            bad.append(Violation(f"measures[{place}]", f"{name!r} stands twice: name each measure once"))
    return tuple(MEASURES[name] for name in asked if name in MEASURES)


def sums_of(measures: Iterable[Measure]) -> tuple[str, ...]:
    """The sums that these measures need, in order, each once."""
    return tuple(dict.fromkeys(name for measure in measures for name in measure.sums))


def quantity(measure: Measure, value: Fraction) -> analytics_pb2.Quantity:
    """A value as it goes over the wire: whole fen half to even, counts, ratios."""
    match measure.kind:
        case Kind.FEN:
            return analytics_pb2.Quantity(fen=round(value))
        case Kind.COUNT:
            return analytics_pb2.Quantity(count=round(value))
        case Kind.RATIO:
            return analytics_pb2.Quantity(ratio=float(value))


def measurement(
    measure: Measure,
    value: tuple[Sums, Sums],
    base: tuple[Sums, Sums],
    pairing: Pairing | None,
    *,
    small_base: bool = False,
) -> analytics_pb2.Measurement:
    """One measure of one group; `value` and `base` are the sums of the group and of the whole.

    Without a comparison `pairing` is None. With `small_base` a growth that has a ratio is marked SMALL_BASE instead.
    """
    now = measure.compute(*value)
    shown = analytics_pb2.Measurement(measure=measure.name)
    if now is not None:
        shown.value.CopyFrom(quantity(measure, now))
    if pairing is None:
        return shown
    before = measure.compute(*base) if pairing.coverage is not Coverage.NONE else None
    if before is not None:
        shown.base.CopyFrom(quantity(measure, before))
    shown.growth.CopyFrom(growth_message(_growth(measure, now, before, pairing, small_base=small_base)))
    return shown


def _growth(
    measure: Measure, now: Fraction | None, before: Fraction | None, pairing: Pairing, *, small_base: bool
) -> Growth:
    """The change; NO_BASE where either can not be formed. Fractions are compared over their common denominator."""
    if now is None or before is None:
        return Growth(None, Mark.NO_BASE)
    value, base = now.numerator * before.denominator, before.numerator * now.denominator
    found = pairing.grow(value, base) if measure.flow else grow(value, base, pairing.coverage)
    small = small_base and found.mark in (Mark.RATIO, Mark.PARTIAL_BASE)
    return Growth(None, Mark.SMALL_BASE) if small else found


def growth_message(growth: Growth) -> analytics_pb2.Growth:
    """As it goes over the wire."""
    mark = cast("analytics_pb2.GrowthMark.ValueType", int(growth.mark))
    return analytics_pb2.Growth(ratio=growth.ratio or 0.0, mark=mark)
