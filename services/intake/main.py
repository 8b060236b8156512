"""Assembles the intake gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.intake import catalogue_routes, forwards, paper_routes, routes, work_forwards
from services.intake.catalogue import load_catalogue
from services.intake.counter import Counter
from services.intake.doorman import Allowance, Doorman
from services.intake.holds import Holds
from services.intake.letterbox import Letterbox
from services.intake.owners import CONNECTIONS, Owner
from services.intake.pipeline import Pipeline
from services.intake.places import Places
from services.intake.reception import Reception
from services.intake.replies import Replies
from services.intake.sealing import Sealer, read_keys
from services.intake.settings import IntakeSettings
from services.intake.waiting import WaitingRoom
from shared.asyncapi import asyncapi_document
from shared.contracts.tickets import TicketOpened
from shared.contracts.transfer_forms import REQUEST_TYPE
from shared.runtime.auth import TokenVerifier
from shared.runtime.bus import Brokers, Bus
from shared.runtime.objects import ObjectStore
from shared.runtime.service import serve, service_app

DESCRIPTION = (
    "The API behind the producer portal: submit requests, follow their tickets, read their letters. "
    "Errors are RFC 9457 problem details."
)


def build(settings: IntakeSettings, brokers: Brokers | None = None) -> FastAPI:
    """The whole gateway; ``brokers`` are given only by tests."""
    registry = CollectorRegistry()
    store = ObjectStore(settings)
    bus = Bus("intake", settings, registry, brokers)
    waiting = WaitingRoom()
    bus.listen("ticket.opened", TicketOpened, waiting.announce)
    tickets = Owner("tickets", settings.tickets_url, settings.forward_timeout)
    documents = Owner("documents", settings.documents_url, settings.forward_timeout)
    letterbox, pipeline = Letterbox(store), Pipeline(bus)
    catalogue = load_catalogue(settings.request_types, settings.portal_name)
    holds = Holds(settings.holds_file, catalogue, registry)
    counter = Counter(catalogue, holds, Sealer(read_keys(settings.field_keys_file)))
    reception = Reception(counter, letterbox, pipeline, waiting, tickets)
    replies = Replies(catalogue, letterbox, pipeline, tickets)
    doorman = Doorman(TokenVerifier(settings), Allowance(settings.rate_per_second, settings.rate_burst))
    uploads, downloads = Places(settings.max_uploads, "uploads"), Places(CONNECTIONS, "downloads")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await bus.start()
        try:
            yield
        finally:
            await bus.stop()
            await tickets.close()
            await documents.close()
            store.close()

    app = service_app(
        title="POR Desk",
        description=DESCRIPTION,
        registry=registry,
        lifespan=lifespan,
        checks={"rabbitmq": bus.ready, "object_store": store.ping},
        routers=(
            routes.router(reception, replies, doorman, uploads, settings),
            catalogue_routes.router(reception, doorman, settings),
            paper_routes.router(catalogue.types.get(REQUEST_TYPE), settings.portal_name, doorman),
            forwards.router(tickets, documents, doorman, downloads),
            work_forwards.router(tickets, doorman),
        ),
    )

    @app.get("/asyncapi.json", include_in_schema=False)
    async def asyncapi() -> dict[str, object]:
        return asyncapi_document()

    return app


if __name__ == "__main__":
    serve("intake", IntakeSettings, build)
