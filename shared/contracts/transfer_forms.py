"""The Group POR Transfer Form: the fields that the gateway draws, documents reads and tickets compares."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contracts.envelope import Contract

FORM = "group-por-transfer"
REQUEST_TYPE = "group-por-change"  # whose letter it is
VERSION = "2026-11"  # a new one whenever a field comes, goes or changes its name
VERSION_FIELD = "form_version"  # hidden on the form, and read-only

FIELDS = {
    "account_name": "Group's legal name",
    "account_number": "Account number",
    "line_of_business": "Line of business",
    "effective_date": "Effective date",
    "current_producer": "Current producer",
    "current_producer_id": "Current producer ID",
    "new_producer": "New producer",
    "new_producer_id": "New producer ID",
    "agency": "Agency",
    "reason": "Reason for the change",
    "signer": "Authorized signer",
    "signer_title": "Title",
    "signature": "Signature",
    "signed_on": "Date signed",
}
LONG = "reason"  # the one field of several lines
MAX_LINE, MAX_LONG = 120, 500  # characters
CUT_OFF = "…"  # ends what was longer

Value = Annotated[str, StringConstraints(max_length=MAX_LONG + len(CUT_OFF))]


def max_length(name: str) -> int:
    """The characters that a field takes."""
    return MAX_LONG if name == LONG else MAX_LINE


class FilledForm(Contract):
    """What a form says that was filled in: cleaned of what cannot be seen, and cut off where it is too long."""

    version: Value
    is_current: bool = Field(description="Whether it was the newest version when it was read.")
    fields: dict[str, Value] = Field(description="By name; an empty field is not there.")


class FormReading(Contract):
    """One letter, looked at for the form; without ``form`` it is none that can be read: a scan, or another letter."""

    letter_id: str
    form: FilledForm | None = None
