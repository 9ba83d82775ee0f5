"""The page of a bulletin: complete in both languages, escaped, self-contained, exact, open about what is missing."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

import fucai.cli.report
from fucai.cli.output import Lang
from fucai.cli.report.gather import Bulletin, Missing, Sample
from fucai.cli.report.page import SECTIONS, html
from fucai.cli.report.sections import Page
from fucai.cli.report.span import read_month, read_week
from fucai.cli.report.texts import TEXTS
from fucai.v1 import analytics_pb2 as pb
from tests.unit.cli.report.answers import BaselessAnalytics, EmptyAnalytics, FullAnalytics, bulletin
from tests.unit.cli.report.reading import header, read, table, text

WEEK = read_week("2025-W06")
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def full() -> Bulletin:
    """A bulletin with all answers."""
    return bulletin(FullAnalytics(), WEEK, Sample(60, 54))


def _page(found: Bulletin, lang: Lang = Lang.EN) -> str:
    return html(Page.of(found, lang))


def _section(tree: Element, key: str) -> Element:
    return next(one for one in tree.iter("section") if one.get("id") == key)


@pytest.mark.parametrize("lang", list(Lang))
def test_every_section_is_there_and_names_stay_texts(full: Bulletin, lang: Lang) -> None:
    """The page is well-formed, each id stands once, and a name full of markup makes no element and no script."""
    page = _page(full, lang)
    tree = read(page)
    ids = [one.attrib["id"] for one in tree.iter() if "id" in one.attrib]
    assert len(set(ids)) == len(ids)
    assert [one.get("id") for one in tree.iter("section")] == list(SECTIONS)
    assert "<script" not in page
    assert "\x07" not in page
    assert "\u202e" not in page
    assert "</table><script>alert('1')</script>" in text(_section(tree, "rankings"))
    assert not any(one.tag in {"script", "i", "b", "link", "img", "iframe"} for one in tree.iter())


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        (Lang.ZH, "区域类型为夜市或综合体；游戏不为ssq"),
        (Lang.EN, "zone type is night market or complex; game is not ssq"),
    ],
)
def test_a_filter_goes_into_every_question_and_stands_at_the_top(lang: Lang, told: str) -> None:
    """Each request has it, but those of the whole store; without one nothing is said of it."""
    service = FullAnalytics()
    filters = [
        pb.Filter(dimension="zone_type", values=["night_market", "complex"]),
        pb.Filter(dimension="game", values=["ssq"], exclude=True),
    ]
    selection = pb.Selection(filters=filters)
    found = bulletin(service, WEEK, Sample(60, 54), selection)
    asked = [request for request in service.requests if not isinstance(request, pb.FreshnessRequest)]
    assert {type(request).__name__.removesuffix("Request") for request in asked} >= {"Headline", "Silent", "Alerts"}
    assert [type(request).__name__ for request in asked if request.selection != selection] == []
    top = text(next(read(_page(found, lang)).iter("header")))
    assert top.count(told) == 2
    plain = text(next(read(_page(bulletin(FullAnalytics(), WEEK), lang)).iter("header")))
    assert {Lang.ZH: "筛选", Lang.EN: "Filter"}[lang] not in plain


@pytest.mark.parametrize("lang", list(Lang))
def test_nothing_is_loaded_from_anywhere(full: Bulletin, lang: Lang) -> None:
    """No address but the namespace of SVG, no import, and links within the page only."""
    page = _page(full, lang)
    assert set(re.findall(r"[a-z]+://[^\"' )<]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"@import|url\((?!#)|src=", page)
    links = [one.attrib["href"] for one in read(page).iter("a")]
    assert links == [f"#{key}" for key in SECTIONS]


@pytest.mark.parametrize("lang", list(Lang))
def test_it_can_be_read_without_eyes_and_printed(full: Bulletin, lang: Lang) -> None:
    """Tables have captions and heads with a scope, pictures titles and descriptions, and paper is A4."""
    page = _page(full, lang)
    tree = read(page)
    for one in tree.iter("table"):
        assert text(next(one.iter("caption"))).strip()
        assert all(cell.get("scope") in {"col", "row"} for cell in one.iter("th"))
    pictures = list(tree.iter("svg"))
    assert len(pictures) >= 8
    assert all(one.get("role") == "img" and text(one[0]) and text(one[1]) for one in pictures)
    assert "@page { size: A4" in page
    assert "@media print" in page
    assert tree.get("lang") == {Lang.ZH: "zh-CN", Lang.EN: "en"}[lang]


def test_an_english_page_has_chinese_only_in_names_and_terms(full: Bulletin) -> None:
    """Captions and heads of an English page are English; a Chinese one's are Chinese."""
    english, chinese = (read(_page(full, lang)) for lang in (Lang.EN, Lang.ZH))
    for tag in ("h1", "h2", "caption", "dt"):
        told = [text(one) for one in english.iter(tag)]
        assert not any(HAN.search(re.sub(r"\(.*?\)", "", one)) for one in told), told
        assert all(HAN.search(text(one)) for one in chinese.iter(tag)), [text(one) for one in chinese.iter(tag)]


