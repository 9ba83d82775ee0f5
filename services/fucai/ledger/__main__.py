"""The ledger process: settings, wiring, serve."""

from __future__ import annotations

from pydantic import Field

from fucai.adapters.producer import Producer, ProducerSettings
from fucai.domain import topics
from fucai.domain.flood import FloodRule
from fucai.domain.validation import DAY_MS, Window
from fucai.ledger.metrics import SurveyCollector, SurveyMetrics
from fucai.ledger.registry import CurrentRegistry
from fucai.ledger.replay import Replayer
from fucai.ledger.schedule import Schedule
from fucai.ledger.sending import RecordSender
from fucai.ledger.service import LedgerService, Rules, utc_now
from fucai.ledger.store import Store
from fucai.ledger.survey import Survey, take_survey
from fucai.runtime.client import connect
from fucai.runtime.service import Service, run
from fucai.runtime.settings import ServiceSettings
from fucai.runtime.snapshot import Snapshot, fetch
from fucai.v1.ledger_pb2_grpc import add_LedgerServiceServicer_to_server

FETCH_SECONDS = 5.0
CLOSE_SECONDS = 3.0
MINUTE_MS = 60_000


class LedgerSettings(ServiceSettings):
    """What the ledger reads from FUCAI_* beside the shared settings."""

    queries: int = Field(default=4, ge=1, le=64, description="questions that are answered at the same time")
    survey_seconds: float = Field(default=30, ge=1, description="seconds between two surveys of the whole channel")
    silent_hours: float = Field(default=24, gt=0, description="hours without an event that make a terminal silent")
    flood_minutes: float = Field(default=60, gt=0, description="window over which quarantined events are counted")
    flood_count: int = Field(default=200, ge=1, description="so many of a terminal within the window are a flood")
    flood_share: float = Field(default=0.5, gt=0, le=1, description="so large a share of its events is a flood, too")
    flood_least: int = Field(default=20, ge=1, description="fewer quarantined events are no flood by their share")
    past_days: float = Field(
        default=62, gt=0, description="how old an event of a till may be; as the collectors have it"
    )
    ahead_seconds: float = Field(
        default=300, ge=0, description="how far an event may lie ahead; as the collectors have it"
    )
    snapshot_seconds: float = Field(default=3, gt=0, description="how often to ask the registry for changes")
    delivery_seconds: float = Field(default=20, ge=1, description="how long Kafka has to confirm a replayed record")

    @property
    def flood_rule(self) -> FloodRule:
        """When a terminal is in flood."""
        window_ms = int(self.flood_minutes * MINUTE_MS)
        return FloodRule(window_ms, self.flood_count, self.flood_share, self.flood_least)

    @property
    def window(self) -> Window:
        """How far an event may lie from the time of its receipt."""
        return Window(past_ms=int(self.past_days * DAY_MS), ahead_ms=int(self.ahead_seconds * 1000))


async def build(service: Service[LedgerSettings]) -> None:
    """Wires the parts, from the registry, the store and Kafka up to the surveys and the RPCs."""
    settings = service.settings
    channel = await service.enter(connect(settings.registry))

    async def fetch_snapshot(known_revision: int) -> Snapshot | None:
        return await fetch(channel, known_revision=known_revision, timeout_s=FETCH_SECONDS)

    registry = CurrentRegistry(
        fetch_snapshot,
        zone=settings.zone,
        window=settings.window,
        every_seconds=settings.snapshot_seconds,
        log=service.log,
    )
    service.background("registry", registry.keep_fresh(service.progress("registry")))

    store = Store(
        settings.clickhouse, settings.database, threads=settings.queries, log_comment=f"fucai {settings.instance}"
    )
    service.closing(store.close)

    producer = Producer(
        ProducerSettings(
            bootstrap=settings.kafka,
            client_id=settings.instance,
            topics=(topics.SALES,),
            delivery_seconds=settings.delivery_seconds,
        )
    )
    service.closing(lambda: producer.close(seconds=CLOSE_SECONDS))
    sender = RecordSender(producer, delivery_seconds=settings.delivery_seconds)
    replayer = Replayer(store, registry, sender, instance=settings.instance)

    async def survey() -> Survey:
        return await store.run(
            take_survey,
            registry.known,
            utc_now().astimezone(settings.zone),
            threshold_hours=settings.silent_hours,
            flood_rule=settings.flood_rule,
        )

    metrics, collector = SurveyMetrics(service.metrics), SurveyCollector(lambda: registry.known.embargo)
    service.metrics.register(collector)
    schedule = Schedule(
        survey,
        collector,
        metrics=metrics,
        progress=service.progress("survey"),
        log=service.log,
        interval_s=settings.survey_seconds,
    )
    service.background("survey", schedule.run())
    rules = Rules(settings.zone, settings.flood_rule)
    service.add(
        add_LedgerServiceServicer_to_server, LedgerService(store, registry, replayer, rules=rules, metrics=metrics)
    )


if __name__ == "__main__":
    run("ledger", LedgerSettings, build)
