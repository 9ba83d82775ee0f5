"""Sealing and ending draws by hand: what is recorded, what is refused, and what the store shows at once."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest

from fucai.runtime.errors import violations_of
from fucai.v1 import registry_pb2 as pb
from tests.integration.registry.serving import Running
from tests.support.clickhouse import Database
from tests.unit.cli.exports import same_in_every_format
from tests.unit.cli.fake import run
from tests.unit.registry.records import good

HOUR = 3_600_000
COLUMNS = ["outlet_id", "business_day", "sold_at", "kind", "game", "draw_no", "amount_fen", "terminal_id"]
ZONE = ZoneInfo("Asia/Shanghai")


def now_ms() -> int:
    """The time now."""
    return time.time_ns() // 1_000_000


def number(serial: int, hours: int = 0) -> str:
    """A draw number of the year that it is in some hours."""
    return f"{(datetime.now(ZONE) + timedelta(hours=hours)).year}{serial:03}"


SSQ, TD = number(1, hours=1), number(1, hours=-1)


@pytest.fixture
def draws(registry: Running) -> Running:
    """A registry with a draw that is on sale (1), and one whose sales have closed (2)."""
    now = now_ms()
    records = [good("game", game="ssq", valid_from="2019-01-01"), good("game", game="3d", valid_from="2019-01-01")]
    found = [
        pb.Draw(game="ssq", draw_no=SSQ, sales_close_ms=now + HOUR),
        pb.Draw(game="3d", draw_no=TD, sales_close_ms=now - HOUR),
    ]
    wanted = [pb.RegistryRecord(game=game) for game in records] + [pb.RegistryRecord(draw=draw) for draw in found]
    registry.stub.UpsertRecords(pb.UpsertRecordsRequest(records=wanted, source="test"))
    return registry


def seal(running: Running, **fields: Any) -> pb.DrawStatus:
    """Seal a draw, the one on sale unless told otherwise."""
    asked = {"game": "ssq", "draw_no": SSQ, "acted_by": "王莉", "note": "系统演练"} | fields
    return running.stub.SealDraw(pb.SealDrawRequest(**asked)).draw


def end(running: Running, **fields: Any) -> pb.DrawStatus:
    """End a draw, the one whose sales have closed unless told otherwise."""
    asked = {"game": "3d", "draw_no": TD, "acted_by": "李强"} | fields
    return running.stub.EndDraw(pb.EndDrawRequest(**asked)).draw


def hidden(database: Database, game: str) -> int:
    """How many of one stored event of the draw the view leaves out."""
    client = database.client()
    row = ["1", datetime.now(UTC).date(), datetime.now(UTC), "SALE", game, SSQ if game == "ssq" else TD, 200, "T1"]
    client.command("TRUNCATE TABLE sales")
    client.insert("sales", [row], column_names=COLUMNS)
    ((visible,),) = client.query("SELECT count() FROM visible_sales").result_rows
    client.close()
    return 1 - int(visible)


def test_a_seal_hides_at_once_and_an_end_shows_again(draws: Running, clickhouse_database: Database) -> None:
    """When the call returns the store's view has followed; who, when and why are kept."""
    assert not hidden(clickhouse_database, "ssq")
    sealed = seal(draws)
    assert sealed.state == pb.DRAW_STATE_SEALED
    assert hidden(clickhouse_database, "ssq")
    (act,) = sealed.acts
    assert (act.act, act.acted_by, act.note) == ("seal", "王莉", "系统演练")
    assert act.at_ms == act.recorded_ms == sealed.sealed_ms
    ended = end(draws, game="ssq", draw_no=SSQ)
    assert ended.state == pb.DRAW_STATE_ENDED
    assert [act.act for act in ended.acts] == ["seal", "end"]
    assert not hidden(clickhouse_database, "ssq")


