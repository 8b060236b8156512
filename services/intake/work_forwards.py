"""The typed routes that the gateway forwards to tickets for who does something with one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from services.intake.forwards import limited, note_number
from services.intake.owners import Owner
from shared.contracts import refusals
from shared.contracts.ticket_acts import Answer, Assignment, Note, StatusMove, Withdrawal
from shared.contracts.ticket_views import TicketDetail
from shared.runtime.auth import Verifier, signed_in
from shared.runtime.json_bodies import StrictJsonRoute
from shared.runtime.openapi import TICKET


def router(tickets: Owner, verifier: Verifier) -> APIRouter:
    """Every forwarded act; nobody without a valid token gets as far as the owner, who checks the rest."""

    async def declared(number: str, if_match: Annotated[str | None, Header()] = None) -> None:
        note_number(number)

    routes = APIRouter(
        prefix="/v1/tickets/{number}",
        tags=["tickets"],
        route_class=StrictJsonRoute,
        dependencies=[Depends(signed_in(verifier)), Depends(declared)],
        responses={**TICKET, **limited(*refusals.WORK_ON_TICKET)},
    )

    @routes.post("/status", summary="Move a ticket to another status (staff)", response_model=TicketDetail)
    async def move_ticket(move: StatusMove, request: Request) -> Response:
        return await tickets.forward(request)

    @routes.post("/claim", summary="Claim an unassigned ticket (staff)", response_model=TicketDetail)
    async def claim_ticket(request: Request) -> Response:
        return await tickets.forward(request)

    @routes.post("/assignment", summary="Assign a ticket, or unassign it (staff)", response_model=TicketDetail)
    async def assign_ticket(assignment: Assignment, request: Request) -> Response:
        return await tickets.forward(request)

    @routes.post("/notes", summary="Add a note for colleagues or the producer (staff)", response_model=TicketDetail)
    async def add_note(note: Note, request: Request) -> Response:
        return await tickets.forward(request)

    @routes.post("/withdrawal", summary="Withdraw a request (producer)", response_model=TicketDetail)
    async def withdraw_ticket(withdrawal: Withdrawal, request: Request) -> Response:
        return await tickets.forward(request)

    @routes.post("/answers", summary="Reply to the desk in text (producer)", response_model=TicketDetail)
    async def answer_desk(answer: Answer, request: Request) -> Response:
        return await tickets.forward(request)

    return routes
