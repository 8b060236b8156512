"""Assembles the documents service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.documents import handlers, routes
from services.documents.custody import Custody
from services.documents.retention import Retention
from services.documents.scanner import Scanner
from services.documents.settings import DocumentsSettings
from services.documents.workers import Workers
from shared.runtime.auth import TokenVerifier
from shared.runtime.bus import Brokers, Bus
from shared.runtime.logs import log
from shared.runtime.objects import ObjectStore
from shared.runtime.service import serve, service_app


def build(settings: DocumentsSettings, brokers: Brokers | None = None) -> FastAPI:
    """The whole service; ``brokers`` are given only by tests."""
    registry = CollectorRegistry()
    store = ObjectStore(settings)
    bus = Bus("documents", settings, registry, brokers)
    workers = Workers(settings)
    scanner = Scanner(settings.clamav_url) if settings.clamav_url else None
    retention = Retention(store, settings)
    custody = Custody(store, workers, scanner, retention)
    handlers.register(bus, custody)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if scanner is None:
            log.warning("letters are not scanned: no scanner is set")
        try:
            await workers.start()
            await retention.look()
            await bus.start()
            yield
        finally:
            await bus.stop()
            await workers.stop()
            store.close()

    return service_app(
        title="POR Desk documents",
        description="Checks letters and serves them to their owner and to staff.",
        registry=registry,
        lifespan=lifespan,
        checks={
            "rabbitmq": bus.ready,
            "object_store": store.ping,
            **({"scanner": scanner.ready} if scanner else {}),
        },
        routers=(routes.router(custody, TokenVerifier(settings)),),
    )


if __name__ == "__main__":
    serve("documents", DocumentsSettings, build)
