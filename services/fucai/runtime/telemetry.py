"""Structured logs to stderr, and the process's own metrics registry. No global registry, no log files."""

from __future__ import annotations

import logging
import platform
import sys
from importlib import metadata

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics import Info
from structlog.typing import FilteringBoundLogger, Processor

DISTRIBUTION = "fucai-channel"

# Loggers of libraries whose INFO is chatter: one line per connection or poll.
_CHATTY = ("kafka", "clickhouse_connect", "urllib3", "grpc", "asyncio")


def version() -> str:
    """The installed version of the suite; "0+unknown" in a tree that was never installed."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "0+unknown"


def configure_logging(*, service: str, instance: str, level: str = "info", style: str = "json") -> FilteringBoundLogger:
    """Sends structlog's and the standard library's records to stderr in one form, and returns the service's logger.

    Each record has `timestamp` (ISO 8601, UTC), `level`, `event`, `service`, `instance`. `style` is json or console.
    Call it once, at the start of a process: logging is global in Python.
    """

    def name_process(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.setdefault("service", service)
        event.setdefault("instance", instance)
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        name_process,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    rendering: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if style == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    threshold = logging.getLevelName(level.upper())
    logging.basicConfig(level=threshold, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger(service)
    return logger


def process_registry(*, service: str, instance: str) -> CollectorRegistry:
    """A new registry with the process, platform, garbage collector and `fucai_build_info` metrics in it.

    Give it to every metric: `Counter(name, help, registry=registry)`. There is no global one.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    build = Info("fucai_build", "Version of the suite and of Python that this process runs.", registry=registry)
    build.info(
        {"service": service, "instance": instance, "version": version(), "python": platform.python_version()},
    )
    return registry
