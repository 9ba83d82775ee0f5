"""What the figures of an answer mean, in the short form that goes with it; the whole is in docs/definitions.md."""

from __future__ import annotations

from collections.abc import Iterable

from fucai.analytics.measures import Measure
from fucai.domain.comparison import RULES
from fucai.domain.periods import Comparison, Grain
from fucai.v1.analytics_pb2 import Definition

_SALES = Definition(
    name="sales",
    text_zh="销售额：销售金额减注销金额，各计入其自身营业日",
    text_en="Sales: amount of SALE less amount of VOID events, each on its own business day",
)
_BETS = Definition(
    name="bets",
    text_zh="注数：销售注数减注销注数（即开票为张数）",
    text_en="Bets: those of SALE less those of VOID events (tickets for instant games)",
)
_GROWTH = Definition(
    name="growth",
    text_zh="增长率：（本期－基期）÷基期；基期为零、为负、无数据或不全时以标记代替或注明",
    text_en="Growth: (value - base) / base; a mark stands where the base is zero, negative, missing or partly stored",
)
_AVERAGE_ZH = "移动平均：最近 {buckets} 个完整期（含本期）销售额的平均；有不完整的期时不给出"
_AVERAGE_EN = "Moving average: mean sales of the last {buckets} whole buckets up to this one; absent where one is cut"
_OPEN_AVERAGE_ZH = "移动平均：最近 {buckets} 个开市日（含本日）销售额的平均；休市日不计入，取其前开市日的平均"
_OPEN_AVERAGE_EN = (
    "Moving average: mean sales of the last {buckets} open days up to this one; a closed day is in none and has that "
    "of the open days before it"
)
_RUNNING_SUM = Definition(
    name="running_sum",
    text_zh="累计：本组自首期至本期的销售额之和",
    text_en="Running sum: sales of the group in all buckets of the answer up to and with this one",
)
_SAME = Definition(
    name="same_outlet_sales",
    text_zh="同店：本期与基期均有销售的网点，其两期销售额及增长率",
    text_en="Same outlet: outlets that sold in both periods, their sales of both and the growth",
)
_SAME_OPEN = Definition(
    name=_SAME.name,
    text_zh="同店：本期与基期均有销售，且按最新登记在两期所有开市日均在营的网点，其两期销售额及增长率",
    text_en="Same outlet: outlets that sold in both periods and, by the newest registration, were open on all open "
    "days of both; their sales of both and the growth",
)
_AS_OF = Definition(
    name="as_of_sale",
    text_zh="区域、业态等属性按销售当日的登记计算",
    text_en="Zone, format and the like are those registered for the outlet on the day of the sale",
)
_SCALE_ZH = (
    "渠道规模（活跃网点）：截至期末最近 {days} 个开市日内有不少于 {sales} 笔销售"
    "（或有注数的日汇总）的网点数；休市日不计"
)
_SCALE_EN = (
    "Channel scale (active outlets): outlets with at least {sales} sale(s), or a daily summary with bets, in the last "
    "{days} open days up to the end of the period; days of a market closure are not open"
)
_INSTALLED = Definition(
    name="installed",
    text_zh="在册网点：登记的开业日不晚于当日、且当日尚未关闭的网点",
    text_en="Installed: outlets registered as opened by that day and not closed by then",
)
_TURNOVER = Definition(
    name="turnover",
    text_zh="新增、退出：开业日、关闭日（首个不再销售之日）落在本期的网点",
    text_en="Opened, closed: outlets whose day of opening, or first day without sales for good, lies in the bucket",
)
_PENETRATION = Definition(
    name="penetration",
    text_zh="活跃率：既活跃又在册的网点÷在册网点；活跃而不在册的另列，不计入比率",
    text_en="Penetration: outlets both active and installed over installed ones; active ones not installed stand apart",
)
_TERMINALS = Definition(
    name="terminals",
    text_zh="终端：当日绑定于在册网点的终端；活跃终端：其中在同一窗口内有销售的",
    text_en="Terminals: bound to installed outlets on that day; active ones: those of them with a sale in the window",
)
_SALES_PER_OUTLET = Definition(
    name="sales_per_outlet",
    text_zh="站均销量：本期销售额÷期末活跃网点数，四舍六入五成双",
    text_en="Sales per outlet: sales of the bucket over active outlets at its end, rounded half to even",
)
_SALES_PER_INSTALLED = Definition(
    name="sales_per_installed",
    text_zh="在册站均：本期销售额÷期末在册网点数，四舍六入五成双",
    text_en="Sales per installed outlet: sales of the bucket over outlets installed at its end, rounded half to even",
)
_PER_OPEN_DAY = Definition(
    name="per_open_day",
    text_zh="开市日均：站均再÷本期内（已入库部分）的开市日数；没有开市日时不给出",
    text_en="Per open day: sales per outlet over the open days of the bucket, as far as stored; absent without any",
)
_PER_TERMINAL_WEEK = Definition(
    name="sales_per_terminal_week",
    text_zh="单机周销量：本期销售额×7÷（期末终端数×本期天数，含休市日），四舍六入五成双",
    text_en="Sales per terminal and week: sales x 7 over (terminals at its end x days of the bucket, closed ones too), "
    "rounded half to even",
)
_PROFILE = Definition(
    name="profile",
    text_zh="时段分布：按营业日的星期与事件的小时合计；日汇总无小时，其销售额另列；日均＝合计÷期内该星期几的天数",
    text_en="Hours by weekday: sums by weekday of the business day and hour of the event; daily summaries have no hour "
    "and stand apart; a day's average is the sum over the number of such weekdays in the period",
)
_SHARE_OF_HOURS = Definition(
    name="share_bp",
    text_zh=(
        "占比：本格（或本小时）销售额÷该组有小时的销售额；按星期的占比含日汇总，÷该组全部销售额；"
        "万分比，按最大余数法合计 10,000；负值计零"
    ),
    text_en="Share: sales of the cell, or hour, over those of its group that have an hour; of a weekday, with daily "
    "summaries, over all of its group; in basis points that sum to 10,000 by largest remainder; below zero counts as "
    "zero",
)
_PLACE = Definition(
    name="place_in_area",
    text_zh="分区名次：期末所在分区内、按期内销售额（按销售当日所属分区）的名次，相同者同名次；只计销售额大于零的网点",
    text_en="Place: by sales of the period within the management area that it is in at the end, as of each sale; "
    "equals share a place; only outlets with sales above zero count",
)
_ZONE_TYPE_AVERAGE = Definition(
    name="zone_type_average",
    text_zh="同类站均：期末所属区域类型内销售额大于零的网点的销售额÷网点数，四舍六入五成双",
    text_en="Zone type average: sales over outlets, of those with sales above zero in the zone type that it is in "
    "at the end, rounded half to even",
)

