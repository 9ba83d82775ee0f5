"""Becomes a real broker that some clients reach by proxies: `python -m tests.faults.broker DIR PORT CONTROLLER ...`.

A Kafka client connects to where the broker says it is, so a proxy in front of the bootstrap address alone would be left
at once. Each further argument, LISTENER=ADVERTISED, adds a listener that tells its clients another port: the proxy's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from fucai.devstack import kafka


def main(arguments: Sequence[str]) -> None:
    """Take the broker's own settings, add the listeners, and become the broker."""
    folder, port, controller = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    detours = [tuple(map(int, pair.split("="))) for pair in arguments[3:]]
    usual = kafka.write_properties

    def write_properties(data: Path, port: int, controller_port: int) -> Path:
        path = usual(data, port, controller_port)
        names = [f"DETOUR{number}" for number in range(len(detours))]
        listeners = [f"{name}://127.0.0.1:{listener}" for name, (listener, _) in zip(names, detours, strict=True)]
        advertised = [f"{name}://127.0.0.1:{proxy}" for name, (_, proxy) in zip(names, detours, strict=True)]
        protocols = [f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *names)]
        plain = f"PLAINTEXT://127.0.0.1:{port}"
        more = {
            "listeners": ",".join([plain, f"CONTROLLER://127.0.0.1:{controller_port}", *listeners]),
            "advertised.listeners": ",".join([plain, *advertised]),
            "listener.security.protocol.map": ",".join(protocols),
            "inter.broker.listener.name": "PLAINTEXT",
        }
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in more.items())
        return path

    kafka.write_properties = write_properties
    kafka.run(folder, port, controller)


if __name__ == "__main__":
    main(sys.argv[1:])
