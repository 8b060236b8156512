"""What a letter says as a transfer form beside what its request says, as staff sees it."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from shared.contracts.envelope import Contract


class Match(StrEnum):
    """How what a form says compares with the request."""

    MATCH = "match"
    DIFFERS = "differs"
    MISSING = "missing"


class ComparedField(Contract):
    """One field of a transfer form beside the request."""

    name: str
    label: str
    form: str | None = Field(default=None, description="What the form says; null if blank.")
    request: str | None = Field(default=None, description="What the request says; null if it has no such field.")
    result: Match | None = Field(
        default=None, description="`missing`: blank on the form. Null: only the form has this field."
    )


class FormComparison(Contract):
    """A letter as a transfer form, compared with the request; it has no effect by itself."""

    letter_id: str
    result: Match | Literal["not-readable"] = Field(
        description="The worst result of its fields: differs, then missing. `not-readable`: a scan, or another letter."
    )
    version: str | None = Field(default=None, description="As stated on the form.")
    is_current: bool | None = Field(default=None, description="False: a newer version existed when the form arrived.")
    fields: list[ComparedField] = Field(default=[], description="Every field of the form; empty if it cannot be read.")
