"""The bus as one table: every exchange, queue, binding and argument, and what travels where.

Code, broker and this table are held together by ``tests/integration/test_topology.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from shared.contracts.envelope import Event
from shared.contracts.letters import LetterChecked
from shared.contracts.messages import MessageWritten
from shared.contracts.parking import ParkingDropped, ParkingReplayed
from shared.contracts.requests import AddressGiven, LetterSubmitted, RequestSubmitted
from shared.contracts.tickets import (
    TicketLetterAdded,
    TicketMessageAdded,
    TicketOpened,
    TicketStatusChanged,
    TicketWorked,
)

PIPELINE = "por.pipeline"
EVENTS = "por.events"
REDELIVER = "por.redeliver"
SUSPECTS = "por.suspects"
DEAD_LETTERS = "por.dlx"
UNROUTED = "por.unrouted"
PARKING = "por.parking"
EVENTS_LOG = "por.events.log"
OPERATIONS = "por.operations"
OPERATIONS_LOG = "por.operations.log"

RETRY_TIERS = 5
DELIVERY_LIMIT = 3  # redeliveries: a message is delivered four times, and as often again among the suspects
# Not -1, which RabbitMQ 4 reads as "none": 3.10 reads it as a limit and deletes what was looked at once (measured).
NO_DELIVERY_LIMIT = 1_000_000_000
MAX_WORK_LENGTH = 100_000
STREAM_AGE = "30D"
OPERATIONS_AGE = "1Y"


def retry_tier(attempt: int) -> str:
    """The exchange and queue in which the n-th retry waits, n from 1."""
    return f"por.retry.{attempt}"


def suspects_of(queue: str) -> str:
    """The queue to which messages go that a consumer of ``queue`` died on."""
    return f"{queue}.suspects"


class ExchangeType(StrEnum):
    """The AMQP exchange types in use."""

    TOPIC = "topic"
    DIRECT = "direct"
    FANOUT = "fanout"


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: ExchangeType
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Queue:
    """A durable queue with its bindings as (exchange, routing key)."""

    name: str
    arguments: Mapping[str, str | int]
    bindings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class WorkQueue:
    """A queue that one service works off: ``consumer.action``; the handler is the action.

    ``formerly`` is what an earlier version had bound to it: some may wait in it still, or be parked.
    """

    name: str
    service: str
    exchange: str
    routing_key: str
    receives: tuple[type[Event], ...]
    max_length: int | None = None
    formerly: tuple[type[Event], ...] = ()

    @property
    def queues(self) -> tuple[Queue, Queue]:
        """The queue itself and its suspects."""
        limit: dict[str, str | int] = {"x-delivery-limit": DELIVERY_LIMIT}
        return (
            Queue(
                self.name,
                {
                    **_quorum(dead_letters_to=SUSPECTS, routing_key=self.name),
                    **limit,
                    **({"x-max-length": self.max_length} if self.max_length else {}),
                },
                ((self.exchange, self.routing_key), (REDELIVER, self.name)),
            ),
            Queue(
                suspects_of(self.name),
                {**_quorum(dead_letters_to=DEAD_LETTERS, routing_key=self.name), **limit},
                ((SUSPECTS, self.name),),
            ),
        )


def _quorum(*, dead_letters_to: str, routing_key: str | None = None) -> dict[str, str | int]:
    """Arguments of a queue whose dead letters cannot be lost on their way."""
    key = {"x-dead-letter-routing-key": routing_key} if routing_key else {}
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": dead_letters_to,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        **key,
    }


TICKET_EVENTS: tuple[type[Event], ...] = (
    TicketOpened,
    TicketStatusChanged,
    TicketLetterAdded,
    TicketMessageAdded,
    TicketWorked,
)
OPERATOR_EVENTS: tuple[type[Event], ...] = (ParkingReplayed, ParkingDropped)

CHECK_LETTER = WorkQueue(
    "documents.check-letter",
    "documents",
    PIPELINE,
    "*.submitted",
    (RequestSubmitted, LetterSubmitted),
    MAX_WORK_LENGTH,
)
OPEN_TICKET = WorkQueue(
    "tickets.open-ticket",
    "tickets",
    PIPELINE,
    "letter.checked",
    (LetterChecked,),
    MAX_WORK_LENGTH,
)
# No max length on the notifier's queues: a mail server that is away for long must not stop tickets from opening.
LEARN_ADDRESS = WorkQueue(
    "notifier.learn-address",
    "notifier",
    PIPELINE,
    "address.given",
    (AddressGiven,),
    formerly=(RequestSubmitted,),
)
LEARN_MESSAGE = WorkQueue(
    "notifier.learn-message",
    "notifier",
    PIPELINE,
    "message.written",
    (MessageWritten,),
)
SEND_MAIL = WorkQueue("notifier.send-mail", "notifier", EVENTS, "ticket.#", TICKET_EVENTS)

WORK_QUEUES = (CHECK_LETTER, OPEN_TICKET, LEARN_ADDRESS, LEARN_MESSAGE, SEND_MAIL)

# Each of the pipeline's messages has one queue: with a second one it would be confirmed though the first is not bound.
RETIRED_BINDINGS = ((PIPELINE, LEARN_ADDRESS.name, "request.submitted"),)

# Which service publishes what; the exchange follows from the family of the event.
PUBLISHERS: Mapping[type[Event], str] = {
    RequestSubmitted: "intake",
    LetterSubmitted: "intake",
    LetterChecked: "documents",
    AddressGiven: "tickets",
    TicketOpened: "tickets",
    TicketStatusChanged: "tickets",
    TicketLetterAdded: "tickets",
    ParkingReplayed: "operations",
    ParkingDropped: "operations",
    TicketMessageAdded: "tickets",
    TicketWorked: "tickets",
    MessageWritten: "tickets",
}


def exchange_of(event: Event | type[Event]) -> str:
    """``ticket.*`` is public, ``parking.*`` tells of operators, all else is the pipeline's."""
    kind = event if isinstance(event, type) else type(event)
    if kind in OPERATOR_EVENTS:
        return OPERATIONS
    return EVENTS if kind in TICKET_EVENTS else PIPELINE