def test_figures_are_those_of_the_answers(full: Bulletin) -> None:
    """Exact values stand beside what people read: money in fen, counts, ratios."""
    tree = read(_page(full))
    days = [[row[1], row[2]] for row in table(tree, "curve-table")]
    assert days[:7] == [[str(day * 1_000_001), str(day * 900_000)] for day in range(3, 10)]
    steps = {row[1].strip(): row[3] for row in table(tree, "why-table") if row[0] == "waterfall"}
    assert steps["new outlets"] == "50000"
    assert steps["closed outlets"] == "-80000"
    assert steps["same outlets"] == "20000"
    top = dict(zip(header(tree, "top-table"), table(tree, "top-table")[0], strict=True))
    assert (top["sales"], top["base"], top["growth"]) == ("700", "560", "0.25")
    assert "the largest 10 % (2) make 25.0% of the sales; Gini coefficient 0.31" in text(_section(tree, "rankings"))
    assert [row[-1] for row in table(tree, "rises-table")] == ["140"]
    assert [row[-1] for row in table(tree, "falls-table")] == ["-140"]
    assert "1234500" in table(tree, "silent-table")[0]
    assert "fall: 7 of 350 judged" in text(_section(tree, "alerts"))
    assert len(table(tree, "alerts-table")) == 7


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (pb.VERDICT_AGAINST_TREND, "Against the trend"),
        (pb.VERDICT_AHEAD, "Ahead"),
        (pb.VERDICT_LEVEL, "Level"),
        (pb.VERDICT_BEHIND, "Behind"),
        (pb.VERDICT_UNSPECIFIED, "no verdict"),
    ],
)
def test_the_verdict_is_that_of_the_answer(full: Bulletin, verdict: pb.Verdict.ValueType, word: str) -> None:
    """Its word and no other, with both growth figures; without one the page says that nothing is comparable."""
    headline = pb.HeadlineResponse()
    headline.CopyFrom(full.headline)
    headline.benchmark.verdict = verdict
    lead = text(next(one for one in read(_page(replace(full, headline=headline))).iter("ul")))
    words = {"Against the trend", "Ahead", "Level", "Behind", "no verdict"}
    assert {one for one in words if one in lead} == {word}
    assert ("+10.0 points" in lead) == (verdict != pb.VERDICT_UNSPECIFIED)


@pytest.mark.parametrize(
    ("scale", "sales", "says"),
    [
        (0.1, 0.1, "both rose"),
        (-0.1, -0.1, "both fell"),
        (0.0, 0.1, "Sales rose, channel scale did not"),
        (0.1, -0.1, "Channel scale rose, sales did not"),
        (0.0, -0.1, "Neither"),
        (None, 0.1, "no direction"),
    ],
)
def test_direction_follows_both_figures(full: Bulletin, scale: float | None, sales: float, says: str) -> None:
    """That both rose is said only where both did, by plain ratios."""
    headline = pb.HeadlineResponse()
    headline.CopyFrom(full.headline)
    ratio = (
        pb.Growth(ratio=scale, mark=pb.GROWTH_MARK_RATIO)
        if scale is not None
        else pb.Growth(ratio=0.5, mark=pb.GROWTH_MARK_PARTIAL_BASE)
    )
    headline.total.scale_growth.CopyFrom(ratio)
    headline.total.sales_growth.CopyFrom(pb.Growth(ratio=sales, mark=pb.GROWTH_MARK_RATIO))
    assert says in text(next(read(_page(replace(full, headline=headline))).iter("ul")))


