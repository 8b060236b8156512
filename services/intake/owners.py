"""The services behind the gateway: tickets and documents, asked with the caller's own token."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, ExitStack
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import httpx
from anyio import CancelScope
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from shared.contracts.problems import ProblemDetails
from shared.contracts.ticket_views import TicketDetail, TicketPage, TicketSummary
from shared.runtime.auth import Caller
from shared.runtime.event_streams import HEARTBEAT_SECONDS, EventStream
from shared.runtime.logs import log
from shared.runtime.problems import MEDIA_TYPE, Problem, unavailable

# A connection that breaks in the moment it stands is an AttributeError to the library.
_BROKEN = (httpx.HTTPError, AttributeError)
# Characters of path and query, escaped. No address that means anything has as many; three times what a caller may send
# is more than an owner reads, or the library writes.
MAX_ADDRESS = 8 * 1024
CONNECTIONS = 100  # to one owner, beside those of who listens
NOT_UNDERSTOOD = "not-understood"  # an answer that is none of ours: a balancer's, perhaps
_PASSED_DOWN = frozenset({b"authorization", b"if-match", b"content-type", b"accept", b"last-event-id"})
_PASSED_UP = frozenset(
    {
        "content-type",
        "content-length",
        "content-disposition",
        "etag",
        "cache-control",
        "x-content-type-options",
        "www-authenticate",
        "retry-after",
    }
)


M = TypeVar("M", bound=BaseModel)


class OwnerAway(Exception):
    """A service behind the gateway does not answer; the text is a stable code that says how."""


class Owner:
    """One service that owns routes which the gateway shows."""

    def __init__(self, name: str, url: str, timeout: float) -> None:
        self._name = name
        self._client = httpx.AsyncClient(
            base_url=url, timeout=timeout, limits=httpx.Limits(max_connections=CONNECTIONS), trust_env=False
        )
        # A pool of its own: those who listen stay, and would leave no connection for the others.
        self._streams = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(timeout, read=3 * HEARTBEAT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            trust_env=False,
        )

    async def forward(self, request: Request, place: AbstractContextManager[None] | None = None) -> Response:
        """Send the request on and stream the answer back; the ``place`` is held until the last of it is sent.

        Raises:
            Problem: 414 for an address that is too long, 503 where the owner is away.
        """
        with ExitStack() as held:
            if place:
                held.enter_context(place)
            return PassedOn(await self._ask(self._client, request), held.pop_all())

    async def _ask(self, client: httpx.AsyncClient, request: Request) -> httpx.Response:
        outgoing = client.build_request(
            request.method,
            _address(request.scope["path"], str(request.query_params)),
            # As bytes: a header may hold what is not ASCII, and only its owner can say what is wrong with it.
            headers=[(name, value.strip()) for name, value in request.headers.raw if name in _PASSED_DOWN],
            content=await request.body(),
        )
        try:
            answer = await client.send(outgoing, stream=True)
        except _BROKEN as error:
            raise self._away(type(error).__name__) from error
        if not _is_an_owners(answer):
            await answer.aclose()
            raise self._away(NOT_UNDERSTOOD)
        return answer

    def _away(self, reason: str) -> Problem:
        log.warning("owner away", owner=self._name, reason=reason)
        return unavailable(f"The {self._name} service is temporarily unavailable; try again shortly.")

    async def forward_stream(self, request: Request) -> Response:
        """Send the request on and pass events back as they come, until either side ends.

        Raises:
            Problem: as :meth:`forward`.
        """
        answer = await self._ask(self._streams, request)
        return EventStream(_pieces(answer)) if answer.is_success else PassedOn(answer, ExitStack())

    async def get(self, kind: type[M], path: str, caller: Caller, params: Mapping[str, Any]) -> M:
        """What the owner says on behalf of a caller.

        Raises:
            OwnerAway: no answer, or none that means anything.
            Problem: what the owner says of the question.
        """
        headers = {"Authorization": f"Bearer {caller.token}"}
        try:
            answer = await self._client.get(path, params=dict(params), headers=headers)
        except _BROKEN as error:
            raise OwnerAway(type(error).__name__) from error
        if answer.is_server_error:
            raise OwnerAway(f"status-{answer.status_code}")
        try:
            if answer.is_success:
                return kind.model_validate_json(answer.content)
            problem = _as_problem(answer)
        except ValueError as error:  # pydantic's is one, and so is that of a status that there is not
            raise OwnerAway(NOT_UNDERSTOOD) from error
        raise problem

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._streams.aclose()


def _is_an_owners(answer: httpx.Response) -> bool:
    """Whether an answer is one of ours, and not what a balancer on the way says in its place."""
    kind: str = answer.headers.get("content-type", "").partition(";")[0]
    return kind != "text/html" if answer.is_success else kind == MEDIA_TYPE


class PassedOn(StreamingResponse):
    """An owner's answer as it comes; however it ends, its connection and what is ``held`` for it are free then."""

    def __init__(self, answer: httpx.Response, held: ExitStack) -> None:
        passed_up = {name: value for name, value in answer.headers.items() if name in _PASSED_UP}
        super().__init__(answer.aiter_raw(), answer.status_code, passed_up)
        self._answer, self._held = answer, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._held:
            try:
                await super().__call__(scope, receive, send)
            finally:
                with CancelScope(shield=True):
                    await self._answer.aclose()


