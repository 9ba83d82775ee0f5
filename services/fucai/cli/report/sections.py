"""The sections of a bulletin, top to bottom: each turns its answers into tables and charts, or says why it has none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol
from xml.etree.ElementTree import Element

from fucai.cli.out.sheet import Sheet
from fucai.cli.out.words import fresh, local_time
from fucai.cli.output import Lang
from fucai.cli.query.conditions import part_named
from fucai.cli.query.decompose_sheet import decompose_sheet
from fucai.cli.query.growth_sheet import growth_sheet
from fucai.cli.query.headline_sheet import headline_sheet
from fucai.cli.query.rank_sheet import rank_sheet
from fucai.cli.query.scale_sheet import scale_sheet
from fucai.cli.query.silent_sheet import silent_sheet
from fucai.cli.query.trend_sheet import trend_sheet
from fucai.cli.report import drawings
from fucai.cli.report.alert_days import alert_days_sheet
from fucai.cli.report.cards import cards
from fucai.cli.report.figures import Figures
from fucai.cli.report.gather import ALERT_DAYS, Bulletin, Missing, Ranked
from fucai.cli.report.markup import el
from fucai.cli.report.tables import plain_table, table
from fucai.cli.report.texts import pick, say
from fucai.domain.labels import Label
from fucai.domain.periods import Grain
from fucai.v1 import analytics_pb2 as pb


class _WithAbout(Protocol):
    """An answer with what stands beside it."""

    @property
    def about(self) -> pb.About: ...


@dataclass(frozen=True, slots=True)
class Page:
    """A bulletin in a language: what the sections are made of. `told` are notes that stand at the top already."""

    bulletin: Bulletin
    lang: Lang
    figures: Figures
    told: frozenset[str]

    @classmethod
    def of(cls, bulletin: Bulletin, lang: Lang) -> Page:
        """The page of a bulletin."""
        pair = bulletin.headline.pairing
        told = {pick(Label(pair.rule_zh, pair.rule_en), lang), pick(Label(pair.warning_zh, pair.warning_en), lang)}
        return cls(bulletin, lang, Figures.of(bulletin.headline, lang), frozenset(told))

    def say(self, key: str, **blanks: object) -> str:
        """A text of the page."""
        return say(key, self.lang, **blanks)

    def table(self, sheet: Sheet, key: str) -> list[Element]:
        """A sheet as a table with its notes; in a bulletin of a part nothing is called the whole channel."""
        return table(part_named(sheet, self.bulletin.selection), self.lang, key, self.told)

    def missing(self, found: Missing, caption: str = "") -> Element:
        """Why something is not there."""
        told = pick(found.why, self.lang)
        return el("p", el("strong", f"{caption} ") if caption else None, told, class_="empty")


def headline(page: Page) -> list[Element]:
    """Channel scale, sales and growth as cards, then by zone type."""
    sheet = replace(headline_sheet(page.bulletin.headline, by="zone_type"), notes=())
    return [cards(page.bulletin, page.figures), *page.table(sheet, "headline-table")]


def measures(page: Page) -> list[Element]:
    """The main figures of the whole channel."""
    found = page.bulletin.totals
    if isinstance(found, Missing):
        return [page.missing(found)]
    return page.figures.measures("measures-table", page.say("measures"), found.total)


def scale(page: Page) -> list[Element]:
    """Installed, active, opened and closed outlets by zone type."""
    found = page.bulletin.scale
    if isinstance(found, Missing):
        return [page.missing(found)]
    return page.table(scale_sheet(found, by=["zone_type"]), "scale-table")


def curve(page: Page) -> list[Element]:
    """Daily sales against the base, drawn and as a table."""
    found = page.bulletin.curve
    if isinstance(found, Missing):
        return [page.missing(found)]
    if not found.rows:
        return [el("p", page.say("no sales"), class_="empty")]
    days = page.bulletin.span.days
    sheet = replace(trend_sheet(found, grain=Grain.DAY, by=[], first=str(days.first), last=str(days.last)), notes=())
    return [drawings.daily(found, page.figures), *page.table(sheet, "curve-table")]


def why(page: Page) -> list[Element]:
    """The waterfall, the effects, and both drilled by zone type and district."""
    made: list[Element] = []
    found = page.bulletin.why_by_type
    if isinstance(found, Missing):
        return [page.missing(found)]
    made += [drawings.waterfall(found.total, page.figures), drawings.factors(found.total, page.figures)]
    made += page.table(decompose_sheet(found, by=[]), "why-table")
    drilled = (("zone_type", "by zone type", found), ("district", "by district", page.bulletin.why_by_district))
    for by, name, answer in drilled:
        made.append(el("h3", page.say(name)))
        if isinstance(answer, Missing):
            made.append(page.missing(answer))
            continue
        sheet = replace(decompose_sheet(answer, by=[by]), notes=())
        made.append(drawings.changes(answer.groups, by, page.say(name), page.figures))
        made += page.table(sheet, f"why-{by}-table")
    return made


def rankings(page: Page) -> list[Element]:
    """Top outlets, new stars and progress, within management areas where there are some."""
    return [part for name in ("top", "areas", "new stars", "progress") for part in _ranking(page, name)]


def movers(page: Page) -> list[Element]:
    """The outlets that raised and lowered sales most; one that rose is no fall, however few fell."""
    rises, falls = (page.bulletin.rankings[name] for name in ("rises", "falls"))
    if isinstance(rises, Missing) or isinstance(falls, Missing):
        return [page.missing(one) for one in (rises, falls) if isinstance(one, Missing)][:1]
    rises, falls = _moved(rises, 1), _moved(falls, -1)
    rows = {row.id: row for answer in (rises.answer, falls.answer) for row in answer.rows if row.place}
    ordered = sorted(rows.values(), key=lambda row: -row.contribution)
    chart = [drawings.movers(ordered, page.figures)] if ordered else []
    return [*chart, *_ranking(page, "rises", rises), *_ranking(page, "falls", falls)]


def _moved(found: Ranked, sign: int) -> Ranked:
    """The ranking without outlets that did not move that way; where there are such, none of the others did."""
    kept = [row for row in found.answer.rows if row.place and row.contribution * sign > 0]
    if len(kept) == sum(bool(row.place) for row in found.answer.rows):
        return found
    answer = pb.RankResponse()
    answer.CopyFrom(found.answer)
    del answer.rows[:]
    answer.rows.extend(kept)
    answer.total_rows = len(kept)
    return Ranked(found.request, answer)


def shares(page: Page) -> list[Element]:
    """Shares of games and zone types."""
    made: list[Element] = []
    for by, name, found in (
        ("game", "by game", page.bulletin.games),
        ("zone_type", "by zone type", page.bulletin.zone_types),
    ):
        made.append(el("h3", page.say(name)))
        if isinstance(found, Missing):
            made.append(page.missing(found))
        elif not found.rows:
            made.append(el("p", page.say("no sales"), class_="empty"))
        else:
            made.append(drawings.shares(found.rows, by, page.say(name), page.figures))
            made += page.table(growth_sheet(found, by=[by]), f"share-{by}-table")
    return made


def profile(page: Page) -> list[Element]:
    """The hours of sale."""
    found = page.bulletin.profile
    if isinstance(found, Missing):
        return [page.missing(found)]
    unit = page.figures.fitting(found.without_hour_fen)
    rest = page.say("without hour", amount=unit.show(found.without_hour_fen), unit=unit.name)
    beside = [el("p", rest, class_="note")] if found.without_hour_fen else []
    if not found.cells:
        why_none = "only summaries" if found.without_hour_fen else "no sales"
        return [el("p", page.say(why_none), class_="empty"), *beside]
    return [*drawings.hours(found, page.figures), *beside]


def silent(page: Page) -> list[Element]:
    """Outlets that should be selling and are not."""
    found = page.bulletin.silent
    return [page.missing(found)] if isinstance(found, Missing) else page.table(silent_sheet(found), "silent-table")


def alerts(page: Page) -> list[Element]:
    """The alerts of the last days: how many by rule, and the largest."""
    found = page.bulletin.alerts
    if isinstance(found, Missing):
        return [page.missing(found)]
    span = el("p", page.say("alerts of", most=ALERT_DAYS), class_="note")
    return [*page.table(alert_days_sheet(found), "alerts-table"), span]


def freshness(page: Page) -> list[Element]:
    """How far the data reach, and which draws stand in no figure."""
    answer = page.bulletin.freshness
    found = answer.freshness
    stored = page.say("events stored", events=answer.events, quarantined=answer.quarantined)
    made = [el("p", fresh_line(page)), el("p", stored)]
    if not found.withheld:
        return [*made, el("p", page.say("no withheld"))]
    head = [page.say(name) for name in ("game", "draw", "sealed since", "returns")]
    rows = [[one.game, one.draw_no, _moment(page, one.sealed_ms), _moment(page, one.returns_ms)]
            for one in found.withheld]  # fmt: skip
    made.append(plain_table("withheld-table", page.say("withheld"), head, rows))
    if found.withheld_draws > len(found.withheld):
        more = found.withheld_draws - len(found.withheld)
        made.append(el("p", page.say("more withheld", draws=more), class_="note"))
    return made


def definitions(page: Page) -> list[Element]:
    """What every figure means: the definitions that came with the answers, each once, under its first section."""
    bulletin = page.bulletin
    curve = () if isinstance(bulletin.curve, Missing) else bulletin.curve.definitions
    alerts = () if isinstance(bulletin.alerts, Missing) else bulletin.alerts.answers[:1]
    ranked = [one.answer for one in bulletin.rankings.values() if isinstance(one, Ranked)]
    parts: list[tuple[str, Iterable[pb.Definition]]] = [
        ("headline", bulletin.headline.definitions),
        ("measures", _definitions(bulletin.totals)),
        ("scale", _definitions(bulletin.scale)),
        ("curve", curve),
        ("why", _definitions(bulletin.why_by_type)),
        ("shares", _definitions(bulletin.games, bulletin.zone_types)),
        ("rankings", _definitions(*ranked)),
        ("profile", _definitions(bulletin.profile)),
        ("silent", _definitions(bulletin.silent)),
        ("alerts", _definitions(*alerts)),
    ]
    made: list[Element] = []
    told: set[str] = set()
    for key, found in parts:
        texts = dict.fromkeys(pick(Label(one.text_zh, one.text_en), page.lang) for one in found)
        fresh_ones = [text for text in texts if text and text not in told]
        told.update(fresh_ones)
        if fresh_ones:
            made += [el("h3", page.say(key)), el("ul", *(el("li", text) for text in fresh_ones))]
    return made


def _definitions(*answers: _WithAbout | Missing) -> list[pb.Definition]:
    return [one for answer in answers if not isinstance(answer, Missing) for one in answer.about.definitions]


def fresh_line(page: Page) -> str:
    """How fresh the figures are, in a line."""
    return fresh(page.bulletin.headline.freshness, page.lang)


def _ranking(page: Page, name: str, moved: Ranked | None = None) -> list[Element]:
    found = moved or page.bulletin.rankings[name]
    if isinstance(found, Missing):
        return [page.missing(found, page.say(name))]
    made = [el("h3", page.say(name)), *page.table(rank_sheet(found.answer, found.request), _key(name))]
    if name == "top" and not found.request.within:
        made += [_spread(page, one) for one in found.answer.concentrations if one.members]
    return made


def _spread(page: Page, found: pb.Concentration) -> Element:
    text = page.say(
        "concentration",
        members=found.members,
        top=found.top_members,
        share=f"{100 * found.top_share:.1f}%",
        gini=f"{found.gini:.2f}",
    )
    return el("p", text, class_="note")


def _key(name: str) -> str:
    return f"{name.replace(' ', '-')}-table"


def _moment(page: Page, unix_ms: int) -> str:
    return f"{local_time(unix_ms):%Y-%m-%d %H:%M}" if unix_ms else page.say("unknown time")
