"""`fucai terminal` as a process: killed at every moment, asked again, refused twice over, and as a shell sees it."""

from __future__ import annotations

import asyncio
import json
import os
import re
from io import StringIO
from pathlib import Path
from random import Random
from unittest import mock

import grpc
import pytest

from fucai.v1.sales_pb2 import SalesEvent
from tests.integration.terminal.agents import TERMINAL, AgentProcess, agent_process, in_a_loop, until_serving
from tests.integration.terminal.stubs import KeepingCollector, serving
from tests.unit.cli.exports import same_in_every_format
from tests.unit.cli.fake import run
from tests.unit.terminal.agent.shop import sale

Answered = dict[tuple[int, int], SalesEvent]


async def record_until_killed(agent: AgentProcess, answered: Answered, random: Random) -> None:
    """Two tills record as fast as they can; the agent is killed after some answers."""
    await until_serving(agent)
    until = len(answered) + random.randint(1, 150)

    async def till() -> None:
        while True:
            events = [sale(random.randint(1, 10**6)) for _ in range(random.randint(1, 3))]
            recorded = await agent.record(events)
            for seq, event in enumerate(events, recorded.first_seq):
                event.seq = seq
                answered[recorded.epoch, seq] = event
            if len(answered) >= until:
                await agent.kill()

    ended = await asyncio.gather(till(), till(), return_exceptions=True)
    assert all(isinstance(error, grpc.aio.AioRpcError) for error in ended)


async def record_until_dead(agent: AgentProcess) -> int:
    """Records one sale a request, ids r0, r1 ..., until the agent has killed itself; how many were answered."""
    for number in range(1_000):
        try:
            await agent.record([sale(number + 1)], f"r{number}")
        except grpc.aio.AioRpcError:
            assert await agent.ended() == -9
            return number
    raise AssertionError("the agent lives on")


async def until_sent(agent: AgentProcess) -> None:
    """Returns when nothing waits."""
    await until_serving(agent)
    async with asyncio.timeout(30):
        while (await agent.status()).waiting_events:
            await asyncio.sleep(0.02)


@in_a_loop
async def test_kill_9_while_recording_loses_nothing(tmp_path: Path) -> None:
    """Killed twice under load: every event answered to the till is at the collector, with its content."""
    collector, answered, random = KeepingCollector(), Answered(), Random(7)
    async with serving(collector) as address:
        for _ in range(2):
            async with agent_process(tmp_path / "agent", address) as agent:
                await record_until_killed(agent, answered, random)
        async with agent_process(tmp_path / "agent", address) as agent:
            await until_sent(agent)
    events = collector.events(TERMINAL)
    assert len(answered) > 1
    assert {key: events[key] for key in answered} == answered
    assert sorted(seq for _, seq in events) == list(range(1, len(events) + 1))


@pytest.mark.parametrize(("place", "was_recorded"), [("agent.before-commit", False), ("agent.after-commit", True)])
@in_a_loop
async def test_a_request_repeated_after_a_lost_answer_counts_once(
    tmp_path: Path,
    place: str,
    was_recorded: bool,  # noqa: FBT001
) -> None:
    """The agent dies around the commit; the same request again is recorded once, and says whether it was before."""
    folder = tmp_path / "agent"
    async with agent_process(folder, "127.0.0.1:1", f"{place}=kill@4") as agent:
        await until_serving(agent)
        answered = await record_until_dead(agent)
    async with agent_process(folder, "127.0.0.1:1") as agent:
        await until_serving(agent)
        again = await agent.record([sale(answered + 1)], f"r{answered}")
        assert again.repeated_request is was_recorded
        assert (await agent.status()).recorded_through == again.last_seq == answered + 1


@pytest.mark.parametrize("place", ["agent.after-send", "agent.after-receipt"])
@in_a_loop
async def test_a_death_between_sending_and_acknowledging_resends(tmp_path: Path, place: str) -> None:
    """The batch comes again with the same content, and everything is there."""
    collector = KeepingCollector()
    async with serving(collector) as address:
        async with agent_process(tmp_path / "agent", address, f"{place}=kill@2") as agent:
            await until_serving(agent)
            await record_until_dead(agent)
        async with agent_process(tmp_path / "agent", address) as agent:
            await until_sent(agent)
            recorded = (await agent.status()).recorded_through
    assert sorted(seq for _, seq in collector.events(TERMINAL)) == list(range(1, recorded + 1))


