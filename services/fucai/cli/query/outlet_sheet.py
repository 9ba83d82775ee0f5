"""An outlet's card as a sheet in long form: a row for each measure, game, version and day, by section."""

from __future__ import annotations

from collections.abc import Sequence

from fucai.cli.out.periods import pairing_facts, pairing_notes, period_title
from fucai.cli.out.reading import day_of, days_fact, definitions_of
from fucai.cli.out.sheet import Cell, Column, Fact, Kind, Note, Row, Sheet
from fucai.cli.out.words import local_time
from fucai.cli.query.growth_sheet import measurement_cells
from fucai.cli.query.measured import MEASURES, measure_kind
from fucai.cli.query.notes import unrated_notes
from fucai.domain.labels import CHANNEL_CLASSES, FORMATS, ZONE_TYPES, Label
from fucai.domain.periods import DayRange
from fucai.domain.rounding import BASIS_POINTS
from fucai.v1 import analytics_pb2 as pb

MEASURE, GAME, VERSION, DAY, ALERT = "measure", "game", "version", "day", "alert"
_DEFAULTS = Label(
    "预警按默认参数；其他参数请用 fucai query alerts",
    "alerts by the default parameters; fucai query alerts takes others",
)
_KINDS = {Kind.MONEY: 0, Kind.COUNT: 2, Kind.RATIO: 4}


def outlet_sheet(answer: pb.OutletResponse) -> Sheet:
    """The card. An amount stands under money, count or ratio, by what it is, with its base beside."""
    name = answer.versions[0].name if answer.versions else ""
    period = period_title(answer.pairing)
    return Sheet(
        name="outlet",
        title=Label(
            f"网点 {answer.outlet_id} {name} {period}", f"Outlet {answer.outlet_id} {name} {period}".replace("  ", " ")
        ),
        columns=[
            Column("section", Kind.TEXT, Label("部分", "section")),
            Column("item", Kind.ID, Label("项", "item")),
            Column("name", Kind.NAME, Label("名称", "name")),
            Column("money", Kind.MONEY, Label("金额", "money")),
            Column("base_money", Kind.MONEY, Label("基期金额", "base money")),
            Column("count", Kind.COUNT, Label("数量", "count")),
            Column("base_count", Kind.COUNT, Label("基期数量", "base count")),
            Column("ratio", Kind.RATIO, Label("比率", "ratio")),
            Column("base_ratio", Kind.RATIO, Label("基期比率", "base ratio")),
            Column("growth", Kind.GROWTH, Label("增长", "growth"), "growth"),
            Column("detail", Kind.NAME, Label("说明", "detail")),
            Column("currency", Kind.TEXT, Label("币种", "currency"), screen=None),
        ],
        rows=[*_measures(answer), *_games(answer), *_versions(answer), *_alerts(answer), *_days(answer)],
        currency=answer.about.currency,
        facts=_facts(answer, name),
        notes=[
            *pairing_notes(answer.pairing),
            *unrated_notes(answer.about.unrated, answer.about.currency),
            *([Note(_DEFAULTS)] if answer.alerts else []),
        ],
        definitions=definitions_of(answer.about.definitions),
        freshness=answer.about.freshness,
    )


def _line(section: str, item: str, name: Label | str, amounts: Sequence[Cell], currency: str, detail: Cell = "") -> Row:
    """A row; `amounts` are money, base, count, base, ratio, base, growth."""
    return (section, item, name, *amounts, detail, currency)


def _measures(answer: pb.OutletResponse) -> list[Row]:
    rows = []
    for one in answer.measurements:
        value, base, growth = measurement_cells(one)
        amounts: list[Cell] = [None] * 6
        place = _KINDS[measure_kind(one.measure)]
        amounts[place], amounts[place + 1] = value, base
        name = MEASURES.get(one.measure, Label(one.measure, one.measure))
        rows.append(_line(MEASURE, one.measure, name, [*amounts, growth], answer.about.currency))
    return rows


def _games(answer: pb.OutletResponse) -> list[Row]:
    return [
        _line(
            GAME,
            one.game,
            one.name,
            [one.sales_fen, None, None, None, one.share_bp / BASIS_POINTS, None, None],
            answer.about.currency,
        )
        for one in answer.games
    ]


def _versions(answer: pb.OutletResponse) -> list[Row]:
    none: list[Cell] = [None] * 7
    return [
        _line(VERSION, one.valid_from, one.name, none, answer.about.currency, version_text(one))
        for one in answer.versions
    ]


def version_text(one: pb.OutletVersion) -> Label:
    """An outlet's attributes in a line: zone and its type, district, management area, format, class, until when."""
    known = [
        (names.get(value, Label(value, value)) if names else Label(value, value))
        for names, value in (
            (None, one.zone_name or one.zone_id),
            (ZONE_TYPES, one.zone_type),
            (None, one.district),
            (None, one.mgmt_area),
            (FORMATS, one.format),
            (CHANNEL_CLASSES, one.channel_class),
        )
        if value
    ]
    until = [Label(f"至 {one.valid_to}", f"until {one.valid_to}")] if one.valid_to else []
    return Label(*(" · ".join(getattr(label, lang) for label in (*known, *until)) for lang in ("zh", "en")))


def _alerts(answer: pb.OutletResponse) -> list[Row]:
    none: list[Cell] = [None] * 7
    return [
        _line(ALERT, one.rule, one.day, none, answer.about.currency, Label(one.text_zh, one.text_en))
        for one in answer.alerts
    ]


def _days(answer: pb.OutletResponse) -> list[Row]:
    first, last = day_of(answer.pairing.from_day), day_of(answer.pairing.to_day)
    if first is None or last is None:
        return []
    none: list[Cell] = [None] * 6
    return [
        _line(DAY, day.isoformat(), "", [fen, *none], answer.about.currency)
        for day, fen in zip(DayRange(first, last), answer.daily_sales_fen, strict=False)
    ]


def _facts(answer: pb.OutletResponse, name: str) -> list[Fact]:
    place = answer.place_in_area or None
    average = answer.zone_type_average_fen if answer.HasField("zone_type_average_fen") else None
    zone_type = ZONE_TYPES.get(answer.zone_type, Label(answer.zone_type, answer.zone_type))
    return [
        Fact("outlet_id", Kind.ID, Label("网点代码", "outlet code"), answer.outlet_id),
        Fact("outlet_name", Kind.NAME, Label("网点", "outlet"), name),
        days_fact("opened", Label("开业", "opened"), answer.opened),
        days_fact("closed", Label("关闭", "closed"), answer.closed),
        Fact("terminals", Kind.TEXT, Label("终端", "terminals"), ", ".join(answer.terminals)),
        Fact(
            "last_sale",
            Kind.TIME,
            Label("最近销售", "last sale"),
            local_time(answer.last_sale_ms) if answer.last_sale_ms else None,
        ),
        Fact("mgmt_area", Kind.ID, Label("分区", "management area"), answer.mgmt_area),
        Fact("place_in_area", Kind.COUNT, Label("分区名次", "place in the area"), place),
        Fact("outlets_in_area", Kind.COUNT, Label("分区有销网点", "outlets in the area"), answer.outlets_in_area),
        Fact("zone_type", Kind.NAME, Label("区域类型", "zone type"), zone_type),
        Fact("zone_type_average", Kind.MONEY, Label("同类站均", "average of the zone type"), average),
        *pairing_facts(answer.pairing),
    ]
