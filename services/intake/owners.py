"""The services behind the gateway: tickets and documents, asked with the caller's own token."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from shared.contracts.tickets import TicketPage, TicketSummary
from shared.runtime.auth import Caller
from shared.runtime.problems import unavailable

_PASSED_DOWN = ("authorization", "if-match", "content-type", "accept")
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


class Owner:
    """One service that owns routes which the gateway shows."""

    def __init__(self, name: str, url: str, timeout: float) -> None:
        self._name = name
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False)

    async def forward(self, request: Request) -> Response:
        """Send the request on and stream the answer back.

        Raises:
            Problem: 503 where the owner is away.
        """
        outgoing = self._client.build_request(
            request.method,
            request.url.path,
            params=request.query_params.multi_items(),
            headers={
                n: request.headers[n] for n in _PASSED_DOWN if n in request.headers
            },
            content=await request.body(),
        )
        try:
            answer = await self._client.send(outgoing, stream=True)
        except httpx.HTTPError as error:
            raise unavailable(
                f"The {self._name} service is away; try again soon."
            ) from error
        return StreamingResponse(
            answer.aiter_raw(),
            answer.status_code,
            {
                name: value
                for name, value in answer.headers.items()
                if name in _PASSED_UP
            },
            background=BackgroundTask(answer.aclose),
        )

    async def get(
        self, path: str, caller: Caller, params: Mapping[str, Any]
    ) -> httpx.Response:
        """Ask the owner on behalf of a caller; raises ``httpx.HTTPError`` where it cannot."""
        answer = await self._client.get(
            path,
            params=dict(params),
            headers={"Authorization": f"Bearer {caller.token}"},
        )
        return answer.raise_for_status()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def ticket_of(
    tickets: Owner, request_id: UUID, caller: Caller
) -> TicketSummary | None:
    """The ticket of a request, if it has one that this caller may see.

    Raises:
        httpx.HTTPError: tickets is away.
    """
    answer = await tickets.get(
        "/v1/tickets", caller, {"request_id": str(request_id), "state": "all"}
    )
    items = TicketPage.model_validate_json(answer.content).items
    return items[0] if items else None
