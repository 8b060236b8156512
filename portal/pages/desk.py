"""Staff's page of a ticket: its letter beside the request, and everything that can be done with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from portal.answers import filled_of, keeping, status_of
from portal.comparisons import comparisons_of
from portal.forms import UNTOUCHED, Filled, entry_of, facts_of, private_of
from portal.gateway import Act, Away, Refused
from portal.guards import check_csrf
from portal.moves import draft_of, message_of, reasons_for
from portal.parts import Parts
from portal.routes import Number, Text, see_other
from portal.sessions import Session
from portal.timeline import timeline_of


@dataclass(frozen=True)
class Shown:
    """What a page has beside the ticket: forms that came back, which letter, and private fields that were asked for."""

    filled: Mapping[Act, Filled] = field(default_factory=dict)
    letter: str = ""
    private: Mapping[str, str] = field(default_factory=dict)
    status: HTTPStatus = HTTPStatus.OK


class TicketPage:
    """Draws the page, as it is or after an act."""

    def __init__(self, parts: Parts) -> None:
        self._gateway, self._identity, self._views = parts.gateway, parts.identity, parts.views

    async def draw(self, session: Session, number: str, shown: Shown) -> Response:
        """The ticket as it is now."""
        ticket = await self._gateway.ticket(session.token, number)
        entry = entry_of(await self._gateway.request_types(), ticket.body["request_type"])
        letters = {each["letter_id"]: each for each in ticket.body["letters"]}
        return self._views.page(
            "desk_ticket.html",
            session,
            shown.status,
            ticket=ticket.body,
            etag=ticket.etag,
            facts=facts_of(entry, {**ticket.body["form"], **shown.private}),
            has_private=private_of(entry),
            is_open=bool(shown.private),
            letter=letters.get(shown.letter) or next(reversed(letters.values()), None),
            comparisons=comparisons_of(entry, ticket.body),
            steps=timeline_of(ticket.body, session.user, self._identity.name_of),
            filled=shown.filled,
            untouched=UNTOUCHED,
            reasons=reasons_for(entry, await self._gateway.reasons(session.token)),
            colleagues=self._identity.staff(),
        )

    async def act(
        self,
        session: Session,
        number: str,
        act: Act,
        etag: str,
        body: Mapping[str, Any] | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        """Do it; where it cannot be done, say why above its form, with what was ``typed`` still in it."""
        try:
            await self._gateway.act(session.token, number, act, etag, body)
        except (Refused, Away) as problem:
            back = Shown({act: filled_of(typed or {}, problem)}, status=status_of(problem))
            return await self.draw(session, number, back)
        return see_other(f"/desk/{number}")


def router(parts: Parts) -> APIRouter:
    """The work on one ticket."""
    routes = APIRouter(prefix="/desk/{number}")
    page, gateway = TicketPage(parts), parts.gateway
    staff = Depends(parts.staff)

    async def sender(session: Annotated[Session, staff], csrf: Text = "") -> Session:
        check_csrf(session, csrf)
        return session

    sent = Depends(sender)

    @routes.get("")
    async def show_ticket(number: Number, session: Annotated[Session, staff], letter: str = "") -> Response:
        return await page.draw(session, number, Shown(letter=letter))

    @routes.get("/{act}")
    async def show_again(number: Number, act: str) -> Response:
        # Where a form came back, the address is that of what was tried.
        return RedirectResponse(f"/desk/{number}#{act}")

    @routes.post("/moves")
    async def move_ticket(
        number: Number,
        session: Annotated[Session, sent],
        etag: Text = "",
        status: Text = "",
        reason: Text = "",
        message: Text = "",
        comment: Text = "",
    ) -> Response:
        typed = {"status": status, "reason": reason, "message": message, "comment": comment}
        with keeping(message, comment):
            own_words = message_of(message, reason, await gateway.reasons(session.token))
            move = {name: value for name, value in {**typed, "message": own_words}.items() if value.strip()}
            return await page.act(session, number, "status", etag, move, typed)

    @routes.post("/drafts")
    async def draft_message(
        number: Number,
        session: Annotated[Session, sent],
        status: Text = "",
        reason: Text = "",
        message: Text = "",
        comment: Text = "",
    ) -> Response:
        with keeping(message, comment):
            draft = draft_of(message, reason, await gateway.reasons(session.token))
            typed = {"status": status, "reason": reason, "message": draft, "comment": comment}
            return await page.draw(session, number, Shown({"status": Filled(typed)}))

    @routes.post("/claim")
    async def claim_ticket(number: Number, session: Annotated[Session, sent], etag: Text = "") -> Response:
        return await page.act(session, number, "claim", etag)

    @routes.post("/assignment")
    async def assign_ticket(
        number: Number, session: Annotated[Session, sent], etag: Text = "", assignee: Text = ""
    ) -> Response:
        return await page.act(session, number, "assignment", etag, {"assignee": assignee or None})

    @routes.post("/notes")
    async def write_note(
        number: Number, session: Annotated[Session, sent], etag: Text = "", audience: Text = "staff", text: Text = ""
    ) -> Response:
        note = {"audience": audience, "text": text}
        with keeping(text):
            return await page.act(session, number, "notes", etag, note, note)

    @routes.post("/private-fields")
    async def show_private_fields(number: Number, session: Annotated[Session, sent]) -> Response:
        ticket = await gateway.ticket(session.token, number)
        private = await gateway.private_fields(session.token, ticket.body["request_id"])
        return await page.draw(session, number, Shown(private=private))

    return routes
