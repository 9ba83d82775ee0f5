"""The rules of a ranking in words, with their parameters: who is ranked, by what, and why others are not."""

from __future__ import annotations

from collections.abc import Callable

from fucai.domain.labels import DIMENSIONS, Label
from fucai.domain.ranking import Eligibility, LeftOut, Order

MEASURES = {
    "sales": Label("销售额", "sales"),
    "bets": Label("注数", "bets"),
    "companion": Label("同店其他消费", "companion spend"),
}
"""What can be ranked by."""
_FEN = 100

_WHO: dict[Order, Callable[[str, Eligibility], Label]] = {
    Order.VALUE: lambda measure, rules: _least(measure, rules.least_value or 1),
    Order.GROWTH: lambda _measure, _rules: Label("基期数值高于零", "a base above zero"),
    Order.CONTRIBUTION: lambda _measure, _rules: Label("本期或基期有销售", "sales in the period or its base"),
    Order.NEW_STAR: lambda _measure, rules: Label(
        f"新星网点：首台终端（网点开业日）在 {rules.cutoff} 之后",
        f"new stars: first machine (day of opening) after {rules.cutoff}",
    ),
    Order.PROGRESS: lambda _measure, rules: Label(
        f"进步网点：首台终端（网点开业日）不晚于 {rules.cutoff}，基期数值高于零",
        f"progress: first machine (day of opening) up to {rules.cutoff}, a base above zero",
    ),
}
_BY = {
    Order.VALUE: Label("{}", "{}"),
    Order.GROWTH: Label("{}增长率", "growth of {}"),
    Order.CONTRIBUTION: Label("{}增减额", "change of {}"),
    Order.NEW_STAR: Label("{}", "{}"),
    Order.PROGRESS: Label("{}增长率", "growth of {}"),
}


def rule(order: Order, measure: str, rules: Eligibility, *, within: str, lowest_first: bool) -> Label:
    """Who is ranked, by what, within what, in which order."""
    who = [_WHO[order](measure, rules)]
    if rules.least_value is not None and order is not Order.VALUE:
        who.append(_least(measure, rules.least_value))
    if days := rules.least_open_days:
        who.append(Label(f"期内营业的开市日不少于 {days:,} 天", f"open on at least {days:,} open day(s) of the period"))
    if order is Order.PROGRESS and rules.above_average:
        who.append(Label("本期数值高于同榜平均", "a value above the average of its ranking"))
    of, by = MEASURES[measure], _BY[order]
    area = DIMENSIONS[within] if within else Label("全渠道", "the whole channel")
    zh_order, en_order = ("由低到高", "lowest first") if lowest_first else ("由高到低", "highest first")
    zh_within = f"各{area.zh}内分别排名" if within else f"{area.zh}排名"
    return Label(
        f"入榜：{'，'.join(one.zh for one in who)}；按{by.zh.format(of.zh)}{zh_order}，{zh_within}，并列者名次相同",
        f"ranked: {', '.join(one.en for one in who)}; by {by.en.format(of.en)}, {en_order}, within "
        f"{'each ' if within else ''}{area.en}; equals share a place",
    )


def reason(left_out: LeftOut, measure: str, rules: Eligibility) -> Label:
    """Why some are not ranked."""
    return {
        LeftOut.NO_MACHINE: Label("开业日未登记", "the day of opening is not registered"),
        LeftOut.NOT_NEW: Label(f"{rules.cutoff} 当日或之前已开业", f"opened up to {rules.cutoff}"),
        LeftOut.NEW: Label(f"{rules.cutoff} 之后才开业", f"opened after {rules.cutoff}"),
        LeftOut.NO_BASE: Label("基期数值不高于零", "no base above zero"),
        LeftOut.TOO_LITTLE: _too_little(measure, rules.least_value or 1),
        LeftOut.TOO_FEW_DAYS: Label(
            f"期内营业的开市日少于 {rules.least_open_days:,} 天",
            f"open on fewer than {rules.least_open_days:,} open day(s) of the period",
        ),
        LeftOut.NOT_ABOVE_AVERAGE: Label("不高于同榜平均", "not above the average of its ranking"),
    }[left_out]


def _least(measure: str, least: int) -> Label:
    of = MEASURES[measure]
    if least <= 1:
        return Label(f"本期{of.zh}高于零", f"{of.en} above zero")
    return Label(f"本期{of.zh}不低于 {_shown(measure, least)}", f"{of.en} of at least {_shown(measure, least)}")


def _too_little(measure: str, least: int) -> Label:
    of = MEASURES[measure]
    if least <= 1:
        return Label(f"本期{of.zh}不高于零", f"no {of.en} above zero")
    return Label(f"本期{of.zh}低于 {_shown(measure, least)}", f"{of.en} below {_shown(measure, least)}")


def _shown(measure: str, value: int) -> str:
    """A value with thousands separators; money in the currency's unit, exact."""
    if measure == "bets":
        return f"{value:,}"
    whole, fen = divmod(value, _FEN)
    return f"{whole:,}.{fen:02}" if fen else f"{whole:,}"
