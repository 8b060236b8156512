"""One parked message as an operator sees it, and which ones are meant. Pure."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from shared import topology
from shared.runtime.failures import ATTEMPT, PARKED_AT, QUEUE, REASON

# Where a message waits for a person: parked, or come back from a delay tier and no queue was there.
LOTS = (topology.PARKING, topology.UNROUTED)

KILLED = "killed-its-consumer"
UNROUTED = "unrouted"
UNKNOWN = "unknown"
LOOKS = "x-delivery-count"


@dataclass(frozen=True)
class Parcel:
    """What a parked message says of itself; ``message`` is as it came."""

    message: AbstractIncomingMessage
    lot: str
    message_id: str
    queue: str
    reason: str
    attempts: int
    parked_at: datetime | None
    type: str | None
    request_id: str | None
    ticket: str | None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells this stay in its lot from every other: the same message parked again later is another."""
        return self.message_id, self.lot, self.queue, str(self.parked_at)

    @property
    def headers(self) -> dict[str, Any]:
        """The headers, without the broker's count of how often somebody looked."""
        return {name: value for name, value in self.message.headers.items() if name != LOOKS}

    def as_json(self) -> dict[str, Any]:
        """The row, without headers and body."""
        return {
            "message_id": self.message_id,
            "queue": self.queue,
            "reason": self.reason,
            "attempts": self.attempts,
            "parked_at": self.parked_at.isoformat() if self.parked_at else None,
            "type": self.type,
            "request_id": self.request_id,
            "ticket": self.ticket,
        }


def parcel_of(message: AbstractIncomingMessage, lot: str = topology.PARKING) -> Parcel:
    """Read what is there; a message may have lost anything, and is a parcel all the same."""
    headers = dict(message.headers)
    death = _last_death(headers)
    queue = _text(headers.get(QUEUE)) or _text(death.get("queue")).removesuffix(topology.suspects_of("")) or UNKNOWN
    attempts = headers.get(ATTEMPT)
    return Parcel(
        message=message,
        lot=lot,
        # What has no id is known by its bytes.
        message_id=message.message_id or f"sha256-{hashlib.sha256(message.body).hexdigest()[:16]}",
        queue=queue,
        reason=_reason(lot, headers, death),
        attempts=attempts if isinstance(attempts, int) else 0,
        parked_at=_moment(headers.get(PARKED_AT)) or _moment(death.get("time")),
        type=message.type,
        request_id=message.correlation_id,
        ticket=_ticket_in(message.body),
    )


@dataclass(frozen=True)
class Choice:
    """Which parcels are meant: those to which everything applies that is said."""

    message_id: str | None = None
    ticket: str | None = None
    ticket_request: str | None = None
    request_id: str | None = None
    reason: str | None = None
    queue: str | None = None

    def includes(self, parcel: Parcel) -> bool:
        """Whether a parcel is meant."""
        wanted = (self.message_id, self.request_id, self.reason, self.queue)
        found = (parcel.message_id, parcel.request_id, parcel.reason, parcel.queue)
        return self._includes_ticket(parcel) and all(w in {None, f} for w, f in zip(wanted, found, strict=True))

    def _includes_ticket(self, parcel: Parcel) -> bool:
        by_request = self.ticket_request is not None and self.ticket_request == parcel.request_id
        return self.ticket is None or self.ticket == parcel.ticket or by_request


def _reason(lot: str, headers: dict[str, Any], death: dict[str, Any]) -> str:
    if lot == topology.UNROUTED:
        return UNROUTED
    return _text(headers.get(REASON)) or (KILLED if death.get("reason") == "delivery_limit" else UNKNOWN)


def _last_death(headers: dict[str, Any]) -> dict[str, Any]:
    deaths = headers.get("x-death")
    return deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC)
    try:
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else None
    except (ValueError, OverflowError, OSError):  # beyond all calendars
        return None


def _ticket_in(body: bytes) -> str | None:
    try:
        data = json.loads(body)["data"]
        number = data.get("ticket_number")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return number if isinstance(number, str) else None
