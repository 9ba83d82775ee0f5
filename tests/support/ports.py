"""Ports for tests, from below those that the system gives away itself. Starts nothing that listens."""

from __future__ import annotations

import random
import socket

FIRST, BEYOND = 20_000, 32_000
"""Linux takes the near ends of connections, and ports for those who ask for any, from 32768 on."""

STACK = 100
"""Ports that a whole stack may use, from its base on."""

_reserved: list[socket.socket] = []


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on, reserved until this process ends: no other test process gets them.

    Raises:
        AssertionError: there are not so many.
    """
    start = random.randrange(FIRST, BEYOND)
    found: list[int] = []
    for port in (*range(start, BEYOND), *range(FIRST, start)):
        if len(found) == count:
            break
        if _reserve(port):
            found.append(port)
    assert len(found) == count, f"{len(found)} of {count} ports are free on 127.0.0.1 from {FIRST} to {BEYOND - 1}"
    return found


def free_port_base() -> int:
    """Return the first of a stack's ports, all free and reserved as those of `free_ports`.

    Raises:
        AssertionError: there are not so many in a row.
    """
    bases = range(FIRST, BEYOND, STACK)
    for base in random.sample(bases, len(bases)):
        if all(_reserve(base + offset) for offset in range(STACK)):
            return base
    raise AssertionError(f"no {STACK} ports in a row are free on 127.0.0.1 from {FIRST} to {BEYOND - 1}")


def _reserve(port: int) -> bool:
    """Whether the port is this caller's now: nobody else holds its UDP twin, and nothing listens on it."""
    twin = socket.socket(type=socket.SOCK_DGRAM)
    try:
        twin.bind(("127.0.0.1", port))
    except OSError:
        twin.close()
        return False
    _reserved.append(twin)
    return _is_free(port)


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
