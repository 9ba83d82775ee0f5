"""Which games no outlet is judged by, because a sealed draw of theirs was sold on the days compared, and why.

A figure without a sealed draw beside one with all draws would look like a fall. So the game counts on neither side,
for all outlets and all days of the answer; which outlet sold it is not looked at, so nothing of the draw is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from fucai.analytics.reach import Reach, names
from fucai.analytics.store import Ask
from fucai.domain.labels import Label
from fucai.domain.periods import DayRange


@dataclass(frozen=True, slots=True)
class Withheld:
    """The days on which draws that are sealed now were sold over the whole channel, by game; and names of these."""

    days: Mapping[str, Collection[date]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def games(self, days: Collection[date]) -> list[str]:
        """The games with such a day among `days`, by code."""
        return sorted(game for game, found in self.days.items() if any(day in days for day in found))

    def note(self, games: Collection[str]) -> Label | None:
        """Why these games are left out; None for none."""
        if not games:
            return None
        listed = [self.names.get(game) or game for game in games]
        return Label(
            f"{'、'.join(listed)} 有封存中的期次在所比日期售出，开奖结束前不以该游戏判断",
            f"a sealed draw of {', '.join(listed)} was sold on the days compared: nobody is judged by it until it ends",
        )


async def withheld_days(ask: Ask, now: Reach, days: DayRange) -> Withheld:
    """What is withheld of these days now."""
    found: defaultdict[str, set[date]] = defaultdict(set)
    for game, day in now.withheld_days:
        if day in days:
            found[game].add(day)
    return Withheld(found, (await names(ask, ["game"]))[0] if found else {})
