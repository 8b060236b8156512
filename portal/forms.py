"""A form as the catalogue describes it: fields, files and notices, ready to be drawn. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.gateway import Json

# What a browser makes of each kind of field; whatever is not here is a line of text.
INPUT_TYPES = {"date": "date", "month": "month", "email": "email", "phone": "tel"}
INPUT_MODES = {"money": "decimal", "routing-number": "numeric", "bank-account": "numeric"}


@dataclass(frozen=True)
class Filled:
    """What a person has filled in so far, and what the desk says of it."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    message: str = ""


UNTOUCHED = Filled()


@dataclass(frozen=True)
class Field:
    """One field of the catalogue's layout, with what was typed into it and what is wrong with that."""

    layout: Json
    value: str
    errors: tuple[str, ...]

    @property
    def shape(self) -> str:
        """How it is drawn: choice, affirmation, table, long or line."""
        kind = str(self.layout["kind"])
        if kind in {"choice", "affirmation", "table"}:
            return kind
        return "long" if self.layout["lines"] > 1 else "line"

    @property
    def input_type(self) -> str:
        """The type of its input."""
        return INPUT_TYPES.get(self.layout["kind"], "text")

    @property
    def input_mode(self) -> str:
        """Which keys a phone shows for it."""
        return INPUT_MODES.get(self.layout["kind"], "")


@dataclass(frozen=True)
class Fact:
    """One thing that a request says: words, or the rows of a list under its heading."""

    label: str
    words: str = ""
    heading: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def entry_of(types: Iterable[Json], request_type: str) -> Json | None:
    """The catalogue's entry of a type; None: it has none, or none any more."""
    return next((each for each in types if each["request_type"] == request_type), None)


def fields_of(entry: Json, filled: Filled) -> list[Field]:
    """The fields of one request type, in their order."""
    return [
        Field(each, filled.values.get(each["name"], ""), filled.errors.get(each["name"], ()))
        for each in entry["layout"]
    ]


def around_documents(fields: list[Field]) -> tuple[list[Field], list[Field]]:
    """The fields above a form's documents and those below: what comes after the last required one is an extra."""
    last = max((place for place, each in enumerate(fields) if each.layout["required"]), default=len(fields) - 1)
    return fields[: last + 1], fields[last + 1 :]


def private_of(entry: Json | None) -> set[str]:
    """The fields of which everybody sees a mask only."""
    return {each["name"] for each in (entry or {}).get("layout", ()) if each["private"]}


def errors_by_field(errors: Iterable[Json]) -> dict[str, tuple[str, ...]]:
    """The desk's findings by the field that their pointer names: ``#/por_documentation/0`` is of the field too."""
    found: dict[str, tuple[str, ...]] = {}
    for error in errors:
        name = str(error["pointer"]).removeprefix("#/").partition("/")[0]
        row = error.get("row")
        sentence = f"Row {row}: {error['detail']}" if row else str(error["detail"])
        if sentence not in found.get(name, ()):
            found[name] = (*found.get(name, ()), sentence)
    return found


def facts_of(entry: Json | None, form: Mapping[str, Any]) -> list[Fact]:
    """A request as it was filled in, in the catalogue's words where it still has them."""
    layout = {each["name"]: each for each in (entry or {}).get("layout", ())}
    return [_fact(layout.get(name) or {"label": worded(name)}, value) for name, value in form.items() if value]


def _fact(layout: Json, value: Any) -> Fact:
    if isinstance(value, list):
        columns = layout.get("columns") or [{"name": name, "label": worded(name)} for name in value[0]]
        return Fact(
            layout["label"],
            heading=tuple(column["label"] for column in columns),
            rows=tuple(tuple(row.get(column["name"], "") for column in columns) for row in value),
        )
    if value is True:
        return Fact(layout["label"], "Yes")
    return Fact(layout["label"], layout.get("choices", {}).get(value, value))


def worded(code: str) -> str:
    """A code in words, where the desk gives no words for it: ``action-needed`` is *Action needed*."""
    return code.replace("-", " ").replace("_", " ").capitalize()


def sized(count: int) -> str:
    """A number of bytes in words."""
    return f"{count / 1024**2:.1f} MB".replace(".0 ", " ") if count >= 1024**2 else f"{max(1, count // 1024)} KB"
