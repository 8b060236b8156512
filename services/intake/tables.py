"""A list sent as CSV, typed in or uploaded from a spreadsheet: read row by row, each with its verdict. Pure."""

import csv
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from services.intake.field_kinds import Cell
from services.intake.fields import FormField

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
        return Annotated[tuple[row, ...], BeforeValidator(self._rows), AfterValidator(self._each_once)]  # type: ignore[valid-type]  # made at run time

    def _rows(self, text: str) -> list[dict[str, str]]:
        lines = text.removeprefix("\ufeff").strip().splitlines()
        separator = max(",;\t", key=lines[0].count) if lines else ","
        try:
            heading, *rows = csv.reader(lines, delimiter=separator, strict=True)
        except (csv.Error, ValueError) as error:
            raise PydanticCustomError("not_a_table", "Send the list as CSV with a header row.") from error
        names = [self._column_called(cell) for cell in heading]
        if None in names or len(set(names)) < len(names):
            raise PydanticCustomError(
                "table_heading", "Name these columns in the header row: {names}.", {"names": self._names}
            )
        if not 1 <= len(rows) <= self.max_rows:
            raise PydanticCustomError("table_length", "Send 1 to {most} rows.", {"most": self.max_rows})
        return [_filled(dict(zip([*names, _BEYOND], _cells(row, len(names)), strict=False))) for row in rows]

    def _column_called(self, heading: str) -> str | None:
        said = heading.strip().casefold()
        return next((each.name for each in self.columns if said in {each.name, each.label.casefold()}), None)

    @property
    def _names(self) -> str:
        return ", ".join(each.label for each in self.columns)

    def _each_once(self, rows: tuple[BaseModel, ...]) -> tuple[BaseModel, ...]:
        faults: list[InitErrorDetails] = []
        for name in self.unique:
            first: dict[object, int] = {}
            for index, value in enumerate(getattr(row, name) for row in rows):
                if first.setdefault(value, index) != index:
                    row = {"row": first[value] + 1 + HEADING_ROWS}
                    fault = PydanticCustomError("twice", "This value is already in row {row}.", row)
                    faults.append({"type": fault, "loc": (index, name), "input": None})
        if faults:
            raise ValidationError.from_exception_data(self.name, faults, hide_input=True)
        return rows


def model_of(name: str, fields: tuple[FormField, ...]) -> type[BaseModel]:
    """What checks a form, or a row, of these fields; there are no others."""
    facts: dict[str, Any] = {each.name: (each.type_, ... if each.required else None) for each in fields}
    return create_model(name, __config__=ConfigDict(extra="forbid", hide_input_in_errors=True), **facts)


def _cells(row: list[str], count: int) -> list[str]:
    return [*row[:count], "".join(row[count:])]


def _filled(row: Mapping[Any, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in row.items() if value.strip()}
