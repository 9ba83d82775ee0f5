"""What stays out of the log even at debug level: libraries that would write whole records and queries into it."""

from __future__ import annotations

import logging

import pytest

from fucai.runtime.telemetry import configure_logging


@pytest.mark.parametrize("level", ["debug", "info"])
@pytest.mark.parametrize("name", ["kafka.net", "kafka.producer.kafka", "clickhouse_connect.driver", "urllib3", "grpc"])
def test_libraries_write_no_contents_at_any_level(name: str, level: str) -> None:
    """Kafka's client would log the bytes of requests, with events of sealed draws in them."""
    configure_logging(service="test", instance="0", level=level)
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert logging.getLogger(name).isEnabledFor(logging.WARNING)
