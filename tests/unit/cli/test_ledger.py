"""`fucai gaps`, `fucai quarantine` and `fucai conservation`: what they ask, show, and exit with."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from fucai.v1 import ledger_pb2 as pb
from fucai.v1 import sales_pb2
from tests.unit.cli.exports import same_in_every_format
from tests.unit.cli.fake import Ran, run
from tests.unit.cli.fake_ledger import FakeLedger, serving


@pytest.fixture
def service() -> FakeLedger:
    """A ledger with fixed answers."""
    return FakeLedger()


@pytest.fixture
def address(service: FakeLedger) -> Iterator[str]:
    """Where it listens."""
    with serving(service) as found:
        yield found


def ask(address: str, *arguments: str, exit_code: int = 0, **environ: str) -> Ran:
    """A command that ends as expected, in 100 columns."""
    ran = run(*arguments, FUCAI_LEDGER=address, **environ)
    assert ran.exit_code == exit_code, ran.err
    if not {"--format", "--json", "--output"} & set(arguments):
        assert all(len(line) <= 100 for line in ran.out.splitlines())
    return ran


def test_gaps_of_all_pages_are_one_table(address: str) -> None:
    """Terminal, outlet, range, count and since when, in the business time zone; then the totals."""
    out = ask(address, "gaps").out
    for told in ("T[1]", "12010001", "2025-03-10 17:46:40", "2 ranges, 6 events missing"):
        assert told in out
    assert "缺失" in ask(address, "gaps", "--lang", "zh").out
    rows = list(csv.DictReader(io.StringIO(ask(address, "gaps", "--format", "csv").out)))
    assert [(row["terminal_id"], row["missing"]) for row in rows] == [("T[1]", "5"), ("T2", "1")]
    (first, second) = json.loads(ask(address, "gaps", "--json").out)["rows"]
    assert (first["first_seq"], first["last_seq"], second["outlet_id"]) == ("5", "9", "")
    assert "2 rows, total missing 6" in ask(address, "gaps", "--format", "csv").err


def test_one_terminals_ledger_has_every_range(address: str, service: FakeLedger) -> None:
    """Stored and missing ranges by epoch, and its waivers with name and reason."""
    out = ask(address, "gaps", "--terminal", "T2").out
    assert service.asked.terminal_id == "T2"
    for told in ("terminal T2 at 12010001", "Waivers", "Li Na", "test ticket"):
        assert told in out
    rows = list(csv.DictReader(io.StringIO(ask(address, "gaps", "--terminal", "T2", "--format", "csv").out)))
    assert [(row["first_seq"], row["last_seq"], row["state"]) for row in rows] == [
        ("1", "20", "stored"),
        ("21", "30", "missing"),
    ]
    assert "Waivers: 1 row not in this file" in ask(address, "gaps", "--terminal", "T2", "--format", "csv").err


def test_silence_is_shown_with_its_reason(address: str, service: FakeLedger) -> None:
    """How long, in open time, expected or not, and why; the options go into the question."""
    out = " ".join(ask(address, "gaps", "--silent", "--hours", "48", "--unexpected").out.split())
    assert (service.asked.threshold_hours, service.asked.unexpected_only) == (48, True)
    for told in ("30.00", "4,000.00", "no", "yes", "withdrawn on", "1 silent unexpectedly, 1 expectedly, of 124"):
        assert told in out
    assert ask(address, "gaps", "--silent", "--terminal", "T1", exit_code=64).out == ""
    assert ask(address, "gaps", "--unexpected", exit_code=64).out == ""


def test_quarantine_shows_no_withheld_amount(address: str, service: FakeLedger) -> None:
    """A sealed draw's amount is told to be sealed; floods are marked; csv leaves the fields empty."""
    out = ask(
        address, "quarantine", "list", "--reason", "wrong_amount", "--from", "2025-03-10", "--to", "2025-03-10"
    ).out
    selection = service.asked.selection
    assert selection.reason == sales_pb2.QUARANTINE_REASON_WRONG_AMOUNT
    assert selection.before_ms - selection.from_ms == 86_400_000
    for told in ("yes", "withheld until", "Terminals in flood", "1.05", "43"):
        assert told in out
    rows = list(csv.DictReader(io.StringIO(ask(address, "quarantine", "list", "--format", "csv").out)))
    assert [(row["withheld"], row["amount_fen"]) for row in rows] == [("true", ""), ("false", "105")]
    limited = ask(address, "quarantine", "list", "--limit", "1", "--state", "all").out
    assert service.asked.any_state
    assert "more follow" in limited
    assert "unknown_game" in ask(address, "quarantine", "list", "--reason", "nonsense", exit_code=64).err


