"""What may be known of the transfer form before somebody fills it in, and what is wrong with it. Pure."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.intake.catalogue import RequestType
from shared.contracts.problems import FieldProblem
from shared.contracts.transfer_forms import MAX_LINE, MAX_LONG

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def _can_be_seen(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError("not_printable", "Remove characters that cannot be printed, such as line breaks.")
    return value


Line = Annotated[str, StringConstraints(max_length=MAX_LINE, strip_whitespace=True), AfterValidator(_can_be_seen)]
Long = Annotated[str, StringConstraints(max_length=MAX_LONG, strip_whitespace=True), AfterValidator(_can_be_seen)]


class Prefill(BaseModel):
    """What the form has in its fields already. Its signature and the day of that are the signer's own."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    account_name: Line = Field(default="", description="The group's legal name.")
    account_number: Line = ""
    line_of_business: Line = Field(default="", description="A code, as in a request.")
    effective_date: Line = Field(default="", description="YYYY-MM-DD; shown on the form as MM/DD/YYYY.")
    current_producer: Line = ""
    current_producer_id: Line = ""
    new_producer: Line = ""
    new_producer_id: Line = ""
    agency: Line = Field(default="", description="The new producer's agency.")
    reason: Long = ""
    signer: Line = Field(default="", description="Who signs for the group.")
    signer_title: Line = ""

    def problems(self, kind: RequestType) -> list[FieldProblem]:
        """What the request that the form belongs to would not take."""
        asked = {each.name: getattr(self, each.name) for each in kind.fields if each.name in Prefill.model_fields}
        asked = {name: value for name, value in asked.items() if value}
        _, errors = kind.read(asked)
        return [each for each in errors if each.pointer.removeprefix("#/") in asked]

    @property
    def values(self) -> dict[str, str]:
        """What stands in the form's fields."""
        return {**self.model_dump(), "effective_date": _DATE.sub(r"\2/\3/\1", self.effective_date)}
