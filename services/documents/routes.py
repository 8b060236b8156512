"""The HTTP door of documents: one letter, to its owner and to staff."""

import re
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
from shared.runtime.openapi import LETTER, documented

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}[ .]*$")


def router(custody: Custody, verifier: TokenVerifier) -> APIRouter:
    """The routes over one custody."""
    routes = APIRouter(prefix="/v1/letters", tags=["letters"])
    reader = Depends(caller_with(verifier, TICKETS_READ, TICKETS_WORK))

    @routes.get(
        "/{letter_id}",
        summary="Download a letter",
        response_class=StreamingResponse,
        responses={**LETTER, **documented(*refusals.SHOW_LETTER)},
    )
    async def show_letter(letter_id: str, caller: Annotated[Caller, reader]) -> StreamingResponse:
        receipt = await custody.receipt(letter_id, caller)
        chunks, size = await custody.read(receipt)
        # The size of what is there, which is not what was announced where the letter is damaged.
        headers = {**_headers(receipt.letter), "Content-Length": str(size)}
        return StreamingResponse(chunks, media_type=receipt.letter.media_type, headers=headers)

    return routes


def _headers(letter: CheckedLetter) -> dict[str, str]:
    """RFC 6266: a plain name for old clients, the producer's own made safe and percent-encoded."""
    extension = EXTENSIONS.get(letter.media_type, "bin")
    name = f"{_stem(letter.filename)}.{extension}"
    return {
        "Content-Disposition": (
            f"attachment; filename=\"letter.{extension}\"; filename*=UTF-8''{quote(name, safe='')}"
        ),
        "ETag": f'"{letter.sha256}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def _stem(filename: str) -> str:
    """The name without path, extension, outer dots and blanks, and characters that deceive."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in last if char.isprintable())
    return _EXTENSION.sub("", shown).strip(" .") or "letter"
