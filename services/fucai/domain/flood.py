"""When a terminal's bad events are so many that people must hear of it. An alarm only: nothing is dropped for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traffic:
    """Events of one terminal received within the window: those quarantined, and those stored."""

    terminal_id: str
    quarantined: int
    stored: int


@dataclass(frozen=True, slots=True)
class FloodRule:
    """A flood is `count` quarantined events within the window, or `share` of all events once there are `least`."""

    window_ms: int = 3_600_000
    count: int = 200
    share: float = 0.5
    least: int = 20

    @property
    def fewest(self) -> int:
        """Fewer quarantined events are no flood, whatever their share."""
        return min(self.count, self.least)

    def is_flood(self, traffic: Traffic) -> bool:
        """Whether the terminal is in flood."""
        bad = traffic.quarantined
        return bad >= self.count or (bad >= self.least and bad >= self.share * (bad + traffic.stored))
