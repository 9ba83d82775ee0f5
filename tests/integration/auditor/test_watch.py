"""The standing watch as a process of its own, beside the real loader: it accounts for every event, even after kill."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client.parser import text_string_to_metric_families

from fucai.domain import topics
from fucai.v1 import sales_pb2
from tests.integration.auditor.conftest import World, forged, settle
from tests.support.batches import rejected_batch, span_of
from tests.support.loading import group_of
from tests.support.ports import free_ports
from tests.support.waiting import eventually

DRAW = ["game", "draw_no", "sales_close_ms", "drawn_ms", "import_id"]
Samples = dict[tuple[str, str], float]


class Auditor:
    """A running auditor."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.process, self._address = process, address

    def samples(self) -> Samples:
        """Values by metric and labels, in the order of the labels' names; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://{self._address}/metrics", timeout=2) as page:
                text = page.read().decode()
        except OSError:
            return {}
        return {
            (sample.name, "/".join(sample.labels[name] for name in sorted(sample.labels))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name.startswith("fucai_auditor")
        }

    def accounts(self, game: str) -> dict[str, float]:
        """What became of a game's events."""
        found = self.samples()
        return {
            outcome: found.get(("fucai_auditor_events", f"{game}/{outcome}"), -1)
            for outcome in ("received", "stored", "duplicate", "quarantined", "in_flight")
        }


@contextmanager
def auditor(world: World) -> Iterator[Auditor]:
    """Run the auditor on a world; it is killed in the end."""
    (port,) = free_ports(1)
    env = {
        **os.environ,
        "FUCAI_KAFKA": world.broker,
        "FUCAI_CLICKHOUSE": world.database.url,
        "FUCAI_DATABASE": world.database.name,
        "FUCAI_GROUP": group_of(world.database.name),
        "FUCAI_AUDIT_GROUP": f"auditor-{world.database.name}",
        "FUCAI_METRICS": f"127.0.0.1:{port}",
        "FUCAI_SETTLE_SECONDS": "0.2",
        "FUCAI_SESSION_TIMEOUT_MS": "4000",
        "FUCAI_RECONCILE_HOUR": "0",
    }
    process = subprocess.Popen([sys.executable, "-m", "fucai.auditor"], env=env, stderr=subprocess.DEVNULL)
    try:
        yield Auditor(process, f"127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def register(world: World) -> None:
    """Put the tills' keys into the registry's table."""
    rows = [[name, "2020-01-01", f"O-{name}", "till", 0, till.public_key, 1] for name, till in world.tills.items()]
    for row in rows:
        values = ", ".join(repr(value) for value in row)
        world.client.command(
            "INSERT INTO terminal_rows (terminal_id, valid_from, outlet_id, kind, is_sample, public_key, import_id) "
            f"VALUES ({values})"
        )
    world.client.insert("draw_rows", [["3d", "2025280", 1, 2, 1]], column_names=DRAW)
    world.client.command("INSERT INTO imports (import_id, source) VALUES (1, 'test')")
    world.client.command("SYSTEM RELOAD DICTIONARY draw_times")


def test_accounts_for_every_event_and_counts_nothing_twice(world: World) -> None:
    """Stored, duplicate, quarantined, unreadable, in flight; after kill -9 the figures go on where they were."""
    till = world.till("T1")
    register(world)
    world.state(till.opened())
    first = till.sell(30)
    other = sales_pb2.SalesBatch()
    other.CopyFrom(first)
    other.events[4].amount_fen += 100
    close = till.close()
    world.state(close, forged(close))
    world.send(first, first, other)
    world.send(rejected_batch(31, 4, "T1"), topic=topics.QUARANTINE)
    lie = till.sell(3)
    lie.outlet_id = ""
    world.writer.write_raw(b"T1", lie.SerializeToString(), span_of(lie))
    world.load(94)
    expected = {"received": 97, "stored": 30, "duplicate": 60, "quarantined": 7, "in_flight": 0}
    with auditor(world) as first_run:
        eventually(lambda: first_run.accounts("3d") == expected, 40, what=f"{expected} of 3d")
        eventually(lambda: first_run.samples().get(("fucai_auditor_findings", "seq_reuse")) == 1)
        eventually(lambda: first_run.samples().get(("fucai_auditor_findings", "forged_signature")) == 1)
        eventually(lambda: ("fucai_auditor_reconciled_day_timestamp_seconds", "") in first_run.samples())
    rows = "SELECT kind, verdict FROM statements FINAL ORDER BY kafka_partition, kafka_offset"
    assert world.client.query(rows).result_rows == [("opened", "verified"), ("close", "verified"), ("close", "refused")]

    world.send(till.sell(5))
    world.writer.flush()
    with auditor(world) as second_run:
        flying = {**expected, "received": 102, "in_flight": 5}
        eventually(lambda: second_run.accounts("3d") == flying, 40, what=f"{flying} of 3d")
        world.load(5)
        done = {**expected, "received": 102, "stored": 35}
        eventually(lambda: second_run.accounts("3d") == done, 40, what=f"{done} of 3d")
        assert second_run.samples()["fucai_auditor_unexplained_events", "3d"] == 0
    world.send(till.sell(2))
    world.load(2)
    settle(world.client, ["ALTER TABLE sales DELETE WHERE terminal_id = 'T1' AND seq = 40"])
    with auditor(world) as third_run:
        unexplained = ("fucai_auditor_unexplained_events", "3d")
        eventually(lambda: third_run.samples().get(unexplained) == 1, 40, what="the alarm over the event removed")
    kinds = "SELECT kind, count() FROM audit_findings FINAL GROUP BY kind ORDER BY kind"
    assert world.client.query(kinds).result_rows == [("forged_signature", 1), ("seq_reuse", 1)]
