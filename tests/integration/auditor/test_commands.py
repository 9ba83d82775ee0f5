"""`fucai reconcile` and `fucai verify` as an auditor runs them: tables, files to keep, exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.integration.auditor.conftest import World, settle
from tests.support.loading import group_of
from tests.support.stating import DAY
from tests.unit.cli.exports import same_in_every_format
from tests.unit.cli.fake import Ran, run


def test_commands_print_keep_and_tell_by_exit_code(world: World, tmp_path: Path) -> None:
    """Both exit with 0 while all agrees and with 1 after a change; the report and the tables hold the same lines."""
    till = world.till("T<1>")
    world.state(till.opened())
    world.send(till.sell(12, game="instant", draw=""))
    world.state(till.close())
    world.load()
    keys = tmp_path / "keys.csv"
    keys.write_text(f"terminal_id,public_key\nT<1>,{till.public_key}\n", encoding="utf-8")
    where = ("--kafka", world.broker, "--clickhouse", world.database.url, "--keys", str(keys), "--lang", "en")
    environ = {"FUCAI_DATABASE": world.database.name}
    group = ("--loader-group", group_of(world.database.name))
    report = tmp_path / "report"
    clean = run("reconcile", "--day", str(DAY), "--report", str(report), *where, *group, **environ)
    assert clean.exit_code == 0, clean.err
    assert clean.out.count("12   96.00") == 3
    assert "agrees" in clean.out
    (page,) = report.glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "T&lt;1&gt;" in text
    assert "http" not in text.replace(world.database.url, "")
    kept_lines = next(path for path in report.glob("*.csv") if not path.name.endswith("findings.csv"))
    with kept_lines.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["terminal_id"], row["stored_fen"], row["verdict"]) == ("T<1>", "9600", "agrees")
    kept = world.client.query("SELECT terminal_id, stated_fen, kafka_fen, stored_fen, verdict FROM reconciliations")
    assert kept.result_rows == [("T<1>", 9600, 9600, 9600, "agrees")]

    period = ("--from", str(DAY), "--to", str(DAY), "--format", "json")
    proven = run("verify", *period, *where, *group, **environ)
    assert proven.exit_code == 0, proven.err
    root = json.loads(proven.out)["rows"][0]["root"]
    assert world.client.query("SELECT DISTINCT root FROM audit_roots").result_rows == [(root,)]

    settle(world.client, ["ALTER TABLE sales UPDATE bets = 9 WHERE seq = 4"])
    changed = run("verify", *period, *where, *group, **environ)
    assert changed.exit_code == 1
    (finding,) = json.loads(changed.out)["beside"]["findings"]["rows"]
    assert (finding["kind"], finding["terminal_id"], finding["first_seq"], finding["field"]) == (
        "changed",
        "T<1>",
        "4",
        "bets",
    )
    assert json.loads(changed.out)["rows"][0]["root"] == root
    assert "seq 4 in sales: field bets" in changed.err
    assert run("reconcile", "--day", str(DAY), *where, *group, **environ).exit_code == 1
    assert run("reconcile", "--day", "tomorrow", *where, **environ).exit_code == 64
    day = ("--day", str(DAY), *where, *group)

    def ask(command: str, *words: str) -> Ran:
        ran = run(command, *day, *words, **environ)
        assert ran.exit_code == 1, ran.err
        return ran

    lines = same_in_every_format(ask, tmp_path, "reconcile")
    assert [(row["terminal_id"], row["stored_fen"], row["verdict"]) for row in lines["rows"]] == [
        ("T<1>", 9600, "differs")
    ]
    assert (lines["facts"]["clean"], lines["beside"]["findings"]["row_count"]) == (False, 1)
    away = run("reconcile", "--day", str(DAY), "--clickhouse", "http://127.0.0.1:1", **environ)
    assert away.exit_code == 69
