"""`fucai demo`: a whole stack with sample outlets and simulated sales, watched until it ends. Then all is stopped."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from fucai.cli.addresses import channel, read_endpoints
from fucai.cli.dashboard import Snapshot, Watch, addresses_table, dashboard, is_live, snapshot_line
from fucai.cli.errors import CliError
from fucai.cli.out.act import AsJson, say
from fucai.cli.out.document import document
from fucai.cli.output import Lang, language, stderr_console, stdout_console
from fucai.cli.query.headline_sheet import headline_sheet
from fucai.cli.simulation import Simulated, register_sample, simulating
from fucai.devstack.kafka import FetchError, prepare
from fucai.devstack.parts import DEFAULT_PORT_BASE
from fucai.devstack.stack import StackError, await_endpoints, stack_process
from fucai.domain.labels import Label

FIRST_FIGURE_SECONDS = 120.0
LINGER_SECONDS = 10.0
TURN_SECONDS = 1.0
PRINT_SECONDS = 10.0
_PORTS = 80
_PORT_STEP = 100
_EXAMPLES = (
    "fucai status",
    "fucai query headline --by format",
    "fucai query trend --grain week",
    "fucai gaps",
    "fucai verify --from $(date +%F) --to $(date +%F)",
)
_TIMES = Label(
    "{figure:.0f} 秒后出现首个数字，共运行 {end:.0f} 秒", "first figure after {figure:.0f} s; ran {end:.0f} s"
)


def demo(
    *,
    seconds: Annotated[float | None, typer.Option(min=1, help="End by itself after so long; else on Ctrl-C.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of data and logs; a second run goes on with it.")] = Path(".demo"),
    port_base: Annotated[
        int | None, typer.Option(min=1024, max=65_000, help="First port used; else the first free hundred.")
    ] = None,
    history: Annotated[int, typer.Option(min=0, max=3_660, help="Days of history to write first.")] = 400,
    rate: Annotated[
        float, typer.Option(min=0.1, max=100_000, help="Live sales a second, far above what 54 outlets sell.")
    ] = 20.0,
    lang: Annotated[Lang | None, typer.Option(help="Language of labels; else that of the locale.")] = None,
    json: AsJson = False,
) -> None:
    """Start everything, register 54 sample outlets, write a year of history, stream live sales and show them.

    Try:

        fucai demo
        fucai demo --seconds 60 --lang zh

    It really is the whole suite: Kafka, ClickHouse's engine and every service, on ports of 127.0.0.1 that it prints.
    Outlets and sales are samples. Time counts from the start, but the end waits until live sales are shown.
    The object of --json, at the end: first_figure_seconds, ran_seconds, events (stored), quarantined, and headline, the
    answer of `fucai query headline --by zone_type --json`.
    Exit codes: 0 at the end or after Ctrl-C, 69 when the stack does not start.
    """
    started = time.monotonic()
    data = data.resolve()
    console = Console(stderr=True, highlight=False)
    try:
        prepare()
        with _interruptible(), stack_process(data, port_base or free_port_base()) as process:
            with console.status(f"starting Kafka, ClickHouse and the services in {data}"):
                await_endpoints(data, process)
            parts = read_endpoints(data)
            console.print(f"the stack in {data} is ready after {time.monotonic() - started:.0f} s:")
            console.print(addresses_table(parts))
            console.print("try in another terminal:")
            console.print(f"    export FUCAI_DATA={data} PATH={Path(sys.executable).parent}:$PATH", soft_wrap=True)
            for example in _EXAMPLES:
                console.print(f"    {example}")
            with console.status("registering the sample outlets"):
                register_sample(data)
            with simulating(data, history=history, rate=rate) as simulation, channel("analytics", data) as opened:
                watch_figures(Watch(opened, parts), simulation, started, seconds, language(lang), json=json)
    except (FetchError, StackError) as error:
        raise CliError(str(error), exit_code=os.EX_UNAVAILABLE) from error
    except KeyboardInterrupt:
        console.print("stopped")


def free_port_base() -> int:
    """The first of 19000, 19100, ... whose ports are all free on loopback.

    Raises:
        CliError: there is none.
    """
    for base in range(DEFAULT_PORT_BASE, 65_000, _PORT_STEP):
        if all(_is_free(base + offset) for offset in range(_PORTS)):
            return base
    raise CliError("no free ports from 19000 on", hint="choose with --port-base", exit_code=os.EX_UNAVAILABLE)


def watch_figures(
    watch: Watch, simulation: Simulated, started: float, seconds: float | None, lang: Lang, *, json: bool = False
) -> None:
    """Shows figures until the time is over, or Ctrl-C; then prints the last summary, with `json` an object beside it.

    Raises:
        CliError: no figure could be had in time, or the simulation failed.
    """
    console = stderr_console() if json else stdout_console()
    course = _Course(started, seconds)
    printed = float("-inf")
    found = Snapshot()
    live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
    try:
        if live:
            live.start()
        while not course.over():
            turned = time.monotonic()
            simulation.check()
            found = watch.turn()
            course.note(found, simulation.doing())
            if live:
                screen = dashboard(found, lang=lang, doing=simulation.doing(), left_s=course.left())
                live.update(screen, refresh=True)
            elif found.has_figures and turned - printed >= PRINT_SECONDS:
                console.print(snapshot_line(found, lang), soft_wrap=True)
                printed = turned
            simulation.wait(max(0.0, turned + TURN_SECONDS - time.monotonic()))
    except KeyboardInterrupt:
        pass
    finally:
        if live:
            live.stop()
    console.print(dashboard(found, lang=lang, doing=simulation.doing(), left_s=None, last=True))
    console.print(course.summary(lang))
    if json:
        say(course.times() | _figures(found, lang), [], json=True)


def _figures(found: Snapshot, lang: Lang) -> dict[str, Any]:
    """The last figures, for a program; None where there were none."""
    fresh = found.freshness
    return {
        "events": None if fresh is None else fresh.events,
        "quarantined": None if fresh is None else fresh.quarantined,
        "headline": None if found.headline is None else document(headline_sheet(found.headline, by="zone_type"), lang),
    }


class _Course:
    """How far the demo is: when the first figure was there, when live sales began, and whether the time is over."""

    def __init__(self, started: float, seconds: float | None) -> None:
        self.started = started
        self.first_figure: float | None = None
        self._seconds = seconds
        self._live_since: float | None = None

    def left(self) -> float | None:
        """Seconds that it goes on at least; None where nobody limited it."""
        if self._seconds is None:
            return None
        now = time.monotonic()
        shown_since = now if self._live_since is None else self._live_since
        return max(self.started + self._seconds, shown_since + min(LINGER_SECONDS, self._seconds)) - now

    def note(self, found: Snapshot, doing: str) -> None:
        """Remembers what was seen in a turn.

        Raises:
            CliError: no figure could be had in time.
        """
        now = time.monotonic()
        if self.first_figure is None and found.has_figures:
            self.first_figure = now
        if self.first_figure is None and now - self.started > FIRST_FIGURE_SECONDS:
            reason = found.problem or "nothing was stored"
            raise CliError(f"no figure after {FIRST_FIGURE_SECONDS:.0f} s: {reason}", exit_code=os.EX_UNAVAILABLE)
        if self._live_since is None and self.first_figure is not None and is_live(doing):
            self._live_since = now

    def over(self) -> bool:
        """Whether the time is over and live sales were shown: the history alone is not awaited for ever."""
        left = self.left()
        if left is None or self._seconds is None:
            return False
        return left <= 0 or time.monotonic() >= self.started + self._seconds + FIRST_FIGURE_SECONDS

    def times(self) -> dict[str, Any]:
        """Seconds until the first figure, None where there was none, and until now."""
        first = None if self.first_figure is None else self.first_figure - self.started
        return {"first_figure_seconds": first, "ran_seconds": time.monotonic() - self.started}

    def summary(self, lang: Lang) -> str:
        """When the first figure was there, and how long it all took; empty where there was none."""
        if self.first_figure is None:
            return ""
        figure, end = self.first_figure - self.started, time.monotonic() - self.started
        return str(getattr(_TIMES, lang)).format(figure=figure, end=end)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
