"""The OpenAPI of the multipart forms, which the framework cannot read off: the gateway parses them as they stream."""

from typing import Any

from services.intake import catalogue
from services.intake.catalogue import LETTER_PART
from shared.contracts.requests import GroupPorChange

_LETTERS = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "description": "The signed letter: PDF, PNG, JPEG or TIFF, 25 MiB each.",
}


def letters_schema() -> dict[str, Any]:
    """The OpenAPI of a form with letters alone."""
    schema = {"type": "object", "properties": {LETTER_PART: _LETTERS}, "required": [LETTER_PART]}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def form_schema() -> dict[str, Any]:
    """The OpenAPI of the form: the catalogue's fields and the letters."""
    schema = GroupPorChange.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    business = schema["properties"]["line_of_business"]
    business.pop("$ref", None)
    business |= {"type": "string", "enum": catalogue.lines_of_business()}
    properties = {
        "request_type": {"type": "string", "enum": catalogue.request_type_names()},
        **schema["properties"],
        LETTER_PART: _LETTERS,
    }
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": properties,
                        "required": ["request_type", *schema["required"], LETTER_PART],
                    },
                    "example": {
                        "request_type": "group-por-change",
                        "line_of_business": "group-medical",
                        "account_number": "041872",
                        "account_name": "Harbor & Pine Woodworks, Inc.",
                        "effective_date": "2027-01-01",
                        LETTER_PART: ["(the bytes of letter.pdf)"],
                    },
                }
            },
        }
    }
