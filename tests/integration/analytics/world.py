"""A random channel of 12 outlets over three years: what the analytics tests store and the oracle counts."""

from __future__ import annotations

import random
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
        return (values | {"format": found.format if found else ""})[by]


def random_world(seed: int, count: int) -> World:
    """A channel of 12 outlets: one unknown to the registry, some that moved, one without a zone, voids, summaries."""
    draw = random.Random(seed)
    versions = []
    for outlet in OUTLETS[:-1]:
        first = FIRST - timedelta(days=10)
        for last in [*sorted(draw.sample(range(100, 1200), draw.randrange(3))), None]:
            until = FOREVER if last is None else FIRST + timedelta(days=last)
            zone = draw.choice(["Z1", "Z2", ""])
            versions.append(Version(outlet, first, until, zone, draw.choice(["hotel", "supermarket"])))
            first = until + timedelta(days=1)
    days = (LAST - FIRST).days + 1
    events = []
    for _ in range(count):
        day = FIRST + timedelta(days=draw.randrange(days))
        summary = draw.random() < 0.1
        moment = time(12) if summary else time(draw.randrange(24), draw.randrange(60), draw.randrange(60))
        kind = "SALE" if summary else draw.choices(["SALE", "VOID", "PAYOUT"], [8, 1, 1])[0]
        events.append(
            Event(
                draw.choice(OUTLETS),
                datetime.combine(day, moment, ZONE),
                kind,
                draw.choice(GAMES),
                draw.randrange(1, 10**6) * 7,
                0 if summary and draw.random() < 0.1 else draw.randrange(1, 50),
                summary,
            )
        )
    events += [
        Event("000", datetime.combine(edge, time(21, 30), ZONE), "SALE", "ssq", 200, 1, summary=False)
        for edge in (FIRST, LAST)
    ]
    return World(events, versions)
