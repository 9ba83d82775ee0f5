"""Busy outlets over half a year, by the hour: what silence and alerts are tested on. Some rest, fall or go silent."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from fucai.adapters.clickhouse import connect
from fucai.adapters.migrate import StoreSettings, migrate
from fucai.domain.registry.intake import take_in
from fucai.domain.registry.tables import Snapshot

ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
FIRST = date(2024, 9, 20)
NOW = datetime(2025, 3, 11, 15, 20, tzinfo=ZONE)
TODAY = NOW.date()
CLOSURES = (
    (date(2025, 1, 27), date(2025, 2, 5), "draw_games", "spring_festival"),
    (date(2025, 2, 18), date(2025, 2, 19), "all", "repair"),
    (date(2025, 3, 8), date(2025, 3, 9), "draw_games", "stocktaking"),
)
OWN = (
    ("own", "2024-11", 900, "", "made up"),
    ("own", "2025-01", 1_000, "-2.5", "made up"),
    ("own", "2025-02", 1_000, "", "made up"),
)
DRAWLESS = ("instant",)
ZONES = {"Z1": ("金街", "business_district"), "Z2": ("夜市", "night_market")}


@dataclass(frozen=True)
class Shop:
    """A registered outlet; `closed` is its first day without sales."""

    outlet: str
    zone: str
    opened: date
    closed: date | None = None


@dataclass(frozen=True)
class Sold:
    """An event; a daily summary has no hour of its own."""

    outlet: str
    terminal: str
    at: datetime
    kind: str
    game: str
    fen: int
    bets: int
    summary: bool = False
    draw_no: str = ""

    @property
    def day(self) -> date:
        """Its business day."""
        return self.at.date()


@dataclass(frozen=True)
class Busy:
    """All that is in the store: outlets, terminals (id, outlet, kind) and events."""

    shops: list[Shop]
    terminals: list[tuple[str, str, str]]
    events: list[Sold]


def draw_no(day: date) -> str:
    """The draw that a day's sales are for: one each day, by day of the year."""
    return f"{day.year}{day.timetuple().tm_yday:03}"


def busy_world(seed: int, count: int = 20) -> Busy:
    """`count` outlets with hours, games and luck of their own, all drawn from the seed."""
    draw = random.Random(seed)
    shops, terminals, events = [], [], []
    for number in range(count):
        outlet = f"{number:03}"
        opened = FIRST - DAY * 400 if number % 6 else TODAY - DAY * draw.choice([1, 20, 40, 90])
        closed = TODAY - DAY * draw.choice([0, 1, 30]) if number % 11 == 10 else None
        shops.append(Shop(outlet, draw.choice(["Z1", "Z2"]), opened, closed))
        tills = [f"T{outlet}{letter}" for letter in "ab"[: draw.choice([1, 2])]]
        terminals += [(till, outlet, "till") for till in tills] + [(f"import:{outlet}", outlet, "import")]
        events += _events(draw, shops[-1], tills, number)
    unknown = Shop("unregistered", "Z1", FIRST)
    return Busy(shops, terminals, events + _events(draw, unknown, ["Tx"], 1))


def _events(draw: random.Random, shop: Shop, tills: Sequence[str], number: int) -> list[Sold]:
    hours = range(draw.randrange(7, 11), draw.randrange(17, 23))
    often = draw.choice([0.99, 0.97, 0.7])
    games = draw.choice([("3d",), ("instant",), ("3d", "instant"), ("3d", "instant")])
    rests = draw.choice([None, None, 7])
    level = draw.randrange(3_000, 30_000)
    stops = NOW - timedelta(hours=draw.choice([0, 0, 0, 3, 30, 60, 200, 400, 900, 1_300]))
    found = []
    day = max(shop.opened, FIRST)
    while day <= TODAY and (shop.closed is None or day < shop.closed):
        luck = draw.choice([1.0] * 12 + [0.15, 3.0, 0.0])
        open_games = [game for game in games if game in DRAWLESS or not _closed(day, "draw_games")]
        if day.isoweekday() == rests or _closed(day, "all") or not open_games:
            open_games = []
        if number % 8 == 7 and day < TODAY - DAY * 60:
            fen = int(level * 20 * luck)
            found.append(
                Sold(shop.outlet, f"import:{shop.outlet}", _at(day, 12), "SALE", "instant", fen, 9, summary=True)
            )
            open_games = []
        for hour in hours if open_games and luck else ():
            if draw.random() > often:
                continue
            game = draw.choice(open_games)
            at = _at(day, hour) + timedelta(minutes=draw.randrange(60), seconds=draw.randrange(60))
            fen = max(200, int(level * luck * draw.uniform(0.8, 1.2)))
            number_of_draw = "" if game in DRAWLESS else draw_no(day)
            one = Sold(shop.outlet, draw.choice(tills), at, "SALE", game, fen, 1, draw_no=number_of_draw)
            found.append(one)
            if draw.random() < 0.05:
                found.append(replace(one, kind=draw.choice(["VOID", "PAYOUT"]), at=at + timedelta(seconds=30)))
        day += DAY
    return [one for one in found if one.at < stops]


