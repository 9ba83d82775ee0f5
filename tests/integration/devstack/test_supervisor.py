"""The supervisor with real processes: order, restart, stop, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fucai.devstack.parts import Part
from fucai.devstack.stack import StackError, await_endpoints, run_stack, write_endpoints
from fucai.devstack.supervisor import StartError, Supervisor
from tests.support.ports import free_ports
from tests.support.waiting import eventually

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
DEAF = (
    sys.executable,
    "-c",
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(sys.argv[1], 'w'); time.sleep(600)",
)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Log:
    """Keeps what the supervisor tells."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def __call__(self, part: str, state: str, detail: str = "") -> None:
        """Note it."""
        del detail
        self.told.append((part, state))

    def states(self, part: str) -> list[str]:
        """What was told of one part."""
        return [state for name, state in self.told if name == part]


def test_starts_in_order_of_needs_and_stops_the_other_way(tmp_path: Path) -> None:
    """A part starts when those it needs are ready, one that runs once counts as ready when it ended well."""
    log = Log()
    parts = [
        Part("last", SLEEP, needs=("once",)),
        Part("once", (sys.executable, "-c", ""), needs=("first",), once=True),
        Part("first", SLEEP),
    ]
    supervisor = Supervisor(parts, tmp_path, log)
    supervisor.start(20)
    supervisor.stop()
    starts = [part for part, state in log.told if state == "starting"]
    stops = [part for part, state in log.told if state == "stopped"]
    assert starts == ["first", "once", "last"]
    assert stops == ["last", "first"]


def test_restarts_what_is_killed(tmp_path: Path) -> None:
    """A part that is killed runs again under another process id."""
    supervisor = Supervisor([Part("one", SLEEP)], tmp_path, Log())
    supervisor.start(20)
    first = supervisor.pids()["one"]

    def kill_and_look() -> None:
        os.kill(first, signal.SIGKILL)
        eventually(lambda: supervisor.pids().get("one", first) != first)
        supervisor.stopping.set()

    killer = threading.Thread(target=kill_and_look)
    killer.start()
    supervisor.watch()
    killer.join()
    second = supervisor.pids()["one"]
    supervisor.stop()
    assert second != first
    assert not alive(second)


def test_kills_what_does_not_stop(tmp_path: Path) -> None:
    """A child that ignores SIGTERM is killed when its time is over, and the stop says so."""
    log = Log()
    flag = tmp_path / "deaf"
    part = Part("deaf", (*DEAF, str(flag)), ready=lambda: "" if flag.exists() else "starting", stop_seconds=0.3)
    supervisor = Supervisor([part], tmp_path, log)
    supervisor.start(20)
    pid = supervisor.pids()["deaf"]
    supervisor.stop()
    assert ("deaf", "killed") in log.told
    assert not alive(pid)


def test_says_when_a_restarted_part_is_ready_again(tmp_path: Path) -> None:
    """Whoever watches is told of the death, of the restart, and that the part does its work again."""
    log = Log()
    supervisor = Supervisor([Part("one", SLEEP)], tmp_path, log)
    supervisor.start(20)
    told = ["starting", "ready", "died", "restarting", "ready"]

    def kill_and_look() -> None:
        os.kill(supervisor.pids()["one"], signal.SIGKILL)
        try:
            eventually(lambda: log.states("one") == told)
        finally:
            supervisor.stopping.set()

    killer = threading.Thread(target=kill_and_look)
    killer.start()
    supervisor.watch()
    killer.join()
    supervisor.stop()
    assert log.states("one")[:5] == told


def test_parts_that_end_at_once_are_told_apart(tmp_path: Path) -> None:
    """Where several parts die in the same moment each death counts, and what runs once does not run twice."""
    log = Log()
    once = [Part(f"once{number}", (sys.executable, "-c", ""), once=True) for number in range(4)]
    supervisor = Supervisor([*once, Part("one", SLEEP), Part("two", SLEEP)], tmp_path, log)
    supervisor.start(20)

    def kill_and_look() -> None:
        for pid in supervisor.pids().values():
            os.kill(pid, signal.SIGKILL)
        try:
            eventually(lambda: all(log.states(name).count("ready") == 2 for name in ("one", "two")))
        finally:
            supervisor.stopping.set()

    killer = threading.Thread(target=kill_and_look)
    killer.start()
    supervisor.watch()
    killer.join()
    supervisor.stop()
    for name in ("one", "two"):
        assert log.states(name)[:5] == ["starting", "ready", "died", "restarting", "ready"]
    for part in once:
        assert log.states(part.name) == ["starting", "ready"]


