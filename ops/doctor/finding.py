"""What the doctor finds."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is."""

    BAD = "bad"  # work does not go on, or may not
    WATCH = "watch"  # work goes on; a person should look


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: a stable code, a sentence, and what to do."""

    code: str
    severity: Severity
    what: str
    advice: str
