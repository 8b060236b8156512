"""Assembles the tickets service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.tickets import handlers, routes, work_routes
from services.tickets.desk import Desk
from services.tickets.live import Live
from services.tickets.outbox import Outbox
from services.tickets.queue import Queue
from services.tickets.settings import TicketsSettings
from services.tickets.store import StoreError, TicketStore
from services.tickets.work import Work
from shared.runtime.auth import TokenVerifier
from shared.runtime.bus import Brokers, Bus
from shared.runtime.event_log import EventLog
from shared.runtime.service import serve, service_app


def build(settings: TicketsSettings, brokers: Brokers | None = None) -> FastAPI:
    """The whole service; ``brokers`` are given only by tests."""
    registry = CollectorRegistry()
    store = TicketStore(settings.mongodb_url.get_secret_value(), settings.mongodb_database)
    bus = Bus("tickets", settings, registry, brokers)
    outbox = Outbox(store, bus, settings.sweep_seconds)
    desk, queue, verifier = Desk(store, outbox), Queue(store), TokenVerifier(settings)
    live = Live(EventLog("tickets", settings.amqp_url.get_secret_value()))
    handlers.register(bus, desk)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await store.prepare()
        await bus.start()
        sweeper = asyncio.create_task(outbox.sweep_forever())
        follower = asyncio.create_task(live.follow_forever())
        try:
            yield
        finally:
            sweeper.cancel()
            follower.cancel()
            await bus.stop()
            # It may have a lease to give back, for which the store must still be there.
            await asyncio.wait([sweeper, follower])
            store.close()

    return service_app(
        title="POR Desk tickets",
        description="Numbers the tickets and tracks their status.",
        registry=registry,
        lifespan=lifespan,
        checks={"rabbitmq": bus.ready, "mongodb": store.ping},
        routers=(
            routes.router(desk, queue, live, verifier),
            work_routes.router(Work(desk, store, outbox), queue, verifier),
        ),
        away=(StoreError,),
    )


if __name__ == "__main__":
    serve("tickets", TicketsSettings, build)
