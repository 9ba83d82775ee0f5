"""A store made to be misread: outlets turn on every kind of day, draws are sealed here and there, sales are few."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.clickhouse import Database

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2025, 3, 11, 9, tzinfo=ZONE)
FIRST, LAST = date(2022, 11, 28), date(2025, 3, 10)
OUTLETS = tuple(f"{number:02}" for number in range(14))
NOT_REGISTERED = OUTLETS[-1]
GAMES = ("ssq", "kl8", "instant")
SEALED_DAYS = (date(2024, 2, 29), date(2024, 8, 1), date(2025, 1, 31))
"""Days with an event of a sealed draw: the last of a month, the first of one, and one in a month with a turn."""
SEALED, SEALED_FEN = "2024002", 10**12
AREAS, FORMATS = ("A1", "A2"), ("hotel", "metro", "bank")
CLOSURES = ((date(2024, 2, 8), date(2024, 2, 17)), (date(2024, 10, 1), date(2024, 10, 4)))
ZONES = (("Z1", "street", "complex", "120101", "和平"), ("Z2", "night", "night_market", "120102", "河东"))
TURNS: dict[str, list[date]] = {
    "00": [FIRST],
    "01": [date(2021, 1, 1), date(2024, 2, 29)],
    "02": [date(2021, 1, 1), date(2024, 2, 1), date(2024, 3, 1)],
    "03": [date(2021, 1, 1), date(2024, 1, 31), date(2024, 2, 2)],
    "04": [date(2024, 1, 15)],  # sells before it is registered
    "05": [date(2021, 1, 1), date(2024, 5, 10), date(2024, 5, 11), date(2024, 5, 20)],
    "06": [date(2021, 1, 1), date(2025, 1, 15)],
    "07": [date(2024, 8, 2)],
    "08": [date(2021, 1, 1), date(2025, 3, 11)],  # today, after the last sale
    "09": [date(2021, 1, 1), date(2026, 6, 15)],  # still to come
    "10": [date(2021, 1, 1), date(2023, 2, 28), date(2024, 12, 31)],
    "11": [date(2021, 1, 1), date(2023, 6, 2)],
    "12": [date(2021, 1, 1)],
}
"""On which days each outlet's attributes begin anew; each time it moves to another zone, area, format and class."""
CLOSED = {"11": date(2024, 5, 17), "12": date(2024, 6, 1)}
COLUMNS = ["outlet_id", "business_day", "sold_at", "sold_hour", "kind", "game", "draw_no", "amount_fen", "bets"]
COLUMNS += ["companion_fen", "daily_summary", "terminal_id", "epoch", "seq", "received_at", "stored_at"]


def events(draw: random.Random, count: int) -> Iterator[list[Any]]:
    """Events of all kinds; an outlet sells for a while, or rests for a while, so that windows open and close."""
    span = (LAST - FIRST).days
    for seq in range(count):
        outlet = draw.choice(OUTLETS)
        day = FIRST + timedelta(days=draw.randrange(span + 1))
        if (day.toordinal() // 40 + int(outlet)) % 3 == 0:
            day = max(FIRST, day - timedelta(days=day.toordinal() % 40))
        yield event(draw, outlet, day, seq)
    for nth, day in enumerate(SEALED_DAYS):
        yield sealed_event(draw.choice(OUTLETS), day, count + nth)


def event(draw: random.Random, outlet: str, day: date, seq: int) -> list[Any]:
    """An event that anybody may see."""
    game, summary = draw.choice(GAMES), draw.random() < 0.15
    kind = "SALE" if summary else draw.choices(["SALE", "VOID", "PAYOUT"], [6, 2, 1])[0]
    hour = draw.choice([0, 12, 23])
    at = datetime.combine(day, time(hour, draw.randrange(60)), ZONE)
    draw_no = "" if game == "instant" or summary else "2024001"
    figures = [draw.randrange(1, 10**6), 0 if summary and draw.random() < 0.5 else draw.randrange(1, 40)]
    companion = draw.choice([0, 777]) if kind == "SALE" and not summary else 0
    stored = NOW.astimezone(UTC) - timedelta(days=1)
    return [outlet, day, at, hour, kind, game, draw_no, *figures, companion, summary, f"T{outlet}", 1, seq, at, stored]


def sealed_event(outlet: str, day: date, seq: int) -> list[Any]:
    """An event of the sealed draw."""
    at = datetime.combine(day, time(13), ZONE)
    row = [outlet, day, at, 13, "SALE", "ssq", SEALED, SEALED_FEN, 1, 0, False, f"T{outlet}", 1, seq, at]
    return [*row, NOW.astimezone(UTC) - timedelta(days=1)]


def place(outlet: str, day: date) -> tuple[str, str]:
    """Area and format of an outlet on a day; empty where the registry does not know it yet."""
    turns = sum(turn <= day for turn in TURNS.get(outlet, []))
    nth = int(outlet) + turns - 1
    return (AREAS[nth % 2], FORMATS[nth % 3]) if turns else ("", "")


def register(database: Database) -> None:
    """The registry: zones, outlets with their turns, games, closures, an ended draw and a sealed one."""
    client = database.client()

    def insert(table: str, columns: str, rows: list[list[Any]]) -> None:
        client.insert(table, [[*row, 1] for row in rows], column_names=[*columns.split(), "import_id"])

    insert("zone_rows", "zone_id name zone_type district_code district", [list(zone) for zone in ZONES])
    versions = []
    for outlet, turns in TURNS.items():
        for nth, turn in enumerate(turns, int(outlet)):
            place = ["Z1", "Z2", ""][nth % 3], AREAS[nth % 2], FORMATS[nth % 3]
            opened = max(turns[0], date(2022, 1, 1))
            versions.append([outlet, turn, *place, ["exclusive", "concurrent"][nth % 2], opened, CLOSED.get(outlet)])
    insert("outlet_rows", "outlet_id valid_from zone_id mgmt_area format channel_class opened closed", versions)
    games = [[game, date(2020, 1, 1), game != "instant", 5_000, 1_300, 3_700, 800] for game in GAMES]
    insert("game_rows", "game valid_from has_draws prize_bp issuing_fee_bp welfare_fund_bp commission_bp", games)
    insert("closure_rows", "first_day last_day scope name", [[*days, "all", "rest"] for days in CLOSURES])
    draws = [[game, "2024001", 1, 2] for game in GAMES] + [["ssq", SEALED, 1, 0]]
    insert("draw_rows", "game draw_no sales_close_ms drawn_ms", draws)
    insert("imports", "source", [["test"]])
    client.command("SYSTEM RELOAD DICTIONARY draw_times")
    client.command("SYSTEM RELOAD DICTIONARY outlet_history")
    client.close()


def store(database: Database, rows: list[list[Any]]) -> None:
    """Stores events."""
    client = database.client()
    client.insert("sales", rows, column_names=COLUMNS)
    client.close()
