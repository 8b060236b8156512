"""The HTTP door of documents: one letter, to its owner and to staff."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from services.documents.custody import Custody
from shared.contracts import refusals
from shared.contracts.letters import CheckedLetter
from shared.contracts.media import EXTENSIONS
from shared.runtime.auth import (
    TICKETS_READ,
    TICKETS_WORK,
    Caller,
    TokenVerifier,
    caller_with,
)
from shared.runtime.problems import documented


def router(custody: Custody, verifier: TokenVerifier) -> APIRouter:
    """The routes over one custody."""
    routes = APIRouter(prefix="/v1/letters", tags=["letters"])
    reader = Depends(caller_with(verifier, TICKETS_READ, TICKETS_WORK))

    @routes.get(
        "/{letter_id}",
        summary="The letter's bytes, as an attachment",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "The letter as it was sent.",
                "content": {kind: {} for kind in EXTENSIONS},
            },
            **documented(*refusals.SHOW_LETTER),
        },
    )
    async def show_letter(letter_id: str, caller: Annotated[Caller, reader]) -> StreamingResponse:
        receipt = await custody.receipt(letter_id, caller)
        return StreamingResponse(
            await custody.read(receipt),
            media_type=receipt.letter.media_type,
            headers=_headers(receipt.letter),
        )

    return routes


def _headers(letter: CheckedLetter) -> dict[str, str]:
    """RFC 6266: a plain name for old clients, the producer's own name percent-encoded."""
    extension = EXTENSIONS.get(letter.media_type, "bin")
    return {
        "Content-Disposition": (
            f"attachment; filename=\"letter.{extension}\"; filename*=UTF-8''{quote(letter.filename, safe='')}"
        ),
        "Content-Length": str(letter.size),
        "ETag": f'"{letter.sha256}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
