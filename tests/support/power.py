"""A disk that loses power: a SQLite VFS that knows which writes were never synced, and forgets a random part of them.

Reads see every write, as through a page cache. `lose_power` puts each file back to what was synced, plus whichever
sectors of the writes since then happened to reach the disk.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import apsw

SECTOR = 512


class PowerDisk(apsw.VFS):
    """Register it by making it; `name` is what connections ask for. It dies by itself at write or sync `dies_at`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dies_at: int | None = None
        self.operations = 0
        self.dead = False
        self._durable: dict[str, bytearray] = {}
        self._pending: dict[str, list[tuple[int, bytes] | int]] = {}
        super().__init__(name, "unix")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        """Opens a file, and begins to watch it."""
        self._step(counts=False)
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        if not self._pending.get(path):
            self._durable[path] = bytearray(Path(path).read_bytes()) if Path(path).exists() else bytearray()
            self._pending[path] = []
        return _File(self, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001 (SQLite's signature)
        """Deletes a file, at once and for good."""
        self._step(counts=True)
        self._durable.pop(filename, None)
        self._pending.pop(filename, None)
        super().xDelete(filename, syncdir)

    def excepthook(self, *_error: object) -> bool:
        """Says nothing: a dead disk has nobody to tell."""
        return True

    def write(self, path: str, content: bytes, offset: int) -> None:
        """A write reached the cache."""
        self._step(counts=True)
        self._pending[path].append((offset, content))

    def truncate(self, path: str, size: int) -> None:
        """A truncation reached the cache."""
        self._step(counts=True)
        self._pending[path].append(size)

    def sync(self, path: str) -> None:
        """All of it reached the disk."""
        self._step(counts=True)
        for change in self._pending[path]:
            _apply(self._durable[path], change)
        self._pending[path].clear()

    def lose_power(self, random: Random) -> None:
        """Everything stops; the files hold what was durable and a random part of the rest. All files must be closed."""
        for path, durable in self._durable.items():
            for change in self._pending[path]:
                for part in _sectors(change):
                    if random.random() < random.choice((0.0, 0.5, 1.0)):
                        _apply(durable, part)
            self._pending[path].clear()
            if Path(path).exists():
                Path(path).write_bytes(durable)
        for folder in {Path(path).parent for path in self._durable}:
            for shared in folder.glob("*-shm"):
                shared.unlink()
        self.dead, self.dies_at, self.operations = False, None, 0

    def _step(self, *, counts: bool) -> None:
        self.operations += counts
        if self.dies_at is not None and self.operations >= self.dies_at:
            self.dead = True
        if self.dead:
            raise apsw.IOError("the power is out")


class _File(apsw.VFSFile):
    def __init__(self, disk: PowerDisk, path: str, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._path = path
        super().__init__("unix", name, flags)

    def excepthook(self, *_error: object) -> bool:
        return True

    def xWrite(self, data: Any, offset: int) -> None:
        self._disk.write(self._path, bytes(data), offset)
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._disk.truncate(self._path, newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        self._disk.sync(self._path)
        super().xSync(flags)


def _sectors(change: tuple[int, bytes] | int) -> list[tuple[int, bytes] | int]:
    if isinstance(change, int):
        return [change]
    offset, content = change
    cuts = [0, *range(SECTOR - offset % SECTOR, len(content), SECTOR), len(content)]
    return [(offset + start, content[start:end]) for start, end in pairwise(cuts)]


def _apply(durable: bytearray, change: tuple[int, bytes] | int) -> None:
    if isinstance(change, int):
        del durable[change:]
        return
    offset, content = change
    if len(durable) < offset:
        durable.extend(bytes(offset - len(durable)))
    durable[offset : offset + len(content)] = content
