"""The view that every figure is read from says of every draw, act and moment what domain.embargo says."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from fucai.adapters.migrate import packaged_migrations, render
from fucai.domain.embargo import Embargo, build_embargo
from fucai.v1.registry_pb2 import Draw, DrawAct, RegistryRecord
from tests.support.clickhouse import Database

BASE_MS = 1_772_366_400_000
STEP_MS = 1_000
STEPS = 12
MOMENTS = [BASE_MS + STEP_MS * step + edge for step in range(STEPS) for edge in (-1, 0, 1)]


def some_draws(seed: int, count: int) -> list[RegistryRecord]:
    """Draws and acts with random times on few steps, so that many fall together; one act in four has no draw."""
    draw = random.Random(seed)
    records = []
    for number in range(1, count + 1):
        key: dict[str, Any] = {"game": draw.choice(["ssq", "3d"]), "draw_no": f"2026{number:03}"}
        close, *later = (BASE_MS + STEP_MS * draw.randrange(STEPS) for _ in range(4))
        if draw.random() < 0.75:
            drawn = draw.choice([0, later[0]])
            records.append(RegistryRecord(draw=Draw(**key, sales_close_ms=close, drawn_ms=drawn)))
        for act, at_ms in (("seal", later[1]), ("end", later[2])):
            if draw.random() < 0.5:
                records.append(RegistryRecord(draw_act=DrawAct(**key, act=act, at_ms=at_ms, acted_by="x")))
    return records


def store(client: Any, records: list[RegistryRecord]) -> None:
    """Keep them as one import, and sales of every draw, named or not."""
    draws = [record.draw for record in records if record.HasField("draw")]
    acts = [record.draw_act for record in records if record.HasField("draw_act")]
    rows = [[draw.game, draw.draw_no, draw.sales_close_ms, draw.drawn_ms, 1] for draw in draws]
    client.insert("draw_rows", rows, column_names=["game", "draw_no", "sales_close_ms", "drawn_ms", "import_id"])
    rows = [[act.game, act.draw_no, act.act, act.at_ms, 1] for act in acts]
    client.insert("draw_act_rows", rows, column_names=["game", "draw_no", "act", "at_ms", "import_id"])
    client.insert("imports", [[1, "test"]], column_names=["import_id", "source"])
    client.command("SYSTEM RELOAD DICTIONARY draw_times")
    columns = ["outlet_id", "business_day", "sold_at", "kind", "game", "draw_no", "amount_fen", "terminal_id", "seq"]
    sales = [
        ["1", date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC), "SALE", game, draw_no, 200, "T1", seq]
        for seq, (game, draw_no) in enumerate(sorted(ALL_DRAWS), 1)
    ]
    client.insert("sales", sales, column_names=columns)


ALL_DRAWS = {(game, f"2026{number:03}") for game in ("ssq", "3d") for number in range(1, 62)} | {("instant", "")}


@pytest.fixture
def client(clickhouse_database: Database) -> Iterator[Any]:
    """A client of a fresh store."""
    found = clickhouse_database.client()
    yield found
    found.close()


def view_at(database: str, now_ms: int) -> str:
    """The query of the view sales_seals as its migration has it, but as of another moment."""
    text = next(found.text for found in packaged_migrations() if found.name.endswith("embargo.sql"))
    statements = render(text, database=database, timezone="Asia/Shanghai")
    (created,) = (one for one in statements if "VIEW IF NOT EXISTS sales_seals" in one)
    query = created.split(" AS\n", 1)[1]
    moved, found = re.subn(r"now64\(3\)", f"fromUnixTimestamp64Milli({now_ms})", query)
    assert found == 2
    return moved


def test_view_and_rule_agree_on_every_draw_and_moment(client: Any, clickhouse_database: Database) -> None:
    """Draws closed, sealed early, ended, planned to end, in no table: the same at each step, just before and after."""
    records = some_draws(seed=22, count=60)
    store(client, records)
    embargo: Embargo = build_embargo(records)
    states = set()
    for now_ms in MOMENTS:
        query = view_at(clickhouse_database.name, now_ms)
        rows = client.query(f"SELECT game, draw_no FROM ({query}) WHERE NOT withheld").result_rows
        expected = {(game, no) for game, no in ALL_DRAWS if not embargo.is_sealed(game, no, now_ms)}
        assert set(rows) == expected, now_ms
        states.add(len(expected))
    assert len(states) > STEPS / 2


def test_a_scheduled_seal_comes_and_goes_by_the_clock_alone(client: Any) -> None:
    """visible_sales leaves out what is sealed now, without a reload at the moment of the seal."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    hour = 3_600_000
    times = {"2026001": (hour, 0), "2026002": (-hour, 0), "2026003": (-hour, -1), "2026004": (-hour, hour)}
    records = [
        RegistryRecord(
            draw=Draw(game="ssq", draw_no=no, sales_close_ms=now_ms + close, drawn_ms=now_ms + drawn if drawn else 0)
        )
        for no, (close, drawn) in times.items()
    ]
    store(client, records)
    rows = client.query("SELECT DISTINCT game, draw_no FROM visible_sales").result_rows
    assert set(rows) == {("ssq", "2026001"), ("ssq", "2026003"), ("instant", "")}
    outlets = [outlet for (outlet,) in client.query("SELECT DISTINCT outlet_id FROM sales").result_rows]
    of_each = [
        row
        for outlet in outlets
        for row in client.query("SELECT * FROM outlet_sales(outlet_id = {one:String})", {"one": outlet}).result_rows
    ]
    assert sorted(of_each) == sorted(client.query("SELECT * FROM visible_sales").result_rows)
    named = client.query("SELECT game, draw_no FROM withheld_draws").result_rows
    assert set(named) == ALL_DRAWS - set(rows)


def test_figures_fail_rather_than_leak_when_the_times_cannot_be_loaded(client: Any) -> None:
    """Without the dictionary there is no figure at all."""
    store(client, [])
    client.command("DROP DICTIONARY draw_times")
    with pytest.raises(Exception, match="draw_times"):
        client.query("SELECT count() FROM visible_sales")
