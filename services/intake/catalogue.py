"""The request catalogue: one file per type, its fields and documents, and what is wrong with a form.

``docs/request-types.md`` says how a file is written.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, PrivateAttr, StringConstraints, ValidationError, model_validator

from services.intake.field_kinds import Cell
from services.intake.fields import AffirmationField, Entry, Name, Words
from services.intake.tables import TableField, labels_of, model_of
from shared.contracts.problems import FieldProblem
from shared.contracts.requests import Form
from shared.runtime.problems import field_problems, pointer_to
from shared.runtime.settings import ConfigurationError

TYPE_FIELD = "request_type"
LINE_FIELD = "line_of_business"
BLANKS = " \t\N{NO-BREAK SPACE}"  # what comes along when a value is copied; the end of a line is more than that
SHIPPED = Path(__file__).parent / "request_types"

AnyField = Annotated[Cell | AffirmationField | TableField, Field(discriminator="kind")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class Document(Entry):
    """A file that a type asks for, one or several; ``part`` is its name in the form."""

    part: Name
    label: Words
    help: str = ""
    required: bool = True
    private: bool = False


class RequestType(Entry):
    """One type of request, as its file says it."""

    code: Code
    label: Words = Field(description="The label in the menu.")
    title: str = Field(default="", description="The title on its page and its tickets, if it is not the label.")
    position: int = Field(description="Its place in the menu.")
    help: str = ""
    self_service: str = Field(default="", description="What producers can do themselves right away.")
    one_of: tuple[Name, ...] = Field(default=(), description="At least one of these fields must be filled in.")
    fields: tuple[AnyField, ...] = Field(min_length=1)
    document: Document | None = None

    _model: type[BaseModel] = PrivateAttr()

    @property
    def name(self) -> str:
        """What tickets of this type are called."""
        return self.title or self.label

    @cached_property
    def private_fields(self) -> dict[str, AnyField]:
        """The fields that are kept encrypted, by name."""
        return {each.name: each for each in self.fields if each.private}

    @property
    def lines_of_business(self) -> set[str]:
        """The lines that a form of this type may name."""
        return {line for each in self.fields if each.name == LINE_FIELD for line in getattr(each, "choices", ())}

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        names = [TYPE_FIELD, *(each.name for each in self.fields), *([self.document.part] if self.document else [])]
        if len(set(names)) < len(names):
            raise ValueError("a field or part name is used twice")
        if unknown := set(self.one_of) - set(names):
            raise ValueError(f"one_of names no field: {', '.join(sorted(unknown))}")
        self._model = model_of(self.code, self.fields)
        if wrong := self.read(self.example)[1]:
            raise ValueError(f"the example is refused: {wrong[0].pointer} {wrong[0].detail}")
        return self

    @cached_property
    def example(self) -> dict[str, str]:
        """The form filled in with the examples of its fields."""
        return {each.name: each.example for each in self.fields}

    @cached_property
    def schema_(self) -> dict[str, Any]:
        """The form as JSON Schema."""
        described = {"examples", "description"}
        properties = {
            each.name: {
                name: value
                for name, value in (
                    {"title": each.label, **each.schema_, "description": each.help, "examples": [each.example]}
                ).items()
                if value or name not in described
            }
            for each in self.fields
        }
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name,
            "type": "object",
            "properties": properties,
            "required": [each.name for each in self.fields if each.required],
            "additionalProperties": False,
            **({"anyOf": [{"required": [name]} for name in self.one_of]} if self.one_of else {}),
        }

    def read(self, fields: Mapping[str, str]) -> tuple[Form, list[FieldProblem]]:
        """The form that ``fields`` fill in, and everything that is wrong with them.

        Blanks around a value do not count; a field with nothing else in it is not filled in.
        """
        filled = {name: value.strip(BLANKS) for name, value in fields.items() if value.strip()}
        errors: list[FieldProblem] = []
        if self.one_of and not filled.keys() & set(self.one_of):
            labels = ", ".join(each.label for each in self.fields if each.name in self.one_of)
            errors = [
                FieldProblem(
                    pointer=pointer_to(self.one_of[0]),
                    code="missing",
                    detail=f"Fill in at least one of these: {labels}.",
                )
            ]
        try:
            form = self._model.model_validate(filled, context=labels_of(self.fields))
        except ValidationError as error:
            return {}, errors + self._problems(error)
        return form.model_dump(exclude_none=True), errors

    def _problems(self, error: ValidationError) -> list[FieldProblem]:
        found = error.errors(include_input=False, include_url=False)
        tables: dict[object, TableField] = {each.name: each for each in self.fields if isinstance(each, TableField)}
        places: list[tuple[Any, ...]] = [each["loc"] for each in found]
        return [
            tables[name].in_its_cell(problem, *cell) if cell else problem
            for problem, (name, *cell) in zip(field_problems(found), places, strict=True)
        ]


@dataclass(frozen=True)
class Catalogue:
    """All types, in the order of the menu."""

    types: dict[str, RequestType]

    @cached_property
    def parts(self) -> frozenset[str]:
        """The parts of a form that are files, of whatever type."""
        return frozenset(each.document.part for each in self.types.values() if each.document)

    @cached_property
    def tables(self) -> frozenset[str]:
        """The fields that are lists, of whatever type."""
        return frozenset(field.name for each in self.types.values() for field in each.fields if field.kind == "table")

    def type_of(self, fields: Mapping[str, str]) -> tuple[RequestType | None, list[FieldProblem]]:
        """The type that a form names, or what is wrong with the name."""
        code = fields.get(TYPE_FIELD, "")
        if known := self.types.get(code):
            return known, []
        detail = f"Choose one of these request types: {', '.join(self.types)}."
        return None, [
            FieldProblem(pointer=f"#/{TYPE_FIELD}", code="unknown-request-type" if code else "missing", detail=detail)
        ]


def load_catalogue(folder: Path | None, portal_name: str) -> Catalogue:
    """Read every file of a folder, or those that are shipped; ``{portal_name}`` in their words is the portal's.

    Raises:
        ConfigurationError: names the file and what is wrong with it, without which the service had better not start.
    """
    types = [_read(path, portal_name) for path in (folder or SHIPPED).glob("*.toml")]
    if not types:
        raise ConfigurationError(f"POR_REQUEST_TYPES: no request types found in {folder}.")
    ordered = sorted(types, key=lambda each: (each.position, each.code))
    return Catalogue({each.code: each for each in ordered})


def _read(path: Path, portal_name: str) -> RequestType:
    try:
        facts = tomllib.loads(path.read_text().replace("{portal_name}", portal_name))
        return RequestType.model_validate({"code": path.stem, **facts})
    except (OSError, ValueError, re.error) as error:  # pydantic's and TOML's are kinds of ValueError
        raise ConfigurationError(f"{path}: {error}") from None
