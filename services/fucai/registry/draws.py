"""Draws with their seal and end: what the registry tells of them, and acts by hand. The rules are in `domain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from fucai.domain.calendar import business_day
from fucai.domain.draw_acts import judge
from fucai.domain.draw_schedule import DrawSchedule
from fucai.domain.embargo import END, SEAL, draw_times
from fucai.domain.registry.changes import Entry, Plan, plan
from fucai.domain.registry.faults import Fault
from fucai.domain.registry.records import faults_of
from fucai.domain.registry.tables import DRAW_ACTS, DRAWS, GAMES, Key, Snapshot
from fucai.registry.mirror import Current
from fucai.v1 import registry_pb2 as pb

SOLD_DAYS = 60
"""Sales of a draw are looked for from this many days before its seal to the day after it."""


class UnknownDrawError(LookupError):
    """The draw is not registered; the message says how to register it."""

    def __init__(self, game: str, draw_no: str) -> None:
        super().__init__(
            f"no draw {draw_no!r} of {game!r} is registered: "
            "register it with `fucai draws schedule` or `fucai import registry draws.csv`"
        )


class Draws:
    """The draws of a registry at one moment."""

    def __init__(self, current: Current, now_ms: int) -> None:
        self._snapshot: Snapshot = current.snapshot
        self._zone = ZoneInfo(current.settings.timezone)
        self._now_ms = now_ms
        self._schedules: dict[str, DrawSchedule] = {}

    @property
    def zone(self) -> ZoneInfo:
        """The business time zone."""
        return self._zone

    def keys(self, *, game: str = "", sealed_only: bool = False) -> list[Key]:
        """The draws that are asked for, by game and number."""
        return sorted(
            key
            for key, draw in self._snapshot.of(DRAWS).items()
            if game in ("", key[0])
            and not (sealed_only and not draw_times(draw, self._acts(key)).is_sealed(self._now_ms))
        )

    def status(self, key: Key) -> pb.DrawStatus:
        """A draw with all that decides when its figures may be seen.

        Raises:
            UnknownDrawError: it is not registered.
        """
        draw = self.draw(key)
        acts = list(self._acts(key))
        times = draw_times(draw, acts)
        state = pb.DRAW_STATE_OPEN
        if times.has_ended(self._now_ms):
            state = pb.DRAW_STATE_ENDED
        elif times.is_sealed(self._now_ms):
            state = pb.DRAW_STATE_SEALED
        return pb.DrawStatus(
            draw=draw,
            acts=acts,
            sealed_ms=times.sealed_ms,
            drawn_ms=times.drawn_ms,
            scheduled_ms=self._schedule(draw.game).scheduled_ms(draw.sales_close_ms, self._zone),
            state=state,
        )

    def draw(self, key: Key) -> pb.Draw:
        """The draw as registered.

        Raises:
            UnknownDrawError: it is not registered.
        """
        found: pb.Draw | None = self._snapshot.of(DRAWS).get(key)
        if found is None:
            raise UnknownDrawError(*key)
        return found

    def act(self, wanted: pb.DrawAct) -> Plan:
        """What recording an act changes: nothing where it is recorded already.

        Raises:
            UnknownDrawError: the draw is not registered.
            DrawRefusedError: its state or the time does not allow it.
        """
        key = (wanted.game, wanted.draw_no)
        made = judge(wanted, self.draw(key), self._acts(key), self._now_ms, self._zone)
        return plan([Entry(0, DRAW_ACTS, made)], self._snapshot)

    def sold_days(self, key: Key) -> tuple[date, date]:
        """The business days on which sales of a draw can be, both included."""
        times = draw_times(self.draw(key), self._acts(key))
        day = business_day(times.sealed_ms, self._zone)
        return day - timedelta(days=SOLD_DAYS), day + timedelta(days=1)

    def _acts(self, key: Key) -> Iterator[pb.DrawAct]:
        acts: Mapping[Key, pb.DrawAct] = self._snapshot.of(DRAW_ACTS)
        for kind in (SEAL, END):
            if (found := acts.get((*key, kind))) is not None:
                yield found

    def _schedule(self, game: str) -> DrawSchedule:
        if game not in self._schedules:
            games = self._snapshot.of(GAMES)
            self._schedules[game] = DrawSchedule([games[key] for key in sorted(games) if key[0] == game], ())
        return self._schedules[game]


def faults_of_request(wanted: pb.DrawAct) -> list[Fault]:
    """What is wrong with the fields of an act before it is judged; a time of 0 stands for now."""
    return [fault for fault in faults_of(DRAW_ACTS, wanted) if not (fault.field == "at_ms" and wanted.at_ms == 0)]
