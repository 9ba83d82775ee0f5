"""Small disks that fill up: a tmpfs mounted over a folder. Needs the right to mount."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

MIB = 1024 * 1024


def can_mount(folder: Path) -> bool:
    """Whether this process may mount: root on a machine of its own may, root in most containers may not."""
    folder.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], check=False, capture_output=True).returncode:  # noqa: S607
        return False
    _unmount(folder)
    return True


@contextmanager
def small_disk(folder: Path, *, spare_mb: int) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Put what a folder holds on a disk of its own with so much room to spare; afterwards it is as before.

    Nothing may use the folder at the beginning and at the end. Yields what fills the disk while its block runs.
    """
    kept = folder.with_name(f"{folder.name}.kept")
    size = sum(file.stat().st_blocks * 512 for file in folder.rglob("*")) + spare_mb * MIB
    _copy(folder, kept)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)  # noqa: S607
    _copy(kept, folder)
    try:
        yield lambda: _filled(folder)
    finally:
        shutil.rmtree(kept)
        _copy(folder, kept)
        _unmount(folder)
        shutil.rmtree(folder)
        kept.rename(folder)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Take every free byte."""
    filler = folder / "filler"
    with filler.open("wb") as file:
        while room := os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), room)
            except OSError:  # someone was faster
                continue
    try:
        yield
    finally:
        filler.unlink()


def _copy(source: Path, target: Path) -> None:
    """Copy a folder's content; files with holes, as Kafka has them, stay so."""
    target.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", "--sparse=always", f"{source}/.", str(target)], check=True)  # noqa: S607


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607
