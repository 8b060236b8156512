"""What the desk's refusals mean to whoever filled in a form. Pure."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from portal.forms import Filled, errors_by_field
from portal.gateway import Away, Refused

NOT_NOW = "The service is temporarily unavailable. Nothing is lost: submit it again in a moment."
CORRECT = "Please correct what is marked below and submit it again."
SENT_BEFORE = "This form was already submitted. Check the list below; submit again only for another request."


@dataclass
class Unsent(Exception):
    """A form could not be sent, nor its page be drawn again; ``words`` are what was typed into it."""

    problem: Refused | Away
    words: tuple[str, ...]


@contextmanager
def keeping(*words: str) -> Iterator[None]:
    """Let nothing that was typed be lost, though the desk be away for the form's own page too.

    Raises:
        Unsent: in place of what the desk says.
    """
    try:
        yield
    except (Refused, Away) as problem:
        raise Unsent(problem, words) from problem


def filled_of(values: Mapping[str, str], problem: Refused | Away) -> Filled:
    """What was typed, with what the desk says of it."""
    if isinstance(problem, Away):
        return Filled(values, message=NOT_NOW)
    if problem.code == "key-reused":
        return Filled(values, message=SENT_BEFORE)
    if problem.errors:
        return Filled(values, errors_by_field(problem.errors), CORRECT)
    return Filled(values, message=problem.detail)


def status_of(problem: Refused | Away) -> HTTPStatus:
    """The status that this portal answers with."""
    return HTTPStatus.SERVICE_UNAVAILABLE if isinstance(problem, Away) else HTTPStatus(problem.status)
