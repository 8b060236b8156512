"""Errors on the wire: RFC 9457 problem details."""

from pydantic import BaseModel, ConfigDict, Field


class FieldProblem(BaseModel):
    """One thing wrong with one field."""

    pointer: str = Field(description="JSON pointer to the field.", examples=["#/account_number"])
    code: str
    detail: str
    row: int | None = Field(
        default=None, description="In a list: the row number as in a spreadsheet; the header is row 1."
    )


class ProblemDetails(BaseModel):
    """What went wrong and what to do next; served as ``application/problem+json``."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:por-desk:problem:invalid-fields"])
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[FieldProblem] | None = None
