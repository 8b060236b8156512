"""What the desk's refusals mean to whoever filled in a form. Pure."""

from collections.abc import Mapping
from http import HTTPStatus

from portal.forms import Filled, errors_by_field
from portal.gateway import Away, Refused

NOT_NOW = "The service is temporarily unavailable. Nothing is lost: submit it again in a moment."
CORRECT = "Please correct what is marked below and submit it again."
SENT_BEFORE = "This form was already submitted. Check the list below; submit again only for another request."


class NoSuchPage(Exception):
    """There is no such page."""


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
