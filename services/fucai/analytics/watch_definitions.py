"""What published series, silence and alerts mean, in the short form; see `definitions` for the other questions."""

from __future__ import annotations

from fucai.analytics.definitions import of_sales
from fucai.domain.alerts import OF_OUTLETS, RuleSet, describe
from fucai.domain.labels import Label
from fucai.v1.analytics_pb2 import Definition

_PUBLISHED = Definition(
    name="benchmark",
    text_zh="基准：按年或月公布的系列；计算增长率只用两期公布金额，缺期列明，不作插补",
    text_en=(
        "Benchmark: a series published by year or month; computed growth is of two published amounts, periods that are "
        "missing are named, none is interpolated"
    ),
)
_EXCESS = Definition(
    name="excess",
    text_zh="超额：本渠道同比增长率减基准同比增长率，百分点；仅在本渠道两期均完整入库且基准已公布时给出",
    text_en=(
        "Excess: growth of our sales less growth of the benchmark, percentage points; only where both our periods are "
        "wholly stored and the benchmark is published"
    ),
)
_VERDICT_ZH = "评语：相差不超过 {points} 个百分点为持平；基准下降而本渠道上升为逆势；其余按超额正负为领先或落后"
_VERDICT_EN = (
    "Verdict: level within {points} percentage points; against the trend where the benchmark falls and ours rises; "
    "else ahead or behind by the sign of the excess"
)
_SILENT_ZH = (
    "静默：在册营业网点自最近一笔销售起，往常有销售的时段（最近 8 个开市同一星期日中至少 80% 有销售）累计不少于 "
    "{hours} 小时无销售；休市（按范围）、未开业、已关停不计，静默最多回看 28 天。"
    "有注数的日汇总算销售，但没有小时，不构成往常时段"
)
_SILENT_EN = (
    "Silence: a registered open outlet without a sale in at least {hours} hours, since its last one, in which it "
    "usually sells (a sale on at least 80 % of the last 8 open same weekdays); closures by scope, before opening and "
    "after closing do not count; followed for at most 28 days. A daily summary with bets is a sale, but has no hour "
    "and makes none usual"
)
_ALERT_ZH = (
    "预警：在册营业网点与其自身同一星期日的规律相比异常；供人工核查，不影响任何数字。规则及参数见随附规则，{parameters}"
)
_ALERT_EN = (
    "Alert: a registered open outlet away from its own pattern of the same weekday; for people to look at, no "
    "figure depends on it. The rules with their parameters stand beside the answer; {parameters}"
)
_DEFAULTS = Label("参数均为默认值", "all parameters are the defaults")
_GIVEN = Label("其中有提问所给的参数", "some parameters are those that the question gave")
_CARD_ZH = "预警：最近一个可判断的营业日，与本网点自身规律相比异常；参数均为默认值，不能在此另设：{rules}"
_CARD_EN = (
    "Alerts: on the last business day that can be judged, away from the outlet's own pattern; all parameters are the "
    "defaults and can not be set here: {rules}"
)


def of_benchmark(level_points: float) -> list[Definition]:
    """The definitions that a published series beside our own sales needs."""
    zh, en = (text.format(points=f"{level_points:g}") for text in (_VERDICT_ZH, _VERDICT_EN))
    return [_PUBLISHED, *of_sales(compared=True), _EXCESS, Definition(name="verdict", text_zh=zh, text_en=en)]


def of_silent(least_hours: int) -> list[Definition]:
    """The definitions that silence needs, with its parameter."""
    zh, en = (text.format(hours=least_hours) for text in (_SILENT_ZH, _SILENT_EN))
    return [Definition(name="silence", text_zh=zh, text_en=en), *of_sales(compared=False)]


def of_alerts(rules: RuleSet) -> list[Definition]:
    """The definitions that alerts need; each rule tells its own parameters beside them."""
    used = _DEFAULTS if rules == RuleSet() else _GIVEN
    zh, en = _ALERT_ZH.format(parameters=used.zh), _ALERT_EN.format(parameters=used.en)
    return [Definition(name="alert", text_zh=zh, text_en=en), *of_sales(compared=False)]


def of_card() -> Definition:
    """What the alerts of an outlet's card mean: each rule with its default parameters."""
    told = [describe(rule, RuleSet()) for rule in OF_OUTLETS]
    zh, en = "；".join(zh for zh, _ in told), "; ".join(en for _, en in told)
    return Definition(name="alert", text_zh=_CARD_ZH.format(rules=zh), text_en=_CARD_EN.format(rules=en))
