"""What the catalogue adds to the public door: the menu of forms, and private fields for whom may read them."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.intake.answers import PrivateFields
from services.intake.menu import RequestTypes, menu_of
from services.intake.reception import Reception
from services.intake.settings import IntakeSettings
from shared.contracts import refusals
from shared.runtime.auth import BANK_READ, Caller, Verifier, caller_with
from shared.runtime.openapi import documented
from shared.runtime.problems import Problem


def router(reception: Reception, verifier: Verifier, settings: IntakeSettings) -> APIRouter:
    """The routes over one catalogue."""
    routes = APIRouter(prefix="/v1", tags=["requests"])

    @routes.get(
        "/request-types",
        summary="List the request types: fields as JSON Schema, layout, documents and active holds",
    )
    async def list_request_types() -> RequestTypes:
        return menu_of(reception.counter.catalogue, reception.counter.holds, settings)

    @routes.get(
        "/requests/{request_id}/private-fields",
        summary="Read a request's private fields unmasked (staff with bank:read)",
        description="Each read is logged.",
        responses=documented(
            HTTPStatus.CONFLICT,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            *refusals.SHOW_LETTER,
        ),
    )
    async def show_private_fields(
        request_id: UUID, caller: Annotated[Caller, Depends(caller_with(verifier, BANK_READ))], response: Response
    ) -> PrivateFields:
        if not caller.sees_private:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "not-allowed",
                "Private fields are for staff; this also requires the scope tickets:work.",
            )
        response.headers["Cache-Control"] = "no-store"
        return await reception.private_fields(request_id, caller)

    return routes