def test_what_a_part_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    """A process that a part has started and not ended does not outlive the part, nor holds its port at the restart."""
    flag = tmp_path / "deaf"
    leader = (
        "import subprocess, sys, time, pathlib\n"
        "child = subprocess.Popen(sys.argv[1:])\n"
        "pathlib.Path('pid').write_text(str(child.pid)); time.sleep(600)\n"
    )
    (tmp_path / "leader.py").write_text(f"import os; os.chdir({str(tmp_path)!r})\n{leader}")
    part = Part(
        "leader",
        (sys.executable, str(tmp_path / "leader.py"), *DEAF, str(flag)),
        ready=lambda: "" if flag.exists() else "starting",
    )
    supervisor = Supervisor([part], tmp_path, Log())
    supervisor.start(20)
    child = int((tmp_path / "pid").read_text())
    assert alive(child)
    supervisor.stop()
    eventually(lambda: not alive(child))


def test_failed_start_names_the_part_and_its_log(tmp_path: Path) -> None:
    """When a part that must run once fails, the error shows its last words, and nothing keeps running."""
    parts = [
        Part("base", SLEEP),
        Part("schema", (sys.executable, "-c", "raise SystemExit('no such table')"), needs=("base",), once=True),
    ]
    supervisor = Supervisor(parts, tmp_path, Log())
    with pytest.raises(StartError, match="schema ended with code 1") as failure:
        supervisor.start(20)
    pid = supervisor.pids()["base"]
    supervisor.stop()
    assert "no such table" in str(failure.value)
    assert not alive(pid)


def test_part_that_never_gets_ready_is_named_with_its_reason(tmp_path: Path) -> None:
    """The error says which part is late and what it waits for."""
    supervisor = Supervisor([Part("slow", SLEEP, ready=lambda: "no snapshot yet")], tmp_path, Log())
    with pytest.raises(StartError, match="slow is not ready: no snapshot yet"):
        supervisor.start(0.5)
    supervisor.stop()


def test_no_child_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """Even when the supervisor itself is killed with SIGKILL, its children die."""
    script = (
        "import sys, json; from pathlib import Path\n"
        "from fucai.devstack.parts import Part; from fucai.devstack.supervisor import Supervisor\n"
        "s = Supervisor([Part('a', (sys.executable, '-c', 'import time; time.sleep(600)'))], Path(sys.argv[1]),"
        " lambda *_: None)\n"
        "s.start(20); print(json.dumps(s.pids()), flush=True); s.watch()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = json.loads(parent.stdout.readline())["a"]
        assert alive(pid)
        parent.kill()
    eventually(lambda: not alive(pid))


def test_second_stack_on_a_folder_is_refused(tmp_path: Path) -> None:
    """Two stacks on one folder would write the same files: the second is told to choose another."""
    ready = threading.Event()
    outcome: list[BaseException] = []

    def tell(part: str, state: str, detail: str = "") -> None:
        del detail
        if (part, state) == ("stack", "ready"):
            try:
                run_stack(tmp_path, [], tell)
            except StackError as error:
                outcome.append(error)
            ready.set()
            os.kill(os.getpid(), signal.SIGINT)

    run_stack(tmp_path, [Part("one", SLEEP)], tell)
    assert ready.is_set()
    assert "runs on" in str(outcome[0])
    assert not (tmp_path / "endpoints.json").exists()


def test_endpoints_of_a_killed_stack_are_not_taken_for_the_new_ones(tmp_path: Path) -> None:
    """Who waits for a stack gets the addresses it wrote itself, not those that a killed one has left."""
    parts = [Part("one", SLEEP, address="127.0.0.1:1")]
    write_endpoints(tmp_path, parts, {"one": 1})
    script = (
        "import sys; from pathlib import Path; from fucai.devstack.stack import write_endpoints\n"
        "from fucai.devstack.parts import Part\n"
        "sys.stdin.read(1); write_endpoints(Path(sys.argv[1]), [Part('one', ())], {'one': 2}); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    (tmp_path / "up.log").touch()
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        with pytest.raises(StackError, match="did not start"):
            await_endpoints(tmp_path, process, within_seconds=0.1)
        process.stdin.write(b".")
        process.stdin.flush()
        assert await_endpoints(tmp_path, process, within_seconds=20)["one"].pid == 2
        process.stdin.close()


def test_taken_port_is_named(tmp_path: Path) -> None:
    """A port in use is found before anything starts, and named with the part and the remedy."""
    import socket  # noqa: PLC0415 (used here only)

    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StackError, match=f"port {port}, for one, is taken"):
        run_stack(tmp_path, [Part("one", SLEEP, address=f"127.0.0.1:{port}")], Log())