async def _pieces(answer: httpx.Response) -> AsyncGenerator[bytes, None]:
    """What the owner sends; that it breaks off is the end, after which the listener asks again."""
    try:
        async for piece in answer.aiter_raw():
            yield piece
    except httpx.HTTPError as error:
        log.info("events broken off", reason=type(error).__name__)
    finally:
        await answer.aclose()


async def open_ticket(tickets: Owner, number: str, caller: Caller) -> TicketSummary:
    """The ticket with this number, which must be open.

    Raises:
        Problem: 404 also where it is somebody else's, 409 where it is closed, 414 for a number as long as a book, 503
            where tickets is away, and what tickets says of the number.
    """
    try:
        ticket = await tickets.get(TicketDetail, _address(f"/v1/tickets/{number}"), caller, {})
    except OwnerAway as error:
        log.warning("tickets not asked", reason=str(error))
        raise unavailable("The tickets service is temporarily unavailable; try again shortly.") from error
    if ticket.producer_id != caller.producer_id:
        # Staff who is a producer too sees all tickets, and still sends letters for his own only.
        raise Problem(HTTPStatus.NOT_FOUND, "unknown-ticket", "There is no such ticket.")
    if not ticket.status.is_open:
        raise Problem(HTTPStatus.CONFLICT, "ticket-closed", "The ticket is closed; submit a new request.")
    return ticket


def _address(path: str, query: str = "") -> str:
    """A decoded path and an encoded query, to be asked for at an owner.

    Nothing in the path can be taken for another part of an address, or for a way up.

    Raises:
        Problem: 414 ``address-too-long``.
    """
    parts = ("%2E" * len(part) if part in {".", ".."} else quote(part, safe="") for part in path.split("/"))
    address = "?".join(filter(None, ("/".join(parts), query)))
    if len(address) > MAX_ADDRESS:
        detail = f"An address may have {MAX_ADDRESS} characters, with its query and escaped."
        raise Problem(HTTPStatus.REQUEST_URI_TOO_LONG, "address-too-long", detail)
    return address


def _as_problem(answer: httpx.Response) -> Problem:
    said = ProblemDetails.model_validate_json(answer.content)
    challenge = answer.headers.get("www-authenticate")
    return Problem(
        HTTPStatus(answer.status_code),
        said.type.rpartition(":")[2],
        said.detail,
        headers={"WWW-Authenticate": challenge} if challenge else {},
        **(said.model_extra or {}),
    )


async def ticket_of(tickets: Owner, request_id: UUID, caller: Caller) -> TicketSummary | None:
    """The ticket of a request, if it has one that this caller may see.

    Raises:
        OwnerAway: tickets does not answer.
        Problem: what tickets says of the caller.
    """
    found = await tickets.get(TicketPage, "/v1/tickets", caller, {"request_id": str(request_id), "state": "all"})
    return found.items[0] if found.items else None