_DECOMPOSED = (
    Definition(
        name="waterfall",
        text_zh=(
            "增减构成：基期＋新增＋关停＋同店＝本期，精确到分。网点按其在所问范围内两期的全部销售归类一次："
            "仅本期有销售为新增，仅基期有销售为关停，两期都有为同店；换区或改业态的网点在两组中都属同店，其各期销售计入当时所在组"
        ),
        text_en=(
            "Waterfall: base + new + closed + same-outlet = value, exact to the fen. An outlet is judged once, by all "
            "its sales in the question: new where it sold in the period only, closed where in the base only, same "
            "where in both; one that moved is same in both groups, each with the sales made there"
        ),
    ),
    Definition(
        name="effects",
        text_zh=(
            "因素影响（LMDI）：网点数影响＝新增＋关停；同店变动按对数平均分为单店注数与单注金额；"
            "某期在该组无销售或无注数者列入其他"
        ),
        text_en=(
            "Effects (LMDI): number of outlets = new + closed; the same outlets' change is split by logarithmic mean "
            "into bets per outlet and amount per bet; without sales or bets in the group in a period it stands in other"
        ),
    ),
)

_PLACES = Definition(
    name="places",
    text_zh=(
        "名次：数值相同者名次相同（1、2、2、4）；占比为占同榜全部入榜者的万分比，用最大余数法，合计 10,000；"
        "其余各行合并为“其他”"
    ),
    text_en=(
        "Places: equals share one (1, 2, 2, 4); shares are basis points of all that are ranked, by largest remainder, "
        "and sum to 10,000; the rows beyond the top are summed as others"
    ),
)
_CONCENTRATION = Definition(
    name="concentration",
    text_zh=(
        "集中度：同榜中数值大于零者（不论是否入榜），最大 10%（个数向上取整）所占之比；"
        "基尼系数＝2·Σi·xᵢ÷(n·Σxᵢ)－(n+1)÷n，x 由小到大"
    ),
    text_en=(
        "Concentration: of all in the ranking with a value above zero, eligible or not, the share of the largest 10 % "
        "(number rounded up); Gini = 2·Σ i·x(i) ÷ (n·Σ x(i)) - (n+1) ÷ n, x ascending"
    ),
)
_ONE_AREA = Definition(
    name="one_area",
    text_zh="网点只在一处排名：本期最后一次销售或注销当日所在处，计其全部销售；首台终端日期以网点开业日为准",
    text_en=(
        "An outlet is ranked in one place only, where it was on the day of its last sale or void, with all its "
        "sales; the day of its first machine is the day it opened"
    ),
)

