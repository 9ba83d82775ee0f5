"""Business days of millisecond instants, fast: asked once for every event. Days are ordinals (`date.toordinal`)."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

_QUARTER_MS = 15 * 60 * 1000
"""Time zones differ from UTC by whole quarters of an hour, so all of a quarter lies in one hour of one day."""
_LATEST_MS = 4_102_444_800_000
_MOST_KEPT = 200_000

NO_DAY = 0
"""For instants that no clock shows."""


class DayClock:
    """Tells day and hour in the business time zone, and remembers them by the quarter of an hour."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._known: dict[int, tuple[int, int]] = {}

    def day_and_hour(self, at_ms: int) -> tuple[int, int]:
        """Ordinal of the business day, and the hour of it; NO_DAY and 0 outside 1970 to 2100."""
        quarter = at_ms // _QUARTER_MS
        known = self._known.get(quarter)
        if known is None:
            if not 0 <= at_ms < _LATEST_MS:
                return NO_DAY, 0
            at = datetime.fromtimestamp(quarter * 900, self.zone)
            if len(self._known) > _MOST_KEPT:
                self._known.clear()
            known = self._known[quarter] = (at.toordinal(), at.hour)
        return known

    def day(self, at_ms: int) -> int:
        """Ordinal of the business day; NO_DAY outside 1970 to 2100."""
        return self.day_and_hour(at_ms)[0]

    def start_ms(self, day: date) -> int:
        """When a business day begins, Unix milliseconds."""
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp() * 1000)


def day_text(ordinal: int) -> str:
    """A day as YYYY-MM-DD; empty for NO_DAY."""
    return date.fromordinal(ordinal).isoformat() if ordinal else ""
