"""The desk's public HTTP API, as this portal calls it; the only file that imports an HTTP client."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Literal, TypeAlias
from urllib.parse import quote

import httpx

from portal.tokens import AccessToken

WAIT = 5  # seconds that the gateway may take to answer with the ticket number
TIMEOUT = httpx.Timeout(30, connect=3)
UNLIMITED = httpx.Limits(max_connections=None, max_keepalive_connections=0)

Json: TypeAlias = dict[str, Any]
Act: TypeAlias = Literal["status", "claim", "assignment", "notes", "withdrawal", "answers"]
Letter: TypeAlias = tuple[str, IO[bytes], str]  # name, content, media type


class Away(Exception):
    """The desk does not answer, or says that it cannot now: nothing is lost by trying again."""


@dataclass
class Refused(Exception):
    """The desk says no: its problem document (RFC 9457)."""

    status: int
    code: str = ""
    detail: str = ""
    errors: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Ticket:
    """A ticket's page, and the version by which it is changed."""

    body: Json
    etag: str


class Gateway:
    """Calls the gateway in the name of whoever the token names.

    Every method raises :class:`Away` or :class:`Refused`.
    """

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT, trust_env=False)
        # A pool of its own: those who listen stay, and would leave no connection for the others.
        self._streams = httpx.AsyncClient(base_url=url, timeout=TIMEOUT, limits=UNLIMITED, trust_env=False)
        self._types: list[Json] = []

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()
        await self._streams.aclose()

    async def ping(self) -> None:
        """Find out whether the desk answers."""
        await self._call("GET", "/v1/request-types")

    async def request_types(self) -> list[Json]:
        """The catalogue; while the desk is away the last one that it gave, so that no form is lost for that."""
        try:
            self._types = (await self._call("GET", "/v1/request-types")).json()["items"]
        except Away:
            if not self._types:
                raise
        return self._types

    async def tickets(self, token: AccessToken, query: Mapping[str, str | int]) -> Json:
        """One page of the grid."""
        page: Json = (await self._call("GET", "/v1/tickets", token, params=dict(query))).json()
        return page

    async def ticket(self, token: AccessToken, number: str) -> Ticket:
        """One ticket."""
        answer = await self._call("GET", f"/v1/tickets/{quote(number, safe='')}", token)
        return Ticket(answer.json(), answer.headers["etag"])

    async def post_request(
        self, token: AccessToken, fields: Mapping[str, str], letters: Sequence[tuple[str, Letter]], key: str
    ) -> Json:
        """Ask for something; the same key asks for the same thing. ``ticket_number`` is there where it was fast."""
        state: Json = (
            await self._call(
                "POST",
                "/v1/requests",
                token,
                headers={"Idempotency-Key": f'"{key}"', "Prefer": f"wait={WAIT}"},
                files=[*((name, (None, value)) for name, value in fields.items()), *letters],
            )
        ).json()
        return state

    async def post_letters(
        self, token: AccessToken, number: str, letters: Sequence[tuple[str, Letter]], comment: str, key: str
    ) -> None:
        """Send further letters for a ticket, and what is to be said of them."""
        path = f"/v1/tickets/{quote(number, safe='')}/letters"
        parts = [("comment", (None, comment)), *letters]
        await self._call("POST", path, token, headers={"Idempotency-Key": f'"{key}"'}, files=parts)

    async def act(
        self, token: AccessToken, number: str, act: Act, etag: str, body: Mapping[str, Any] | None = None
    ) -> None:
        """Do something with a ticket, unless it has changed since it had this ``etag``."""
        path = f"/v1/tickets/{quote(number, safe='')}/{act}"
        await self._call("POST", path, token, headers={"If-Match": etag}, json=body)

    async def reasons(self, token: AccessToken) -> list[Json]:
        """The reasons that staff may give for a move, with the texts that go into the mail."""
        items: list[Json] = (await self._call("GET", "/v1/tickets/reasons", token)).json()["items"]
        return items

    async def counts(self, token: AccessToken) -> Json:
        """How much is open, and with whom."""
        counts: Json = (await self._call("GET", "/v1/tickets/counts", token)).json()
        return counts

    async def private_fields(self, token: AccessToken, request_id: str) -> Json:
        """The private fields of a request, in clear; the desk logs who reads them."""
        path = f"/v1/requests/{quote(request_id, safe='')}/private-fields"
        fields: Json = (await self._call("GET", path, token)).json()["fields"]
        return fields

    @asynccontextmanager
    async def stream(
        self, token: AccessToken, path: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """An answer that is read as it comes: a letter, or the events."""
        asked = _headers(token, {"Accept-Encoding": "identity", **(headers or {})})
        request = self._streams.build_request("GET", path, headers=asked)
        answer = await self._send(self._streams, request, stream=True)
        try:
            yield answer
        finally:
            await answer.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        token: AccessToken | None = None,
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> httpx.Response:
        request = self._http.build_request(method, path, headers=_headers(token, headers or {}), **body)
        return await self._send(self._http, request)

    @staticmethod
    async def _send(client: httpx.AsyncClient, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            answer = await client.send(request, stream=stream)
            if answer.is_error:
                await answer.aread()
        except httpx.HTTPError as error:
            raise Away from error
        if answer.is_server_error:
            raise Away
        if answer.is_error:
            raise _refusal(answer)
        return answer


def _headers(token: AccessToken | None, more: Mapping[str, str]) -> dict[bytes, bytes]:
    """As bytes: what a form sends back may hold what is not ASCII, and only the desk can say what is wrong with it."""
    bearer = {"Authorization": f"Bearer {token.text}"} if token else {}
    return {name.encode(): value.encode() for name, value in {**bearer, **more}.items()}


def _refusal(answer: httpx.Response) -> Refused:
    try:
        problem: Json = answer.json()
    except ValueError:
        # Not the desk's own words, but those of whatever stands before it.
        return Refused(answer.status_code, detail="That did not work. Try again.")
    return Refused(
        answer.status_code,
        code=str(problem.get("type", "")).rpartition(":")[2],
        detail=str(problem.get("detail", "")),
        errors=problem.get("errors") or [],
    )
