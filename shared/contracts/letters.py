"""What documents found out about a letter."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field, computed_field

from shared.contracts.envelope import Contract, Event
from shared.contracts.requests import Letter, LetterReply, Sha256, Submission
from shared.contracts.transfer_forms import FormReading


class LetterFault(StrEnum):
    """Why a letter was refused; each is a sentence to the producer in :attr:`sentence`."""

    DAMAGED = "letter-damaged"
    WRONG_TYPE = "letter-wrong-type"
    UNREADABLE = "letter-unreadable"
    ENCRYPTED = "letter-encrypted"
    EMPTY = "letter-empty"
    TOO_MANY_PAGES = "letter-too-many-pages"
    ACTIVE = "letter-active"
    ATTACHMENT = "letter-attachment"
    MIXED = "letter-mixed"
    TOO_COMPLEX = "letter-too-complex"
    INFECTED = "letter-infected"
    NOT_SCANNABLE = "letter-not-scannable"

    @property
    def sentence(self) -> str:
        """What a producer reads."""
        return {
            "letter-damaged": "The file we stored does not match the one you sent; please send it again.",
            "letter-wrong-type": "The file is not a PDF, PNG, JPEG or TIFF.",
            "letter-unreadable": "The file cannot be opened because it is damaged or incomplete. Please save it again.",
            "letter-encrypted": "The file is password-protected; please remove the password and resend it.",
            "letter-empty": "The file has no pages.",
            "letter-too-many-pages": "The file has too many pages.",
            "letter-active": "The file contains a script, a form that sends data, or content that opens or plays "
            "automatically. Please print and scan the document, or print it to a new PDF.",
            "letter-attachment": "The file has other files embedded in it. Please print it to a new PDF without them.",
            "letter-mixed": "The file contains other data before or after the document. "
            "Please print and scan the document, or save it again.",
            "letter-too-complex": "The file's contents are far larger than a document needs. "
            "Please print the document and scan it at 300 dpi.",
            "letter-infected": "A virus was found in the file. "
            "Please check your computer, then print and scan the document.",
            "letter-not-scannable": "The virus scanner could not clear the file. Please print and scan the document.",
        }[self.value]


class State(StrEnum):
    """Where a judged letter is: in custody it is served to its owner, in quarantine never."""

    CUSTODY = "custody"
    QUARANTINE = "quarantine"


class CheckedLetter(Letter):
    """A letter with its verdict: no ``fault`` means that it is in custody."""

    letter_id: str = Field(description="The ID under which it can be downloaded.")
    pages: int | None = Field(default=None, description="Null if the file could not be opened.")
    fault: LetterFault | None = None


class Receipt(Contract):
    """The custody record of one letter, kept beside it in the object store."""

    letter: CheckedLetter
    request_id: UUID
    owner: str = Field(description="The producer id that may read it.")
    checked_at: datetime

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def state(self) -> State:
        """Follows from the verdict; written down so that who looks into the store need not know the codes."""
        return State.QUARANTINE if self.letter.fault else State.CUSTODY


class LetterChecked(Event):
    """Every letter of a submission has its verdict; the whole submission travels along."""

    # v1 carries a v1 submission: see RequestSubmitted.
    type: Literal["por.letter.checked.v2", "por.letter.checked.v1"] = "por.letter.checked.v2"
    data: "LetterVerdicts"


class LetterVerdicts(Contract):
    """A submission, or a reply to an open ticket, with the verdict on each of its letters."""

    submission: Submission | LetterReply
    letters: tuple[CheckedLetter, ...]
    forms: tuple[FormReading, ...] = Field(default=(), description="Each letter, looked at for the transfer form.")


def letter_id(request_id: UUID, sha256: Sha256) -> str:
    """The public name of a letter: who may read it is written in its receipt, not in its name."""
    return f"{request_id}.{sha256}"


LetterChecked.model_rebuild()
