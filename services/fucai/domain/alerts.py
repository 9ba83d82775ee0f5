"""The rule set of alerts as data: rules with parameters in, alerts with texts out. Floods of bad events: `flood`."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from fucai.domain.baseline import Outcome, Swing, SwingRule
from fucai.domain.rounding import BASIS_POINTS
from fucai.domain.scale import LEAST_ACTIVE_BP, Penetration
from fucai.domain.usual_hours import Quiet, SilenceRule

_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PERCENT_BP = 100
_YUAN_FEN = 100

_SWING_ZH = "当日销售额{}最近 {} 个开市同一星期日的中位数"
_SWING_EN = "sales {} the median of the last {} open same weekdays"
_LIMITS_ZH = "，至少 {} 个稳健标准差且至少 {}；中位数不低于 {}，至少 {} 周"
_LIMITS_EN = " by at least {} robust standard deviations and {}; median at least {}, at least {} weeks"
_SILENCE_ZH = "当日该时段无销售，而最近若干个开市同一星期日中至少 {0} 有销售（最多 {1} 个，至少 {2} 个）"
_SILENCE_EN = "no sale in hours with one on at least {0} of the last open same weekdays (at most {1}, at least {2})"
_TERMINALS_ZH = "活跃终端少于在册终端的 {}%"
_TERMINALS_EN = "active terminals are fewer than {} % of those installed"


class Rule(enum.Enum):
    """The rules, by the names that questions use."""

    FALL = "fall"
    RISE = "rise"
    SILENCE = "silence"
    ACTIVE_TERMINALS = "active_terminals"


OF_OUTLETS = (Rule.FALL, Rule.RISE, Rule.SILENCE)
"""The rules that look at one outlet each."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The parameters of all rules; the default ones are a start, for the channel's staff to set."""

    swing: SwingRule = field(default_factory=SwingRule)
    silence: SilenceRule = field(default_factory=SilenceRule)
    least_active_bp: int = LEAST_ACTIVE_BP


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `actual` and `expected` are fen, for active terminals their number; `score` is z, 0 without one."""

    rule: Rule
    day: date
    outlet_id: str
    actual: int
    expected: int
    score: float
    text_zh: str
    text_en: str


def swing_alert(outlet_id: str, day: date, swing: Swing) -> Alert | None:
    """The alert of a sharp fall or rise; None for any other outcome."""
    if swing.outcome not in (Outcome.FALL, Outcome.RISE):
        return None
    rule = Rule.FALL if swing.outcome is Outcome.FALL else Rule.RISE
    weekday, percent = day.weekday(), abs(swing.change)
    zh, en = ("低", "below") if rule is Rule.FALL else ("高", "above")
    return Alert(
        rule,
        day,
        outlet_id,
        swing.actual_fen,
        swing.expected_fen,
        swing.z,
        f"销售额比此前 {swing.weeks} 个开市星期{_WEEKDAYS_ZH[weekday]}的中位数{zh} {percent:.1%}（z = {swing.z:.1f}）",
        f"sales are {percent:.1%} {en} the median of the last {swing.weeks} open {_WEEKDAYS_EN[weekday]}s"
        f" (z = {swing.z:.1f})",
    )


def silence_alert(outlet_id: str, day: date, hours: range, quiet: Quiet | None) -> Alert | None:
    """The alert of an outlet without a sale in `hours` of `day`, in which it usually has one; None where it is not."""
    if quiet is None:
        return None
    clock = f"{hours.start:02}:00-{hours.stop:02}:00"
    return Alert(
        Rule.SILENCE,
        day,
        outlet_id,
        0,
        quiet.usual_fen,
        0.0,
        f"{clock} 无销售，往常同一星期日此时段有销售",
        f"no sale from {clock}, when it usually has one on that weekday",
    )


def active_terminals_alert(day: date, terminals: Penetration, least_bp: int = LEAST_ACTIVE_BP) -> Alert | None:
    """The alert of the whole channel where less than `least_bp` of the installed terminals are active.

    `expected` is the least number that would do.
    """
    if not terminals.is_degraded(least_bp):
        return None
    share, least = terminals.active / terminals.installed, f"{least_bp / _PERCENT_BP:g}"
    return Alert(
        Rule.ACTIVE_TERMINALS,
        day,
        "",
        terminals.active,
        -(-least_bp * terminals.installed // BASIS_POINTS),
        0.0,
        f"{terminals.installed} 台在册终端中 {terminals.active} 台活跃（{share:.1%}），低于 {least}%",
        f"{terminals.active} of {terminals.installed} installed terminals are active ({share:.1%}), under {least} %",
    )


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """By rule in the order of `Rule`, then the largest difference first, then by outlet."""
    place = {rule: index for index, rule in enumerate(Rule)}
    return sorted(alerts, key=lambda alert: (place[alert.rule], -abs(alert.actual - alert.expected), alert.outlet_id))


def describe(rule: Rule, rules: RuleSet) -> tuple[str, str]:
    """What a rule says with its parameters, for people: Chinese, English."""
    swing, silence = rules.swing, rules.silence
    match rule:
        case Rule.FALL | Rule.RISE:
            zh, en = ("低于", "below") if rule is Rule.FALL else ("高于", "above")
            zh, en = _SWING_ZH.format(zh, swing.weeks), _SWING_EN.format(en, swing.weeks)
            z, change = f"{swing.least_z:g}", f"{swing.least_change_bp / _PERCENT_BP:g}%"
            base, least = f"{swing.least_base_fen / _YUAN_FEN:.2f}", swing.least_weeks
            return zh + _LIMITS_ZH.format(z, change, base, least), en + _LIMITS_EN.format(z, change, base, least)
        case Rule.SILENCE:
            share = f"{silence.least_share_bp / _PERCENT_BP:g}%"
            values = (share, silence.weeks, silence.least_weeks)
            return _SILENCE_ZH.format(*values), _SILENCE_EN.format(*values)
        case Rule.ACTIVE_TERMINALS:
            least_active = f"{rules.least_active_bp / _PERCENT_BP:g}"
            return _TERMINALS_ZH.format(least_active), _TERMINALS_EN.format(least_active)
