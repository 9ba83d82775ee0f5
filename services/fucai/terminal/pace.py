"""How simulated time or a rate of events follows the wall clock. Pure: the clock is passed in."""

from __future__ import annotations

from dataclasses import dataclass

_CATCH_UP_MS = 1_000


@dataclass(slots=True)
class SpeedPace:
    """Simulated time at `speed` times real time, from `start_ms` on; never later than the wall clock.

    Having caught up with the wall clock it goes on in real time.
    """

    speed: float
    start_ms: int
    began_ms: int
    reached_ms: int = 0

    def __post_init__(self) -> None:
        self.reached_ms = self.start_ms

    def span(self, now_ms: int) -> tuple[int, int]:
        """The simulated time that has come since the last call, as two instants."""
        target_ms = self.start_ms + int((now_ms - self.began_ms) * self.speed)
        before_ms, self.reached_ms = self.reached_ms, max(self.reached_ms, min(now_ms, target_ms))
        return before_ms, self.reached_ms


def speed_pace(speed: float, seconds: float | None, now_ms: int, midnight_ms: int) -> SpeedPace:
    """A pace that starts so far back today that a run of `seconds` ends at the wall clock; at midnight without."""
    back_ms = now_ms - midnight_ms if seconds is None else int((speed - 1) * seconds * 1000)
    start_ms = now_ms if speed <= 1 else max(midnight_ms, now_ms - back_ms)
    return SpeedPace(speed, start_ms, now_ms)


@dataclass(slots=True)
class RatePace:
    """`rate` events a second of wall time; after a pause it makes up for at most one second."""

    rate: float
    began_ms: int
    reached_ms: int = 0
    owed: float = 0.0

    def __post_init__(self) -> None:
        self.reached_ms = self.began_ms

    def due(self, now_ms: int) -> tuple[int, int, int]:
        """How many events are due since the last call, and the two instants between which they happen."""
        before_ms = max(self.reached_ms, now_ms - _CATCH_UP_MS)
        self.reached_ms = max(self.reached_ms, now_ms)
        self.owed += self.rate * (self.reached_ms - before_ms) / 1000
        count = int(self.owed)
        self.owed -= count
        return count, before_ms, self.reached_ms
