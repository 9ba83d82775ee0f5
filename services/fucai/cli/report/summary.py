"""What a bulletin says in words: direction, verdict, cautions. Each follows from an answer; none is assumed."""

from __future__ import annotations

from collections.abc import Iterator

from fucai.cli.numbers import percent
from fucai.cli.out.reading import change_of
from fucai.cli.out.sheet import Mark
from fucai.cli.out.words import local_time
from fucai.cli.output import Lang
from fucai.cli.query.conditions import conditions
from fucai.cli.report.gather import Bulletin
from fucai.cli.report.texts import pick, say
from fucai.domain.labels import SERIES, Label
from fucai.v1 import analytics_pb2 as pb

_VERDICTS = {
    pb.VERDICT_AGAINST_TREND: "verdict against",
    pb.VERDICT_AHEAD: "verdict ahead",
    pb.VERDICT_LEVEL: "verdict level",
    pb.VERDICT_BEHIND: "verdict behind",
}
_DIRECTIONS = {(1, 1): "both up", (-1, -1): "both down", (1, -1): "scale up only", (-1, 1): "sales up only"}
_UP = {(1, 0): "scale up only", (0, 1): "sales up only"}


def direction(found: pb.HeadlineGroup, lang: Lang) -> str:
    """Whether channel scale and sales rose; only where both have a plain ratio."""
    scale, sales = change_of(found.scale_growth), change_of(found.sales_growth)
    if scale is None or sales is None or not scale.mark is sales.mark is Mark.RATIO:
        return say("no direction", lang)
    signs = _sign(scale.ratio), _sign(sales.ratio)
    return say(_DIRECTIONS.get(signs) or _UP.get(signs) or "neither", lang)


def verdict(found: pb.HeadlineResponse, lang: Lang) -> list[str]:
    """The verdict beside the benchmark, or why there is none and what the series last said."""
    beside = found.benchmark
    label = SERIES.get(beside.series, Label(beside.series, beside.series))
    key = _VERDICTS.get(beside.verdict)
    if key and beside.HasField("excess_points") and beside.HasField("growth"):
        figures = {"theirs": percent(beside.growth), "ours": percent(found.total.sales_growth.ratio)}
        return [say(key, lang, series=pick(label, lang), excess=points(beside.excess_points), **figures)]
    told = pick(Label(beside.note_zh, beside.note_en), lang)
    why = say("no own growth", lang) if beside.published else told or say("no published", lang)
    sentences = [say("verdict none", lang, why=why)]
    if beside.HasField("growth"):
        shown = {"period": beside.period, "growth": percent(beside.growth)}
        sentences.append(say("benchmark shown", lang, series=f"{pick(label, lang)} ({beside.series})", **shown))
    return sentences


def cautions(bulletin: Bulletin, lang: Lang) -> Iterator[str]:
    """Why figures may mislead, or must not be shown: each as a sentence."""
    found, fresh = bulletin.headline, bulletin.headline.freshness
    pair = found.pairing
    if told := conditions(bulletin.selection, lang):
        yield say("part caution", lang, conditions=told)
    if pair.unfinished_as_of:
        yield say("unfinished", lang, day=pair.unfinished_as_of)
    marks = {found.total.sales_growth.mark, found.total.scale_growth.mark}
    if found.total.sales_growth.mark == pb.GROWTH_MARK_NO_BASE:
        yield say("missing base", lang, first=fresh.first_day)
    elif marks & {pb.GROWTH_MARK_PARTIAL_BASE, pb.GROWTH_MARK_NO_BASE}:
        yield say("partial base", lang, first=fresh.first_day)
    if warning := pick(Label(pair.warning_zh, pair.warning_en), lang):
        yield warning
    if fresh.withheld_draws:
        yield say("withheld caution", lang, draws=fresh.withheld_draws)
    if fresh.next_seal_ms:
        yield say("next seal", lang, time=f"{local_time(fresh.next_seal_ms):%Y-%m-%d %H:%M}")


def points(value: float) -> str:
    """Percentage points with their sign."""
    return f"{value:+,.1f}".replace("-", "−")


def _sign(ratio: float | None) -> int:
    return 0 if not ratio else 1 if ratio > 0 else -1