def test_cautions_stand_at_the_top(full: Bulletin) -> None:
    """Moving closure, unfinished period, partial base, sealed draws and the next seal are told before any figure."""
    headline = pb.HeadlineResponse()
    headline.CopyFrom(full.headline)
    headline.pairing.unfinished_as_of = "2025-02-08"
    headline.total.sales_growth.mark = pb.GROWTH_MARK_PARTIAL_BASE
    headline.freshness.withheld_draws, headline.freshness.next_seal_ms = 2, 1_741_700_000_000
    top = text(next(read(_page(replace(full, headline=headline))).iter("header")))
    for told in ("closure moved", "not over", "2025-02-08", "only partly stored", "2 sealed draw", "2025-03-11 21:33"):
        assert told in top
    assert "54 of 60 registered outlets are samples" in top
    assert "2025-02-03" in top


def test_sealed_draws_are_listed_with_their_return(full: Bulletin) -> None:
    """Game, number, since when, back when; one of which nobody knows says so, and those beyond the list are counted."""
    answer = pb.FreshnessResponse()
    answer.CopyFrom(full.freshness)
    answer.freshness.withheld_draws = 5
    answer.freshness.withheld.add(game="ssq", draw_no="2025030", sealed_ms=1_741_600_000_000)
    found = read(_page(replace(full, freshness=answer)))
    assert table(found, "withheld-table") == [["ssq", "2025030", "2025-03-10 17:46", "open"]]
    assert "4 more" in text(_section(found, "freshness"))


def test_without_a_base_nothing_is_compared_and_the_page_says_why() -> None:
    """Decomposition, progress and movers are not asked for; growth shows its mark, never a number."""
    service = BaselessAnalytics()
    tree = read(_page(bulletin(service, WEEK)))
    assert not any(isinstance(one, pb.DecomposeRequest) for one in service.requests)
    rankings = {one.ranking for one in service.requests if isinstance(one, pb.RankRequest)}
    assert rankings == {pb.RANKING_UNSPECIFIED, pb.RANKING_NEW_STAR}
    for key in ("why", "movers"):
        assert "no stored base" in text(_section(tree, key))
    assert "no stored base" in text(next(tree.iter("header")))
    assert "whole base" in text(next(tree.iter("ul")))
    assert "could not be checked" in text(next(tree.iter("header")))


@pytest.mark.parametrize("lang", list(Lang))
def test_what_is_not_answered_says_why(lang: Lang) -> None:
    """A question that the service does not know or refuses leaves its section with the reason, escaped, and no more."""
    unknown, refused = frozenset({"scale", "profile"}), frozenset({"silent", "alerts", "rank", "decompose", "trend"})
    tree = read(_page(bulletin(FullAnalytics(without=unknown, refusing=refused), WEEK), lang))
    told = {Lang.EN: ("is older", "could not answer"), Lang.ZH: ("尚不能回答", "未能回答")}[lang]
    for key in ("scale", "profile"):
        assert told[0] in text(_section(tree, key))
    for key in ("silent", "alerts", "rankings", "movers", "why", "curve"):
        assert told[1] in text(_section(tree, key))
        assert "no <such> thing" in text(_section(tree, key))


def test_empty_answers_say_so() -> None:
    """No sales, no silent outlet, no alert, no hour: each section has a sentence."""
    tree = read(_page(bulletin(EmptyAnalytics(), WEEK)))
    for key, says in (
        ("curve", "no sales"),
        ("shares", "no sales"),
        ("profile", "daily summaries only"),
        ("silent", "no outlet is silent"),
        ("silent", "3d was left out"),
        ("alerts", "no alert"),
        ("rankings", "nobody is ranked"),
        ("rankings", "No outlet has a management area"),
    ):
        assert says in text(_section(tree, key)), key


def test_questions_are_those_of_the_period() -> None:
    """A week is asked with the same weekdays, a month with the year before, and silence at the end of the period."""
    for span, rule, end_ms in (
        (WEEK, pb.COMPARISON_WEEKDAY, 1_739_116_800_000),
        (read_month("2025-02"), pb.COMPARISON_YOY, 1_740_758_400_000),
    ):
        service = FullAnalytics()
        bulletin(service, span)
        for one in service.requests:
            if hasattr(one, "compare"):
                assert (one.from_day, one.to_day, one.compare) == (str(span.days.first), str(span.days.last), rule)
        (silent,) = (one for one in service.requests if isinstance(one, pb.SilentRequest))
        assert silent.at_ms == end_ms
        days = [one.day for one in service.requests if isinstance(one, pb.AlertsRequest)]
        assert days == [day.isoformat() for day in span.days][-7:]
        (stars,) = (one for one in service.requests if getattr(one, "ranking", None) == pb.RANKING_NEW_STAR)
        assert (stars.cutoff_day, stars.within) == ("2024-12-31", "mgmt_area")


