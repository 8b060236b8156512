"""The verdict on a letter, and how a rule ends the looking."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from shared.contracts.letters import LetterFault
from shared.contracts.transfer_forms import FilledForm

MAX_PIXELS = 120_000_000  # A0 at 300 dpi is 140 million; a letter is far below


@dataclass(frozen=True)
class Verdict:
    """What the bytes are; no fault means that they are a letter, and a form that it is the desk's own, filled in."""

    media_type: str
    pages: int | None = None
    fault: LetterFault | None = None
    form: FilledForm | None = None


# As a verdict goes from the process that found it to the service.
VERDICT = TypeAdapter(Verdict)


class Refused(Exception):
    """A rule is broken: there is nothing more to be looked at."""

    def __init__(self, fault: LetterFault, pages: int | None = None) -> None:
        super().__init__(fault.value)
        self.fault, self.pages = fault, pages
