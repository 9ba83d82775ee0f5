"""Keeps the contract's generated code in step with protos/: `generate` writes it, `check` fails when it is stale.

Not part of the product; called by make.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
SERVICES = ROOT / "services"
PACKAGE = Path("fucai/v1")
GENERATED = re.compile(r".+_pb2(_grpc)?\.pyi?")


def generate(into: Path) -> None:
    """Writes messages, stubs of messages, services and stubs of services of every .proto file below `into`.

    Raises:
        SystemExit: protoc refuses a file; it has said why on stderr.
    """
    sources = sorted(str(path.relative_to(PROTOS)) for path in (PROTOS / PACKAGE).glob("*.proto"))
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [
        "protoc",
        f"--proto_path={PROTOS}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        f"--python_out={into}",
        f"--mypy_out=quiet:{into}",
        f"--grpc_python_out={into}",
        f"--mypy_grpc_out=quiet,generate_concrete_servicer_stubs:{into}",
        *sources,
    ]
    if protoc.main(command) != 0:
        raise SystemExit(os.EX_DATAERR)


def stale(fresh: Path, committed: Path) -> list[str]:
    """What differs between the freshly generated files and the committed ones, in words."""
    wanted = {path.name: path.read_text(encoding="utf-8") for path in _generated(fresh)}
    present = {path.name: path.read_text(encoding="utf-8") for path in _generated(committed)}
    problems = [f"{name}: is missing" for name in wanted.keys() - present.keys()]
    problems += [f"{name}: no .proto file makes it any more" for name in present.keys() - wanted.keys()]
    for name in wanted.keys() & present.keys():
        changed = difflib.unified_diff(present[name].splitlines(), wanted[name].splitlines(), lineterm="", n=0)
        lines = list(changed)
        if lines:
            problems.append(f"{name}: {len(lines)} lines of difference, first {lines[3]!r}")
    return sorted(problems)


def _generated(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if GENERATED.fullmatch(path.name)] if folder.is_dir() else []


def main(arguments: Sequence[str]) -> int:
    """Runs one of the commands; 0 when the generated code is right, 65 when it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["generate", "check"])
    command = parser.parse_args(arguments).command
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        generate(fresh)
        if command == "check":
            problems = stale(fresh / PACKAGE, SERVICES / PACKAGE)
            for problem in problems:
                print(f"{SERVICES.name}/{PACKAGE}/{problem}; run `make protos`", file=sys.stderr)
            return os.EX_DATAERR if problems else os.EX_OK
        for path in _generated(SERVICES / PACKAGE):
            path.unlink()
        for path in _generated(fresh / PACKAGE):
            (SERVICES / PACKAGE / path.name).write_bytes(path.read_bytes())
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