def exchanges() -> tuple[Exchange, ...]:
    """Every exchange, in the order in which they can be declared."""
    return (
        Exchange(PIPELINE, ExchangeType.TOPIC),
        Exchange(EVENTS, ExchangeType.TOPIC),
        Exchange(OPERATIONS, ExchangeType.TOPIC),
        Exchange(UNROUTED, ExchangeType.FANOUT),
        Exchange(REDELIVER, ExchangeType.DIRECT, {"alternate-exchange": UNROUTED}),
        Exchange(SUSPECTS, ExchangeType.DIRECT),
        Exchange(DEAD_LETTERS, ExchangeType.TOPIC),
        *(Exchange(retry_tier(n), ExchangeType.FANOUT) for n in range(1, RETRY_TIERS + 1)),
    )


def queues(retry_delays: tuple[float, ...]) -> tuple[Queue, ...]:
    """Every durable queue; ``retry_delays`` are the lengths of the tiers in seconds."""
    work = (queue for each in WORK_QUEUES for queue in each.queues)
    tiers = (
        Queue(
            retry_tier(n),
            # No routing key for dead letters: the message keeps its own, the work queue's name.
            {**_quorum(dead_letters_to=REDELIVER), "x-message-ttl": round(delay * 1000)},
            ((retry_tier(n), "#"),),
        )
        for n, delay in enumerate(retry_delays, start=1)
    )
    # Said, because the default is 20 from RabbitMQ 4 on: looking at a parked message must never delete it.
    kept: dict[str, str | int] = {"x-queue-type": "quorum", "x-delivery-limit": NO_DELIVERY_LIMIT}
    return (
        *work,
        *tiers,
        Queue(PARKING, kept, ((DEAD_LETTERS, "#"),)),
        Queue(UNROUTED, kept, ((UNROUTED, "#"),)),
        Queue(EVENTS_LOG, {"x-queue-type": "stream", "x-max-age": STREAM_AGE}, ((EVENTS, "#"),)),
        Queue(OPERATIONS_LOG, {"x-queue-type": "stream", "x-max-age": OPERATIONS_AGE}, ((OPERATIONS, "#"),)),
    )
