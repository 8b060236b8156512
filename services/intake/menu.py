"""The catalogue as a portal reads it: what the menu says, how each form is laid out, and which holds are on."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.intake.catalogue import AnyField, Catalogue, Document, RequestType
from services.intake.fields import ChoiceField, TextField
from services.intake.holds import Effect, Hold, Holds
from services.intake.settings import IntakeSettings
from services.intake.tables import TableField
from shared.contracts.media import EXTENSIONS

_EXAMPLE: dict[str, Any] = {
    "request_type": "group-por-change",
    "label": "Update my Group Producer of Record (POR)",
    "title": "Group Producer of Record Change",
    "help": "Submit the Group POR Transfer Form, signed by the group.",
    "self_service": "",
    "fields": {"type": "object", "properties": {"account_number": {"type": "string", "pattern": "^(?:[0-9]{6})$"}}},
    "layout": [
        {
            "name": "account_number",
            "label": "Account Number",
            "help": "Six digits, including leading zeros.",
            "kind": "text",
            "required": True,
            "private": False,
            "lines": 1,
            "choices": {},
            "columns": [],
            "example": "041872",
        }
    ],
    "letter_part": "por_documentation",
    "documents": [
        {
            "part": "por_documentation",
            "label": "POR Documentation",
            "help": "Submit the Group POR Transfer Form.",
            "required": True,
            "private": False,
            "max_files": 10,
            "max_bytes": 26214400,
            "media_types": ["application/pdf", "image/png", "image/jpeg", "image/tiff"],
        }
    ],
    "notices": [
        {
            "text": "At this time, there is a hold on under 65 Producer of Record transfer requests.",
            "effect": "park",
            "lines_of_business": ["individual-under-65"],
            "until": None,
        }
    ],
}


class Column(BaseModel):
    """One column of a table, or what is true of every field."""

    name: str
    label: str
    help: str
    kind: str = Field(description="The kind of field: text, choice, date, month, money, email, phone, table …")
    required: bool
    private: bool = Field(description="Stored encrypted; afterwards only a mask is shown.")
    lines: int = Field(description="How many lines of text to show.")
    choices: dict[str, str] = Field(description="For a choice: each value with its label, in order.")
    example: str


class LaidOutField(Column):
    """One field, in its place on the form."""

    columns: list[Column] = Field(description="For a table: its columns.")


class DocumentInput(BaseModel):
    """A file that the form takes, one or several."""

    part: str
    label: str
    help: str
    required: bool
    private: bool = Field(description="Served to its owner, and to staff who may read private fields.")
    max_files: int = Field(description="In one form.")
    max_bytes: int = Field(description="Of each file.")
    media_types: list[str] = Field(description="What it may be, by its bytes.")


class ActiveNotice(BaseModel):
    """An active hold: show its text above the form."""

    text: str
    effect: Effect = Field(description="refuse: a post gets 409; park: the ticket opens On hold; warn: no effect.")
    lines_of_business: list[str] = Field(description="Only these lines; empty: every line.")
    until: datetime | None = None


class MenuEntry(BaseModel):
    """One type of request."""

    request_type: str
    label: str = Field(description="The label in the menu.")
    title: str = Field(description="The title on its page and its tickets.")
    help: str
    self_service: str = Field(description="What producers can do themselves right away; empty if there is nothing.")
    fields: dict[str, Any] = Field(description="The form as JSON Schema, draft 2020-12.")
    layout: list[LaidOutField] = Field(description="The fields in the order a form shows them.")
    letter_part: str | None = Field(description="The part for the first document; null if the type takes no file.")
    documents: list[DocumentInput]
    notices: list[ActiveNotice]


class RequestTypes(BaseModel):
    """The catalogue, in the order of the menu."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_EXAMPLE]}]})

    items: list[MenuEntry]


def menu_of(catalogue: Catalogue, holds: Holds, settings: IntakeSettings) -> RequestTypes:
    """Every type as it stands now, with what its documents may be as it is set."""
    return RequestTypes(items=[_entry(kind, holds.active(kind.code), settings) for kind in catalogue.types.values()])


def _entry(kind: RequestType, active: list[Hold], settings: IntakeSettings) -> MenuEntry:
    return MenuEntry(
        request_type=kind.code,
        label=kind.label,
        title=kind.name,
        help=kind.help,
        self_service=kind.self_service,
        fields=kind.schema_,
        layout=[_laid_out(each) for each in kind.fields],
        letter_part=kind.document.part if kind.document else None,
        documents=[_document(kind.document, settings)] if kind.document else [],
        notices=[
            ActiveNotice(
                text=hold.text, effect=hold.effect, lines_of_business=list(hold.lines_of_business), until=hold.until
            )
            for hold in active
        ],
    )


def _document(document: Document, settings: IntakeSettings) -> DocumentInput:
    return DocumentInput(
        **document.model_dump(),
        max_files=settings.max_letters,
        max_bytes=settings.max_letter_bytes,
        media_types=[*EXTENSIONS],
    )


def _laid_out(field: AnyField) -> LaidOutField:
    columns = field.columns if isinstance(field, TableField) else ()
    return LaidOutField(**_facts(field), columns=[Column(**_facts(each)) for each in columns])


def _facts(field: AnyField) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "help": field.help,
        "kind": field.kind,
        "required": field.required,
        "private": field.private,
        "lines": field.lines if isinstance(field, TextField) else 1,
        "choices": field.choices if isinstance(field, ChoiceField) else {},
        "example": field.example,
    }
