"""`fucai import registry` before a real registry: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.registry.serving import Running

OUTLETS = """outlet_id,valid_from,name,agent_id,zone_id,district_code,mgmt_area,format,channel_class,opened,closed
001,2024-01-01,a,,Z99,,,,,2024-01-01,
"""


def run(*arguments: str, registry: str = "127.0.0.1:1") -> subprocess.CompletedProcess[str]:
    """Run the command as a user would."""
    environ = {**os.environ, "FUCAI_REGISTRY": registry}
    command = [sys.executable, "-m", "fucai.cli", "import", "registry", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_sample_set_then_bad_file(registry: Running, tmp_path: Path) -> None:
    """The sample set is stored with a table of what changed; a bad file is told line by line; codes 0 and 65."""
    first = run("--sample", registry=registry.address)
    assert first.returncode == os.EX_OK, first.stderr
    assert "zones          54          0          0" in first.stdout
    again = run("--sample", registry=registry.address)
    assert again.returncode == os.EX_OK
    assert "nothing changed" in again.stdout
    told = json.loads(run("--sample", "--json", registry=registry.address).stdout)
    assert [row["unchanged"] for row in told["rows"] if row["table"] == "zones"] == [54]
    assert (told["total"]["added"], told["facts"]["revision"]) == (0, 2)
    (tmp_path / "outlets.csv").write_text(OUTLETS, encoding="utf-8")
    bad = run(str(tmp_path), registry=registry.address)
    assert bad.returncode == os.EX_DATAERR
    assert "nothing was stored" in bad.stderr
    listed = bad.stdout + bad.stderr
    assert all(word in listed for word in ("outlets.csv", "2", "zone_id", "Z99", "no known zone"))
    assert registry.snapshot()[0].revision == 2


def test_exit_codes_without_a_registry(tmp_path: Path) -> None:
    """A missing path is 66, a folder without CSV 66, no path 64, and no registry 69."""
    (tmp_path / "outlets.csv").write_text(OUTLETS, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    assert run(str(tmp_path / "nowhere")).returncode == os.EX_NOINPUT
    assert run(str(tmp_path / "empty")).returncode == os.EX_NOINPUT
    assert run().returncode == os.EX_USAGE
    assert run(str(tmp_path)).returncode == os.EX_UNAVAILABLE
