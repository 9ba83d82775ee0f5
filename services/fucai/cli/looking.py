"""Asks every part of a stack twice: whether it is ready, its lag, events a second and last event. Shows nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fucai.cli.addresses import Part, read_endpoints, stack_dir
from fucai.cli.errors import CliError
from fucai.cli.scrape import Metrics, readiness, scrape
from fucai.runtime.settings import split_address

_SERVICES = ("collector", "registry", "analytics", "ledger")
_LAG = "fucai_loader_lag_records"
# Counters of events, and the time of the newest one, by part.
_EVENTS: Mapping[str, Sequence[tuple[str, Mapping[str, str]]]] = {
    "collector": (
        ("fucai_collector_events_accepted_total", {}),
        ("fucai_collector_events_quarantined_total", {}),
    ),
    "loader": (("fucai_loader_events_total", {"outcome": "stored"}),),
}
_NEWEST = {
    "collector": "fucai_collector_last_batch_timestamp_seconds",
    "loader": "fucai_loader_newest_record_timestamp_seconds",
    "exporter": "fucai_channel_data_latest_received_timestamp_seconds",
}


@dataclass(frozen=True, slots=True)
class PartStatus:
    """What is known of one part: `events_per_second` and `last_event_at` (Unix seconds) are None where it counts none.

    `lag` is the records in Kafka not yet stored, by topic/partition.
    """

    name: str
    address: str
    pid: int
    ready: bool
    reason: str
    events_per_second: float | None = None
    last_event_at: float | None = None
    lag: Mapping[str, int] = field(default_factory=dict)


def look(parts: Sequence[Part], seconds: float) -> list[PartStatus]:
    """Asks every part twice, `seconds` apart, all at the same time; a part that does not answer takes 4 s at most."""
    with ThreadPoolExecutor(max_workers=max(1, 2 * len(parts))) as pool:
        ready = [pool.submit(readiness, part) for part in parts]
        before = list(pool.map(_timed_scrape, parts))
        time.sleep(seconds)  # the counters move in this time; there is nothing to await
        after = list(pool.map(_timed_scrape, parts))
        return [
            _status(part, asked.result(), then, now)
            for part, asked, then, now in zip(parts, ready, before, after, strict=True)
        ]


def parts_of_stack(data: Path | None) -> list[Part]:
    """The parts of the stack on `data` or FUCAI_DATA, else the services that FUCAI_<NAME> variables name.

    Raises:
        CliError: nothing names any, or what does is unusable.
    """
    directory = stack_dir(data)
    if directory is not None:
        return read_endpoints(directory)
    named = [(name, os.environ.get(f"FUCAI_{name.upper()}", "")) for name in _SERVICES]
    found = [Part(name, address, 0, None) for name, address in named if address]
    if not found:
        raise CliError(
            "nothing says where the stack is",
            hint="give --data DIR of a running `fucai up`, or set FUCAI_DATA=DIR or FUCAI_ANALYTICS=host:port",
            exit_code=os.EX_UNAVAILABLE,
        )
    for part in found:
        try:
            split_address(part.address)
        except ValueError as error:
            raise CliError(f"FUCAI_{part.name.upper()}={part.address}: {error}", exit_code=os.EX_USAGE) from error
    return found


def _timed_scrape(part: Part) -> tuple[float, Metrics]:
    metrics = scrape(part)
    return time.monotonic(), metrics


def _status(part: Part, ready: tuple[bool, str], then: tuple[float, Metrics], now: tuple[float, Metrics]) -> PartStatus:
    kind = part.name.rstrip("-0123456789")
    newest = now[1].total(_NEWEST[kind]) if kind in _NEWEST else None
    return PartStatus(
        part.name,
        part.address,
        part.pid,
        *ready,
        events_per_second=_rate(kind, then, now),
        last_event_at=newest or None,
        lag=lag_of(now[1]),
    )


def events_counted(kind: str, metrics: Metrics) -> float | None:
    """How many events a part has counted since it started; None where it counts none or did not answer."""
    if kind not in _EVENTS or not metrics.values:
        return None
    return sum(metrics.total(name, **labels) or 0.0 for name, labels in _EVENTS[kind])


def lag_of(metrics: Metrics) -> dict[str, int]:
    """Records in Kafka not yet stored, by topic/partition, of a loader."""
    return {
        f"{labels['topic'].removeprefix('fucai.').removesuffix('.v1')}/{labels['partition']}": int(records)
        for labels, records in metrics.of(_LAG)
    }


def _rate(kind: str, then: tuple[float, Metrics], now: tuple[float, Metrics]) -> float | None:
    """Events a second between two scrapes; None where the part counts none, or was restarted in between."""
    before, after = events_counted(kind, then[1]), events_counted(kind, now[1])
    if before is None or after is None or after < before:
        return None
    return (after - before) / max(now[0] - then[0], 1e-6)
