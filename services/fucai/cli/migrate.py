"""`fucai migrate`: creates what is missing in Kafka and ClickHouse, and changes nothing that is there."""

from __future__ import annotations

import os

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from fucai.adapters.clickhouse import ClickHouseError, connect
from fucai.adapters.migrate import SchemaError, StoreSettings
from fucai.adapters.migrate import migrate as migrate_store
from fucai.adapters.topics import KafkaError, PartitionCountError, TopicLayout, ensure_topics
from fucai.cli.errors import CliError
from fucai.cli.out.act import AsJson, say
from fucai.cli.output import stderr_console
from fucai.runtime.settings import ServiceSettings


class MigrateSettings(ServiceSettings):
    """What a production store needs beyond the shared settings; one machine needs none of it."""

    replication: int = 1
    min_insync: int = 1
    cluster: str = ""


def migrate(*, json: AsJson = False) -> None:
    """Create topics, tables, projections and dictionaries that are missing; safe to repeat.

    Reads FUCAI_KAFKA, FUCAI_CLICKHOUSE, FUCAI_DATABASE, FUCAI_TIMEZONE, FUCAI_CURRENCY, FUCAI_PARTITIONS (fixed for
    ever; choose 48 in production), FUCAI_REPLICATION and FUCAI_MIN_INSYNC (3 and 2 in production), FUCAI_CLUSTER.
    The object of --json: created, the names of the topics and migrations that were missing.
    Exit codes: 0 all is there; 69 Kafka or ClickHouse is away; 78 what is there does not fit the settings.
    """
    settings = MigrateSettings.from_env_or_exit()
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type((ClickHouseError, KafkaError)),
            wait=wait_exponential(multiplier=0.2, max=2),
            stop=stop_after_delay(30),
        ):
            with attempt:
                done = _migrate(settings)
    except (SchemaError, PartitionCountError) as error:
        raise CliError(
            f"not migrated: {error}",
            hint="set the FUCAI_ variables as they were when the store was made (--help names them), and use the "
            "version that made it or a later one; a store for trial is made anew in another folder",
            exit_code=os.EX_CONFIG,
        ) from error
    except RetryError as error:
        cause = error.last_attempt.exception()
        raise CliError(
            f"not migrated: {cause}",
            hint=f"is Kafka at {settings.kafka} and ClickHouse at {settings.clickhouse}? `fucai up` starts both",
            exit_code=os.EX_UNAVAILABLE,
        ) from error
    talk = stderr_console()
    for name in done:
        talk.print(f"created {name}")
    talk.print("store and topics are up to date")
    if json:
        say({"created": done}, [], json=True)


def _migrate(settings: MigrateSettings) -> list[str]:
    """Bring both up to date and return the names of what was created."""
    layout = TopicLayout(settings.partitions, settings.replication, settings.min_insync)
    topics = ensure_topics(settings.kafka, layout)
    client = connect(settings.clickhouse, log_comment="fucai migrate")
    try:
        store = StoreSettings(settings.timezone, settings.currency)
        return [*topics, *migrate_store(client, database=settings.database, store=store, cluster=settings.cluster)]
    finally:
        client.close()
