"""A channel of 2,000 outlets over two years, made inside the engine: registry, draws and sales.

No event passes through Python.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from string import Template
from typing import Any
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

ZONE = ZoneInfo("Asia/Shanghai")
OUTLETS = 2_000
DAYS = 730
ZONES = 54
DISTRICTS = 16
AREAS = 18
CLOSURES = ((1, 28, 8), (10, 1, 8))
"""First month and day, and length, of the market's closures of each year."""

DRAWS = (("ssq", (2, 4, 7)), ("3d", range(1, 8)), ("qlc", (1, 3, 5)), ("kl8", range(1, 8)))
"""Games with draws, and their ISO weekdays."""

_CLOSE, _DRAWN = time(20), time(21, 15)
_IMPORT = 1
_STEP = 4_000_000


def _read(name: str) -> Template:
    """The text of channel_`name`.sql, in which the channel's numbers stand."""
    text = Path(__file__).with_name(f"channel_{name}.sql").read_text(encoding="utf-8")
    known = {"outlets": OUTLETS, "days": DAYS, "zones": ZONES, "areas": AREAS, "import": _IMPORT}
    return Template(Template(text).safe_substitute(known))


_OUTLETS = _read("outlets")
_SALES = _read("sales")

_BATCHES = (
    "DROP TABLE IF EXISTS bench_round SYNC",
    "DROP TABLE IF EXISTS bench_batches SYNC",
    "CREATE TABLE bench_round ENGINE = Memory AS SELECT * FROM sales LIMIT 0",
    "CREATE TABLE bench_batches ENGINE = MergeTree ORDER BY batch AS SELECT *, toUInt32(0) AS batch FROM sales LIMIT 0",
)
_SPLIT = (
    "INSERT INTO bench_batches SELECT *, toUInt32(cityHash64(terminal_id, seq) % {batches:UInt32}) FROM bench_round"
)
_WRITE = "INSERT INTO sales SELECT * EXCEPT batch FROM bench_batches WHERE batch = {number:UInt32}"


@dataclass(frozen=True, slots=True)
class Channel:
    """What a store holds: two years that end with `last`, `each` events an outlet and day before some were shut."""

    last: date
    each: int

    @property
    def first(self) -> date:
        """The first business day."""
        return self.last - timedelta(days=DAYS - 1)

    @property
    def numbers(self) -> int:
        """Events before some outlets were shut."""
        return DAYS * OUTLETS * self.each

    @property
    def closed(self) -> set[date]:
        """Days on which only instant games sell."""
        return {
            date(year, month, day) + timedelta(days=nth)
            for year in range(self.first.year - 1, self.last.year + 1)
            for month, day, length in CLOSURES
            for nth in range(length)
        }


def fill_registry(client: Client, channel: Channel) -> None:
    """Write zones, outlets, games, closures and draws; the draws of the last day are sealed and not yet drawn."""
    zones = [
        (f"Z{n:02}", f"商圈{n}", ("business_district", "complex", "night_market", "pedestrian_street")[n % 4],
         f"1201{n % DISTRICTS + 1:02}", f"区{n % DISTRICTS + 1}", "sample", True, _IMPORT)
        for n in range(ZONES)
    ]  # fmt: skip
    client.insert("zone_rows", zones)
    client.command(_OUTLETS.substitute(), {"first": channel.first})
    games: list[tuple[Any, ...]] = [
        (game, channel.first - timedelta(days=400), game, kind, 200, kind != "instant", 99, 2_000_000, [], 5_000, 1_300,
         3_600, 780, list(days), "21:15", "sample", _IMPORT)
        for game, kind, days in [*((game, "lotto", days) for game, days in DRAWS), ("instant", "instant", ())]
    ]  # fmt: skip
    client.insert("game_rows", games)
    closures = [
        (date(year, month, day), date(year, month, day) + timedelta(days=length - 1), "draw_games", "holiday", _IMPORT)
        for year in range(channel.first.year, channel.last.year + 1)
        for month, day, length in CLOSURES
    ]
    client.insert("closure_rows", closures)
    rows = [
        (game, number, _ms(day, _CLOSE), _ms(day, _DRAWN) if day < channel.last else 0, _IMPORT)
        for game, numbers in draw_days(channel).items()
        for day, number in numbers.items()
    ]
    names = ["game", "draw_no", "sales_close_ms", "drawn_ms", "import_id"]
    client.insert("draw_rows", rows, column_names=names)
    sources = ["import_id", "source", "sha256", "added", "corrected", "unchanged"]
    client.insert("imports", [(_IMPORT, "bench", "", 0, 0, 0)], column_names=sources)
    for dictionary in ("outlet_history", "draw_times"):
        client.command(f"SYSTEM RELOAD DICTIONARY {dictionary}")


