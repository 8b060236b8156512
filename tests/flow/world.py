"""All four services on one broker in memory, with their doors out replaced."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue, TestRabbitBroker

from services.documents import main as documents
from services.intake import main as gateway
from services.intake.owners import Owner
from services.notifier import main as notifier
from services.notifier.mailer import Mailer
from services.tickets import main as tickets
from services.tickets.store import Document
from shared import topology
from shared.contracts.envelope import CONTENT_TYPE, Event
from shared.runtime.failures import Transient
from tests.builders import FORM, pdf
from tests.flow.doubles import MemoryLedger, MemoryObjects, MemoryTickets, WorkersInProcess
from tests.identity import Provider, documents_settings, intake_settings, notifier_settings, tickets_settings


@dataclass
class World:
    """The desk as a test sees it: a door in, what came out, and what lies on the bus."""

    provider: Provider
    broker: RabbitBroker = field(default_factory=RabbitBroker)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    tickets: MemoryTickets = field(default_factory=MemoryTickets)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    mails: list[EmailMessage] = field(default_factory=list)
    smtp_is_up: bool = True
    passed: list[RabbitMessage] = field(default_factory=list)
    delayed: list[RabbitMessage] = field(default_factory=list)
    parked: list[RabbitMessage] = field(default_factory=list)
    apps: dict[str, FastAPI] = field(default_factory=dict)
    intake: dict[str, Any] = field(default_factory=dict)

    def build(self, patch: pytest.MonkeyPatch) -> None:
        """Build the services."""
        self._replace_doors(patch)
        keys, brokers = self.provider.key_file, (self.broker, self.broker)
        self._spy(topology.PIPELINE, ExchangeType.TOPIC, self.passed)
        self._spy(topology.EVENTS, ExchangeType.TOPIC, self.passed)
        self.apps["notifier"] = notifier.build(notifier_settings(keys), brokers)
        self.apps["tickets"] = tickets.build(tickets_settings(keys), brokers)
        self.apps["documents"] = documents.build(documents_settings(keys), brokers)
        self.apps["intake"] = gateway.build(intake_settings(keys, **self.intake), brokers)
        for tier in range(1, topology.RETRY_TIERS + 1):
            self._spy(topology.retry_tier(tier), ExchangeType.FANOUT, self.delayed)
        self._spy(topology.DEAD_LETTERS, ExchangeType.TOPIC, self.parked)

    def _replace_doors(self, patch: pytest.MonkeyPatch) -> None:
        apps = self.apps

        class OwnerInMemory(Owner):
            def __init__(self, name: str, url: str, timeout: float) -> None:
                super().__init__(name, url, timeout)
                self._client = httpx.AsyncClient(transport=httpx.ASGITransport(apps[name]), base_url=url)

        async def send(_: object, mail: EmailMessage) -> None:
            if not self.smtp_is_up:
                raise Transient("smtp-away")
            self.mails.append(mail)

        patch.setattr(gateway, "Owner", OwnerInMemory)
        patch.setattr(gateway, "ObjectStore", lambda _: self.objects)
        patch.setattr(documents, "ObjectStore", lambda _: self.objects)
        patch.setattr(documents, "Workers", WorkersInProcess)
        patch.setattr(tickets, "TicketStore", lambda *_: self.tickets)
        patch.setattr(notifier, "Ledger", lambda *_: self.ledger)
        patch.setattr(Mailer, "send", send)

    def _spy(self, exchange: str, kind: ExchangeType, seen: list[RabbitMessage]) -> None:
        async def spy(message: RabbitMessage) -> None:
            seen.append(message)

        spy.__name__ = f"spy on {exchange}"
        self.broker.subscriber(
            RabbitQueue(f"spy.{exchange}", routing_key="#"), RabbitExchange(exchange, type=kind), no_reply=True
        )(spy)

    @asynccontextmanager
    async def client(self, token: str) -> AsyncIterator[httpx.AsyncClient]:
        """A caller of the gateway."""
        transport = httpx.ASGITransport(self.apps["intake"])
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test", headers=headers) as client:
            yield client

    async def post(
        self, letter: bytes | None = None, *, key: str = "k-1", token: str | None = None, wait: int = 5, **fields: str
    ) -> httpx.Response:
        """A producer's post of a change of the producer of record, who waits for the number."""
        files = [("por_documentation", pdf() if letter is None else letter)]
        return await self.send({**FORM, **fields}, files, key=key, token=token, wait=wait)

    async def send(
        self,
        fields: Mapping[str, str],
        files: Iterable[tuple[str, bytes]] = (),
        *,
        key: str = "k-1",
        token: str | None = None,
        wait: int = 5,
    ) -> httpx.Response:
        """A producer's post of any form, with files by their parts."""
        parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in fields.items()]
        parts += [(part, ("letter.pdf", data)) for part, data in files]
        async with self.client(token or self.provider.token()) as client:
            return await client.post(
                "/v1/requests", files=parts, headers={"Idempotency-Key": f'"{key}"', "Prefer": f"wait={wait}"}
            )

    async def ticket(self, number: str) -> dict[str, Any]:
        """A ticket as its producer sees it."""
        async with self.client(self.provider.token()) as client:
            answer = await client.get(f"/v1/tickets/{number}")
        detail: dict[str, Any] = answer.raise_for_status().json()
        return detail

    async def open_ticket(self) -> Document:
        """The database's document of a new ticket."""
        return await self.kept(UUID((await self.post()).json()["request_id"]))

    async def kept(self, request_id: UUID) -> Document:
        """A ticket as it lies in the database."""
        ticket = await self.tickets.get(request_id)
        assert ticket is not None
        return ticket

    def on_the_bus(self, type_: str) -> list[RabbitMessage]:
        """Every message of a type that passed."""
        return [each for each in self.passed if each.raw_message.routing_key == type_]

    async def publish(self, body: bytes, routing_key: str, exchange: str = topology.PIPELINE) -> None:
        """Put a body on the bus, as a redelivery or a bad sender would."""
        await self.broker.publish(
            body,
            exchange=RabbitExchange(exchange, type=ExchangeType.TOPIC),
            routing_key=routing_key,
            content_type=CONTENT_TYPE,
        )

    async def publish_event(self, event: Event) -> None:
        """Put an event on the bus."""
        await self.publish(event.model_dump_json().encode(), event.routing_key, topology.exchange_of(event))


@asynccontextmanager
async def desk(folder: Path, patch: pytest.MonkeyPatch, **intake: Any) -> AsyncIterator[World]:
    """A desk that runs; ``intake`` are settings of the gateway."""
    world = World(Provider(folder), intake=intake)
    world.build(patch)
    async with TestRabbitBroker(world.broker):
        yield world
