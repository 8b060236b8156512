"""A form as the catalogue describes it: fields, files and notices, ready to be drawn. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.gateway import Json

LONG_TEXT = 300  # characters; more than this is written in several lines
TYPES = {"date": "date", "email": "email", "uri": "url"}


@dataclass(frozen=True)
class Choice:
    """One option of a list."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One field with what was typed into it and what is wrong with that."""

    name: str
    label: str
    kind: str
    is_required: bool
    help: str = ""
    choices: tuple[Choice, ...] = ()
    longest: int | None = None
    value: str = ""
    errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filled:
    """What a person has filled in so far, and what the desk says of it."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    message: str = ""


def errors_by_field(errors: Iterable[Json]) -> dict[str, tuple[str, ...]]:
    """The desk's findings by the field that their pointer names: ``#/por_documentation/0`` is of the field too."""
    found: dict[str, tuple[str, ...]] = {}
    for error in errors:
        name = str(error["pointer"]).removeprefix("#/").partition("/")[0]
        sentence = str(error["detail"])
        if sentence not in found.get(name, ()):
            found[name] = (*found.get(name, ()), sentence)
    return found


def fields_of(entry: Json, filled: Filled) -> list[Field]:
    """The fields of one request type."""
    schema = entry["fields"]
    required, definitions = schema.get("required", []), schema.get("$defs", {})
    return [
        _field(name, _resolved(each, definitions), name in required, filled)
        for name, each in schema["properties"].items()
    ]


def _field(name: str, schema: Mapping[str, Any], is_required: bool, filled: Filled) -> Field:
    longest = schema.get("maxLength")
    kind = TYPES.get(schema.get("format", ""), "text")
    if choices := _choices(schema):
        kind = "choice"
    elif longest and longest > LONG_TEXT:
        kind = "long"
    return Field(
        name=name,
        label=schema.get("title") or worded(name),
        kind=kind,
        is_required=is_required,
        help=schema.get("description", ""),
        choices=choices,
        longest=longest,
        value=filled.values.get(name, ""),
        errors=filled.errors.get(name, ()),
    )


def _choices(schema: Mapping[str, Any]) -> tuple[Choice, ...]:
    if "oneOf" in schema:
        return tuple(Choice(each["const"], each["title"]) for each in schema["oneOf"])
    return tuple(Choice(value, worded(value)) for value in schema.get("enum", ()))


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A property with what it refers to, and without the null of those that may be left out."""
    whole = dict(schema)
    reference = whole.pop("$ref", None)
    kinds = [each for each in whole.pop("anyOf", ()) if each.get("type") != "null"]
    for more in ([definitions[reference.rpartition("/")[2]]] if reference else []) + kinds[:1]:
        # What is defined for many has words for developers: its own name and what it is.
        found = _resolved(more, definitions)
        whole = {**{key: value for key, value in found.items() if key not in {"title", "description"}}, **whole}
    return whole


def worded(code: str) -> str:
    """A code in words, where the desk gives no words for it: ``group-medical`` is *Group medical*."""
    return code.replace("-", " ").replace("_", " ").capitalize()
