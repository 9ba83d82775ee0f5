"""Two years of real daily sales for tests: where the file is, what is in it, and what a stack holds of it."""

from __future__ import annotations

import gzip
import os
import urllib.error
import urllib.request
from hashlib import sha256
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fucai.adapters.clickhouse import connect
from fucai.devstack.stack import Endpoint, read_endpoints

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "ontario_daily_sales.csv.gz"
SOURCE = Path(os.environ.get("FUCAI_REAL_SALES", SHARED))
CONTENT_SHA256 = "6278a60b25af204dc5beff3c357d7efa4c5f005d41dc26a12e4bae60fc60554f"
ROWS, TICKETS, DOLLARS = 117_416, 58_599_966, 398_385_079
SETTINGS = {"FUCAI_TIMEZONE": "America/Toronto", "FUCAI_CURRENCY": "CAD"}
COLUMNS = "day=day,outlet=area,game=game,bets=tickets,amount=net_sales"
CODES = {"Lottario": "Lottario", "Lotto 649": "lotto_649", "Lotto Max": "lotto_max"}


def real_sales_file() -> Path:
    """The file, if it can be had: under CI it must be there, elsewhere the summary says what was not proved."""
    if not SOURCE.exists():
        missing = f"the proof on real sales was NOT run: {SOURCE} is not there; name the file with FUCAI_REAL_SALES"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    found = sha256(gzip.decompress(SOURCE.read_bytes())).hexdigest()
    assert found == CONTENT_SHA256, f"{SOURCE} is another file: its text has SHA-256 {found}"
    return SOURCE


def totals(data: Path) -> tuple[int, ...]:
    """From the tables: rows, distinct events, tickets, cents, and rows in quarantine."""
    client = connect(f"http://{endpoint(data, 'clickhouse').address}", "fucai")
    stored = client.query(
        "SELECT count(), uniqExact(terminal_id, epoch, seq), sum(bets), sum(amount_fen) FROM sales"
    ).result_rows
    quarantined = client.query("SELECT count() FROM quarantine").result_rows
    return (*map(int, stored[0]), int(quarantined[0][0]))


def endpoint(data: Path, name: str) -> Endpoint:
    """Where a part of the stack is now."""
    return next(found for found in read_endpoints(data).values() if found.name == name)


def events_accepted(data: Path) -> int:
    """Events that the collector has accepted since it started; 0 while it does not answer."""
    url = f"http://{endpoint(data, 'collector').metrics}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            families = text_string_to_metric_families(answer.read().decode())
    except (OSError, urllib.error.URLError):
        return 0
    return int(sum(s.value for f in families for s in f.samples if s.name == "fucai_collector_events_accepted_total"))


def has_accepted(data: Path, events: int) -> bool:
    """Whether the collector has accepted that many events."""
    return events_accepted(data) >= events