def test_one_event_is_shown_whole(address: str, service: FakeLedger) -> None:
    """The finding, the event's fields, replays, waivers, and what to do."""
    out = ask(address, "quarantine", "show", "T1", "7", "42").out
    assert (service.asked.terminal_id, service.asked.epoch, service.asked.seq) == ("T1", 7, 42)
    for told in ("wrong_amount", "2025117", "withheld until", "still_bad", "test ticket", "mend the cause", "Replays"):
        assert told in out
    told = json.loads(ask(address, "quarantine", "show", "T1", "7", "42", "--json").out)
    assert told["facts"]["remedy"] == "mend the cause"
    assert told["beside"]["waivers"]["rows"][0]["waived_by"] == "Li Na"


def test_replay_goes_through_all_pages(address: str, service: FakeLedger) -> None:
    """It says how many were replayed and what is still bad; then the exit code is 65, else 0."""
    ran = ask(address, "quarantine", "replay", "--terminal", "T1", "--seq", "42..50", "--by", "Li Na", exit_code=65)
    assert (service.asked.selection.first_seq, service.asked.selection.last_seq) == (42, 50)
    assert service.asked.replayed_by == "Li Na"
    assert "2 replayed, 1 still bad by registry revision 5; 1 waived and left alone" in " ".join(ran.out.split())
    assert "'T1' is not registered" in ran.out
    service.still_bad = False
    ran = ask(address, "quarantine", "replay", "--reason", "unknown_terminal", "--by", "Li Na", "--json")
    assert json.loads(ran.out)["facts"]["replayed"] == 2
    assert ask(address, "quarantine", "replay", "--terminal", "T1", exit_code=64).out == ""


def test_a_waiver_needs_reason_and_name(address: str, service: FakeLedger) -> None:
    """Both are sent; without one the command is refused before it asks."""
    waive = ("quarantine", "waive", "T1", "7", "42..50")
    out = ask(address, *waive, "--reason", "outbox burnt", "--by", "Li Na").out
    assert (service.asked.reason, service.asked.waived_by, service.asked.last_seq) == ("outbox burnt", "Li Na", 50)
    assert "8 missing, 1 in quarantine" in out
    told = ask(address, *waive, "--reason", "outbox burnt", "--by", "Li Na", "--json")
    assert (json.loads(told.out)["missing"], "8 missing" in told.err) == (8, True)
    assert ask(address, *waive, "--by", "Li Na", exit_code=64).out == ""
    assert ask(address, *waive, "--reason", "burnt", exit_code=64).out == ""
    assert ask(address, "quarantine", "waive", "T1", "7", "9..3", "--reason", "a", "--by", "b", exit_code=64).out == ""


def test_conservation_withholds_sealed_draws(address: str, service: FakeLedger) -> None:
    """Rows have events of each outcome; a sealed draw is named without figures, and what stands in no row is told."""
    out = ask(address, "conservation", "--by", "draw", "--game", "ssq").out
    assert service.asked.by == pb.CONSERVATION_BY_DRAW
    assert service.asked.game == "ssq"
    for told in ("1,200", "2,400.05", "2025117", "sealed", "without 1 draws", "without 4 unreadable"):
        assert told in " ".join(out.split())
    rows = list(csv.DictReader(io.StringIO(ask(address, "conservation", "--by", "draw", "--format", "csv").out)))
    assert [row["stored_events"] for row in rows] == ["1200", ""]
    assert [row["withheld"] for row in rows] == ["false", "true"]
    assert [(row["stored"], row["stored_fen"]) for row in rows] == [("2400.05", "240005"), ("", "")]


COMMANDS = [
    ("gaps",),
    ("gaps", "--terminal", "T2"),
    ("gaps", "--silent"),
    ("quarantine", "list"),
    ("quarantine", "show", "T1", "7", "42"),
    ("conservation", "--by", "outlet-draw"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_export_has_the_rows_of_the_table(address: str, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Csv, json, parquet, arrow and xlsx agree on every cell; ids, epochs and numbers are text in each."""
    document = same_in_every_format(lambda *words: ask(address, *words), tmp_path, *command, moving=["age_hours"])
    defined = {one["name"] for one in document["definitions"]}
    assert defined
    assert {column["definition"] for column in document["columns"] if column["definition"]} <= defined
    table = " ".join(ask(address, *command).out.split())
    assert document["row_count"] == len(document["rows"]) > 0
    assert all(row["terminal_id"][:12] in table for row in document["rows"] if "terminal_id" in document["rows"][0])


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [
        (grpc.StatusCode.NOT_FOUND, 66),
        (grpc.StatusCode.FAILED_PRECONDITION, 65),
        (grpc.StatusCode.UNAVAILABLE, 69),
        (grpc.StatusCode.INVALID_ARGUMENT, 64),
    ],
)
def test_refusals_exit_with_sysexits(status: grpc.StatusCode, exit_code: int) -> None:
    """The message goes to stderr, stdout stays empty."""
    with serving(FakeLedger((status, "number 7 was waived"))) as address:
        ran = ask(address, "quarantine", "show", "T1", "7", "7", exit_code=exit_code)
    assert ran.out == ""
    assert "number 7 was waived" in ran.err
    assert " hint: " in ran.err
