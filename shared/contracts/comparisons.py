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
    form: str | None = Field(default=None, description="What the form says; null: nothing.")
    request: str | None = Field(default=None, description="What the request says; null where it does not say that.")
    result: Match | None = Field(
        default=None, description="`missing`: nothing is on the form. Null: the form alone says it."
    )


class FormComparison(Contract):
    """A letter as a transfer form, compared with the request; nothing follows from it by itself."""

    letter_id: str
    result: Match | Literal["not-readable"] = Field(
        description="The worst of its fields: differs, then missing. `not-readable`: a scan, or another letter."
    )
    version: str | None = Field(default=None, description="As the form says it.")
    is_current: bool | None = Field(default=None, description="False: the form was an older one when it came.")
    fields: list[ComparedField] = Field(default=[], description="All of the form; of what cannot be read, none.")
