"""A channel of 2,000 outlets over two years, made inside the engine: registry, draws and sales. No event passes through Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
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

_OUTLETS = f"""
INSERT INTO outlet_rows (outlet_id, valid_from, name, agent_id, zone_id, district_code, mgmt_area, format, channel_class,
                         opened, closed, is_sample, import_id)
WITH
    number % {OUTLETS} AS outlet, intDiv(number, {OUTLETS}) AS version, cityHash64(outlet, 'outlet') AS h,
    {{first:Date}} + h % {DAYS} AS turn, if(outlet % 10 = 1, turn, {{first:Date}} - 100) AS opens, outlet + version * 7 AS place
SELECT
    concat('O', leftPad(toString(outlet), 5, '0')), if(version = 0, opens, turn + 30), concat('网点', toString(outlet)), 'A1',
    concat('Z', leftPad(toString(place % {ZONES}), 2, '0')), '', concat('M', leftPad(toString(outlet % {AREAS}), 2, '0')),
    ['convenience_store', 'supermarket', 'complex', 'night_market', 'hotel'][place % 5 + 1],
    ['exclusive', 'concurrent', 'social'][outlet % 3 + 1], opens, if(outlet % 20 = 3, turn, NULL), true, {_IMPORT}
FROM numbers({2 * OUTLETS}) WHERE version = 0 OR outlet % 8 = 5
"""
"""Of ten outlets one opens within the two years, of twenty one closes, of eight one moves to another zone and trade."""

_SALES = f"""
INSERT INTO sales (outlet_id, business_day, sold_at, sold_hour, kind, game, draw_no, amount_fen, bets, multiplier,
                   companion_fen, daily_summary, terminal_id, epoch, seq, received_at, collector_id, kafka_partition, kafka_offset)
WITH
    {{each:UInt64}} AS each, intDiv(number, {OUTLETS} * each) AS nth_day, intDiv(number, each) % {OUTLETS} AS outlet,
    number % each AS nth, cityHash64(number) AS h, cityHash64(outlet, 'outlet') AS about,
    {{first:Date}} + toIntervalDay(nth_day) AS day, {{first:Date}} + about % {DAYS} AS turn,
    [8, 9, 10, 10, 11, 11, 12, 12, 13, 14, 15, 16, 16, 17, 17, 17, 18, 18, 18, 18, 19, 19, 19, 20, 20, 21][h % 26 + 1] AS hour,
    has({{closed:Array(UInt16)}}, toUInt16(nth_day)) AS is_closed,
    if(is_closed, 5, [1, 1, 2, 2, 2, 3, 4, 4, 4, 5, 5, 5, 5][bitShiftRight(h, 8) % 13 + 1]) AS place,
    multiIf(bitShiftRight(h, 16) % 100 < 90, 1, bitShiftRight(h, 16) % 100 < 91, 2, 3) AS kind_number,
    1 + bitShiftRight(h, 24) % 5 + outlet % 4 AS betting,
    toDateTime64(day, 3, 'Asia/Shanghai') + toIntervalSecond(hour * 3600 + bitShiftRight(h, 32) % 3600) AS at
SELECT
    concat('O', leftPad(toString(outlet), 5, '0')), day, at, hour, CAST(kind_number, 'Enum8(\\'SALE\\' = 1, \\'VOID\\' = 2, \\'PAYOUT\\' = 3)'),
    ['ssq', '3d', 'qlc', 'kl8', 'instant'][place],
    if(place = 5, '', [{{ssq:Array(String)}}, {{3d:Array(String)}}, {{qlc:Array(String)}}, {{kl8:Array(String)}}][place][nth_day + 1 + (hour >= 20)]),
    200 * betting, betting, 1, if(kind_number = 1 AND bitShiftRight(h, 48) % 4 = 0, 500 + bitShiftRight(h, 52) % 2000, 0), false,
    concat('T', leftPad(toString(outlet), 5, '0')), 7, 1 + nth_day * each + nth, at, 'collector-0',
    outlet % 8, intDiv(nth_day * each + nth, 50) * {OUTLETS} + outlet
FROM numbers({{start:UInt64}}, {{count:UInt64}})
WHERE day >= if(outlet % 10 = 1, turn, {{first:Date}}) AND day <= if(outlet % 20 = 3, turn, toDate('2149-01-01'))
SETTINGS max_partitions_per_insert_block = 0, max_insert_threads = 2, max_threads = 2, max_block_size = 262144,
         min_insert_block_size_rows = 1000000, min_insert_block_size_bytes = 0, use_legacy_to_time = 0
"""


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
    client.command(_OUTLETS, {"first": channel.first})
    games = [
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
    """The draws of each game by their day: its weekdays from the first day to a week after the last, closures left out."""
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
    days = [channel.first + timedelta(days=nth) for nth in range(DAYS)]
    asked: dict[str, object] = {"first": channel.first, "each": channel.each}
    asked["closed"] = [nth for nth, day in enumerate(days) if day in channel.closed]
    for game, numbers in draw_days(channel).items():
        drawn = sorted(numbers)
        asked[game] = [numbers[next(d for d in drawn if d >= day)] for day in [*days, channel.last + timedelta(days=1)]]
    total = DAYS * OUTLETS * channel.each
    client.command("ALTER TABLE sales MODIFY SETTING fsync_after_insert = 0, min_rows_to_fsync_after_merge = 0")
    for start in range(0, total, _STEP):
        count = min(_STEP, total - start)
        client.command(_SALES, {**asked, "start": start, "count": count})
        told(count)
    client.command("ALTER TABLE sales MODIFY SETTING fsync_after_insert = 1, min_rows_to_fsync_after_merge = 1")


def _ms(day: date, at: time) -> int:
    return int(datetime.combine(day, at, ZONE).timestamp() * 1000)
