"""The digest chained over a terminal's events, and over its statements: what makes a changed past show. No keys here.

The formula is part of the contract: see SalesBatch.digest and SignedStatement in protos/fucai/v1.
"""

from __future__ import annotations

from hashlib import sha256

from fucai.v1 import sales_pb2

DIGEST_BYTES = 32
SIGNED_PREFIX = b"fucai.v1.Statement\x00"
"""What a terminal signs is this, followed by the statement's content."""


def chain_start(terminal_id: str, epoch: int) -> bytes:
    """D(0): the digest of an epoch without events, 32 bytes."""
    return sha256(b"fucai.v1.chain\x00" + terminal_id.encode() + b"\x00" + str(epoch).encode()).digest()


def event_bytes(event: sales_pb2.SalesEvent) -> bytes:
    """An event as it enters the chain: known fields in rising order, defaults left out."""
    return event.SerializeToString(deterministic=True)


def chain_next(digest: bytes, event: bytes) -> bytes:
    """D(n) from D(n-1) and the n-th event as `event_bytes` gives it."""
    return sha256(digest + event).digest()


def content_digest(content: bytes) -> bytes:
    """What the next statement of a terminal names as the one before it: SHA-256 of its content."""
    return sha256(content).digest()
