"""What a field of a request type is, and the kinds that are words, choices and days. Pure."""

import re
from datetime import date
from typing import Annotated, Any, Literal, LiteralString, Self

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
from pydantic_core import PydanticCustomError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
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
    same_as: Name | None = Field(default=None, description="A field before it, typed twice; this one is not kept.")
    other_than: Name | None = Field(default=None, description="A field before it that must say something else.")
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

    @property
    def compared_with(self) -> tuple[str, ...]:
        """The fields before it that it stands in some relation to."""
        return tuple(name for name in (self.same_as, self.other_than) if name)

    def compare(self, value: Any, info: ValidationInfo) -> Any:
        """The value, if it stands in the right relation to those before it; nothing is said of one that is wrong.

        The context of the check has the labels of the fields.
        """
        if self.same_as and value != info.data.get(self.same_as, value):
            raise _not_right("not_the_same", "This is not the same as {other}.", self.same_as, info)
        other = info.data.get(self.other_than or "")
        if other is not None and str(value).casefold() == str(other).casefold():
            raise _not_right("not_another", "This must not be the same as {other}.", self.other_than, info)
        return value

    def mask(self, value: str) -> str:
        """What everybody may see of a private value; it has no digit that could tell one account from another."""
        del value
        return "kept encrypted"


class TextField(FormField):
    """Words; what does not keep to the ``pattern`` is refused by the words in ``wrong``."""

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
            words = "; ".join(self.choices.values())
            raise PydanticCustomError("enum", "Choose one of: {words}.", {"words": words})
        return value


class DateField(FormField):
    """A day, kept as YYYY-MM-DD; with ``after`` it is later than the day in that field."""

    kind: Literal["date"]
    after: Name | None = None
    us_style: bool = Field(default=False, description="Also M/D/YYYY, as spreadsheets write it.")

    @property
    def schema_(self) -> dict[str, Any]:
        """A full date."""
        return {"type": "string", "format": "date"}

    @property
    def compared_with(self) -> tuple[str, ...]:
        """As above, and the day before it."""
        return (*super().compared_with, *([self.after] if self.after else []))

    def check(self, value: str) -> str:
        """It is written as a date, and there is such a day."""
        us_style = _US_DATE.fullmatch(value) if self.us_style else None
        written = f"{us_style[3]}-{us_style[1]:0>2}-{us_style[2]:0>2}" if us_style else value
        form = {"form": "YYYY-MM-DD or M/D/YYYY" if self.us_style else "YYYY-MM-DD"}
        # The pattern comes first: Python reads more forms than people are asked for.
        if not _DATE.fullmatch(written):
            raise PydanticCustomError("date_format", "Enter the date as {form}.", form)
        try:
            date.fromisoformat(written)
        except ValueError:
            raise PydanticCustomError("no_such_day", "There is no such date; enter it as {form}.", form) from None
        return written

    def compare(self, value: Any, info: ValidationInfo) -> Any:
        """As above, and it is later."""
        earlier = info.data.get(self.after or "")
        if earlier is not None and value <= earlier:
            raise _not_right("not_later", "This date must be later than {other}.", self.after, info)
        return super().compare(value, info)


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


def _not_right(
    code: LiteralString, sentence: LiteralString, other: str | None, info: ValidationInfo
) -> PydanticCustomError:
    return PydanticCustomError(code, sentence, {"other": (info.context or {}).get(other, other)})
