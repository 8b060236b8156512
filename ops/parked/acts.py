"""Replaying and dropping: each act done, then recorded, then acked; so the record is true and a repeat does no harm."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import DeliveryError, PublishError

from ops.access import Refused, require
from ops.parked.lot import holding
from ops.parked.parcel import LOTS, Parcel
from shared import topology
from shared.contracts.envelope import CONTENT_TYPE, event_id, now
from shared.contracts.parking import ParkingAct, ParkingDropped, ParkingReplayed
from shared.runtime.failures import ATTEMPT, PARKED_AT, QUEUE, REASON

SOURCE = "/por-desk/operations"
PUBLISH_SECONDS = 10.0
# The broker takes back what is held for 30 minutes; a slow replay holds its messages in several goes.
HOLD_SECONDS = 600.0
_OURS = {ATTEMPT, QUEUE, REASON, PARKED_AT}
_WORK = frozenset(each.name for each in topology.WORK_QUEUES)


@dataclass
class Done:
    """How far an act is: how many are done, and which could not be, and why."""

    count: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Act:
    """What is done: a replay or a drop, by whom and why; ``rate`` is messages a second, at most."""

    kind: type[ParkingReplayed] | type[ParkingDropped]
    who: str
    why: str | None
    rate: float

    def event(self, parcel: Parcel) -> ParkingReplayed | ParkingDropped:
        """The event that tells of it; the same parking gives the same event, however often an act is begun again."""
        kind = str(self.kind.model_fields["type"].default)
        return self.kind(
            id=event_id(f"{parcel.message_id}\n{parcel.queue}\n{parcel.parked_at}", kind),
            source=SOURCE,
            subject=parcel.message_id,
            time=now(),
            data=ParkingAct(
                message_id=parcel.message_id,
                queue=parcel.queue,
                reason=parcel.reason,
                request_id=parcel.request_id,
                who=self.who,
                why=self.why,
            ),
        )


class Channels(NamedTuple):
    """Where an act publishes: what goes back to its queue, and what tells of it."""

    replays: AbstractChannel
    records: AbstractChannel


class Acting:
    """One act on many parcels; ``done`` says at any time how far it is."""

    def __init__(self, connection: AbstractConnection, act: Act, done: Done, told: Callable[[int], None]) -> None:
        self._connection, self._act, self._done, self._told = connection, act, done, told
        self._began, self._steps = 0.0, 0

    async def on(self, parcels: Sequence[Parcel]) -> None:
        """Act on each of them.

        Raises:
            Refused: it cannot be recorded now; what was not acked is parked as before.
        """
        await require(self._connection, topology.OPERATIONS_LOG)
        # The records' own channel: their log takes them by its numbers (docs/decisions/0036).
        confirming = partial(self._connection.channel, publisher_confirms=True, on_return_raises=True)
        channels = Channels(replays=await confirming(), records=await confirming())
        self._began = asyncio.get_running_loop().time()
        size = max(1, int(self._act.rate * HOLD_SECONDS))
        for lot in LOTS:
            of_lot = [parcel for parcel in parcels if parcel.lot == lot]
            for first in range(0, len(of_lot), size):
                await self._go(channels, lot, of_lot[first : first + size])

    @property
    def _replays(self) -> bool:
        return self._act.kind is ParkingReplayed

    async def _go(self, channels: Channels, lot: str, parcels: Sequence[Parcel]) -> None:
        # Counted, for what goes back may be parked again, within the second, before this has ended.
        todo = Counter(parcel.key for parcel in parcels)
        async with holding(self._connection, lot) as held:
            async for parcel in held.parcels():
                if todo[parcel.key]:
                    todo[parcel.key] -= 1
                    await self._one(channels, parcel)
                if not todo.total():
                    break
        if missing := [message_id for message_id, *_ in todo.elements()]:
            self._done.failures += [f"{each}: no longer parked, or held by another operator" for each in missing]

    async def _one(self, channels: Channels, parcel: Parcel) -> None:
        due = self._began + self._steps / self._act.rate
        self._steps += 1
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        if self._replays and (obstacle := await self._send_back(channels.replays, parcel)):
            self._done.failures.append(f"{parcel.message_id}: {obstacle}; it stays parked")
        else:
            await self._record(channels.records, parcel)
            await parcel.message.ack()
            self._done.count += 1
        self._told(1)

    async def _send_back(self, channel: AbstractChannel, parcel: Parcel) -> str | None:
        """Publish a parcel to its work queue, confirmed; else why it cannot go there."""
        if parcel.queue not in _WORK:
            return f"{parcel.queue} is not a work queue of the desk"
        try:
            await _publish(channel, _anew(parcel.message), "", parcel.queue)
        except PublishError:
            return f"the queue {parcel.queue} does not exist (see: pordesk doctor)"
        except DeliveryError:
            return f"the queue {parcel.queue} is full"
        return None

    async def _record(self, channel: AbstractChannel, parcel: Parcel) -> None:
        event = self._act.event(parcel)
        message = Message(
            event.model_dump_json(exclude_none=True).encode(),
            content_type=CONTENT_TYPE,
            message_id=str(event.id),
            type=event.type,
            delivery_mode=2,
            timestamp=event.time,
        )
        try:
            await _publish(channel, message, topology.OPERATIONS, event.routing_key)
        except DeliveryError as error:
            raise Refused(
                f"{parcel.message_id} stays parked, because {topology.OPERATIONS_LOG} does not take the record of it. "
                "See: pordesk doctor; then run the command again."
            ) from error


async def _publish(channel: AbstractChannel, message: Message, exchange: str, routing_key: str) -> None:
    async with asyncio.timeout(PUBLISH_SECONDS):
        target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        await target.publish(message, routing_key, mandatory=True)


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
