"""Names for people of the codes in the registry, Chinese and English. A code without a name stands for itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A name in Chinese and in English."""

    zh: str
    en: str


ZONE_TYPES: Mapping[str, Label] = {
    "business_district": Label("商圈", "business district"),
    "complex": Label("综合体", "complex"),
    "night_market": Label("夜市", "night market"),
    "pedestrian_street": Label("步行街", "pedestrian street"),
}

# Provincial notice of 2026-02-27 (Yunnan), then those that other sources name.
FORMATS: Mapping[str, Label] = {
    "commercial_complex": Label("商业综合体", "commercial complex"),
    "prime_street": Label("重点街区", "prime street"),
    "convenience_store": Label("便利店", "convenience store"),
    "supermarket": Label("超市", "supermarket"),
    "theme_park": Label("主题公园", "theme park"),
    "scenic_area": Label("景区", "scenic area"),
    "creative_park": Label("创意园区", "creative park"),
    "city_square": Label("城市广场", "city square"),
    "pedestrian_street": Label("步行街", "pedestrian street"),
    "night_market": Label("夜市", "night market"),
    "hotel": Label("酒店", "hotel"),
    "railway_station": Label("火车站", "railway station"),
    "airport": Label("机场", "airport"),
    "metro": Label("地铁", "metro"),
    "coach_station": Label("汽车站", "coach station"),
    "wharf": Label("码头", "wharf"),
    "motorway_services": Label("高速服务区", "motorway services"),
    "catering": Label("餐饮", "catering"),
    "post": Label("邮政", "post"),
    "telecom": Label("电信", "telecom"),
    "bank": Label("银行", "bank"),
    "wedding_hall": Label("婚庆", "wedding hall"),
    "office_tower": Label("写字楼", "office tower"),
    "factory_park": Label("厂区园区", "factory or park"),
    "photo_spot": Label("打卡点", "photo spot"),
    "tea_coffee": Label("茶饮咖啡", "tea and coffee"),
    "bookstore": Label("书店", "bookstore"),
    "pharmacy": Label("药店", "pharmacy"),
    "parcel_station": Label("快递驿站", "parcel station"),
    "petrol_station": Label("加油站", "petrol station"),
    "cinema": Label("影院", "cinema"),
    "lottery_shop": Label("彩票店", "lottery shop"),
}

CHANNEL_CLASSES: Mapping[str, Label] = {
    "exclusive": Label("专营店", "exclusive"),
    "concurrent": Label("兼营店", "concurrent"),
    "flagship": Label("旗舰店", "flagship"),
    "social": Label("社会渠道", "social channel"),
    "traditional": Label("传统网点", "traditional"),
    "portable": Label("便携机", "portable"),
}

KINDS: Mapping[str, Label] = {
    "sale": Label("销售", "sale"),
    "void": Label("注销", "void"),
    "payout": Label("兑奖", "payout"),
}

WEEKDAYS: Mapping[str, Label] = {
    str(number): Label(f"周{zh}", en)
    for number, (zh, en) in enumerate(
        zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True), start=1
    )
}

# A daily summary has no hour.
HOURS: Mapping[str, Label] = {f"{hour:02}": Label(f"{hour} 时", f"{hour:02}:00") for hour in range(24)} | {
    "": Label("日汇总", "daily summaries")
}

# Instant games have no draw.
DRAWS: Mapping[str, Label] = {"": Label("无期次", "no draw")}

# Published series that a headline may stand beside.
SERIES: Mapping[str, Label] = {
    "national_all": Label("全国彩票", "national lottery sales"),
    "national_sports": Label("全国体彩", "national sports lottery sales"),
    "national_welfare": Label("全国福彩", "national welfare lottery sales"),
}

# By dimension of a question.
BY_DIMENSION: Mapping[str, Mapping[str, Label]] = {
    "zone_type": ZONE_TYPES,
    "format": FORMATS,
    "channel_class": CHANNEL_CLASSES,
    "kind": KINDS,
    "draw": DRAWS,
    "weekday": WEEKDAYS,
    "hour": HOURS,
}

DIMENSIONS: Mapping[str, Label] = {
    "game": Label("游戏", "game"),
    "zone": Label("区域", "zone"),
    "zone_type": Label("区域类型", "zone type"),
    "district": Label("行政区", "district"),
    "mgmt_area": Label("分区", "management area"),
    "format": Label("业态", "format"),
    "channel_class": Label("渠道类别", "channel class"),
    "outlet": Label("网点", "outlet"),
    "kind": Label("事件", "kind"),
    "draw": Label("期次", "draw"),
    "weekday": Label("星期", "weekday"),
    "hour": Label("时段", "hour"),
}


def code_called(name: str, names: Mapping[str, Label]) -> str:
    """The code that people call by that name, Chinese or English; the name itself where none of them is called so."""
    if name in names:
        return name
    return next((code for code, label in names.items() if name in (label.zh, label.en)), name)
