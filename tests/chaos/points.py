"""The points at which a service may die: one between every two of its durable steps, by the step's name in the code."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

Passing = tuple[tuple[Any, ...], dict[str, Any], Any]  # what the step was given, by position and by name, and gave


class Moment(Enum):
    """When a process dies: before the step, a millisecond or two into it, or when it has returned."""

    BEFORE = auto()
    DURING = auto()
    AFTER = auto()


def _always(_: Passing) -> bool:
    return True


@dataclass(frozen=True)
class Point:
    """A step as ``module:Class.method``, and when to die at it.

    ``only`` tells which passings are meant, ``most`` how many a life may survive; few where they are rare.
    """

    step: str
    moment: Moment = Moment.AFTER
    only: Callable[[Passing], bool] = _always
    most: int = 6


def _of(kind: str) -> Callable[[Passing], bool]:
    """Only where the step is given an object of a class that is called so, or begins so."""
    return lambda passing: any(type(each).__name__.startswith(kind) for each in passing[0])


def _with(name: str) -> Callable[[Passing], bool]:
    """Only where the step is given this by name."""
    return lambda passing: name in passing[1]


def _to(exchange: str) -> Callable[[Passing], bool]:
    """Only where a failed message goes to this exchange, or one whose name begins so."""
    return lambda passing: any(isinstance(each, str) and each.startswith(exchange) for each in passing[0])


def _by_sweeper(passing: Passing) -> bool:
    """Only where it is the sweeper who got the lease."""
    task = asyncio.current_task()
    return passing[2] is not None and task is not None and "sweep_forever" in task.get_coro().__qualname__  # type: ignore[union-attr]  # a coroutine has it


def _leased(passing: Passing) -> bool:
    """Only where there was something to publish."""
    return passing[2] is not None and not _by_sweeper(passing)


def _claimed(passing: Passing) -> bool:
    """Only where the mail is ours to send."""
    return passing[2] is not None and passing[2].claim is not None


def _is_new(passing: Passing) -> bool:
    """Only where a ticket was opened."""
    return passing[2] is True


_BOX, _PIPE = "services.intake.letterbox:Letterbox", "services.intake.pipeline:Pipeline"
_STORE, _BUS = "services.tickets.store:TicketStore", "shared.runtime.bus:Bus"
_OBJECTS, _LEDGER = "shared.runtime.objects:ObjectStore", "services.notifier.ledger:Ledger"
_PARKING, _TIER = "por.dlx", "por.retry."
_BEFORE, _DURING = Moment.BEFORE, Moment.DURING

POINTS: dict[str, Point] = {
    "intake.mid-upload": Point("services.intake.spool:SpooledLetter.write", _BEFORE),
    "intake.before-letter-put": Point(f"{_BOX}._put_letter", _BEFORE),
    "intake.during-letter-put": Point(f"{_BOX}._put_letter", _DURING),
    "intake.after-letter-put": Point(f"{_BOX}._put_letter"),
    "intake.before-form-put": Point(f"{_BOX}.keep_form", _BEFORE),
    "intake.after-form-put": Point(f"{_BOX}.keep_form"),
    "intake.during-publish": Point(f"{_PIPE}.publish", _DURING),
    "intake.after-publish": Point(f"{_PIPE}.publish", only=_of("RequestSubmitted")),
    "intake.before-reply-put": Point(f"{_BOX}.keep_reply", _BEFORE, most=2),
    "intake.after-reply-put": Point(f"{_BOX}.keep_reply", most=2),
    "intake.after-reply-publish": Point(f"{_PIPE}.publish", only=_of("LetterSubmitted"), most=2),
    "documents.after-get": Point(f"{_OBJECTS}.get"),
    "documents.during-receipt-put": Point(f"{_OBJECTS}.put", _DURING),
    "documents.after-receipt-put": Point(f"{_OBJECTS}.put"),
    "documents.before-publish": Point(f"{_BUS}.publish", _BEFORE),
    "documents.during-publish": Point(f"{_BUS}.publish", _DURING),
    "documents.after-publish": Point(f"{_BUS}.publish"),
    "documents.before-tier": Point(f"{_BUS}._republish", _BEFORE, _to(_TIER), 1),
    "documents.during-tier": Point(f"{_BUS}._republish", _DURING, _to(_TIER), 1),
    "documents.after-tier": Point(f"{_BUS}._republish", only=_to(_TIER), most=1),
    "documents.after-parking": Point(f"{_BUS}._republish", only=_to(_PARKING), most=2),
    "tickets.during-address": Point("services.tickets.outbox:Outbox.give_address", _DURING),
    "tickets.after-address": Point("services.tickets.outbox:Outbox.give_address"),
    "tickets.after-count": Point(f"{_STORE}.next_count"),
    "tickets.during-insert": Point(f"{_STORE}.open", _DURING),
    "tickets.after-insert": Point(f"{_STORE}.open", only=_is_new),
    "tickets.during-publish": Point(f"{_BUS}.publish", _DURING, _of("Ticket")),
    "tickets.after-publish": Point(f"{_BUS}.publish", only=_of("Ticket")),
    "tickets.during-message": Point(f"{_BUS}.publish", _DURING, _of("Message"), 2),
    "tickets.after-message": Point(f"{_BUS}.publish", only=_of("Message"), most=2),
    "tickets.during-mark": Point(f"{_STORE}.mark_published", _DURING),
    "tickets.after-mark": Point(f"{_STORE}.mark_published"),
    "tickets.during-move": Point(f"{_STORE}.change", _DURING, _with("status"), 2),
    "tickets.after-move": Point(f"{_STORE}.change", only=_with("status"), most=2),
    "tickets.after-letter-added": Point(f"{_STORE}.change", only=_with("letters"), most=2),
    "tickets.after-lease": Point(f"{_STORE}.lease", only=_leased, most=2),
    "tickets.sweeper-after-lease": Point(f"{_STORE}.lease", only=_by_sweeper, most=1),
    "tickets.after-parking": Point(f"{_BUS}._republish", only=_to(_PARKING), most=2),
    "notifier.during-learn": Point(f"{_LEDGER}.learn", _DURING),
    "notifier.after-learn": Point(f"{_LEDGER}.learn", most=2),
    "notifier.during-learn-message": Point(f"{_LEDGER}.learn_message", _DURING, most=2),
    "notifier.after-learn-message": Point(f"{_LEDGER}.learn_message", most=2),
    "notifier.after-claim": Point(f"{_LEDGER}.begin", only=_claimed),
    "notifier.during-data": Point("aiosmtplib:SMTP.data", _DURING),
    "notifier.after-250": Point("services.notifier.mailer:Mailer.send", most=2),
    "notifier.during-finish": Point(f"{_LEDGER}.finish", _DURING),
    "notifier.after-finish": Point(f"{_LEDGER}.finish", most=2),
    "notifier.after-parking": Point(f"{_BUS}._republish", only=_to(_PARKING), most=2),
}


def points_of(service: str) -> list[str]:
    """The names of one service's points."""
    return [name for name in POINTS if name.startswith(f"{service}.")]
