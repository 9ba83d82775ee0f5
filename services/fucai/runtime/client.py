"""Channels to the suite's services, with the limits and keepalive that the servers expect. Adds no retries."""

from __future__ import annotations

import grpc
import grpc.aio

MAX_ANSWER_BYTES = 16 * 1024 * 1024

_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    ("grpc.max_send_message_length", MAX_ANSWER_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),  # else gRPC waits a minute for each ping
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
]


def connect(target: str) -> grpc.aio.Channel:
    """An asyncio channel to "host:port"; it connects at the first call and reconnects within 5 s. Close it."""
    return grpc.aio.insecure_channel(target, options=_OPTIONS)


def connect_blocking(target: str) -> grpc.Channel:
    """As `connect`, for programs without an event loop."""
    return grpc.insecure_channel(target, options=_OPTIONS)
