"""ClickHouse's own Kafka engine, in an older chDB: newer ones refuse the engine with "Shutdown was called".

A process of its own that imports nothing of the suite. Reads its task as JSON from standard input, and prints the
seconds from its assignment to the last event.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time
from typing import Any

PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.02


def number(session: Any, query: str) -> int:
    """Return the one number that a query answers."""
    return int(str(session.query(query, "TSV")).strip() or 0)


def main() -> None:
    """Create tables and view, wait for the last event."""
    task = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        session = importlib.import_module("chdb.session").Session(folder)
        for statement in task["statements"]:
            session.query(statement)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not number(session, "SELECT sum(length(assignments.topic)) FROM system.kafka_consumers"):
            time.sleep(LOOK_SECONDS)
        begin = time.monotonic()
        while (rows := number(session, "SELECT count() FROM fucai.sales")) < task["events"]:
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - begin
        version = str(session.query("SELECT version()", "TSV")).strip()
        sys.stdout.write(json.dumps({"seconds": seconds, "rows": rows, "version": version}))
        sys.stdout.flush()
    os._exit(0)  # the engine's threads do not end by themselves


if __name__ == "__main__":
    main()
