"""The demo's dashboard: what it shows before, with and without figures."""

from __future__ import annotations

import io
import json
import re
import time

import grpc
import pytest
from rich.console import Console

from fucai.cli.addresses import Part
from fucai.cli.dashboard import Snapshot, Watch, addresses_table, dashboard
from fucai.cli.demo import free_port_base, watch_figures
from fucai.cli.errors import CliError
from fucai.cli.output import Lang
from tests.unit.cli.fake import FakeAnalytics, serving


def shown(found: Snapshot, lang: Lang = Lang.EN) -> str:
    """The dashboard as text."""
    out = io.StringIO()
    Console(file=out, width=100).print(dashboard(found, lang=lang, doing="history: 12 rows", left_s=42.0))
    return out.getvalue()


def test_it_shows_headline_flow_and_newest_events() -> None:
    """Headline by zone type with curve and benchmark, events stored, newest events, what the simulator does."""
    with serving(FakeAnalytics()) as address, grpc.insecure_channel(address) as channel:
        found = Watch(channel, []).turn()
    assert found.has_figures
    text = shown(found)
    for told in ("▲ +7.0%", "national_welfare", "night market", "█", "events stored 21", "in quarantine 2", "网点[1]"):
        assert told in text
    assert "writing the history" in text
    assert "42 s" in text
    assert "夜市" in shown(found, Lang.ZH)


def test_before_anything_is_stored_it_says_what_is_away() -> None:
    """Without analytics there is no figure, and the reason is on the screen; nothing is raised."""
    with grpc.insecure_channel("127.0.0.1:1") as channel:
        found = Watch(channel, [Part("loader", "127.0.0.1:1", 1, "127.0.0.1:1")]).turn()
    assert not found.has_figures
    assert "UNAVAILABLE" in shown(found)


def test_addresses_to_try_are_printed() -> None:
    """Each part with its address, services with their metrics page."""
    out = io.StringIO()
    parts = [Part("kafka", "127.0.0.1:19000", 1, None), Part("loader", "127.0.0.1:19030", 2, "127.0.0.1:19031")]
    Console(file=out, width=100).print(addresses_table(parts))
    assert "127.0.0.1:19000" in out.getvalue()
    assert "http://127.0.0.1:19031/metrics" in out.getvalue()


def test_free_ports_are_found() -> None:
    """A base from 19000 on, in hundreds."""
    assert free_port_base() >= 19_000
    assert free_port_base() % 100 == 0


class Simulated:
    """A simulation that never was; it fails in the turn it is told to."""

    def __init__(self, fails_in_turn: int = 0) -> None:
        self.turns = 0
        self.fails_in_turn = fails_in_turn

    def check(self) -> None:
        """Counts the turns."""
        self.turns += 1
        if self.turns == self.fails_in_turn:
            raise CliError("the simulator ended with code 65: nobody to play")

    def wait(self, seconds: float) -> None:
        """Does not wait."""
        assert 0 <= seconds <= 1

    def doing(self) -> str:
        """Says where it is."""
        return "live: 7 events"


def test_the_demo_ends_by_itself_with_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal it prints a line now and then, and the last summary when the time is over."""
    started = time.monotonic()
    with serving(FakeAnalytics()) as address, grpc.insecure_channel(address) as channel:
        watch_figures(Watch(channel, []), Simulated(), started, 1.0, Lang.EN)
    out = capsys.readouterr().out
    assert 1.0 <= time.monotonic() - started < 10
    assert "sales ▲ +7.0% · events stored 21" in out
    assert out.count("national_welfare") == 1
    assert "the last figures" in out
    assert re.search(r"first figure after \d+ s; ran \d+ s", out)


def test_the_demo_gives_programs_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json, stdout is the object alone: times, events and the headline; people read on stderr."""
    with serving(FakeAnalytics()) as address, grpc.insecure_channel(address) as channel:
        watch_figures(Watch(channel, []), Simulated(), time.monotonic(), 1.0, Lang.EN, json=True)
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert 0 <= told["first_figure_seconds"] < told["ran_seconds"] < 10
    assert (told["events"], told["headline"]["question"]) == (21, "headline")
    assert "the last figures" in err


def test_a_simulator_that_ends_early_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Its code and words end the demo; figures that do not move are not shown as if they did."""
    with (
        serving(FakeAnalytics()) as address,
        grpc.insecure_channel(address) as channel,
        pytest.raises(CliError, match="nobody to play"),
    ):
        watch_figures(Watch(channel, []), Simulated(fails_in_turn=2), time.monotonic(), None, Lang.EN)
    assert "first figure" not in capsys.readouterr().out
