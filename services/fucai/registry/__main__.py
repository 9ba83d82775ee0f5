"""The registry process: one connection to ClickHouse, the registry in memory, and the gRPC service before it."""

from __future__ import annotations

from fucai.registry.mirror import Mirror
from fucai.registry.service import RegistryService
from fucai.registry.store import Store
from fucai.runtime.service import Service, run
from fucai.runtime.settings import ServiceSettings
from fucai.v1.registry_pb2_grpc import add_RegistryServiceServicer_to_server


async def build(service: Service[ServiceSettings]) -> None:
    """Wires the process."""
    settings = service.settings
    store = Store(settings.clickhouse, settings.database, log_comment=f"fucai {settings.instance}")
    service.closing(store.close)
    mirror = Mirror(store, service.log)
    service.closing(mirror.close)
    watching = service.progress("store", silent_after_s=90.0)
    service.background("store", mirror.watch(watching))
    service.add(add_RegistryServiceServicer_to_server, RegistryService(mirror, store))


if __name__ == "__main__":
    run("registry", ServiceSettings, build)
