"""Assembles the notifier service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.notifier import handlers
from services.notifier.ledger import CLAIM_MARGIN, Ledger
from services.notifier.mailer import Mailer
from services.notifier.settings import NotifierSettings
from shared.runtime.auth import TokenVerifier
from shared.runtime.bus import Brokers, Bus
from shared.runtime.service import serve, service_app


def build(settings: NotifierSettings, brokers: Brokers | None = None) -> FastAPI:
    """The whole service; ``brokers`` are given only by tests."""
    registry = CollectorRegistry()
    TokenVerifier(settings)  # no route of its own, but the same refusal of a development key
    claim = timedelta(seconds=settings.smtp_timeout) + CLAIM_MARGIN
    ledger = Ledger(settings.mongodb_url.get_secret_value(), settings.mongodb_database, claim)
    mailer = Mailer(settings)
    bus = Bus("notifier", settings, registry, brokers)
    handlers.register(bus, ledger, mailer)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await bus.start()
        try:
            yield
        finally:
            await bus.stop()
            await mailer.close()
            ledger.close()

    return service_app(
        title="POR Desk notifier",
        description="Mails the producer at every change of status.",
        registry=registry,
        lifespan=lifespan,
        checks={"rabbitmq": bus.ready, "mongodb": ledger.ping},
    )


if __name__ == "__main__":
    serve("notifier", NotifierSettings, build)
