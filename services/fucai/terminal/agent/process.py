"""The agent as a process: settings, wiring, serving. `fucai terminal run` starts it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import AfterValidator, Field

from fucai.domain.validation import MAX_ID_BYTES
from fucai.runtime.progress import Progress
from fucai.runtime.service import Service, run_with
from fucai.runtime.settings import ServiceSettings, split_address
from fucai.terminal.agent.agent import Agent, AgentOptions, running
from fucai.terminal.agent.folder import Listening
from fucai.terminal.agent.metrics import AgentMetrics
from fucai.terminal.agent.service import TerminalService
from fucai.v1 import terminal_pb2_grpc

UNIX = "unix:"
_LONGEST_SOCKET_PATH = 100
_LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))
_WATCH_S = 2.0
_NOT_SERVING_S = 0.02


def _local(text: str) -> str:
    if text.startswith(UNIX):
        if len(text) - len(UNIX) > _LONGEST_SOCKET_PATH:
            raise ValueError(f"a socket's path has at most {_LONGEST_SOCKET_PATH} characters; give a shorter one")
        return text
    host, _ = split_address(text)
    if host not in _LOOPBACK:
        raise ValueError("the till's API knows no passwords: listen on 127.0.0.1:PORT or unix:PATH only")
    return text


def _id(text: str) -> str:
    if not 0 < len(text.encode()) <= MAX_ID_BYTES:
        raise ValueError(f"give 1 to {MAX_ID_BYTES} bytes")
    return text


Id = Annotated[str, AfterValidator(_id)]


class AgentSettings(ServiceSettings):
    """What an agent needs to know beside what every process does."""

    grpc: Annotated[str, AfterValidator(_local)] = Field(
        default="127.0.0.1:0", description="where the till reaches the agent: 127.0.0.1:PORT or unix:PATH"
    )
    terminal: Id = Field(description="the terminal's id, as registered")
    outlet: Id = Field(description="the outlet it stands in")
    dir: Path = Field(description="the agent's folder, with its outbox and key")
    close_hour: int = Field(default=2, ge=-1, le=23, description="hour at which the day before is closed; -1 never")


def serve(settings: AgentSettings) -> NoReturn:
    """Runs the agent until it is stopped; exits as `runtime.service.run` and `agent.running` say."""
    run_with("agent", settings, _build)


async def _build(service: Service[AgentSettings]) -> None:
    settings = service.settings
    options = AgentOptions(
        folder=settings.dir,
        terminal_id=settings.terminal,
        outlet_id=settings.outlet,
        collector=settings.collector,
        zone=settings.zone,
        close_hour=None if settings.close_hour < 0 else settings.close_hour,
    )
    agent = await service.enter(running(options, service.log))
    service.add(terminal_pb2_grpc.add_TerminalServiceServicer_to_server, TerminalService(agent))
    service.background("work", agent.work())
    service.background("watch", _watch(service, agent, service.progress("outbox", silent_after_s=10 * _WATCH_S)))


async def _watch(service: Service[AgentSettings], agent: Agent, outbox: Progress) -> None:
    """Tells where the agent listens, and its figures and warnings, again and again."""
    metrics = AgentMetrics(service.metrics)
    warned: set[str] = set()
    told = ""
    while True:
        if service.grpc_address != told:
            told = service.grpc_address
            agent.folder.tell_listening(Listening(told, service.metrics_address, os.getpid()))
        status = agent.status()
        metrics.show(status, time.time_ns() // 1_000_000)
        for warning in set(status.warnings) - warned:
            service.log.warning("look at this", warning=warning)
        warned = set(status.warnings)
        if status.free_bytes:
            outbox.idle(f"recorded through {status.recorded_through}, {status.waiting_events} wait")
        else:
            outbox.blocked("the disk is full")
        await asyncio.sleep(_WATCH_S if told else _NOT_SERVING_S)