_RULES = {
    Comparison.YOY: (
        "同比：与上年同月同日比较；2 月 29 日计入月和年，无对应日",
        "Year on year: the same calendar days one year before; 29 February counts in months and years only",
    ),
    Comparison.PREVIOUS: (
        "环比：与上一期的相同部分比较",
        "Previous: the same part of the bucket before",
    ),
}
_WEEKS = ("同比：与 364 天前的同一周比较", "Year on year: the week 364 days before")


def of_sales(*, compared: bool) -> list[Definition]:
    """The definitions that sales need, compared or not."""
    return [_SALES, *([_GROWTH] if compared else [])]


def of_trend(
    measures: Iterable[Measure] = (), *, grouped: bool, moving_average: int = 0, open_days: bool = False
) -> list[Definition]:
    """The definitions that a trend needs; `open_days` for a moving average over these."""
    further = [measure.definition() for measure in measures if measure.name not in ("sales", "bets")]
    if moving_average:
        texts = (_OPEN_AVERAGE_ZH, _OPEN_AVERAGE_EN) if open_days else (_AVERAGE_ZH, _AVERAGE_EN)
        zh, en = (text.format(buckets=moving_average) for text in texts)
        further.append(Definition(name="moving_average", text_zh=zh, text_en=en))
    return [_SALES, _BETS, *further, _RUNNING_SUM, _GROWTH, *([_AS_OF] if grouped else [])]


def of_growth(measures: Iterable[Measure], *, grouped: bool, same_open: bool = False) -> list[Definition]:
    """The definitions that growth needs; `same_open` for same outlets that were open on all open days."""
    same = _SAME_OPEN if same_open else _SAME
    return [*(measure.definition() for measure in measures), same, _GROWTH, *([_AS_OF] if grouped else [])]


def of_headline(*, least_sales: int, open_days: int, grouped: bool) -> list[Definition]:
    """The definitions that a headline needs, with its parameters."""
    zh, en = (text.format(sales=least_sales, days=open_days) for text in (_SCALE_ZH, _SCALE_EN))
    scale = Definition(name="active_outlets", text_zh=zh, text_en=en)
    return [scale, _SALES, _GROWTH, *([_AS_OF] if grouped else [])]


def of_scale(*, least_sales: int, open_days: int, terminals: bool, compared: bool, grouped: bool) -> list[Definition]:
    """The definitions that channel scale needs, with its parameters."""
    zh, en = (text.format(sales=least_sales, days=open_days) for text in (_SCALE_ZH, _SCALE_EN))
    return [
        Definition(name="active_outlets", text_zh=zh, text_en=en),
        _INSTALLED,
        _TURNOVER,
        _PENETRATION,
        *([_TERMINALS] if terminals else []),
        _SALES,
        _SALES_PER_OUTLET,
        _SALES_PER_INSTALLED,
        _PER_OPEN_DAY,
        *([_PER_TERMINAL_WEEK] if terminals else []),
        *([_GROWTH] if compared else []),
        *([_AS_OF] if grouped else []),
    ]


def of_profile(*, grouped: bool) -> list[Definition]:
    """The definitions that hours by weekday need."""
    return [_PROFILE, _SHARE_OF_HOURS, _SALES, _BETS, *([_AS_OF] if grouped else [])]


def of_outlet(measures: Iterable[Measure]) -> list[Definition]:
    """The definitions that an outlet's card needs."""
    return [*(measure.definition() for measure in measures), _PLACE, _ZONE_TYPE_AVERAGE, _GROWTH, _AS_OF]


def of_decompose(*, grouped: bool) -> list[Definition]:
    """The definitions that a decomposition needs."""
    return [_SALES, _BETS, *_DECOMPOSED, *([_AS_OF] if grouped else [])]


def of_rank(measure: Measure, *, outlets: bool) -> list[Definition]:
    """The definitions that a ranking by a measure needs."""
    return [measure.definition(), _GROWTH, _PLACES, _CONCENTRATION, *([_ONE_AREA] if outlets else []), _AS_OF]


def comparison_rule(grain: Grain, comparison: Comparison) -> str:
    """The rule of a comparison for people, Chinese and English; empty without comparison."""
    if comparison is Comparison.NONE:
        return ""
    if grain is Grain.WEEK and comparison is Comparison.YOY:
        zh, en = _WEEKS
    elif comparison in _RULES:
        zh, en = _RULES[comparison]
    else:
        zh, en = RULES[comparison].zh, RULES[comparison].en
    return f"{zh} / {en}"
