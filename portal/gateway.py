"""The desk's public HTTP API, as this portal calls it; the only file that imports an HTTP client."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, Any, TypeAlias
from urllib.parse import quote

import httpx

from portal.tokens import AccessToken

WAIT = 5  # seconds that the gateway may take to answer with the ticket number
TIMEOUT = httpx.Timeout(30, connect=3)

Json: TypeAlias = dict[str, Any]
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
    more: Json = field(default_factory=dict)


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

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def request_types(self) -> list[Json]:
        """The catalogue."""
        items: list[Json] = (await self._call("GET", "/v1/request-types")).json()["items"]
        return items

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
        self, token: AccessToken, number: str, letters: Sequence[tuple[str, Letter]], key: str
    ) -> None:
        """Send further letters for a ticket."""
        path = f"/v1/tickets/{quote(number, safe='')}/letters"
        await self._call("POST", path, token, headers={"Idempotency-Key": f'"{key}"'}, files=list(letters))

    async def move(self, token: AccessToken, number: str, etag: str, move: Json) -> None:
        """Move a ticket, unless it has changed since."""
        path = f"/v1/tickets/{quote(number, safe='')}/status"
        await self._call("POST", path, token, headers={"If-Match": etag}, json=move)

    async def reasons(self) -> list[str]:
        """The codes that staff may give for a move."""
        schemas = (await self._call("GET", "/openapi.json")).json()["components"]["schemas"]
        codes: list[str] = schemas["StaffReason"]["enum"]
        return codes

    @asynccontextmanager
    async def stream(self, token: AccessToken, path: str) -> AsyncIterator[httpx.Response]:
        """An answer that is read as it comes: a letter, or the events."""
        request = self._http.build_request("GET", path, headers={**_bearer(token), "Accept-Encoding": "identity"})
        answer = await self._send(request, stream=True)
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
        request = self._http.build_request(method, path, headers={**_bearer(token), **(headers or {})}, **body)
        return await self._send(request)

    async def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            answer = await self._http.send(request, stream=stream)
            if answer.is_error:
                await answer.aread()
        except httpx.HTTPError as error:
            raise Away from error
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise Away
        if answer.is_error:
            raise _refusal(answer)
        return answer


def _bearer(token: AccessToken | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.text}"} if token else {}


def _refusal(answer: httpx.Response) -> Refused:
    try:
        problem: Json = answer.json()
    except ValueError:
        return Refused(answer.status_code)
    return Refused(
        answer.status_code,
        code=str(problem.get("type", "")).rpartition(":")[2],
        detail=str(problem.get("detail", "")),
        errors=problem.get("errors") or [],
        more=problem,
    )
