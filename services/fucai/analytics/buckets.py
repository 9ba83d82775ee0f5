"""The buckets of a trend, what each is compared with, and where that misleads. Reads no figure."""

from __future__ import annotations

from collections.abc import Sequence

from fucai.analytics.cells import Bucket
from fucai.analytics.pairing import caution_message
from fucai.analytics.questions import TrendQuestion
from fucai.analytics.reach import Reach
from fucai.domain.comparison import pair
from fucai.domain.market import Market
from fucai.domain.periods import Comparison, DayRange, Grain, buckets
from fucai.v1 import analytics_pb2


def span(found: Sequence[Bucket]) -> tuple[DayRange, DayRange | None]:
    """All days of buckets, and all those that they are compared with."""
    bases = [bucket.base for bucket in found if bucket.base]
    base = DayRange(min(base.first for base in bases), max(base.last for base in bases)) if bases else None
    return DayRange(found[0].days.first, found[-1].days.last), base


def buckets_of(question: TrendQuestion, now: Reach, known: Market) -> list[Bucket]:
    """The buckets of the stored days that were asked for, each with its base."""
    if now.first_day is None or now.last_day is None:
        return []
    first, last = max(question.days.first, now.first_day), min(question.days.last, now.last_day)
    if last < first:
        return []
    stored, rule = DayRange(now.first_day, now.last_day), question.comparison
    return [
        Bucket(
            one.start,
            one.days,
            None
            if rule is Comparison.NONE
            else pair(one.days, rule, stored, known, grain=question.grain, given=one.days.shifted(_back(question))),
        )
        for one in buckets(question.grain, DayRange(first, last), Comparison.NONE)
    ]


def cautions_of(
    question: TrendQuestion, found: Sequence[Bucket], now: Reach, known: Market
) -> list[analytics_pb2.Caution]:
    """What misleads: of months and years each alone; of shorter buckets the period as a whole, as growth tells it.

    A day beside a closed one always differs. Steps from one short bucket to the next have no base as a whole.
    """
    rule = question.comparison
    if not found or rule is Comparison.NONE or now.first_day is None or now.last_day is None:
        return []
    pairings = [bucket.pairing for bucket in found]
    if question.grain not in (Grain.MONTH, Grain.YEAR):
        if rule is Comparison.PREVIOUS:
            return []
        days, stored = DayRange(found[0].days.first, found[-1].days.last), DayRange(now.first_day, now.last_day)
        weeks = question.grain is Grain.WEEK and rule is Comparison.YOY
        given = days.shifted(_back(question)) if question.base_first else None
        pairings = [pair(days, Comparison.WEEKDAY if weeks else rule, stored, known, given=given)]
    return [caution_message(one) for one in pairings if one is not None and one.caution is not None]


def _back(question: TrendQuestion) -> int:
    """Days from the period to the base given; 0 where none is."""
    return (question.base_first - question.days.first).days if question.base_first else 0
