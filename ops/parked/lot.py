"""The parking lot at the broker: looked at without a trace; each act told before it is done."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, DeliveryError

from ops.access import Refused
from ops.parked.parcel import Choice, Parcel, parcel_of
from shared import topology
from shared.contracts.envelope import CONTENT_TYPE, event_id, now
from shared.contracts.parking import ParkingAct, ParkingDropped, ParkingReplayed
from shared.runtime.failures import ATTEMPT, PARKED_AT, QUEUE, REASON

SOURCE = "/por-desk/operations"
PUBLISH_SECONDS = 10.0
_OURS = {ATTEMPT, QUEUE, REASON, PARKED_AT}

Told = Callable[[Parcel], None]


class Lot:
    """The parked messages, held for as long as the operator looks; whatever is not done with goes back untouched."""

    def __init__(self, publishing: AbstractChannel, parcels: Sequence[Parcel]) -> None:
        self._publishing = publishing
        self.parcels = parcels

    def chosen(self, choice: Choice) -> list[Parcel]:
        """Those that are meant, in the order in which they were parked."""
        return [parcel for parcel in self.parcels if choice.includes(parcel)]

    async def replay(self, parcels: Sequence[Parcel], who: str, why: str | None, rate: float, told: Told) -> list[str]:
        """Send parcels back to their work queues, at most ``rate`` a second; says which could not be, and why.

        Each may be repeated: one that went back and was not taken out goes back once more, and finds its work done.
        """
        failures = []
        for parcel in parcels:
            act = ParkingReplayed(**_envelope(parcel, "por.parking.replayed.v1"), data=_act(parcel, who, why))
            try:
                await self._tell(act)
                await self._publish(_anew(parcel.message), "", parcel.queue)
                await parcel.message.ack()
            except DeliveryError:
                failures.append(f"{parcel.message_id}: the queue {parcel.queue} is not there or full; it stays parked")
            told(parcel)
            await asyncio.sleep(1 / rate)
        return failures

    async def drop(self, parcels: Sequence[Parcel], who: str, why: str, told: Told) -> None:
        """Drop parcels for good."""
        for parcel in parcels:
            await self._tell(ParkingDropped(**_envelope(parcel, "por.parking.dropped.v1"), data=_act(parcel, who, why)))
            await parcel.message.ack()
            told(parcel)

    async def _tell(self, act: ParkingReplayed | ParkingDropped) -> None:
        body = act.model_dump_json(exclude_none=True).encode()
        message = Message(
            body, content_type=CONTENT_TYPE, message_id=str(act.id), type=act.type, delivery_mode=2, timestamp=act.time
        )
        try:
            await self._publish(message, topology.OPERATIONS, act.routing_key)
        except DeliveryError as error:
            raise Refused(
                f"{topology.OPERATIONS_LOG} does not take this act, so it was not done. See: pordesk doctor"
            ) from error

    async def _publish(self, message: Message, exchange: str, routing_key: str) -> None:
        async with asyncio.timeout(PUBLISH_SECONDS):
            target = (
                await self._publishing.get_exchange(exchange, ensure=False)
                if exchange
                else self._publishing.default_exchange
            )
            await target.publish(message, routing_key, mandatory=True)


@asynccontextmanager
async def parking_lot(connection: AbstractConnection) -> AsyncIterator[Lot]:
    """All parked messages; leaving the context puts back what is still parked.

    Raises:
        Refused: another operator holds some of them at this moment, or the connection broke.
    """
    publishing = await connection.channel(publisher_confirms=True, on_return_raises=True)
    holding = await connection.channel()
    try:
        queue = await holding.get_queue(topology.PARKING)
        messages: list[AbstractIncomingMessage] = []
        while (message := await queue.get(fail=False, timeout=PUBLISH_SECONDS)) is not None:
            messages.append(message)
        yield Lot(publishing, [parcel_of(each) for each in messages])
    except (AMQPError, OSError) as error:
        raise Refused(
            f"The connection to RabbitMQ broke ({type(error).__name__}); what was not done stays parked. Run it again."
        ) from error
    finally:
        await holding.close()


def _anew(message: AbstractIncomingMessage) -> Message:
    """The message as it was first published: nothing that was counted or said of its failure goes with it."""
    return Message(
        message.body,
        headers={k: v for k, v in message.headers.items() if k not in _OURS and not k.startswith("x-")},
        content_type=message.content_type,
        message_id=message.message_id,
        correlation_id=message.correlation_id,
        type=message.type,
        delivery_mode=2,
    )


def _envelope(parcel: Parcel, kind: str) -> dict[str, object]:
    # The same parking gives the same event, however often an act on it is begun again.
    cause = f"{parcel.message_id}\n{parcel.queue}\n{parcel.parked_at}"
    return {"id": event_id(cause, kind), "source": SOURCE, "subject": parcel.message_id, "time": now()}


def _act(parcel: Parcel, who: str, why: str | None) -> ParkingAct:
    return ParkingAct(
        message_id=parcel.message_id,
        queue=parcel.queue,
        reason=parcel.reason,
        request_id=parcel.request_id,
        who=who,
        why=why,
    )