def test_a_seal_hides_at_once_whatever_the_registrys_clock_says(
    draws: Running, clickhouse_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock a minute ahead of the store's does not put the seal off: the store's own clock counts."""
    ahead = time.time_ns() + 60_000_000_000
    monkeypatch.setattr(time, "time_ns", lambda: ahead)
    assert seal(draws).state == pb.DRAW_STATE_SEALED
    assert hidden(clickhouse_database, "ssq")


def test_a_scheduled_seal_ends_by_its_act(draws: Running, clickhouse_database: Database) -> None:
    """A draw past its close is sealed without anybody's doing."""
    assert hidden(clickhouse_database, "3d")
    assert end(draws).state == pb.DRAW_STATE_ENDED
    assert not hidden(clickhouse_database, "3d")


def test_the_same_again_answers_the_same(draws: Running) -> None:
    """Whoever repeats an act gets the one that was recorded first; the registry does not move."""
    first = seal(draws)
    revision = draws.snapshot()[0].revision
    assert seal(draws, acted_by="another", note="") == first
    assert seal(draws, at_ms=first.sealed_ms) == first
    assert draws.snapshot()[0].revision == revision


def test_an_act_moves_the_revision_and_reaches_every_reader(draws: Running) -> None:
    """Snapshots carry acts as records of their own; importing the draw again takes nothing back."""
    before = draws.snapshot()[0].revision
    sealed = seal(draws)
    parts = draws.snapshot(known_revision=before)
    acts = [record.draw_act for part in parts for record in part.records if record.HasField("draw_act")]
    assert acts == list(sealed.acts)
    again = pb.RegistryRecord(draw=pb.Draw(game="ssq", draw_no=SSQ, sales_close_ms=now_ms() + 2 * HOUR))
    draws.stub.UpsertRecords(pb.UpsertRecordsRequest(records=[again], source="test"))
    found = draws.stub.GetDraw(pb.GetDrawRequest(game="ssq", draw_no=SSQ)).draw
    assert (found.sealed_ms, found.state) == (sealed.sealed_ms, pb.DRAW_STATE_SEALED)


def test_lists_only_what_is_sealed(draws: Running) -> None:
    """By game, and by state, with the time of the scheduled draw."""
    listed = draws.stub.ListDraws(pb.ListDrawsRequest()).draws
    assert [(found.draw.game, found.state) for found in listed] == [
        ("3d", pb.DRAW_STATE_SEALED),
        ("ssq", pb.DRAW_STATE_OPEN),
    ]
    assert all(found.scheduled_ms > found.draw.sales_close_ms for found in listed)
    sealed = draws.stub.ListDraws(pb.ListDrawsRequest(sealed_only=True)).draws
    assert [found.draw.game for found in sealed] == ["3d"]
    assert not draws.stub.ListDraws(pb.ListDrawsRequest(sealed_only=True, game="ssq")).draws


def test_late_events_are_told_after_the_end_only(draws: Running, clickhouse_database: Database) -> None:
    """Received after the seal: no number while it is sealed, the exact one afterwards."""
    client = clickhouse_database.client()
    client.command("TRUNCATE TABLE sales")
    now = datetime.now(UTC)
    rows = [
        ["1", now.date(), now, "SALE", "3d", TD, 200, "T1", datetime.fromtimestamp(at_ms / 1000, UTC)]
        for at_ms in (now_ms() - 2 * HOUR, now_ms(), now_ms())
    ]
    client.insert("sales", rows, column_names=[*COLUMNS, "received_at"])
    client.close()
    asked = pb.GetDrawRequest(game="3d", draw_no=TD)
    assert not draws.stub.GetDraw(asked).HasField("late_events")
    end(draws)
    assert draws.stub.GetDraw(asked).late_events == 2


REFUSED: list[tuple[Any, dict[str, Any], grpc.StatusCode, str]] = [
    (seal, {"acted_by": ""}, grpc.StatusCode.INVALID_ARGUMENT, "acted_by"),
    (seal, {"draw_no": "77"}, grpc.StatusCode.INVALID_ARGUMENT, "draw_no"),
    (seal, {"at_ms": 9_999_999_999_999}, grpc.StatusCode.INVALID_ARGUMENT, "at_ms"),
    (seal, {"draw_no": "1999002"}, grpc.StatusCode.NOT_FOUND, "fucai draws schedule"),
    (seal, {"game": "3d", "draw_no": TD}, grpc.StatusCode.FAILED_PRECONDITION, "sealed since its scheduled close"),
    (end, {"game": "ssq", "draw_no": SSQ}, grpc.StatusCode.FAILED_PRECONDITION, "is not sealed before"),
    (end, {"at_ms": 1_000}, grpc.StatusCode.INVALID_ARGUMENT, "at_ms"),
    (end, {"at_ms": 9_999_999_999_999}, grpc.StatusCode.INVALID_ARGUMENT, "at_ms"),
    (end, {"draw_no": "1999002"}, grpc.StatusCode.NOT_FOUND, "no draw"),
]


def test_what_cannot_be_done_is_refused_with_a_remedy(draws: Running) -> None:
    """Wrong fields are named; a draw's state that forbids it is told with its time; nothing is recorded."""
    for call, fields, code, told in REFUSED:
        with pytest.raises(grpc.RpcError) as refused:
            call(draws, **fields)
        assert refused.value.code() is code, fields
        named = " ".join(violation.field for violation in violations_of(refused.value))
        assert told in f"{refused.value.details()} {named}", fields
    assert not any(found.acts for found in draws.stub.ListDraws(pb.ListDrawsRequest()).draws)


def test_acts_cannot_be_imported_or_changed(draws: Running) -> None:
    """Neither by UpsertRecords nor by a file; another time for a recorded act is refused."""
    act = pb.RegistryRecord(draw_act=pb.DrawAct(game="3d", draw_no=TD, act="end", at_ms=1, acted_by="x"))
    with pytest.raises(grpc.RpcError) as refused:
        draws.stub.UpsertRecords(pb.UpsertRecordsRequest(records=[act]))
    assert "EndDraw only" in str(refused.value.details())
    assert draws.import_files(draw_acts="game,draw_no\n3d,1\n").problems
    sealed = seal(draws)
    with pytest.raises(grpc.RpcError) as changed:
        seal(draws, at_ms=sealed.sealed_ms - 5)
    assert changed.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "王莉" in str(changed.value.details())


def test_the_shell_lists_seals_ends_and_shows(draws: Running, tmp_path: Path) -> None:
    """Tables in both languages, exact rows for programs, one line and an exit code for what is refused."""
    where = {"FUCAI_REGISTRY": draws.address}
    assert "封存中" in run("draws", "list", "--sealed", "--lang", "zh", **where).out
    sealed = run("draws", "seal", "ssq", SSQ, "--by", "王莉", "--note", "演练", "--lang", "en", **where)
    assert sealed.exit_code == 0, sealed.err
    assert all(word in sealed.out for word in ("sealed", "王莉", "演练"))
    ended = run("draws", "end", "ssq", SSQ, "--by", "李强", "--format", "json", **where)
    assert json.loads(ended.out)["rows"][0]["draw_no"] == SSQ
    (row,) = csv.DictReader(io.StringIO(run("draws", "list", "--game", "ssq", "--format", "csv", **where).out))
    assert (row["state"], row["sealed_by"], row["ended_by"]) == ("ended", "王莉", "李强")
    shown = run("draws", "show", "ssq", SSQ, **where).out
    assert "late events 0" in " ".join(shown.split())
    assert "Acts" in shown
    assert max(map(len, shown.splitlines())) <= 100
    for command in (("list", "--game", "ssq"), ("show", "ssq", SSQ)):
        document = same_in_every_format(lambda *words: run(*words, **where), tmp_path, "draws", *command)
        assert document["rows"][0]["game"] == "ssq"
    acts = document["beside"]["acts"]["rows"]
    assert [(act["act"], act["acted_by"], act["note"]) for act in acts] == [
        ("seal", "王莉", "演练"),
        ("end", "李强", ""),
    ]
    refused = run("draws", "seal", "3d", TD, "--by", "王莉", **where)
    assert refused.exit_code == os.EX_DATAERR
    assert "sealed since its scheduled close" in refused.err
    assert run("draws", "end", "3d", "1999001", "--by", "x", **where).exit_code == os.EX_NOINPUT
    assert run("draws", "end", "3d", TD, "--by", "x", "--at", "noon", **where).exit_code == os.EX_USAGE


def test_scheduled_draws_are_registered_once(draws: Running) -> None:
    """Those of the catalogue, without an end; what is registered stays; an unknown game is told."""
    where = {"FUCAI_REGISTRY": draws.address}
    days = ("--from", "2031-01-01", "--to", "2031-01-31")
    assert "13 draws" in run("draws", "schedule", *days, "--game", "ssq", **where).out
    assert "13 draws" in run("draws", "schedule", *days, **where).out
    again = run("draws", "schedule", *days, "--json", **where)
    assert (json.loads(again.out), "0 draws" in again.err) == ({"registered": 0, "sealed": 0}, True)
    found = draws.stub.GetDraw(pb.GetDrawRequest(game="ssq", draw_no="2031001")).draw
    assert (found.drawn_ms, found.state, found.draw.is_sample) == (0, pb.DRAW_STATE_OPEN, False)
    assert found.scheduled_ms - found.draw.sales_close_ms == 75 * 60_000
    assert run("draws", "schedule", *days, "--game", "nix", **where).exit_code == os.EX_NOINPUT
    assert run("draws", "schedule", "--from", "2031-02-01", "--to", "2031-01-01", **where).exit_code == os.EX_USAGE
