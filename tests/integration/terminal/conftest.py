"""What the terminal's integration tests share."""

from __future__ import annotations

import pytest

from tests.support.ports import free_ports


@pytest.fixture
def unused_port() -> int:
    """A port that nothing listens on."""
    return free_ports(1)[0]
