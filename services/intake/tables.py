"""A list sent as CSV, typed in or uploaded from a spreadsheet: read row by row, each with its verdict. Pure."""

import csv
import io
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    create_model,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from services.intake.field_kinds import Cell
from services.intake.fields import FormField
from shared.contracts.problems import FieldProblem

MAX_TABLE_BYTES = 256 * 1024
HEADING_ROWS = 1

_BEYOND = "beyond the last column"

Column = Annotated[Cell, Field(discriminator="kind")]


class TableField(FormField):
    """Rows under a heading, which names the columns in any order; ``unique`` columns have no value twice."""

    kind: Literal["table"]
    private: Literal[False] = False
    max_rows: int = Field(default=500, ge=1)
    columns: tuple[Column, ...] = Field(min_length=1)
    unique: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _knows_its_columns(self) -> Self:
        if unknown := set(self.unique) - {each.name for each in self.columns}:
            raise ValueError(f"unique names no column: {', '.join(sorted(unknown))}")
        return self

    @property
    def schema_(self) -> dict[str, Any]:
        """Text as sent; what its rows hold is in the layout."""
        return {"type": "string", "contentMediaType": "text/csv", "maxLength": MAX_TABLE_BYTES}

    @cached_property
    def type_(self) -> Any:
        """Rows, each checked by its columns."""
        row = model_of(self.name, self.columns)
        by_place = TypeAdapter(dict[int, row])  # type: ignore[valid-type]  # made at run time

        def read(text: str) -> tuple[BaseModel, ...]:
            rows = by_place.validate_python(self._rows(text), context=labels_of(self.columns))
            self._require_each_once(rows)
            return tuple(rows.values())

        return Annotated[tuple[row, ...], BeforeValidator(read)]  # type: ignore[valid-type]  # as above

    def in_its_cell(self, problem: FieldProblem, place: int, column: str) -> FieldProblem:
        """A finding as somebody reads it who looks for its cell in a spreadsheet."""
        label = labels_of(self.columns).get(column, column.capitalize())
        named = problem.detail if label.casefold() in problem.detail.casefold() else f"{label}: {problem.detail}"
        return problem.model_copy(update={"detail": named, "row": _row_at(place)})

    def _rows(self, text: str) -> dict[int, dict[str, str]]:
        """What is filled in, by its place below the heading; rows of nothing but commas are passed over."""
        # As it came, line ends and all: a cell in quotes may have several lines.
        lines = io.StringIO(text.removeprefix("\ufeff").strip(), newline="")
        separator = max(",;\t", key=lines.readline().count)
        lines.seek(0)
        try:
            heading, *rows = csv.reader(lines, delimiter=separator, strict=True)
        except (csv.Error, ValueError) as error:
            raise PydanticCustomError("not_a_table", "Send the list as CSV with a header row.") from error
        names = [self._column_called(cell) for cell in heading]
        if None in names or len(set(names)) < len(names):
            raise PydanticCustomError(
                "table_heading", "Name these columns in the header row: {names}.", {"names": self._names}
            )
        cells = (_filled(dict(zip([*names, _BEYOND], _cells(row, len(names)), strict=False))) for row in rows)
        found = {place: row for place, row in enumerate(cells) if row}
        if not 1 <= len(found) <= self.max_rows:
            raise PydanticCustomError("table_length", "Send 1 to {most} rows.", {"most": self.max_rows})
        return found

    def _column_called(self, heading: str) -> str | None:
        said = heading.strip().casefold()
        return next((each.name for each in self.columns if said in {each.name, each.label.casefold()}), None)

    @property
    def _names(self) -> str:
        return ", ".join(each.label for each in self.columns)

    def _require_each_once(self, rows: Mapping[int, BaseModel]) -> None:
        faults: list[InitErrorDetails] = []
        for name in self.unique:
            first: dict[object, int] = {}
            for place, row in rows.items():
                before = first.setdefault(getattr(row, name), place)
                if before != place:
                    fault = PydanticCustomError(
                        "twice", "This value is already in row {row}.", {"row": _row_at(before)}
                    )
                    faults.append({"type": fault, "loc": (place, name), "input": None})
        if faults:
            raise ValidationError.from_exception_data(self.name, faults, hide_input=True)


def model_of(name: str, fields: tuple[FormField, ...]) -> type[BaseModel]:
    """What checks a form, or a row, of these fields; there are no others.

    Raises:
        ValueError: one is compared with what is no field before it.
    """
    facts: dict[str, Any] = {}
    for each in fields:
        if unknown := set(each.compared_with) - set(facts):
            raise ValueError(f"{each.name} is compared with no field before it: {', '.join(sorted(unknown))}")
        kept = Field(... if each.required else None, exclude=each.same_as is not None)
        facts[each.name] = (Annotated[each.type_, AfterValidator(each.compare)], kept)
    return create_model(name, __config__=ConfigDict(extra="forbid", hide_input_in_errors=True), **facts)


def labels_of(fields: tuple[FormField, ...]) -> dict[str, str]:
    """What people call each field."""
    return {each.name: each.label for each in fields}


def _row_at(place: int) -> int:
    """The row as a spreadsheet counts, to which the heading is the first."""
    return place + 1 + HEADING_ROWS


def _cells(row: list[str], count: int) -> list[str]:
    return [*row[:count], "".join(row[count:])]


def _filled(row: Mapping[Any, str]) -> dict[str, str]:
    return {name: " ".join(value.split()) for name, value in row.items() if value.strip()}
