"""Every word of the bulletin that no answer brings, Chinese and English. Blanks are filled by `say`."""

from __future__ import annotations

from collections.abc import Mapping

from fucai.cli.output import Lang
from fucai.domain.labels import Label

TEXTS: Mapping[str, Label] = {
    # head
    "title week": Label("渠道简报 · 周报 {name}", "Channel bulletin · week {name}"),
    "title month": Label("渠道简报 · 月报 {name}", "Channel bulletin · month {name}"),
    "subtitle": Label("福彩渠道规模与销售", "Welfare lottery: channel scale and sales"),
    "sample": Label(
        "样本数据：已登记 {all:,} 个网点中有 {sample:,} 个为样本。含样本网点的数字仅供试用，不可引用。",
        "Sample data: {sample:,} of {all:,} registered outlets are samples. Figures with sample outlets are for "
        "trial; do not quote them.",
    ),
    "sample unknown": Label(
        "是否含样本数据：登记服务无法访问，未能核对。",
        "Whether sample data are among the figures could not be checked: the registry cannot be reached.",
    ),
    "filter": Label("筛选", "Filter"),
    "part caution": Label(
        "本页只含渠道的一部分：{conditions}。",
        "This page is about a part of the channel only: {conditions}.",
    ),
    "period": Label("本期", "Period"),
    "base": Label("基期", "Base"),
    "rule": Label("对比规则", "Comparison"),
    "open days": Label("开市日", "Open days"),
    "open days value": Label("本期 {value:,} 天 · 基期 {base:,} 天", "period {value:,} · base {base:,}"),
    "generated": Label("生成时间", "Made at"),
    "fresh until": Label("数据时效", "Freshness"),
    "withheld": Label("封存期次", "Sealed draws"),
    "contents": Label("目录", "Contents"),
    "no base": Label("无基期数据", "none stored"),
    "software": Label("软件 fucai {version}", "fucai {version}"),
    # cautions
    "caution": Label("注意", "Caution"),
    "unfinished": Label(
        "本期尚未结束：数据截至 {day}，只与基期的同一部分比较。",
        "The period is not over: figures reach to {day} and are compared with the same part of the base.",
    ),
    "partial base": Label(
        "基期数据不全：已存营业日自 {first} 起。带 * 的增长率会误导。",
        "The base is only partly stored: business days are stored from {first} on. Growth marked * misleads.",
    ),
    "missing base": Label(
        "没有基期数据：已存营业日自 {first} 起，本页不给出增长率，也不比较。",
        "There is no stored base: business days are stored from {first} on. Nothing is compared, no growth is shown.",
    ),
    "withheld caution": Label(
        "{draws:,} 期已封存、尚未开奖，其销售不在任何数字中；开奖后重新生成，数字会增加。",
        "{draws:,} sealed draw(s) not ended yet: their sales stand in no figure. Make the bulletin anew after "
        "their end; figures will "
        "then be higher.",
    ),
    "next seal": Label(
        "下一期将于 {time} 封存。本页如含该期的预售，自那时起至其开奖前不得示人（彩票管理条例第二十二条）。",
        "The next draw is sealed at {time}. If advance sales of it are in here, this page must not be shown "
        "from then until that draw "
        "has ended (彩票管理条例 art. 22).",
    ),
    # verdict
    "both up": Label("渠道规模与销售额双双上升", "Channel scale and sales both rose"),
    "both down": Label("渠道规模与销售额双双下降", "Channel scale and sales both fell"),
    "sales up only": Label("销售额上升，渠道规模未上升", "Sales rose, channel scale did not"),
    "scale up only": Label("渠道规模上升，销售额未上升", "Channel scale rose, sales did not"),
    "neither": Label("渠道规模与销售额均未上升", "Neither channel scale nor sales rose"),
    "no direction": Label("没有完整基期，不判断升降", "Without a whole base no direction is told"),
    "verdict against": Label(
        "逆势：同期{series}下降 {theirs}，本渠道上升 {ours}，超额 {excess} 个百分点",
        "Against the trend: {series} changed by {theirs} in the same period, this channel by {ours}: an excess "
        "of {excess} points",
    ),
    "verdict ahead": Label(
        "领先：同期{series} {theirs}，本渠道 {ours}，超额 {excess} 个百分点",
        "Ahead: {series} {theirs} in the same period, this channel {ours}: an excess of {excess} points",
    ),
    "verdict level": Label(
        "持平：同期{series} {theirs}，本渠道 {ours}，相差 {excess} 个百分点",
        "Level: {series} {theirs} in the same period, this channel {ours}: {excess} points apart",
    ),
    "verdict behind": Label(
        "落后：同期{series} {theirs}，本渠道 {ours}，超额 {excess} 个百分点",
        "Behind: {series} {theirs} in the same period, this channel {ours}: an excess of {excess} points",
    ),
    "verdict none": Label("与基准不可比，不下结论：{why}", "Not comparable with a benchmark, so no verdict: {why}"),
    "benchmark shown": Label(
        "仅供参考：{series} {period} 为 {growth}", "For orientation only: {series} {period} {growth}"
    ),
    "no own growth": Label("本渠道没有完整基期，增长率不成立", "this channel's own growth has no whole base"),
    "no published": Label("基准未给出同期数字", "the benchmark has no figure for the same period"),
    # key figures
    "sales": Label("销售额", "Sales"),
    "active": Label("活跃网点（渠道规模）", "Active outlets (channel scale)"),
    "per outlet": Label("站均销量（有销网点）", "Sales per selling outlet"),
    "same outlet": Label("同店增长", "Same-outlet growth"),
    "measure": Label("指标", "measure"),
    "growth": Label("增长", "growth"),
    "same outlet sales": Label("同店销售额", "sales of same outlets"),
    "others": Label("其他 {count:,} 组", "{count:,} others"),
    "outlets count": Label("{count:,} 个同店网点", "{count:,} same outlets"),
    "none": Label("—", "—"),
    # sections
    "headline": Label("总览", "Headline"),
    "measures": Label("主要指标", "Main figures"),
    "scale": Label("渠道规模", "Channel scale"),
    "curve": Label("逐日销售与基期", "Daily sales against the base"),
    "why": Label("销售为何变动", "Why sales changed"),
    "rankings": Label("排名", "Rankings"),
    "top": Label("销售额前列网点", "Top outlets by sales"),
    "areas": Label("各分区销售额前列网点", "Top outlets of each management area"),
    "new stars": Label("新星网点", "New stars (新星网点)"),
    "progress": Label("进步网点", "Progress (进步网点)"),
    "concentration": Label(
        "集中度：有销售的 {members:,} 个网点中，最大 10%（{top:,} 个）占销售额 {share}；基尼系数 {gini}。",
        "Concentration: of {members:,} outlets with sales the largest 10 % ({top:,}) make {share} of the sales; "
        "Gini coefficient {gini}.",
    ),
    "movers": Label("升降最大网点", "Largest movers"),
    "rises": Label("增额最大", "Largest rises"),
    "falls": Label("减额最大", "Largest falls"),
    "shares": Label("构成", "Composition"),
    "by game": Label("按游戏", "By game"),
    "by zone type": Label("按区域类型", "By zone type"),
    "by district": Label("按行政区", "By district"),
    "profile": Label("销售时段", "When sales happen"),
    "silent": Label("静默网点", "Silent outlets"),
    "alerts": Label("预警", "Alerts"),
    "freshness": Label("数据时效与封存", "Freshness and sealed draws"),
    "definitions": Label("口径", "Definitions"),
    # charts
    "curve about": Label(
        "{count:,} 天的逐日销售额；实线为本期，虚线为基期。本期合计 {value}{unit}，基期合计 {base}{unit}。数字见下表。",
        "Sales on {count:,} days; full line: the period, broken line: the base. Sum {value} {unit}, base {base} "
        "{unit}. The figures are "
        "in the table below.",
    ),
    "waterfall": Label("从基期到本期（{unit}）", "From base to period ({unit})"),
    "waterfall about": Label(
        "基期 {base}，新开业 {opened}，首次销售 {first}，退出 {closed}，同店 {same}，"
        "本期 {value}（{unit}）。斜纹为减少。",
        "Base {base}, opened {opened}, first sales {first}, closed {closed}, same outlets {same}, period "
        "{value} ({unit}). Hatched: less.",
    ),
    "opened": Label("新开业", "opened"),
    "first sales": Label("首次销售", "first sales"),
    "closed": Label("退出", "closed"),
    "same": Label("同店", "same outlets"),
    "axis cut": Label("纵轴自 {} 起", "the axis begins at {}"),
    "factors": Label("因素影响 LMDI（{unit}）", "Effects, LMDI ({unit})"),
    "factors about": Label(
        "销售变动按网点数、单店注数、单注金额分解：{parts}（{unit}）。斜纹为减少。",
        "The change by number of outlets, bets per outlet and amount per bet: {parts} ({unit}). Hatched: less.",
    ),
    "outlets effect": Label("网点数", "number of outlets"),
    "intensity effect": Label("单店注数", "bets per outlet"),
    "price effect": Label("单注金额", "amount per bet"),
    "other effect": Label("其他", "other"),
    "changes": Label("销售增减{by}（{unit}）", "Change of sales{by} ({unit})"),
    "changes about": Label(
        "各组增减：{parts}（{unit}）。斜纹为减少。", "Change of each group: {parts} ({unit}). Hatched: less."
    ),
    "share": Label("销售份额{by}", "Share of sales{by}"),
    "share about": Label(
        "各组占销售额之比：{parts}。竖线为基期。", "Share of sales of each group: {parts}. Upright stroke: the base."
    ),
    "heat": Label("各时段日均销售（{unit}）", "Average sales a day in each hour ({unit})"),
    "heat about": Label(
        "按星期与小时的日均销售（{unit}），越深越高。最高：{day} {hour:02} 时 {most}。",
        "Average sales a day by weekday and hour ({unit}); the darker, the higher. Highest: {day} {hour:02}:00, "
        "{most}.",
    ),
    "heat note": Label(
        "共 {events:,} 笔事件，全部各时段的合计 {sales}{unit}。",
        "{events:,} events, {sales} {unit} in all these hours.",
    ),
    "without hour": Label(
        "另有日汇总销售 {amount}{unit} 没有小时，不在图中。",
        "Sales of daily summaries, {amount} {unit}, have no hour and are not in the chart.",
    ),
    # empty
    "not answered": Label("分析服务未能回答：{why}", "Analytics could not answer: {why}"),
    "not known": Label(
        "分析服务的版本尚不能回答此问。", "The analytics service is older and does not know this question."
    ),
    "needs base": Label("没有基期数据，无从比较。", "There is no stored base to compare with."),
    "no areas": Label(
        "没有一个网点登记了分区，改为全市排名。", "No outlet has a management area; the ranking is city-wide."
    ),
    "only summaries": Label(
        "本期只有日汇总，没有逐笔销售，因此没有时段分布。",
        "The period has daily summaries only and no single sales, so there are no hours.",
    ),
    "no sales": Label("本期没有销售。", "There are no sales in the period."),
    "alerts of": Label("至多判断本期最后 {most} 天。", "At most the last {most} days of the period are judged."),
    "no withheld": Label("没有封存中的期次。", "No draw with sales is sealed."),
    "more withheld": Label("另有 {draws:,} 期未列出。", "{draws:,} more are not listed."),
    # columns of tables that no question's sheet has
    "game": Label("游戏", "game"),
    "draw": Label("期号", "draw"),
    "sealed since": Label("封存时间", "sealed since"),
    "returns": Label("预计恢复显示", "back by"),
    "unknown time": Label("待定", "open"),
    "day": Label("日期", "day"),
    "events stored": Label(
        "已存事件 {events:,}，隔离中 {quarantined:,}。", "{events:,} events stored, {quarantined:,} in quarantine."
    ),
    "whole": Label("全渠道", "whole channel"),
    "unit": Label("单位：{unit}", "unit: {unit}"),
    "more rows": Label("另有 {rows:,} 行未显示。", "{rows:,} more rows are not shown."),
    "source": Label(
        "所有数字均由分析服务给出，口径见末节；金额单位见各表，精确到分的数值存于网页的 data 元素中。",
        "All figures are answers of the analytics service, defined in the last section; the unit of money "
        "stands with each table, exact "
        "amounts in fen are kept in the page's data elements.",
    ),
}
"""By key. Keys are used as they stand in the code, so that a search finds them."""

COLON = {Lang.ZH: "：", Lang.EN: ": "}
JOIN = {Lang.ZH: "，", Lang.EN: ", "}


def say(key: str, lang: Lang, **blanks: object) -> str:
    """The text in a language, its blanks filled.

    Raises:
        KeyError: there is no such text, or a blank has no value.
    """
    return pick(TEXTS[key], lang).format(**blanks) if blanks else pick(TEXTS[key], lang)


def pick(label: Label, lang: Lang) -> str:
    """A label in a language."""
    return str(getattr(label, lang))
