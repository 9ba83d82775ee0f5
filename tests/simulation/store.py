"""Model of the store: gates as tables with views, and inserts that take time and arrive whole, in part, or not at all.

What it takes from ClickHouse and adapters/schema/gate.sql is held against the real ones in test_contract.py.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from fucai.adapters.gates import Gate
from fucai.adapters.sequence_store import StoredSequences
from fucai.domain.validation import MAX_SEQ
from fucai.loader.store import StoreError
from fucai.v1 import sales_pb2
from tests.simulation.views import BAD_RECORD, DISPOSITIONS, VIEWS, Key, Piece, Row, Spot, messages, refusal, written
from tests.simulation.world import FOREVER, Host, World

UNKNOWN_TABLE = "Code: 60. UNKNOWN_TABLE"


@dataclass(slots=True)
class Fate:
    """How an insert goes: which share of its pieces arrives, how long that takes, and whether its answer comes back."""

    share: float = 1.0
    ms: int = 0
    is_answered: bool = True
    patience_ms: int = 0
    """Where the answer is lost: when the client gives up."""


@dataclass(slots=True, eq=False)
class Insert:
    """An insert that runs on the server; `error` is what its client will be told, in the end."""

    gate: str
    frames: bytes = field(default=b"", repr=False)
    pieces: list[Piece] = field(default_factory=list)
    answer_ms: int = FOREVER
    error: StoreError | None = None
    is_running: bool = True
    left: int = 0

    def cut(self, words: str) -> None:
        """What has not arrived yet does not arrive."""
        if self.is_running:
            self.is_running, self.left = False, 0
            self.error = self.error or StoreError(words)


class Engine:
    """One ClickHouse server."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = Random(f"{world.seed}/engine")
        self.is_up = True
        self.gates: dict[str, Gate] = {}
        self.parts: dict[str, set[str]] = {}
        """Of each gate, its views, and "" for its table, as far as they are there."""
        self.inserts: dict[str, list[Insert]] = defaultdict(list)
        self.sales: dict[Key, list[Row]] = defaultdict(list)
        self.duplicates: dict[Spot, Row] = {}
        self.quarantine: dict[Spot, Row] = {}
        self.fates: deque[Fate] = deque()
        self.flaky_until = 0
        self.on_row: list[Callable[[str, Row], None]] = []
        self.on_answer: list[Callable[[Insert], None]] = []

    def restart(self) -> None:
        """The server dies: what was written stays, inserts that ran are cut off."""
        self.world.note("store", "is killed")
        for inserts in self.inserts.values():
            for insert in inserts:
                insert.cut("connection reset")

    def is_held(self, gate: str) -> bool:
        """Whether an insert runs in a gate."""
        return any(insert.is_running for insert in self.inserts[gate])

    def abandon(self, gate: str) -> None:
        """A gate's table is gone: inserts that run may find out at their next block, or may not."""
        for insert in self.inserts[gate]:
            if insert.is_running and self.random.random() < 0.5:
                insert.cut(UNKNOWN_TABLE)

    def begin(self, insert: Insert) -> None:
        """Begins an insert; its pieces arrive as its fate will have it.

        Raises:
            StoreError: the server is away, the gate is not there, or a record is refused.
        """
        if not self.is_up:
            raise StoreError("connection refused")
        if "" not in self.parts[insert.gate]:
            raise StoreError(UNKNOWN_TABLE)
        views = set(self.parts[insert.gate])
        fate = self._next_fate()
        pieces, fault = self._pieces(list(messages(insert.frames)))
        count = round(len(pieces) * fate.share)
        insert.pieces = pieces
        if fault is not None:
            count = self.random.choice((0, 0, count))
            insert.error = fault
        elif count < len(pieces):
            insert.error = StoreError("Code: 241. MEMORY_LIMIT_EXCEEDED")
        arrivals = sorted(self.random.randint(0, fate.ms) for _ in range(count))
        ends_ms = arrivals[-1] if arrivals else 0
        insert.left = count
        insert.answer_ms = self.world.now + ends_ms + 1
        if not fate.is_answered:
            insert.error = StoreError("Timeout exceeded while reading from socket")
            insert.answer_ms = self.world.now + max(fate.patience_ms, 1)
        self.inserts[insert.gate].append(insert)
        for piece, delay_ms in zip(pieces, arrivals, strict=False):
            self.world.at(delay_ms, self._arrive, insert, piece, piece.view in views)
        if not arrivals:
            self._end(insert)

    def _next_fate(self) -> Fate:
        if self.fates:
            return self.fates.popleft()
        if self.world.now < self.flaky_until and self.random.random() < 0.6:
            ms = self.random.randint(1, 900)
            return Fate(self.random.random(), ms, is_answered=self.random.random() < 0.5, patience_ms=ms // 2)
        return Fate(ms=self.random.randint(0, 40))

    def _pieces(self, found: list[sales_pb2.SalesBatch]) -> tuple[list[Piece], StoreError | None]:
        """The pieces in the order in which the server writes them; nothing of what stands behind a refused record."""
        blocks = [found]
        if len(found) > 1 and self.random.random() < 0.4:
            cut = self.random.randint(1, len(found) - 1)
            blocks = [found[:cut], found[cut:]]
        pieces: list[Piece] = []
        for block in blocks:
            refused = {message.disposition: words for message in block if (words := refusal(message))}
            found_pieces = [piece for piece in written(block) if DISPOSITIONS[piece.view] not in refused]
            self.random.shuffle(found_pieces)
            pieces += found_pieces
            for words in refused.values():
                return pieces, StoreError(words, poison=True)
        return pieces, None

    def _arrive(self, insert: Insert, piece: Piece, is_seen: bool) -> None:  # noqa: FBT001 (a job's argument)
        if not insert.is_running:
            return
        if is_seen:
            for row in piece.rows:
                self._keep(piece.view, row)
        insert.left -= 1
        if not insert.left:
            self._end(insert)

    def _end(self, insert: Insert) -> None:
        insert.is_running = False
        for look in self.on_answer:
            look(insert)

    def _keep(self, view: str, row: Row) -> None:
        for look in self.on_row:
            look(view, row)
        if view == "to_sales":
            self.sales[row.key].append(row)
        elif view == "to_duplicates":
            self.duplicates[row.spot] = row
        else:
            self.quarantine[row.spot] = row


class ModelStore:
    """The store as one worker of one loader sees it: a `loader.store.GateStore`."""

    def __init__(self, engine: Engine, host: Host) -> None:
        self._engine, self._host = engine, host
        self.under_way: list[Insert] = []
        """The inserts of the flush that is being made, or was made last."""
        self.on_answer: Callable[[], None] = _nobody

    def create_gate(self, gate: Gate) -> None:
        """Creates its table, then its views."""
        self._call("create")
        self._note(f"creates {gate.name}")
        self._engine.gates[gate.name] = gate
        self._engine.parts[gate.name] = {"", *VIEWS}
        self._answer("created")

    def list_gates(self) -> list[Gate]:
        """Every gate whose table or one of whose views exists, or was dropped but is still held by an insert."""
        self._call("list")
        engine = self._engine
        return [gate for name, gate in engine.gates.items() if engine.parts[name] or engine.is_held(name)]

    def drop_gate(self, gate: Gate) -> None:
        """Drops its table, then its views, and waits for what holds them."""
        self.drop(gate, "")
        for view in VIEWS:
            self.drop(gate, view)
        self.await_inserts(gate)

    def drop(self, gate: Gate, part: str) -> None:
        """Drops the gate's table (no `part`) or a view: waits for inserts that hold it, but only if it is still there.

        The server goes on with it if the client dies: then whoever comes next finds nothing to wait for.
        """
        self._call("drop")
        engine = self._engine
        parts = engine.parts.get(gate.name, set())
        if part in parts:
            parts.remove(part)
            if not part:
                self._note(f"drops {gate.name}")
                engine.abandon(gate.name)
            self.await_inserts(gate)
        self._answer("dropped")

    def await_inserts(self, gate: Gate) -> None:
        """Returns when no insert runs in a gate."""
        while self._engine.is_held(gate.name):
            self._host.sleep(50)

    def insert(self, gate: Gate, frames: bytes) -> None:
        """Sends an insert off, after those of the same flush; `under_way` tells what becomes of them."""
        insert = Insert(gate.name, frames)
        self.under_way.append(insert)
        if len(self.under_way) == 1:
            self._host.at(0, self._send, insert)

    def _send(self, insert: Insert) -> None:
        """The request goes out: at once, unless the process is stopped before it can."""
        if self._host.passing("insert", is_blocking=False):
            insert.error, insert.answer_ms = StoreError("connection reset"), self._host.world.now
            self.on_answer()
        else:
            self._host.at(0, self._begin, insert)

    def _begin(self, insert: Insert) -> None:
        try:
            self._engine.begin(insert)
        except StoreError as error:
            insert.error, insert.answer_ms = error, self._host.world.now + 1
        self._note(f"inserts into {insert.gate}: {self._told(insert)}")
        self._host.at(max(insert.answer_ms - self._host.world.now, 0), self._answered, insert)
        self._host.passing("inserting", is_blocking=False)

    def _answered(self, insert: Insert) -> None:
        """An insert is answered; the next one of the flush follows a good one."""
        later = self.under_way[self.under_way.index(insert) + 1 :] if insert in self.under_way else []
        if later and insert.error is None:
            self._send(later[0])
        self.on_answer()

    def read_sequences(self, partitions: Sequence[int], committed: Mapping[tuple[int, int], int]) -> StoredSequences:
        """What adapters/sequence_store.py answers."""
        self._call("restore")
        found = StoredSequences()
        stored: dict[tuple[bytes, int], set[int]] = defaultdict(set)
        quarantined: dict[tuple[bytes, int], set[int]] = defaultdict(set)
        own: dict[tuple[int, int, int], set[int]] = defaultdict(set)
        rows = [row for kept in self._engine.sales.values() for row in kept]
        for (terminal, epoch, seq), (topic, partition, offset, _), *_rest in rows:
            if partition in partitions:
                stored[terminal.encode(), epoch].add(seq)
                if offset >= committed.get((0, partition), 0):
                    own[topic, partition, offset].add(seq)
        for (topic, partition, offset, seq), row in self._engine.quarantine.items():
            if partition in partitions:
                is_bad = row.reason == BAD_RECORD
                if not is_bad and 1 <= seq <= MAX_SEQ:
                    quarantined[row.key[0].encode(), row.key[1]].add(seq)
                if offset >= committed.get((topic, partition), 0):
                    (found.condemned if is_bad else found.rejected).add((topic, partition, offset))
        found.replayed.update((place, _ranges(numbers)) for place, numbers in own.items())
        for sets, into in ((stored, found.stored), (quarantined, found.quarantined)):
            for key, numbers in sets.items():
                into[key].extend(_ranges(numbers))
        self._answer("restored")
        return found

    def close(self) -> None:
        """Nothing to close."""

    def _call(self, point: str, *, is_blocking: bool = True) -> None:
        if self._host.passing(point, is_blocking=is_blocking):
            raise StoreError("connection reset before the request arrived")
        if not self._engine.is_up:
            raise StoreError("connection refused")

    def _answer(self, point: str) -> None:
        """The call is done; its answer may get lost, and time may have passed."""
        if self._host.passing(point):
            raise StoreError("connection reset before the answer came")
        if self._host.random.random() < 0.1:
            self._host.sleep(self._host.random.randint(1, 300))

    def _note(self, words: str) -> None:
        self._host.world.note(self._host.name, words)

    @staticmethod
    def _told(insert: Insert) -> str:
        pieces = ", ".join(
            f"{piece.view}: {[(*row.key, row.spot[2]) for row in piece.rows]}" for piece in insert.pieces
        )
        fate = f"{insert.left} of {len(insert.pieces)} pieces will arrive, {insert.error or 'answered'}"
        return f"{pieces or 'nothing'} ({fate})"


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def _nobody() -> None:
    """Nobody waits."""