def draw_days(channel: Channel) -> dict[str, dict[date, str]]:
    """The draws of each game by their day, from the first day to three weeks after the last, closures left out."""
    found: dict[str, dict[date, str]] = {}
    closed = channel.closed
    for game, weekdays in DRAWS:
        numbers: dict[date, str] = {}
        day, nth = date(channel.first.year, 1, 1), 0
        while day <= channel.last + timedelta(days=20):
            nth = 0 if (day.month, day.day) == (1, 1) else nth
            if day.isoweekday() in weekdays and day not in closed:
                nth += 1
                numbers[day] = f"{day.year}{nth:03}"
            day += timedelta(days=1)
        found[game] = {day: number for day, number in numbers.items() if day >= channel.first}
    return found


def fill_sales(client: Client, channel: Channel, told: Callable[[int], None]) -> None:
    """Write the events, day by day; `told` hears how many numbers were used up."""
    asked = _asked(channel)
    client.command("ALTER TABLE sales MODIFY SETTING fsync_after_insert = 0, min_rows_to_fsync_after_merge = 0")
    for start in range(0, channel.numbers, _STEP):
        count = min(_STEP, channel.numbers - start)
        client.command(_SALES.substitute(table="sales"), {**asked, "round": 0, "start": start, "count": count})
        told(count)
    client.command("ALTER TABLE sales MODIFY SETTING fsync_after_insert = 1, min_rows_to_fsync_after_merge = 1")


def merge_months(client: Client) -> None:
    """Merge each month but the last into one part, as time does with months that nobody writes to any more."""
    months = client.query("SELECT DISTINCT partition FROM system.parts WHERE table = 'sales' AND active").result_rows
    for month in sorted(int(row[0]) for row in months)[:-1]:
        client.command(f"OPTIMIZE TABLE sales PARTITION {month} FINAL")


def prepare_batches(client: Client, channel: Channel, events: int, size: int) -> list[int]:
    """Keep so many new events of the last day, of all outlets, for `write_batch`; returns how many are in each batch.

    They are new ones: the same again and again would be packed so well that the engine, which merges parts of like
    sizes, would merge the day's whole part with every few batches.
    """
    a_round = channel.each * OUTLETS
    rounds = -(-events // a_round)
    batches = rounds * a_round // size
    for text in _BATCHES:
        client.command(text)
    asked = {**_asked(channel), "start": channel.numbers - a_round, "count": a_round}
    for number in range(1, rounds + 1):
        client.command(_SALES.substitute(table="bench_round"), {**asked, "round": number})
        client.command(_SPLIT, {"batches": batches})
        client.command("TRUNCATE TABLE bench_round")
    client.command("OPTIMIZE TABLE bench_batches FINAL")
    sizes = client.query("SELECT count() FROM bench_batches GROUP BY batch ORDER BY batch").result_columns[0]
    return [int(count) for count in sizes]


def write_batch(client: Client, number: int) -> None:
    """Store the events of one batch, as a loader does."""
    client.command(_WRITE, {"number": number})


def _asked(channel: Channel) -> dict[str, object]:
    """The parameters of a channel's sales."""
    days = [channel.first + timedelta(days=nth) for nth in range(DAYS)]
    asked: dict[str, object] = {"first": channel.first, "each": channel.each}
    asked["closed"] = [nth for nth, day in enumerate(days) if day in channel.closed]
    for game, numbers in draw_days(channel).items():
        drawn = sorted(numbers)
        asked[game] = [numbers[next(d for d in drawn if d >= day)] for day in [*days, channel.last + timedelta(days=1)]]
    return asked


def _ms(day: date, at: time) -> int:
    return int(datetime.combine(day, at, ZONE).timestamp() * 1000)
