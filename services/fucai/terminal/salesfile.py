"""Reads the lines of a CSV file, plain or gzip, and writes those that were rejected beside it. Judges no values."""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from fucai.runtime.errors import FatalError
from fucai.terminal.columns import REJECT_COLUMNS

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the file: the number of its last line, its fields, and what the CSV form itself breaks."""

    number: int
    fields: list[str]
    fault: str = ""


class SalesFile:
    """An open file: its header, its lines in order, and how far it was read in bytes. Use `open_sales_file`."""

    def __init__(self, path: Path, raw: IO[bytes], text: IO[str]) -> None:
        self.size = path.stat().st_size
        self._path = path
        self._raw = raw
        self._reader = csv.reader(text, strict=True)
        self.header = self._first()

    @property
    def position(self) -> int:
        """Bytes read so far, of `size`."""
        return self._raw.tell()

    def lines(self) -> Iterator[Line]:
        """The lines after the header; empty ones are passed over, malformed ones come with a fault.

        Raises:
            FatalError: 65, the file breaks off or cannot be unpacked.
        """
        while True:
            before = self._reader.line_num
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Line(self._reader.line_num, [], f"lines {before + 1} to {self._reader.line_num}: {error}")
                continue
            except (EOFError, OSError, zlib.error) as error:
                raise self._unreadable(error) from error
            if fields:
                yield Line(self._reader.line_num, fields)

    def _first(self) -> list[str]:
        try:
            return next(self._reader)
        except StopIteration as error:
            raise FatalError(f"{self._path} is empty; line 1 names the columns", exit_code=os.EX_DATAERR) from error
        except (csv.Error, EOFError, OSError, zlib.error) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> FatalError:
        return FatalError(
            f"{self._path} cannot be read after line {self._reader.line_num}: {error}; make the file anew",
            exit_code=os.EX_DATAERR,
        )


@contextmanager
def open_sales_file(path: Path) -> Iterator[SalesFile]:
    """Opens a file of UTF-8 text, unpacking gzip whatever its name. Bytes that are no UTF-8 stay, as surrogates.

    Raises:
        FatalError: 66, it is not there or may not be read; 65, it is empty or cannot be unpacked.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise FatalError(f"{path} cannot be read: {error.strerror}", exit_code=os.EX_NOINPUT) from error
    with raw:
        packed = raw.peek(len(_GZIP))[: len(_GZIP)] == _GZIP
        binary = gzip.GzipFile(fileobj=raw) if packed else raw
        with io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            yield SalesFile(path, raw, text)


class Rejects:
    """Collects rejected lines in FILE.rejected.csv, which comes into being with the first and is replaced whole."""

    def __init__(self, source: Path, header: Sequence[str]) -> None:
        name = source.name.removesuffix(".gz").removesuffix(".csv")
        self.path = source.with_name(f"{name}.rejected.csv")
        self.count = 0
        self._header = list(header)
        self._part: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._part is None:
            return
        self._part.close()
        part = Path(self._part.name)
        if kind is None:
            part.replace(self.path)
        else:
            part.unlink(missing_ok=True)

    def add(self, line: Line, reason: str) -> None:
        """Notes a line and why; missing fields are left empty, extra ones are told in the reason.

        Raises:
            FatalError: 73, the file cannot be made.
        """
        if self._part is None:
            self._part = self._start()
        self.count += 1
        own = self._own_columns()
        fields = [*line.fields, *[""] * own][:own]
        extra = line.fields[len(self._header) :]
        told = f"{reason}; extra: {extra}" if extra else reason
        csv.writer(self._part, lineterminator="\n").writerow([*fields, line.number, told])

    def _own_columns(self) -> int:
        again = tuple(self._header[-len(REJECT_COLUMNS) :]) == REJECT_COLUMNS
        return len(self._header) - (len(REJECT_COLUMNS) if again else 0)

    def _start(self) -> IO[str]:
        part = self.path.with_name(f"{self.path.name}.part")
        try:
            opened = part.open("w", encoding="utf-8", errors="surrogateescape", newline="")
        except OSError as error:
            raise FatalError(
                f"{part}, where rejected lines go, cannot be written: {error.strerror}; copy the file to a directory "
                "that you may write",
                exit_code=os.EX_CANTCREAT,
            ) from error
        csv.writer(opened, lineterminator="\n").writerow([*self._header[: self._own_columns()], *REJECT_COLUMNS])
        return opened
