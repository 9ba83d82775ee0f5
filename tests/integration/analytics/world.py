"""A random channel of 12 outlets over three years: what the analytics tests store and the oracle counts."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DATABASE = "analytics_tests"
ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(2021, 11, 17), date(2025, 3, 10)
NOW = datetime(2025, 3, 11, 9, 30, tzinfo=ZONE)
GAMES = ("ssq", "3d", "instant")
OUTLETS = tuple(f"{number:03}" for number in range(12))
FOREVER = date(2100, 12, 31)
CLOSURES = (
    (date(2024, 2, 8), date(2024, 2, 17), "draw_games", "spring_festival"),
    (date(2025, 3, 3), date(2025, 3, 5), "all", "repair"),
    (date(2025, 3, 5), date(2025, 3, 6), "draw_games", "overlap"),
)
ZONES = {"Z1": ("金街", "business_district", "120101", "和平"), "Z2": ("夜市", "night_market", "120102", "河东")}
AREAS = ("A1", "A2")
CLASSES = ("exclusive", "concurrent")
RATES = (  # game, from, prize, issuing fee, welfare fund, commission in basis points
    ("ssq", FIRST - timedelta(days=10), 5_100, 1_300, 3_600, 780),
    ("ssq", date(2024, 7, 1), 5_050, 1_250, 3_700, 785),
    ("3d", FIRST, 5_300, 1_300, 3_400, 780),
    ("instant", FIRST - timedelta(days=10), 6_500, 1_500, 2_000, 850),
)
BENCHMARKS = (
    ("national_welfare", "2023", 194441000000000, "31.3"),
    ("national_welfare", "2024", 207956000000000, "7.0"),
    ("national_welfare", "2024-12", 1913000000000, "9.5"),
    ("own", "2024-02", 50_000, ""),
    ("own", "2025-02", 60_000, ""),
)


@dataclass(frozen=True)
class Version:
    """Where an outlet stood from one day to another."""

    outlet: str
    first: date
    last: date
    zone: str
    format: str
    area: str
    channel_class: str
    opened: date
    closed: date | None


@dataclass(frozen=True)
class Event:
    """A stored event, as the oracle sees it."""

    outlet: str
    sold_at: datetime
    kind: str
    game: str
    amount_fen: int
    bets: int
    summary: bool
    companion_fen: int = 0

    @property
    def day(self) -> date:
        """Its business day."""
        return self.sold_at.astimezone(ZONE).date()


@dataclass(frozen=True)
class World:
    """All that is in the store."""

    events: list[Event]
    versions: list[Version]

    def version(self, outlet: str, day: date) -> Version | None:
        """Where an outlet stood on a day; None where the registry knows nothing."""
        return next((v for v in self.versions if v.outlet == outlet and v.first <= day <= v.last), None)

    def where(self, by: str, outlet: str, day: date) -> str:
        """The value of a dimension of an outlet on a day."""
        found = self.version(outlet, day)
        zone = ZONES.get(found.zone, ("", "", "", "")) if found else ("", "", "", "")
        values = {"outlet": outlet, "zone": found.zone if found else "", "zone_type": zone[1], "district": zone[2]}
        values |= (
            {"format": found.format, "mgmt_area": found.area, "channel_class": found.channel_class} if found else {}
        )
        return values.get(by, "")


def random_world(seed: int, count: int) -> World:
    """A channel of 12 outlets: one unknown to the registry, some that moved, opened late or closed."""
    draw = random.Random(seed)
    versions = []
    for number, outlet in enumerate(OUTLETS[:-1]):
        opened = FIRST - timedelta(days=10) + timedelta(days=draw.randrange(200, 900) if number in {3, 4, 5} else 0)
        closed = FIRST + timedelta(days=draw.randrange(950, 1150)) if number in {6, 7} else None
        first = opened
        for last in [*sorted(draw.sample(range(910, 1200), draw.randrange(3))), None]:
            until = FOREVER if last is None else FIRST + timedelta(days=last)
            place = draw.choice(["Z1", "Z2", ""]), draw.choice(["hotel", "supermarket"])
            versions.append(
                Version(outlet, first, until, *place, draw.choice(AREAS), CLASSES[number % 2], opened, closed)
            )
            first = until + timedelta(days=1)
    open_days = {version.outlet: (version.opened, version.closed or LAST) for version in versions}
    events = [_event(draw, open_days) for _ in range(count)]
    events += [
        Event("000", datetime.combine(edge, time(21, 30), ZONE), "SALE", "ssq", 200, 1, summary=False)
        for edge in (FIRST, LAST)
    ]
    return World(events, versions)


def _event(draw: random.Random, open_days: Mapping[str, tuple[date, date]]) -> Event:
    """An event on a day on which the outlet is open; the one that is not registered always is."""
    outlet = draw.choice(OUTLETS)
    opened, closed = open_days.get(outlet, (FIRST, LAST))
    first = max(opened, FIRST)
    day = first + timedelta(days=draw.randrange((min(closed, LAST) - first).days + 1))
    summary = draw.random() < 0.1
    moment = time(12) if summary else time(draw.randrange(24), draw.randrange(60), draw.randrange(60))
    kind = "SALE" if summary else draw.choices(["SALE", "VOID", "PAYOUT"], [8, 1, 1])[0]
    return Event(
        outlet,
        datetime.combine(day, moment, ZONE),
        kind,
        draw.choice(GAMES),
        draw.randrange(1, 10**6) * 7,
        0 if summary and draw.random() < 0.1 else draw.randrange(1, 50),
        summary,
        draw.randrange(100, 9_000) if kind != "PAYOUT" and not summary and draw.random() < 0.3 else 0,
    )
