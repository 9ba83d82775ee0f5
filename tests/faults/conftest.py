"""One channel for all cases: it is mended after each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.building import open_channel
from tests.faults.runner import Runner


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """Runs cases."""
    with open_channel(tmp_path_factory.mktemp("channel")) as channel:
        yield Runner(channel)
