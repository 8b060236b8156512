"""What routes have in common: what they take from an address or a form, and the way on from a form."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Form, Path
from fastapi.responses import RedirectResponse

# Checked here: what is no number may be another address of the desk, as `stream` is.
Number = Annotated[str, Path(pattern="^SR-[0-9]{8}-[0-9]$")]
Line = Annotated[str, Form(max_length=200)]
Text = Annotated[str, Form(max_length=10_000)]  # how much of it the desk takes is the desk's to say


def see_other(path: str) -> RedirectResponse:
    """The way on after a form: a reload of what is there does not send it again."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
