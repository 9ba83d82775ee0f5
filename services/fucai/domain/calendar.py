"""Business days, draw numbers and stretches of days. Buckets and open days are in `periods`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

FIRST_DAY = date(1970, 1, 2)
"""Days from here on can be stored; the day before stands for "none"."""
LAST_DAY = date(2149, 6, 5)
"""Days up to here can be stored."""

_DAY = timedelta(days=1)
_DAY_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DRAW_TEXT = re.compile(r"((?:19|20)[0-9]{2})([0-9]{3})")

DaySpan = tuple[date, date]
"""First and last day, both included."""


def parse_day(text: str) -> date:
    """The day written as YYYY-MM-DD.

    Raises:
        ValueError: the text has another form, is no day of the calendar, or lies outside FIRST_DAY..LAST_DAY.
    """
    if not _DAY_TEXT.fullmatch(text):
        raise ValueError("is not of the form YYYY-MM-DD, such as 2024-01-31")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is no day of the calendar") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"lies outside {FIRST_DAY} to {LAST_DAY}")
    return day


def business_day(at_ms: int, zone: ZoneInfo) -> date:
    """The day on the wall calendar of `zone` at an instant (Unix ms, UTC)."""
    return datetime.fromtimestamp(at_ms // 1000, zone).date()


def instant_ms(moment: datetime) -> int:
    """An aware moment as Unix ms UTC, exactly; what is below a millisecond is cut off."""
    return (moment.astimezone(UTC) - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class DrawNumber:
    """A draw number (期号) YYYYNNN: the calendar year and the draw's place in it, 1 to 999."""

    year: int
    serial: int

    @classmethod
    def parse(cls, text: str) -> DrawNumber:
        """The number written as seven digits.

        Raises:
            ValueError: the text is not of the form YYYYNNN.
        """
        match = _DRAW_TEXT.fullmatch(text)
        if match is None or not int(match[2]):
            raise ValueError("is not of the form YYYYNNN, such as 2023058")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.year:04}{self.serial:03}"


def day_spans(days: Iterable[date]) -> list[DaySpan]:
    """The days as the fewest spans, in order; days may come in any order and more than once."""
    spans: list[DaySpan] = []
    for day in sorted(set(days)):
        if spans and spans[-1][1] + _DAY == day:
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def common_days(left: Sequence[DaySpan], right: Sequence[DaySpan]) -> Iterator[date]:
    """The days that lie in a span of both sides, in order; each side is in order and without overlaps."""
    here = there = 0
    while here < len(left) and there < len(right):
        first = max(left[here][0], right[there][0])
        last = min(left[here][1], right[there][1])
        yield from (first + timedelta(days=n) for n in range((last - first).days + 1))
        if left[here][1] < right[there][1]:
            here += 1
        else:
            there += 1


def overlaps(spans: Iterable[DaySpan]) -> list[tuple[DaySpan, DaySpan]]:
    """Each span that begins before an earlier one has ended, after that one; empty where all lie apart."""
    found = []
    reaching: DaySpan | None = None
    for span in sorted(spans):
        if reaching is not None and span[0] <= reaching[1]:
            found.append((reaching, span))
        if reaching is None or span[1] > reaching[1]:
            reaching = span
    return found
