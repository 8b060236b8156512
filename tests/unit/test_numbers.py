"""Ticket numbers: a mistyped one is told apart from an unknown one."""

import itertools
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.tickets.numbers import is_well_formed, ticket_number

COUNTS = st.integers(min_value=1, max_value=99_999_999)
DIGITS = [3, 4, 5, 6, 7, 8, 9, 10, 12]  # where the digits of SR-00000001-3 stand


@given(COUNTS)
def test_every_count_has_a_well_formed_number(count: int) -> None:
    """A number is SR-, the count in eight digits with its leading zeros, and a check digit."""
    number = ticket_number(count)
    assert re.fullmatch(r"SR-[0-9]{8}-[0-9]", number)
    assert int(number[3:11]) == count
    assert is_well_formed(number)


@given(COUNTS, st.sampled_from(DIGITS), st.sampled_from("0123456789"))
def test_a_single_wrong_digit_is_noticed(count: int, place: int, digit: str) -> None:
    """One digit mistyped, anywhere in the number, is never another ticket's number."""
    number = ticket_number(count)
    assume(number[place] != digit)
    assert not is_well_formed(number[:place] + digit + number[place + 1 :])


@given(COUNTS, st.sampled_from(list(itertools.pairwise(DIGITS))))
def test_two_swapped_neighbours_are_noticed(count: int, places: tuple[int, int]) -> None:
    """Two neighbouring digits swapped, across the dash too, are never another ticket's number."""
    number = list(ticket_number(count))
    first, second = places
    assume(number[first] != number[second])
    number[first], number[second] = number[second], number[first]
    assert not is_well_formed("".join(number))


def test_the_first_number_is_the_one_in_the_documents() -> None:
    """The first ticket is SR-00000001-3, as the OpenAPI example says."""
    assert ticket_number(1) == "SR-00000001-3"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "SR-1-3",
        "SR-00000001",
        "sr-00000001-3",
        "SR-00000001-3 ",
        "SR-00000001-3\n",
        "SR-000000001-3",
        "SR-0000000\u0661-3",
    ],
)
def test_other_forms_are_no_numbers(typed: str) -> None:
    """Blanks, other cases, other lengths and other scripts' digits are no ticket number."""
    assert not is_well_formed(typed)
