"""Ticket numbers: ``SR-`` + eight digits + ``-`` + a Damm check digit over them."""

import re

from stdnum import damm

_FORM = re.compile(r"SR-([0-9]{8})-([0-9])")


def ticket_number(count: int) -> str:
    """The number of the ``count``-th ticket, from 1: ``SR-00000001-3``."""
    digits = f"{count:08d}"
    return f"SR-{digits}-{damm.calc_check_digit(digits)}"


def is_well_formed(number: str) -> bool:
    """Whether ``number`` can be a ticket's: a single wrong digit or swapped pair is noticed."""
    match = _FORM.fullmatch(number)
    return match is not None and bool(damm.is_valid(match[1] + match[2]))