def _closed(day: date, scope: str) -> bool:
    return any(first <= day <= last for first, last, of, _ in CLOSURES if of == scope)


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZONE)


def keep(url: str, database: str, world: Busy, *, unended: Sequence[str] = ()) -> None:
    """Stores the world; its draws are sealed and ended, but for those of `unended`, which have only closed."""
    client = connect(url)
    migrate(client, database=database, store=StoreSettings("Asia/Shanghai", "CNY"))
    zones = [[zone, name, kind, 1] for zone, (name, kind) in ZONES.items()]
    _insert(client, "zone_rows", "zone_id name zone_type import_id", zones)
    shops = [[s.outlet, FIRST - DAY * 500, f"网点{s.outlet}", s.zone, "A1", s.opened, s.closed, 1] for s in world.shops]
    _insert(client, "outlet_rows", "outlet_id valid_from name zone_id mgmt_area opened closed import_id", shops)
    terminals = [[terminal, FIRST - DAY * 500, outlet, kind, 1] for terminal, outlet, kind in world.terminals]
    _insert(client, "terminal_rows", "terminal_id valid_from outlet_id kind import_id", terminals)
    games = [["3d", FIRST, "福彩3D", True, "21:15", 1], ["instant", FIRST, "刮刮乐", False, "", 1]]
    _insert(client, "game_rows", "game valid_from name has_draws draw_time import_id", games)
    _insert(client, "closure_rows", "first_day last_day scope name import_id", [[*one, 1] for one in CLOSURES])
    days = [FIRST + DAY * number for number in range((TODAY - FIRST).days + 1)]
    closes = {draw_no(day): int(_at(day, 20).timestamp() * 1000) for day in days}
    draws = [["3d", no, at, 0 if no in unended else at + 5_400_000, 1] for no, at in closes.items()]
    _insert(client, "draw_rows", "game draw_no sales_close_ms drawn_ms import_id", draws)
    _insert(
        client, "benchmark_rows", "series period amount_fen yoy_pct basis import_id", [[*one, 1] for one in published()]
    )
    _insert(client, "imports", "import_id source", [[1, "test"]])
    for dictionary in ("outlet_history", "draw_times"):
        client.command(f"SYSTEM RELOAD DICTIONARY {dictionary}")
    columns = "outlet_id terminal_id business_day sold_at sold_hour kind game draw_no amount_fen bets daily_summary"
    rows = [
        [
            e.outlet,
            e.terminal,
            e.day,
            e.at,
            e.at.hour,
            e.kind,
            e.game,
            e.draw_no,
            e.fen,
            e.bets,
            e.summary,
            1,
            number,
            e.at,
        ]
        for number, e in enumerate(world.events, 1)
    ]
    _insert(client, "sales", f"{columns} epoch seq received_at", rows)
    client.close()


def published() -> list[tuple[str, str, int, str, str]]:
    """The benchmarks that are packaged with the suite, read as an import reads them, and a series that is made up."""
    content = files("fucai.registry").joinpath("sample", "benchmarks.csv").read_bytes()
    taken = take_in({"benchmarks.csv": content}, Snapshot(), ZONE)
    assert not taken.problems
    found = [entry.message for entry in taken.entries]
    return [(one.series, one.period, one.amount_fen, one.yoy_pct, one.basis) for one in found] + list(OWN)


def _insert(client: Any, table: str, columns: str, rows: Sequence[Sequence[object]]) -> None:
    client.insert(table, rows, column_names=columns.split())
