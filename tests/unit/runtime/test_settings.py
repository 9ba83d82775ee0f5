"""Settings: what a process accepts from its environment, and what it says about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fucai.runtime.settings import ServiceSettings, SettingsError, split_address


class OutletSettings(ServiceSettings):
    """A service's own settings beside the shared ones."""

    past_days: int = 62


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ServiceSettings.model_fields:
        monkeypatch.delenv(f"FUCAI_{name.upper()}", raising=False)


def test_defaults_are_the_local_stack() -> None:
    """An empty environment means the local stack."""
    settings = ServiceSettings.from_env()
    assert (settings.kafka, settings.clickhouse) == ("127.0.0.1:19000", "http://127.0.0.1:19002")
    assert settings.zone.key == "Asia/Shanghai"


def test_subclass_reads_its_own_variables_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service's fields come from the same prefix."""
    monkeypatch.setenv("FUCAI_PAST_DAYS", "3")
    monkeypatch.setenv("FUCAI_KAFKA", "a:1, b:2")
    settings = OutletSettings.from_env()
    assert (settings.past_days, settings.kafka) == (3, "a:1, b:2")


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("KAFKA", "broker", "host:port"),
        ("KAFKA", "a:1,b", "host:port"),
        ("GRPC", "127.0.0.1:70000", "host:port"),
        ("GRPC", ":19010", "host:port"),
        ("CLICKHOUSE", "127.0.0.1:19002", "http://host:port"),
        ("CLICKHOUSE", "native://x", "http://host:port"),
        ("DATABASE", "fucai; DROP", "letters, digits"),
        ("TIMEZONE", "Mars/Olympus", "IANA"),
        ("CURRENCY", "yuan", "ISO 4217"),
        ("INSTANCE", "collector 0", "letters, digits"),
        ("PARTITIONS", "0", "greater than or equal to 1"),
        ("LOG_LEVEL", "loud", "'debug', 'info'"),
        ("PAST_DAYS", "soon", "valid integer"),
    ],
)
def test_bad_value_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, remedy: str
) -> None:
    """An unusable variable is told by name and value, with what to write instead."""
    monkeypatch.setenv(f"FUCAI_{variable}", value)
    with pytest.raises(SettingsError) as caught:
        OutletSettings.from_env()
    [problem] = caught.value.problems
    assert problem.startswith(f"FUCAI_{variable}={value}: ")
    assert remedy in problem


def test_every_bad_value_has_its_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All problems are told at once, one a line, and the process ends with EX_CONFIG."""
    monkeypatch.setenv("FUCAI_KAFKA", "broker")
    monkeypatch.setenv("FUCAI_CURRENCY", "yuan")
    with pytest.raises(SystemExit) as caught:
        ServiceSettings.from_env_or_exit()
    assert caught.value.code == 78
    assert [line.split("=")[0] for line in capsys.readouterr().err.splitlines()] == ["FUCAI_KAFKA", "FUCAI_CURRENCY"]


def test_password_in_a_url_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused address does not put its password into the log."""
    monkeypatch.setenv("FUCAI_CLICKHOUSE", "ftp://user:geheim@host")
    with pytest.raises(SettingsError) as caught:
        ServiceSettings.from_env()
    assert "geheim" not in str(caught.value)
    assert "ftp://***@host" in str(caught.value)


@given(host=st.sampled_from(["127.0.0.1", "localhost", "::1", "collector.fucai.svc"]), port=st.integers(0, 65535))
def test_address_splits_into_its_parts(host: str, port: int) -> None:
    """Host and port come back from the written address, bracketed where the host has colons."""
    written = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    assert split_address(written) == (host, port)


@given(port=st.integers(min_value=65536))
def test_port_beyond_the_range_is_refused(port: int) -> None:
    """A port has 16 bits."""
    with pytest.raises(ValueError, match="host:port"):
        split_address(f"localhost:{port}")
