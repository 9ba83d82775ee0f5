"""Which agent may send for a terminal: the one whose stream is open. Two machines with one identity are found so.

It holds for one collector process, and for streams only that name their agent; it touches no stream itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from fucai.domain.batches import BatchRefusedError
from fucai.domain.salerules import quoted
from fucai.domain.validation import MAX_ID_BYTES, Refusal

AGENT_KEY = "fucai-agent"
"""Metadata of a stream: what the agent's outbox is called, 16 hexadecimal digits, the same after each restart."""

TERMINAL_KEY = "fucai-terminal"
"""Metadata of a stream: the one terminal whose batches it carries, percent-encoded as in a URL: metadata is ASCII."""

_AGENT_ID = re.compile("[0-9a-f]{16}")


class TakenError(Exception):
    """The stream of another agent is open for the terminal."""

    def __init__(self, terminal_id: str, holder: str, asking: str) -> None:
        super().__init__(
            f"terminal {quoted(terminal_id)} is served by agent {holder}, this is agent {asking}: two agents have one "
            "identity; stop one of them, or wait for the other's connection to end if its machine is gone"
        )


class SupersededError(Exception):
    """The agent has opened another stream, and its older one ends."""

    def __init__(self) -> None:
        super().__init__("the same agent has opened another stream for this terminal; this older one ends")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is at the other end of a stream."""

    agent_id: str
    terminal_id: str


@dataclass(eq=False, slots=True)
class Lease:
    """The right to send for a terminal; `end` is called once, if a newer stream of the same agent takes it over."""

    identity: Identity
    end: Callable[[], None]


class Leases:
    """The leases of one collector. Not thread-safe: one event loop owns it."""

    def __init__(self) -> None:
        self._held: dict[str, Lease] = {}

    def __len__(self) -> int:
        """How many terminals are served by a leased stream."""
        return len(self._held)

    def take(self, identity: Identity, end: Callable[[], None]) -> tuple[Lease, bool]:
        """Gives the terminal to a stream, and tells whether an older one of the same agent has been ended for it.

        Raises:
            TakenError: another agent has it.
        """
        held = self._held.get(identity.terminal_id)
        if held is not None and held.identity != identity:
            raise TakenError(identity.terminal_id, held.identity.agent_id, identity.agent_id)
        lease = self._held[identity.terminal_id] = Lease(identity, end)
        if held is not None:
            held.end()
        return lease, held is not None

    def release(self, lease: Lease) -> None:
        """The stream has ended; nothing happens if a newer one has the terminal by now."""
        if self._held.get(lease.identity.terminal_id) is lease:
            del self._held[lease.identity.terminal_id]


def identity_of(metadata: Iterable[tuple[str, str | bytes]]) -> Identity | None:
    """Who a stream's metadata says it is; None where it names no agent, as a simulator's or an importer's.

    Raises:
        BatchRefusedError: it names an agent without a terminal or the reverse, or either in no usable form.
    """
    given = {key: str(value) for key, value in metadata if key in {AGENT_KEY, TERMINAL_KEY}}
    if not given:
        return None
    agent_id, terminal_id = given.get(AGENT_KEY, ""), unquote(given.get(TERMINAL_KEY, ""))
    found = []
    if not _AGENT_ID.fullmatch(agent_id):
        found.append(Refusal(AGENT_KEY, f"{quoted(agent_id)} is no agent id: 16 hexadecimal digits, small letters"))
    if not 0 < len(terminal_id.encode()) <= MAX_ID_BYTES:
        found.append(Refusal(TERMINAL_KEY, f"names no terminal; give its id, of 1 to {MAX_ID_BYTES} bytes"))
    if found:
        raise BatchRefusedError(found)
    return Identity(agent_id, terminal_id)


def refuse_other_terminals(terminal_id: str, identity: Identity) -> None:
    """Holds a batch's terminal against its stream's.

    Raises:
        BatchRefusedError: it is another one.
    """
    if terminal_id != identity.terminal_id:
        detail = f"{quoted(terminal_id)} is not {quoted(identity.terminal_id)}, the terminal of this stream"
        raise BatchRefusedError([Refusal("terminal_id", detail)])
