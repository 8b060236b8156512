"""What people do with a ticket: each act one atomic update, on what is there, with its entry and its event."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeAlias

from services.tickets import acts, history
from services.tickets.desk import Desk
from services.tickets.outbox import AWAY, Outbox
from services.tickets.store import Document, TicketStore
from services.tickets.turns import in_turn
from shared.contracts.ticket_acts import Answer, Assignment, Note, StatusMove, Withdrawal
from shared.runtime.auth import Caller
from shared.runtime.logs import log
from shared.runtime.problems import Problem

Decide: TypeAlias = Callable[[Document], acts.Change | None]
Versions: TypeAlias = frozenset[str] | None


class Work:
    """Acts of staff and producers, over one desk. ``versions`` are those that If-Match names; None: any will do.

    Each raises ``Problem``: 400 or 404 for the number, 412 for another version, and what :mod:`acts` says.
    """

    def __init__(self, desk: Desk, store: TicketStore, outbox: Outbox) -> None:
        self._desk, self._store, self._outbox = desk, store, outbox

    async def move(self, number: str, move: StatusMove, caller: Caller, versions: Versions) -> Document:
        """Move a ticket on behalf of staff."""
        return await self._act(number, caller, versions, lambda ticket: acts.move(ticket, move))

    async def claim(self, number: str, caller: Caller, versions: Versions) -> Document:
        """Take a ticket that nobody works; of two at once one gets it, and the other is told who."""
        return await self._act(number, caller, versions, lambda ticket: acts.claim(ticket, caller.subject))

    async def assign(self, number: str, assignment: Assignment, caller: Caller, versions: Versions) -> Document:
        """Give a ticket to somebody else, or back to all."""
        return await self._act(number, caller, versions, lambda ticket: acts.assign(ticket, assignment))

    async def note(self, number: str, note: Note, caller: Caller, versions: Versions) -> Document:
        """Write something down."""
        return await self._act(number, caller, versions, lambda ticket: acts.note(ticket, note))

    async def withdraw(self, number: str, withdrawal: Withdrawal, caller: Caller, versions: Versions) -> Document:
        """Take a request back on behalf of the producer whose it is."""
        return await self._act_as_owner(number, caller, versions, lambda ticket: acts.withdraw(ticket, withdrawal))

    async def answer(self, number: str, answer: Answer, caller: Caller, versions: Versions) -> Document:
        """Answer the desk in words on behalf of the producer whose ticket it is."""
        return await self._act_as_owner(number, caller, versions, lambda ticket: acts.answer(ticket, answer))

    async def _act_as_owner(self, number: str, caller: Caller, versions: Versions, decide: Decide) -> Document:
        def decide_for_owner(ticket: Document) -> acts.Change | None:
            if ticket["producer_id"] != caller.producer_id:
                # Staff who is a producer too sees all tickets, and still acts as the producer of his own only.
                raise Problem(HTTPStatus.NOT_FOUND, "unknown-ticket", "There is no such ticket.")
            return decide(ticket)

        return await self._act(number, caller, versions, decide_for_owner, actor=caller.producer_id)

    async def _act(
        self, number: str, caller: Caller, versions: Versions, decide: Decide, *, actor: str | None = None
    ) -> Document:
        """Do it, and publish its event now where that is possible."""
        changed = await self._change(number, caller, versions, decide, actor or caller.subject)
        try:
            await self._outbox.publish_pending(changed["_id"])
        except AWAY as error:
            # The change is durable and its event is due: the sweeper publishes it.
            log.warning("event left to the sweeper", reason=type(error).__name__)
        return changed

    async def _change(self, number: str, caller: Caller, versions: Versions, decide: Decide, actor: str) -> Document:
        async def decide_on_it() -> Document | None:
            ticket = await self._desk.find(number, caller)
            if versions is not None and str(ticket["version"]) not in versions:
                raise _changed_meanwhile(ticket["version"])
            change = decide(ticket)
            if change is None:
                return ticket
            entry = history.entry(
                request_id=ticket["_id"],
                sequence=ticket["version"] + 1,
                type_=change.type_,
                actor=actor,
                **change.entry,
            )
            return await self._store.change(ticket["_id"], ticket["version"], entry, **change.fields)

        changed = await in_turn(decide_on_it)
        if changed is None:
            raise _changed_meanwhile(None)
        return changed


def _changed_meanwhile(version: int | None) -> Problem:
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        "changed-meanwhile",
        "The ticket was changed by someone else; read it again.",
        version=version,
    )
