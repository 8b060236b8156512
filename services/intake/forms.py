"""The OpenAPI of the multipart forms, which the framework cannot read off: the gateway parses them as they stream."""

from typing import Any

from services.intake.catalogue import TYPE_FIELD, Catalogue, RequestType
from services.intake.replies import LETTER_PART, ReplyFields
from services.intake.settings import IntakeSettings


def letters_schema(catalogue: Catalogue, settings: IntakeSettings) -> dict[str, Any]:
    """The OpenAPI of a form with letters, in whichever part a type has for them, and the words that go with them."""
    fields = ReplyFields.model_json_schema()
    parts = dict.fromkeys((LETTER_PART, *sorted(catalogue.parts)))
    schema = {
        "type": "object",
        "properties": {**{part: _files("The letter", settings) for part in parts}, **fields["properties"]},
        "additionalProperties": fields["additionalProperties"],
        "anyOf": [{"required": [part]} for part in parts],
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def form_schema(catalogue: Catalogue, settings: IntakeSettings) -> dict[str, Any]:
    """The OpenAPI of the form: of each type of the catalogue its fields, its files, and an example."""
    content = {
        "schema": {"oneOf": [_form(kind, settings) for kind in catalogue.types.values()]},
        "examples": {kind.code: {"summary": kind.name, "value": _example(kind)} for kind in catalogue.types.values()},
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": content}}}


def _form(kind: RequestType, settings: IntakeSettings) -> dict[str, Any]:
    schema = {name: value for name, value in kind.schema_.items() if name != "$schema"}
    required = [TYPE_FIELD, *schema["required"]]
    files = {}
    if kind.document:
        files = {kind.document.part: _files(kind.document.label, settings)}
        required += files if kind.document.required else []
    properties = {TYPE_FIELD: {"type": "string", "const": kind.code}, **schema["properties"], **files}
    return {**schema, "properties": properties, "required": required}


def _example(kind: RequestType) -> dict[str, Any]:
    files = {kind.document.part: ["(the bytes of the file)"]} if kind.document else {}
    return {TYPE_FIELD: kind.code, **kind.example, **files}


def _files(label: str, settings: IntakeSettings) -> dict[str, Any]:
    most = settings.max_letter_bytes / 1024**2
    return {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "maxItems": settings.max_letters,
        "description": f"{label}: PDF, PNG, JPEG or TIFF, at most {most:g} MiB each.",
    }
