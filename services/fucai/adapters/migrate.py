"""Brings a ClickHouse database to the newest schema: forward only, numbered, checksummed. Rewrites nothing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_DURABLE = (
    "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, "
    "deduplicate_merge_projection_mode = 'rebuild', non_replicated_deduplication_window = 0"
)


class SchemaError(ValueError):
    """The database and this version of the suite do not fit together."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of SQL."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What may never change once events are stored: the business time zone and the currency (ISO 4217)."""

    timezone: str
    currency: str


def packaged_migrations() -> list[Migration]:
    """Return the migrations of this version, by number.

    Raises:
        SchemaError: the numbers are not 1, 2, 3, ...
    """
    found = [
        Migration(int(match[1]), entry.name, entry.read_text(encoding="utf-8"))
        for entry in files("fucai.adapters").joinpath("schema").iterdir()
        if (match := _NAME.match(entry.name))
    ]
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        message = f"migrations are numbered {numbers}, expected 1 to {len(found)} without a hole"
        raise SchemaError(message)
    return found


def render(text: str, *, database: str, timezone: str, cluster: str = "") -> list[str]:
    """Return the statements of a migration for one node, or for every node of `cluster`."""
    replicated = "Replicated" if cluster else ""
    filled = Template(text).substitute(
        database=database,
        timezone=timezone,
        on_cluster=f"ON CLUSTER '{cluster}'" if cluster else "",
        merge_tree=f"{replicated}MergeTree",
        replacing_merge_tree=f"{replicated}ReplacingMergeTree",
        durable=_DURABLE,
    )
    bare = "\n".join(line for line in filled.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in re.split(r";\s*(?:\n|$)", bare) if statement.strip()]


def migrate(client: Client, *, database: str, store: StoreSettings, cluster: str = "") -> list[str]:
    """Bring `database` to the newest schema and return the names of the migrations applied; none if it was there.

    Safe to repeat, also after it was killed half-way: every statement may run twice.

    Raises:
        SchemaError: a migration applied before has changed since, the database is newer than this version, or the
            time zone or currency differs from what the store was created with.
        ClickHouseError: the server refuses a statement or is away.
    """
    on_cluster = f"ON CLUSTER '{cluster}'" if cluster else ""
    client.command(f"CREATE DATABASE IF NOT EXISTS {_quoted(database)} {on_cluster}")
    client.database = database
    client.command(
        f"CREATE TABLE IF NOT EXISTS schema_migrations {on_cluster} (number UInt32, name String, checksum String, "
        f"applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')) "
        f"ENGINE = {'Replicated' if cluster else ''}MergeTree ORDER BY number"
    )
    known = packaged_migrations()
    applied = _applied(client)
    newest = max(applied, default=0)
    if newest > len(known):
        message = f"database {database} has migration {newest}, this version knows {len(known)}: install a newer fucai"
        raise SchemaError(message)
    done = []
    for migration in known:
        if migration.number in applied:
            if applied[migration.number] != migration.checksum:
                message = (
                    f"migration {migration.name} was applied with another content: released migrations never change"
                )
                raise SchemaError(message)
            continue
        for statement in render(migration.text, database=database, timezone=store.timezone, cluster=cluster):
            client.command(statement)
        client.command(
            "INSERT INTO schema_migrations (number, name, checksum) "
            "VALUES ({number:UInt32}, {name:String}, {checksum:String})",
            {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
        )
        done.append(migration.name)
    _fix_settings(client, store)
    return done


def read_store_settings(client: Client) -> StoreSettings:
    """Return what the store was created with.

    Raises:
        SchemaError: the database was never migrated.
    """
    rows = client.query("SELECT name, value FROM store_settings").result_rows
    values = {str(name): str(value) for name, value in rows}
    try:
        return StoreSettings(values["timezone"], values["currency"])
    except KeyError as missing:
        message = f"database {client.database} has no setting {missing}: run `fucai migrate` first"
        raise SchemaError(message) from missing


def _applied(client: Client) -> dict[int, str]:
    """Return the checksums of the migrations applied, by number."""
    rows = client.query("SELECT number, checksum FROM schema_migrations").result_rows
    return {int(number): str(checksum) for number, checksum in rows}


def _fix_settings(client: Client, store: StoreSettings) -> None:
    """Record the store's settings once; refuse others afterwards."""
    rows = client.query("SELECT name, value FROM store_settings").result_rows
    found = {str(name): str(value) for name, value in rows}
    for name, value in (("timezone", store.timezone), ("currency", store.currency)):
        if name not in found:
            row = {"name": name, "value": value}
            client.command("INSERT INTO store_settings (name, value) VALUES ({name:String}, {value:String})", row)
        elif found[name] != value:
            message = (
                f"the store was created with {name} {found[name]}, configured is {value}: it can never change, "
                f"set FUCAI_{name.upper()}={found[name]} or use another database"
            )
            raise SchemaError(message)


def _quoted(identifier: str) -> str:
    """Return an identifier in backticks.

    Raises:
        SchemaError: it has characters no database name of ours has.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", identifier):
        message = f"database name {identifier!r}: use letters, digits and underscores"
        raise SchemaError(message)
    return f"`{identifier}`"
