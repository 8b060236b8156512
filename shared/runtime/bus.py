"""The bus: the one wrapper around FastStream that owns every rule of reliable messaging.

Persistent, confirmed, returned-if-unroutable publishes with a deadline on a connection of their own;
one subscriber per queue with a prefetch; failures through :mod:`shared.runtime.failures`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar
from uuid import uuid4

from aio_pika import IncomingMessage
from faststream import AckPolicy
from faststream.rabbit import (
    Channel,
    ExchangeType,
    RabbitBroker,
    RabbitExchange,
    RabbitQueue,
    RabbitRouter,
)
from faststream.rabbit.prometheus import RabbitPrometheusMiddleware
from faststream.rabbit.subscriber import RabbitSubscriber
from prometheus_client import CollectorRegistry, Gauge
from yarl import URL

from shared import topology
from shared.contracts.envelope import CONTENT_TYPE, Event, now
from shared.runtime.amqp import address, stuck_is_away
from shared.runtime.breaker import Breaker
from shared.runtime.codec import EventCodec
from shared.runtime.consumers import cancel, is_consuming
from shared.runtime.declaring import declare_topology
from shared.runtime.failures import QUEUE, FailureMiddleware, Pulse
from shared.runtime.logs import log
from shared.runtime.settings import ServiceSettings
from shared.runtime.watch import Watched, watch_forever

GRACEFUL_SECONDS = 10.0

E = TypeVar("E", bound=Event)
Brokers: TypeAlias = tuple[RabbitBroker, RabbitBroker]


class Bus:
    """One service's door to RabbitMQ; ``brokers`` are injected only by tests."""

    def __init__(
        self,
        service: str,
        settings: ServiceSettings,
        registry: CollectorRegistry,
        brokers: Brokers | None = None,
    ) -> None:
        self.service = service
        self._url = settings.amqp_url.get_secret_value()
        self._timeout = settings.amqp_publish_timeout
        self._delays = settings.retry_delays
        self._prefetch = settings.prefetch
        metrics = RabbitPrometheusMiddleware(registry=registry, app_name=service)
        # Two connections: an alarm blocks the one that publishes, and would hold back acks too.
        self._consumer, self._publisher = brokers or (
            self._broker("consumer", metrics),
            self._broker("publisher", metrics),
        )
        self._subscribers: list[RabbitSubscriber] = []
        self._breakers: list[Breaker] = []
        self._watched: list[Watched] = []
        self._watching: asyncio.Task[None] | None = None
        held = "1 while a queue's messages are held, a server being away."
        self._breaker_gauge = Gauge("por_breaker_open", held, ("queue",), registry=registry)
        age = "How old the event was that was taken last."
        self._age = Gauge("por_message_age_seconds", age, ("queue",), registry=registry)

    def _address(self, role: str) -> URL:
        return address(self._url, f"{self.service}-{role}")

    def _broker(self, role: str, metrics: RabbitPrometheusMiddleware) -> RabbitBroker:
        return RabbitBroker(
            self._address(role),
            default_channel=_confirming(),
            app_id=self.service,
            graceful_timeout=GRACEFUL_SECONDS,
            fail_fast=False,
            reconnect_interval=1.0,
            on_reconnected=[self._redeclare],
            middlewares=[metrics],
            # The codec has made the typed event already; a second validation would find nothing.
            apply_types=False,
            # Its lines quote bodies and are not one per message; failures have their own log.
            logger=None,
        )

    def subscribe(self, queue: topology.WorkQueue, handler: Callable[[E], Awaitable[Event | None]]) -> None:
        """Let ``handler`` work off ``queue`` and its suspects.

        An event that the handler returns is published and confirmed before the message is acked.
        """

        async def publish_result(event: Any) -> None:
            self._age.labels(queue.name).set((now() - event.time).total_seconds())
            if (result := await handler(event)) is not None:
                await self.publish(result)

        publish_result.__name__ = queue.name
        codec = EventCodec(queue.receives + queue.formerly)
        breaker = Breaker(queue.name, self._breaker_gauge)
        self._breakers.append(breaker)
        for name, exchange, prefetch in (
            (queue.name, queue.exchange, self._prefetch),
            (topology.suspects_of(queue.name), topology.SUSPECTS, 1),
        ):
            key = queue.routing_key if exchange == queue.exchange else queue.name
            kind = ExchangeType.TOPIC if exchange == queue.exchange else ExchangeType.DIRECT
            pulse = Pulse(queue.name)
            router = RabbitRouter(middlewares=[FailureMiddleware(pulse, self._republish, breaker.run)])
            subscriber = router.subscriber(
                RabbitQueue(name, routing_key=key, declare=False),
                RabbitExchange(exchange, type=kind, declare=False),
                channel=Channel(prefetch_count=prefetch, on_return_raises=True),
                ack_policy=AckPolicy.REJECT_ON_ERROR,
                codec=codec,
                no_reply=True,
            )
            subscriber(publish_result)
            self._subscribers.append(subscriber)
            self._watched.append(Watched(subscriber, pulse))
            self._consumer.include_router(router)

    def listen(self, routing_key: str, kind: type[E], handler: Callable[[E], Awaitable[None]]) -> None:
        """Hear public events as they pass, on a queue that goes with this process."""
        subscriber = self._consumer.subscriber(
            RabbitQueue(
                f"{self.service}.{uuid4().hex}",
                routing_key=routing_key,
                durable=False,
                exclusive=True,
                auto_delete=True,
                arguments={"x-max-length": 10_000, "x-overflow": "drop-head"},
            ),
            RabbitExchange(topology.EVENTS, type=ExchangeType.TOPIC, declare=False),
            channel=Channel(prefetch_count=200, on_return_raises=True),
            ack_policy=AckPolicy.ACK_FIRST,
            codec=EventCodec((kind,)),
            no_reply=True,
        )

        async def hear(event: Any) -> None:
            await handler(event)

        subscriber(hear)
        self._subscribers.append(subscriber)

    async def publish(self, event: Event) -> None:
        """Publish ``event`` durably; returns when the broker has confirmed it.

        Raises:
            BusRefuses: no queue is bound, or one is full.
            BusAway: the outcome is unknown; the same event may be published again.
        """
        correlation = str(getattr(event.data, "request_id", event.subject))  # type: ignore[attr-defined]  # every concrete event has data
        await self._send(
            event.model_dump_json(exclude_none=True).encode(),
            exchange=topology.exchange_of(event),
            routing_key=event.routing_key,
            message_id=str(event.id),
            message_type=event.type,
            content_type=CONTENT_TYPE,
            correlation_id=correlation,
        )

    async def _republish(
        self,
        message: IncomingMessage,
        exchange: str,
        routing_key: str,
        headers: Mapping[str, str | int],
    ) -> None:
        # The broker's own x- headers are left behind: it would count them as deliveries.
        kept = {k: v for k, v in message.headers.items() if not k.startswith("x-")}
        await self._send(
            message.body,
            exchange=exchange,
            routing_key=routing_key,
            message_id=message.message_id,
            message_type=message.type,
            content_type=message.content_type,
            correlation_id=message.correlation_id,
            headers={**kept, QUEUE: routing_key, **headers},
        )

    async def _send(self, body: bytes, *, exchange: str, **options: Any) -> None:
        # During an outage the library waits for the connection outside its own timeout.
        with stuck_is_away():
            async with asyncio.timeout(self._timeout):
                await self._publisher.publish(
                    body,
                    exchange=_known(exchange),
                    persist=True,
                    mandatory=True,
                    **options,
                )

    async def start(self) -> None:
        """Connect (waiting for a broker that is away), declare the topology, consume."""
        with stuck_is_away():
            await self._publisher.connect()
            await self._redeclare()
            await self._give_public_events_a_channel()
            await self._publisher.start()
            await self._consumer.start()
        self._watching = asyncio.create_task(watch_forever(self._address("watch"), self._watched))

    async def stop(self) -> None:
        """Take no more, finish what is in work (at most ``GRACEFUL_SECONDS``), then disconnect."""
        if self._watching:
            self._watching.cancel()
        await asyncio.gather(*(cancel(subscriber) for subscriber in self._subscribers))
        for breaker in self._breakers:
            breaker.let_go()
        await self._consumer.stop()
        await self._publisher.stop()

    async def _give_public_events_a_channel(self) -> None:
        """Let what goes into the log be numbered alike by the channel and by the log.

        RabbitMQ before 4.0 sends a stream's next leader what is unconfirmed by the channel's numbers, not the stream's
        (``rabbit_stream_queue:resend_all``). Where the two differ it takes later events for known ones: it confirms
        them, and does not keep them.
        """
        # The library publishes to an exchange on the channel on which it first came to know it.
        await self._publisher.config.declarer.declare_exchange(_known(topology.EVENTS), channel=_confirming())

    async def _redeclare(self, *_: object) -> None:
        try:
            with stuck_is_away():
                await declare_topology(self._address("topology"), self._delays)
        except Exception as error:
            # On a reconnect nobody else would tell of it.
            log.error("topology not declared", exc_info=error)
            raise

    async def can_publish(self) -> bool:
        """Whether the connection that publishes stands."""
        return await self._publisher.ping(0.1)

    async def ready(self) -> bool:
        """Both connections stand and every consumer is still registered at the broker."""
        if not (await self.can_publish() and await self._consumer.ping(0.1)):
            return False
        return all([await is_consuming(subscriber) for subscriber in self._subscribers])


def _confirming() -> Channel:
    return Channel(publisher_confirms=True, on_return_raises=True)


def _known(exchange: str) -> RabbitExchange:
    # Robust, a reconnect would ask for it before the topology is declared, and fail for ever where the broker lost it.
    return RabbitExchange(exchange, declare=False, robust=False)
