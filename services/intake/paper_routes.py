"""The door for the form that is signed."""

import hashlib
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from services.intake.catalogue import LINE_FIELD, RequestType
from services.intake.fields import ChoiceField
from services.intake.paper.form import TransferForm
from services.intake.paper.prefill import Prefill
from shared.contracts.media import PDF
from shared.contracts.transfer_forms import FORM, VERSION
from shared.runtime.auth import REQUESTS_WRITE, TICKETS_READ, TICKETS_WORK, Verifier, caller_with
from shared.runtime.openapi import documented, headers
from shared.runtime.problems import invalid_fields

_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"The form, version {VERSION}.",
        "content": {PDF: {}},
        "headers": headers(
            {"Content-Disposition": "Always an attachment.", "ETag": "From the version and the values."}
        ),
    }
}


def router(kind: RequestType | None, portal_name: str, verifier: Verifier) -> APIRouter:
    """The form of one type of request; without that type there is none."""
    routes = APIRouter(prefix="/v1/forms", tags=["requests"])
    if kind is None:
        return routes
    lines = next(
        (each.choices for each in kind.fields if isinstance(each, ChoiceField) and each.name == LINE_FIELD), {}
    )
    form = TransferForm(lines, portal_name)
    # Not for everybody, as the catalogue is: each one is drawn anew, and only callers with a token can be told to wait.
    reader = Depends(caller_with(verifier, REQUESTS_WRITE, TICKETS_READ, TICKETS_WORK))

    @routes.get(
        f"/{FORM}",
        summary="Get the Group POR Transfer Form as a fillable PDF",
        description="Each parameter fills in a field. The desk reads a form that is uploaded as it was filled in.",
        dependencies=[reader],
        response_class=Response,
        responses={
            **_FILE,
            **documented(
                HTTPStatus.UNAUTHORIZED,
                HTTPStatus.FORBIDDEN,
                HTTPStatus.UNPROCESSABLE_ENTITY,
                HTTPStatus.TOO_MANY_REQUESTS,
                HTTPStatus.SERVICE_UNAVAILABLE,
            ),
        },
    )
    async def show_transfer_form(prefill: Annotated[Prefill, Query()]) -> Response:
        if wrong := prefill.problems(kind):
            raise invalid_fields(wrong)
        pdf = await form.filled_in(prefill.values)
        return Response(
            pdf,
            media_type=PDF,
            headers={
                "Content-Disposition": f'attachment; filename="{FORM}.pdf"',
                "ETag": f'"{VERSION}.{hashlib.sha256(pdf).hexdigest()}"',
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "private, no-store",
            },
        )

    return routes
