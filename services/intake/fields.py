"""What a field of a request type is, and the kinds that are words, choices and days. Pure."""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Entry(BaseModel):
    """What a catalogue file says is taken strictly: a word that means nothing is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FormField(Entry):
    """What every kind has: its name in the form, the words a person reads, and a value that fits."""

    name: Name
    label: Words
    help: str = ""
    required: bool = False
    private: bool = Field(default=False, description="Kept encrypted, shown only to whom may read private fields.")
    example: Words

    @property
    def schema_(self) -> dict[str, Any]:
        """JSON Schema of the value, without the words."""
        return {"type": "string"}

    @property
    def type_(self) -> Any:
        """What pydantic checks the value by."""
        return Annotated[str, AfterValidator(self.check)]

    def check(self, value: str) -> str:
        """The value as it is kept; whoever has a rule of his own says it here."""
        return value

    def mask(self, value: str) -> str:
        """What everybody may see of a private value; it has no digit that could tell one account from another."""
        del value
        return "kept encrypted"


class TextField(FormField):
    """Words; with a ``pattern`` they are taken as they are, or refused by the words in ``wrong``."""

    kind: Literal["text"]
    max_length: int = 120
    lines: int = Field(default=1, ge=1, description="How many a form shows.")
    pattern: str = ""
    wrong: str = ""

    @model_validator(mode="after")
    def _says_what_is_wrong(self) -> Self:
        re.compile(self.pattern)
        if bool(self.pattern) != bool(self.wrong):
            raise ValueError("a pattern needs the words for who does not keep to it, in wrong")
        return self

    @property
    def schema_(self) -> dict[str, Any]:
        """Length, and the pattern where there is one."""
        pattern = {"pattern": f"^(?:{self.pattern})$"} if self.pattern else {}
        return {"type": "string", "minLength": 1, "maxLength": self.max_length, **pattern}

    @property
    def type_(self) -> Any:
        """As above."""
        bounds = StringConstraints(min_length=1, max_length=self.max_length, strip_whitespace=not self.pattern)
        return Annotated[str, bounds, AfterValidator(self.check)]

    def check(self, value: str) -> str:
        """The pattern holds for the whole."""
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise PydanticCustomError("string_pattern_mismatch", "{wrong}", {"wrong": self.wrong})
        return value


class ChoiceField(FormField):
    """One of several."""

    kind: Literal["choice"]
    choices: dict[str, Words] = Field(min_length=1)

    @property
    def schema_(self) -> dict[str, Any]:
        """The values, each with its words."""
        return {"type": "string", "oneOf": [{"const": value, "title": words} for value, words in self.choices.items()]}

    def check(self, value: str) -> str:
        """It is among them."""
        if value not in self.choices:
            raise PydanticKnownError("enum", {"expected": ", ".join(f"'{each}'" for each in self.choices)})
        return value


class DateField(FormField):
    """A day, kept as YYYY-MM-DD; with ``after`` it is later than the day in that field."""

    kind: Literal["date"]
    after: Name | None = None

    @property
    def schema_(self) -> dict[str, Any]:
        """A full date."""
        return {"type": "string", "format": "date"}

    @property
    def type_(self) -> Any:
        """As above."""
        return Annotated[str, AfterValidator(self.check), AfterValidator(self._is_later)]

    def check(self, value: str) -> str:
        """It is written as a date, and there is such a day."""
        # The pattern comes first: Python reads more forms than people are asked for.
        if not _DATE.fullmatch(value):
            raise PydanticCustomError("date_format", "Enter the date as YYYY-MM-DD.")
        try:
            date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("no_such_day", "There is no such date; enter it as YYYY-MM-DD.") from None
        return value

    def _is_later(self, value: str, info: ValidationInfo) -> str:
        earlier = info.data.get(self.after) if self.after else None
        if earlier is not None and value <= earlier:
            raise PydanticCustomError("not_later", "This date must be later than {earlier}.", {"earlier": self.after})
        return value


class MonthField(FormField):
    """A month, kept as YYYY-MM."""

    kind: Literal["month"]

    @property
    def schema_(self) -> dict[str, Any]:
        """As an HTML month input sends it."""
        return {"type": "string", "pattern": f"^{_MONTH.pattern}$"}

    def check(self, value: str) -> str:
        """It is written as one."""
        if not _MONTH.fullmatch(value):
            raise PydanticCustomError("month_format", "Enter the month as YYYY-MM.")
        return value


class AffirmationField(FormField):
    """A box that must be ticked."""

    kind: Literal["affirmation"]
    required: Literal[True] = True
    private: Literal[False] = False

    @property
    def schema_(self) -> dict[str, Any]:
        """As forms send a ticked box."""
        return {"type": "string", "enum": ["yes", "on", "true"]}

    @property
    def type_(self) -> Any:
        """Kept as true."""
        return Annotated[bool, BeforeValidator(self._is_ticked)]

    def _is_ticked(self, value: str) -> bool:
        if value not in self.schema_["enum"]:
            raise PydanticCustomError("not_affirmed", "Check this box to affirm.")
        return True
