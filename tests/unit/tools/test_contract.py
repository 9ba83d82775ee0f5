"""The guard of the generated code: what counts as stale."""

from __future__ import annotations

from pathlib import Path

from tools.contract import GENERATED, PACKAGE, SERVICES, generate, stale


def test_committed_code_is_what_the_contract_generates(tmp_path: Path) -> None:
    """Generating twice gives the committed files, all of them and no other."""
    generate(tmp_path)
    assert any(GENERATED.fullmatch(path.name) for path in (tmp_path / PACKAGE).iterdir())
    assert stale(tmp_path / PACKAGE, SERVICES / PACKAGE) == []


def test_every_kind_of_staleness_is_told(tmp_path: Path) -> None:
    """A missing, a left-over and a changed file are named; files that are not generated do not matter."""
    fresh, committed = tmp_path / "fresh", tmp_path / "committed"
    for folder, content in [
        (fresh, {"a_pb2.py": "1", "b_pb2.py": "1"}),
        (committed, {"b_pb2.py": "2", "c_pb2.pyi": ""}),
    ]:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    (committed / "__init__.py").write_text("")
    assert [problem.split(",")[0].split(" of")[0] for problem in stale(fresh, committed)] == [
        "a_pb2.py: is missing",
        "b_pb2.py: 5 lines",
        "c_pb2.pyi: no .proto file makes it any more",
    ]
