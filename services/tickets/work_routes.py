"""The HTTP door for who does something with a ticket: staff, and the producer who answers or withdraws."""

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from services.tickets.queue import Queue
from services.tickets.routes import shown
from services.tickets.work import Versions, Work
from shared.contracts import refusals
from shared.contracts.ticket_acts import Answer, Assignment, Note, StatusMove, Withdrawal
from shared.contracts.ticket_views import TicketDetail
from shared.runtime.auth import REQUESTS_WRITE, TICKETS_WORK, Caller, TokenVerifier, caller_with
from shared.runtime.json_bodies import StrictJsonRoute
from shared.runtime.openapi import TICKET, documented
from shared.runtime.problems import Problem

# RFC 9110: entity tags, of which W/ marks the weak ones, and the lists of them, whose elements may be empty.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS = re.compile(rf"[ \t,]*(?:{_TAG.pattern}[ \t]*(?:,[ \t,]*|\Z))*")


async def versions(if_match: Annotated[str | None, Header()] = None) -> Versions:
    """What the strong entity tags of If-Match name, as a weak one never matches; None: any version will do."""
    if if_match is None or if_match.strip() == "*":
        return None
    if not _TAGS.fullmatch(if_match):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "bad-if-match",
            "Send the ticket's ETag as If-Match.",
        )
    return frozenset(tag for weak, tag in _TAG.findall(if_match) if not weak)


def router(work: Work, queue: Queue, verifier: TokenVerifier) -> APIRouter:
    """The routes over one desk; each answers with the ticket as it is then."""
    routes = APIRouter(
        prefix="/v1/tickets/{number}",
        tags=["tickets"],
        route_class=StrictJsonRoute,
        responses={**TICKET, **documented(*refusals.WORK_ON_TICKET)},
    )
    worker = Depends(caller_with(verifier, TICKETS_WORK))
    writer = Depends(caller_with(verifier, REQUESTS_WRITE))
    at = Depends(versions)

    @routes.post("/status", summary="Move a ticket to another status (staff)")
    async def move_ticket(
        number: str,
        move: StatusMove,
        caller: Annotated[Caller, worker],
        at: Annotated[Versions, at],
        response: Response,
    ) -> TicketDetail:
        return await shown(await work.move(number, move, caller, at), queue, caller, response)

    @routes.post("/claim", summary="Claim an unassigned ticket (staff)")
    async def claim_ticket(
        number: str, caller: Annotated[Caller, worker], at: Annotated[Versions, at], response: Response
    ) -> TicketDetail:
        return await shown(await work.claim(number, caller, at), queue, caller, response)

    @routes.post("/assignment", summary="Assign a ticket, or unassign it (staff)")
    async def assign_ticket(
        number: str,
        assignment: Assignment,
        caller: Annotated[Caller, worker],
        at: Annotated[Versions, at],
        response: Response,
    ) -> TicketDetail:
        return await shown(await work.assign(number, assignment, caller, at), queue, caller, response)

    @routes.post("/notes", summary="Add a note for colleagues or the producer (staff)")
    async def add_note(
        number: str, note: Note, caller: Annotated[Caller, worker], at: Annotated[Versions, at], response: Response
    ) -> TicketDetail:
        return await shown(await work.note(number, note, caller, at), queue, caller, response)

    @routes.post("/withdrawal", summary="Withdraw a request (producer)")
    async def withdraw_ticket(
        number: str,
        withdrawal: Withdrawal,
        caller: Annotated[Caller, writer],
        at: Annotated[Versions, at],
        response: Response,
    ) -> TicketDetail:
        return await shown(await work.withdraw(number, withdrawal, caller, at), queue, caller, response)

    @routes.post("/answers", summary="Reply to the desk in text (producer)")
    async def answer_desk(
        number: str, answer: Answer, caller: Annotated[Caller, writer], at: Annotated[Versions, at], response: Response
    ) -> TicketDetail:
        return await shown(await work.answer(number, answer, caller, at), queue, caller, response)

    return routes
