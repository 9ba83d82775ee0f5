"""The agent's folder: who holds it, what lies where, and the highest epoch ever used in it. Reads no outbox.

outbox.db, -wal, -shm       the outbox
terminal.key                the terminal's private key
known.json                  the newest epoch, for the day on which the outbox cannot be read
agent.json, till.sock       where the running agent listens
damaged-EPOCH-N/            an outbox that was set aside
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fucai.runtime.errors import FatalError

_LOG_FILES = ("outbox.db-wal", "outbox.db-shm")
_SALVAGED = "salvaged"
_SECTOR_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a running agent can be reached."""

    till: str
    metrics: str
    pid: int


class Folder:
    """The paths in it. `create` makes it, readable for its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outbox = path / "outbox.db"
        self.draft = path / "outbox.new"
        self.key = path / "terminal.key"
        self.socket = path / "till.sock"
        self._known = path / "known.json"
        self._listening = path / "agent.json"

    def create(self) -> None:
        """Makes the folder where it is missing.

        Raises:
            FatalError: 73 it cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise FatalError(
                f"cannot make the folder {self.path}: {error.strerror}", exit_code=os.EX_CANTCREAT
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder while the block runs; the lock ends with the process, however that ends.

        Raises:
            FatalError: 75 another agent holds it.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
                raise FatalError(
                    f"another agent (process {holder}) runs on {self.path}; one outbox has one agent: stop it first",
                    exit_code=os.EX_TEMPFAIL,
                ) from error
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def known_epoch(self) -> int:
        """The highest epoch that was ever used here, as far as anything tells; 0 for a new folder."""
        named = [int(path.name.split("-")[1]) for path in self.damaged()]
        try:
            written = int(json.loads(self._known.read_text(encoding="utf-8"))["epoch"])
        except (OSError, ValueError, KeyError, TypeError):
            written = 0
        return max(written, *named, 0)

    def know_epoch(self, epoch: int) -> None:
        """Remembers that the epoch is used."""
        if epoch > self.known_epoch():
            self._write(self._known, {"epoch": epoch})

    def damaged(self) -> list[Path]:
        """The outboxes that were set aside, the newest last."""
        found = [
            path
            for path in self.path.glob("damaged-*-*")
            if path.is_dir() and all(part.isdigit() for part in path.name.split("-")[1:])
        ]
        return sorted(found, key=lambda path: [int(part) for part in path.name.split("-")[1:]])

    def set_aside(self, epoch: int) -> Path:
        """Moves the outbox into a folder of its own, the database first: see `finish_setting_aside`."""
        numbers = [int(path.name.split("-")[2]) for path in self.damaged()]
        target = self.path / f"damaged-{epoch}-{max(numbers, default=0) + 1}"
        target.mkdir(mode=0o700)
        self._move(self.outbox, target)
        self.finish_setting_aside()
        return target

    def finish_setting_aside(self) -> None:
        """Moves a write-ahead log that lost its database to where that is: a move was interrupted."""
        if self.outbox.exists() or not self.damaged():
            return
        for name in _LOG_FILES:
            if (self.path / name).exists():
                self._move(self.path / name, self.damaged()[-1])

    def unsalvaged(self) -> list[Path]:
        """The outboxes set aside that no other has followed yet, the newest last."""
        return [
            path for path in self.damaged() if not (path / _SALVAGED).exists() and (path / self.outbox.name).exists()
        ]

    def mark_salvaged(self) -> None:
        """The present outbox has what could be read from all that were set aside."""
        for path in self.unsalvaged():
            (path / _SALVAGED).touch()

    def clear_draft(self) -> None:
        """Removes what an interrupted start left of a new outbox."""
        for path in (self.draft, *(self.draft.with_name(f"{self.draft.name}-{end}") for end in ("wal", "shm"))):
            path.unlink(missing_ok=True)

    def install_draft(self) -> None:
        """Makes the finished draft the outbox, whatever happens in between."""
        descriptor = os.open(self.draft, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.draft.rename(self.outbox)
        sync_folder(self.path)

    def tell_listening(self, listening: Listening) -> None:
        """Writes down where the agent listens, for the commands beside it."""
        self._write(self._listening, asdict(listening))

    def listening(self) -> Listening | None:
        """Where the agent that ran last listens; None where none has run."""
        try:
            return Listening(**json.loads(self._listening.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _move(self, source: Path, target: Path) -> None:
        source.rename(target / source.name)
        sync_folder(target)
        sync_folder(self.path)

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        draft = path.with_suffix(".tmp")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        sync_folder(self.path)


def sync_folder(path: Path) -> None:
    """Makes renames in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_around_errors(path: Path) -> bytes:
    """The file, with zeros where the disk cannot read it."""
    content = bytearray(path.stat().st_size)
    with path.open("rb", buffering=0) as file:
        for start in range(0, len(content), _SECTOR_BYTES):
            with suppress(OSError):
                file.seek(start)
                part = file.read(_SECTOR_BYTES)
                content[start : start + len(part)] = part
    return bytes(content)
