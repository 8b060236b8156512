"""Moves that cannot be: each is told what is wrong with it, and moves nothing."""

import pytest
from httpx import codes

from tests.fixtures.desk import Desk


@pytest.mark.parametrize(
    ("if_match", "status", "code"),
    [
        *((wrong, codes.BAD_REQUEST, "bad-if-match") for wrong in ("1", "W/1", '"1" "2"', '*, "1"')),
        *((other, codes.PRECONDITION_FAILED, "changed-meanwhile") for other in ('"x"', 'W/"1"', '"2", "3"')),
    ],
)
def test_wrong_if_match_moves_nothing(desk: Desk, if_match: str, status: int, code: str) -> None:
    """An If-Match that is no list of ETags is 400, one without the ticket's is 412, and neither moves it."""
    number = desk.producer().open_ticket()
    answer = desk.staff.move(number, "in-review", if_match=if_match)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:por-desk:problem:{code}")
    unmoved = desk.staff.ticket(number).json()
    assert (unmoved["version"], unmoved["status"]) == (1, "received")


def test_ill_formed_move_names_its_fields(desk: Desk) -> None:
    """A move to a status or for a reason that there is not is 422 with pointers, and moves nothing."""
    number = desk.producer().open_ticket()
    answer = desk.staff.move(number, "lost", reason="mood")
    assert answer.status_code == codes.UNPROCESSABLE_ENTITY
    assert {each["pointer"].split("/")[1] for each in answer.json()["errors"]} == {"status", "reason"}
    assert desk.staff.ticket(number).json()["version"] == 1
