"""Guards the released migrations: `check` fails when one was changed or a number is missing, `release` records all.

Not part of the product; called by make. What runs them is fucai.adapters.migrate.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SCHEMA = Path(__file__).resolve().parent.parent / "services/fucai/adapters/schema"
CHECKSUMS = "checksums.txt"
NAME = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of each migration in `folder`, by name; other .sql files are templates and may change."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("[0-9]*.sql"))}


def released(folder: Path) -> dict[str, str]:
    """The recorded checksums by name (the format of sha256sum); none before the first release."""
    record = folder / CHECKSUMS
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return {name: checksum for checksum, name in (line.split() for line in lines)}


def problems(present: Mapping[str, str], recorded: Mapping[str, str]) -> list[str]:
    """What breaks the rules, in words; empty when all is well."""
    found = [f"{name}: write it as NNNN_name.sql" for name in present if not NAME.fullmatch(name)]
    numbers = sorted(int(match[1]) for name in present if (match := NAME.fullmatch(name)))
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"numbers are {numbers}: count 1, 2, 3, ... without a gap or a repetition")
    for name, checksum in recorded.items():
        if name not in present:
            found.append(f"{name}: was released and is gone; bring it back")
        elif present[name] != checksum:
            found.append(f"{name}: was released and is changed; bring it back, and write the change as a new migration")
    return found


def main(arguments: Sequence[str]) -> int:
    """Runs one of the commands; 0 when all is well, 65 when a rule is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["check", "release"])
    command = parser.parse_args(arguments).command
    present = checksums(SCHEMA)
    found = problems(present, released(SCHEMA))
    for problem in found:
        print(f"{SCHEMA.name}/{problem}", file=sys.stderr)
    if found:
        return os.EX_DATAERR
    if command == "release":
        lines = [f"{checksum}  {name}\n" for name, checksum in present.items()]
        (SCHEMA / CHECKSUMS).write_text("".join(lines), encoding="utf-8")
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