def test_an_unfinished_period_asks_for_no_day_to_come() -> None:
    """In the week that runs, alerts are asked for days that are over, and silence up to now."""
    service = FullAnalytics()
    bulletin(service, read_week("2025-W11"))
    assert [one.day for one in service.requests if isinstance(one, pb.AlertsRequest)] == ["2025-03-10"]
    assert [one.at_ms for one in service.requests if isinstance(one, pb.SilentRequest)] == [0]


def test_every_text_is_there_in_both_languages_and_used() -> None:
    """Both have the same blanks; each key that the code names exists, and each that exists is named."""
    for key, label in TEXTS.items():
        assert label.zh.strip(), key
        assert label.en.strip(), key
        assert _blanks(label.zh) == _blanks(label.en), key
    named = {word for source in _sources() for word in _words(source)}
    assert set(TEXTS) <= named
    asked = {word for source in _sources() for word in _said(source)}
    assert asked <= set(TEXTS)


def _blanks(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def _sources() -> Iterator[ast.Module]:
    for path in Path(fucai.cli.report.__file__).parent.glob("*.py"):
        if path.name != "texts.py":
            yield ast.parse(path.read_text(encoding="utf-8"))


def _words(source: ast.Module) -> Iterator[str]:
    return (one.value for one in ast.walk(source) if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _said(source: ast.Module) -> Iterator[str]:
    """Literal keys in `say("...")`, `page.say("...")` and `TEXTS["..."]`."""
    for one in ast.walk(source):
        if isinstance(one, ast.Call) and one.args and isinstance(one.args[0], ast.Constant):
            name = one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")
            if name == "say":
                yield str(one.args[0].value)
        if isinstance(one, ast.Subscript) and getattr(one.value, "id", "") == "TEXTS":
            assert isinstance(one.slice, ast.Constant)
            yield str(one.slice.value)


def test_a_missing_answer_keeps_the_others(full: Bulletin) -> None:
    """One section without an answer changes no other."""
    gone = replace(full, games=Missing(TEXTS["not known"]))
    before, after = read(_page(full)), read(_page(gone))
    for key in SECTIONS:
        same = text(_section(before, key)) == text(_section(after, key))
        assert same == (key != "shares"), key


class RisingAnalytics(FullAnalytics):
    """A channel in which one outlet fell, one stood still and one rose, and there are more that rose."""

    def Rank(self, request: pb.RankRequest, context: Any) -> pb.RankResponse:
        """Those asked for by their change, the lowest or the highest first, and the others."""
        answer = super().Rank(request, context)
        if request.ranking == pb.RANKING_CONTRIBUTION:
            found = [("fell", -140), ("stood", 0), ("rose", 140)]
            del answer.rows[:]
            for place, (name, change) in enumerate(found if request.lowest_first else found[::-1], 1):
                answer.rows.add(place=place, id=name, name=name, contribution=change, members=1)
            answer.rows.add(members=9, contribution=900)
        return answer


def test_an_outlet_that_rose_is_no_fall() -> None:
    """Where fewer fell than there is room for, the table of falls ends with them, and so does that of rises."""
    tree = read(_page(bulletin(RisingAnalytics(), WEEK)))
    rises, falls = (
        text(next(one for one in tree.iter("table") if one.get("id") == f"{name}-table")) for name in ("rises", "falls")
    )
    assert ("rose" in rises, "stood" in rises, "fell" in rises, "others" in rises) == (True, False, False, False)
    assert ("rose" in falls, "stood" in falls, "fell" in falls, "others" in falls) == (False, False, True, False)


def test_a_part_is_not_called_the_whole_channel(full: Bulletin) -> None:
    """With conditions the first row of every table is that of all selected; without, of the whole channel."""
    part = pb.Selection(filters=[pb.Filter(dimension="game", values=["ssq"])])
    for found, name, other in (
        (full, "whole channel", "all selected"),
        (replace(full, selection=part), "all selected", "whole channel"),
    ):
        shown = text(_section(read(_page(found)), "headline"))
        assert name in shown
        assert other not in shown