@in_a_loop
async def test_a_death_in_the_salvage_loses_nothing(tmp_path: Path) -> None:
    """The outbox is damaged, the first start dies while it salvages, the second brings everything."""
    collector, folder = KeepingCollector(), tmp_path / "agent"
    async with agent_process(folder, "127.0.0.1:1") as agent:
        await until_serving(agent)
        epoch = (await agent.record([sale(number) for number in range(1, 101)])).epoch
        agent.process.terminate()
        assert await agent.ended() == 0
    path = folder / "outbox.db"
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    async with serving(collector) as address:
        async with agent_process(folder, address, "agent.in-salvage=kill") as agent:
            assert await agent.ended() == -9
        async with agent_process(folder, address) as agent:
            await until_sent(agent)
            assert any("damaged" in warning for warning in (await agent.status()).warnings)
    assert sorted(collector.events(TERMINAL)) == [(epoch, seq) for seq in range(1, 101)]


def fucai(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Runs a command in this process; exit code, stdout, stderr."""
    with mock.patch("sys.stdin", StringIO(stdin)):
        ran = run("terminal", *arguments)
    return ran.exit_code, ran.out, " ".join(ran.err.split())


@in_a_loop
async def test_a_shell_can_play_the_till(tmp_path: Path) -> None:
    """Record from flags and from lines, close, status, key; each with its words and exit code."""
    folder = str(tmp_path / "agent")
    async with agent_process(tmp_path / "agent", "127.0.0.1:1") as agent:
        await until_serving(agent)
        async with asyncio.timeout(10):
            while not (tmp_path / "agent" / "agent.json").exists():
                await asyncio.sleep(0.02)
        sold = fucai("record", "sale", "--dir", folder, "--game", "ssq", "--draw", "2026058", "--amount", "200")
        assert (sold[0], sold[1].split(" of ")[0]) == (0, "recorded 1")
        line = json.dumps({"kind": "EVENT_KIND_SALE", "game": "instant", "amount_fen": 500, "bets": 1})
        many = fucai("record", "--dir", folder, "--request-id", "lot", stdin=f"{line}\n\n{line}\n")
        assert (many[0], many[1].split(" of ")[0]) == (0, "recorded 2 to 3")
        again = fucai("record", "--dir", folder, "--request-id", "lot", stdin=f"{line}\n{line}\n")
        assert "recorded before" in again[1]
        half = fucai("record", "--dir", folder, "--json", stdin=f"{line}\n" * 500 + "no event\n")
        (answer,) = json.loads(half[1])["recorded"]
        assert (half[0], answer["first_seq"], answer["last_seq"], answer["repeated_request"]) == (65, 4, 503, False)
        assert "recorded 4 to 503 of" in half[2]
        bad = fucai("record", "void", "--dir", folder, "--game", "ssq", "--amount", "200")
        mad = fucai("record", "--dir", folder, stdin='{"kind": "SOLD"}\n')
        assert (bad[0], mad[0]) == (64, 65)
        assert "events[0].refers_to: is missing" in bad[2]
        assert "line 1 is no event" in mad[2]
        async with agent_process(tmp_path / "agent", "127.0.0.1:1") as second:
            assert await second.ended() == 75
        closed = fucai("close", "--dir", folder, "--json")
        close = json.loads(closed[1])
        assert (close["facts"]["last_seq"], close["total"]["events"]) == ("503", 503)
        assert "closed 20" in fucai("close", "--dir", folder, "--lang", "en")[1]
        status = fucai("status", "--dir", folder, "--json")
        (row,) = json.loads(status[1])["rows"]
        assert (status[0], row["recorded_through"], row["waiting_events"]) == (0, 503, 503)
        moving = ["outbox_bytes", "free_bytes", "last_error"]
        same_in_every_format(lambda *words: run(*words, "--dir", folder), tmp_path, "terminal", "status", moving=moving)
        assert re.search(r"waiting events +503", fucai("status", "--dir", folder, "--lang", "en")[1])
        key = fucai("key", "--dir", folder, "--terminal", "T-1", "--outlet", "GZ-0001", "--since", "2026-05-01")
        public = key[1].splitlines()[0]
        assert len(bytes.fromhex(public)) == 32
        assert key[1].splitlines()[2] == f"T-1,2026-05-01,GZ-0001,till,{public}"
        known = json.loads(fucai("key", "--dir", folder, "--json")[1])
        assert (known["public_key"], known["terminals_csv"][1].split(",")[-1]) == (public, public)
    assert (os.stat(tmp_path / "agent" / "terminal.key").st_mode & 0o777) == 0o600  # noqa: PTH116
    nobody = fucai("status", "--dir", str(tmp_path / "other"))
    assert nobody[0] == 69
