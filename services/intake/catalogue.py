"""The request catalogue: which types there are, their fields, and what is wrong with a form. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from shared.contracts.problems import FieldProblem
from shared.contracts.requests import (
    GroupPorChange,
    Letter,
    LineOfBusiness,
    RequestType,
)
from shared.runtime.problems import field_problems

LETTER_PART = "por_documentation"
TYPE_FIELD = "request_type"

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class RequestTypeInfo(BaseModel):
    """One entry of the catalogue."""

    request_type: RequestType
    label: str
    fields: dict[str, Any]
    letter_part: str


class RequestTypes(BaseModel):
    """The catalogue."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {
                            "request_type": "group-por-change",
                            "label": "Group Producer of Record Change",
                            "fields": {"type": "object", "properties": {"account_number": {"type": "string"}}},
                            "letter_part": "por_documentation",
                        }
                    ]
                }
            ]
        }
    )

    items: list[RequestTypeInfo]


class _Form(GroupPorChange):
    """The form as a person may fill it in: an empty field is one not filled in."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("effective_date", mode="before")
    @classmethod
    def _is_written_as_a_date(cls, value: str) -> str:
        # A number would be read as a Unix timestamp.
        if not _DATE.fullmatch(value):
            raise PydanticCustomError("date_format", "Write the date as YYYY-MM-DD.")
        return value


def request_types() -> RequestTypes:
    """Every type with its fields as JSON Schema."""
    kind = RequestType.GROUP_POR_CHANGE
    return RequestTypes(
        items=[
            RequestTypeInfo(
                request_type=kind,
                label=kind.label,
                fields=GroupPorChange.model_json_schema(),
                letter_part=LETTER_PART,
            )
        ]
    )


def read_form(
    fields: Mapping[str, str],
) -> tuple[GroupPorChange | None, list[FieldProblem]]:
    """The form that ``fields`` fill in, or everything that is wrong with them."""
    errors: list[FieldProblem] = []
    request_type = fields.get(TYPE_FIELD, "")
    if request_type not in set(RequestType):
        known = ", ".join(RequestType)
        errors.append(
            FieldProblem(
                pointer=f"#/{TYPE_FIELD}",
                code="missing" if not request_type else "unknown-request-type",
                detail=f"Name one of the request types: {known}.",
            )
        )
    filled = {name: value for name, value in fields.items() if value and name not in {TYPE_FIELD, LETTER_PART}}
    try:
        form = _Form.model_validate(filled)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        return None, errors + field_problems(found)
    return (None, errors) if errors else (GroupPorChange(**form.model_dump()), [])


def fingerprint(form: GroupPorChange, letters: tuple[Letter, ...]) -> str:
    """What tells a retry from a key used again for something else: the form and the bytes."""
    content = {"form": form.model_dump(mode="json"), "letters": letters_fingerprint(letters)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def letters_fingerprint(letters: tuple[Letter, ...]) -> str:
    """The same letters, in whatever order, give the same."""
    return " ".join(sorted(letter.sha256 for letter in letters))


def request_type_names() -> list[str]:
    """The values of ``request_type``."""
    return [kind.value for kind in RequestType]


def lines_of_business() -> list[str]:
    """The values of ``line_of_business``."""
    return [line.value for line in LineOfBusiness]
