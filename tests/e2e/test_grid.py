"""The portal's grid and staff's moves, through the gateway."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pytest
from httpx import codes

from shared.contracts.grid import Sort
from tests.fixtures.desk import EMAIL, FORM, LETTER, NAME, WAIT, Desk, Producer

TICKETS, SIZE = 7, 3


@pytest.fixture(scope="module")
def owner(desk: Desk) -> Producer:
    """A producer with seven tickets, two of them closed."""
    made = desk.producer()
    numbers = [made.open_ticket() for _ in range(TICKETS)]
    for number, moves in zip(
        numbers,
        (["in-review"], ["on-hold"], ["rejected"], ["in-review", "approved"], ["withdrawn"], [], ["action-needed"]),
        strict=True,
    ):
        for status in moves:
            assert desk.staff.move(number, status, reason="other").status_code == codes.OK
    return made


@pytest.mark.parametrize("sort", Sort, ids=str)
def test_every_column_sorts_both_ways_over_all_pages(owner: Producer, sort: Sort) -> None:
    """The pages put together are all tickets in the order asked for, ties by number, none twice and none left out."""
    pages = [owner.gateway.tickets(state="all", sort=sort, page=page, size=SIZE).json() for page in (1, 2, 3)]
    assert [(page["first"], page["last"], page["total"]) for page in pages] == [(1, 3, 7), (4, 6, 7), (7, 7, 7)]
    rows = [row for page in pages for row in page["items"]]
    ordered = sorted(rows, key=lambda row: (row[sort.column], row["ticket_number"]), reverse=sort.descending)
    assert rows == ordered
    assert len({row["ticket_number"] for row in rows}) == TICKETS


def test_default_is_open_ones_newest_first(owner: Producer) -> None:
    """Without parameters the grid shows what is open, newest first, 25 at a time."""
    page = owner.gateway.tickets().json()
    assert page == owner.gateway.tickets(state="open", sort="-date", page=1, size=25).json()
    assert (page["first"], page["last"], page["total"]) == (1, 5, 5)
    assert {row["status"] for row in page["items"]} == {"in-review", "on-hold", "approved", "received", "action-needed"}


def test_closed_and_all(owner: Producer) -> None:
    """What is over is listed where it is asked for."""
    closed = owner.gateway.tickets(state="closed").json()
    assert {row["status"] for row in closed["items"]} == {"rejected", "withdrawn"}
    assert owner.gateway.tickets(state="all").json()["total"] == TICKETS


def test_nothing_to_show_is_zero_to_zero(desk: Desk, owner: Producer) -> None:
    """An empty grid is 0 - 0 of 0, and a page beyond the end is 0 - 0 of what there is."""
    empty = desk.producer().gateway.tickets().json()
    assert empty == {"items": [], "first": 0, "last": 0, "total": 0}
    beyond = owner.gateway.tickets(state="all", page=9).json()
    assert beyond == {"items": [], "first": 0, "last": 0, "total": TICKETS}


def test_row_says_what_the_portal_shows(owner: Producer) -> None:
    """A row has date, number, type and status, each also in words, and nothing else of the request."""
    row = owner.gateway.tickets(sort="ticket_number").json()["items"][0]
    assert set(row) == {
        *("date", "ticket_number", "request_type", "request_type_label"),
        *("status", "status_label", "request_id"),
    }
    assert (row["request_type_label"], row["status_label"]) == ("Group Producer of Record Change", "In review")
    assert row["date"].endswith("Z")


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "account"},
        {"state": "lost"},
        {"page": 0},
        {"page": "x"},
        {"size": 101},
        {"size": 0},
        {"request_id": "1"},
    ],
    ids=str,
)
def test_wrong_question_names_its_parameter(owner: Producer, query: dict[str, str | int]) -> None:
    """A parameter that cannot be is 422 and pointed at."""
    answer = owner.gateway.tickets(**query)
    assert answer.status_code == codes.UNPROCESSABLE_ENTITY
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"#/{next(iter(query))}"]


def test_staff_sees_the_tickets_of_all(desk: Desk, owner: Producer, producer: Producer) -> None:
    """Staff finds one producer's tickets and another's, in the list, which says who asks, and by number."""
    numbers = {producer.open_ticket(), owner.gateway.tickets().json()["items"][0]["ticket_number"]}
    listed = {row["ticket_number"]: row["staff"] for row in desk.staff.tickets(state="all", size=100).json()["items"]}
    assert [(listed[each]["producer_name"], listed[each]["producer_email"]) for each in numbers] == [(NAME, EMAIL)] * 2
    assert {desk.staff.ticket(number).status_code for number in numbers} == {codes.OK}


def test_of_two_who_read_the_same_version_one_is_told(desk: Desk, producer: Producer) -> None:
    """With If-Match the second of two changes is 412, and what the first did stands."""
    number = producer.open_ticket()
    etag = desk.staff.ticket(number).headers["etag"]
    move = partial(desk.staff.move, number, if_match=etag)
    first = move("in-review")
    assert (first.status_code, first.headers["etag"]) == (codes.OK, '"2"')
    second = move("on-hold", reason="other")
    assert second.status_code == codes.PRECONDITION_FAILED
    assert second.json()["type"] == "urn:por-desk:problem:changed-meanwhile"
    detail = desk.staff.ticket(number)
    assert (detail.json()["status"], detail.headers["etag"]) == ("in-review", '"2"')


def test_two_moves_at_once_without_a_condition_are_both_made(desk: Desk, producer: Producer) -> None:
    """Nobody who sends no If-Match is told of one: the second move is made on what the first has left."""
    for _ in range(5):
        number = producer.open_ticket()
        with ThreadPoolExecutor(2) as threads:
            answers = threads.map(partial(desk.staff.move, number, reason="other"), ("in-review", "on-hold"))
            assert [answer.status_code for answer in answers] == [codes.OK, codes.OK]
        assert producer.gateway.ticket(number).json()["version"] == 3


def test_who_may_only_post_learns_the_number_of_his_request(desk: Desk) -> None:
    """With requests:write alone a request's state and number can be asked for at any time, and no list of tickets."""
    claims = {"sub": "P77", "producer_id": f"P{uuid4().hex}", "email": "p77@agency.example"}
    caller = desk.anybody(desk.mint.token(**claims, scope="requests:write"))
    first = caller.post_request(FORM, LETTER, key="once", wait=WAIT)
    assert first.status_code == codes.CREATED
    state = caller.http.get(f"/v1/requests/{first.json()['request_id']}").json()
    assert (state["state"], state["ticket_number"]) == ("opened", first.json()["ticket_number"])
    again = caller.post_request(FORM, LETTER, key="once")
    assert (again.status_code, again.json()) == (codes.CREATED, first.json())
    refused = caller.tickets()
    assert (refused.status_code, refused.json()["type"]) == (codes.FORBIDDEN, "urn:por-desk:problem:not-allowed")


def test_if_match_is_read_as_rfc_9110_writes_it(desk: Desk, producer: Producer) -> None:
    """A list matches by any strong tag; weak and unknown tags are 412, what is no list is 400, and neither moves."""
    number = producer.open_ticket()
    move = partial(desk.staff.move, number, "in-review")
    for if_match, status, code in (
        ('W/"1"', codes.PRECONDITION_FAILED, "changed-meanwhile"),
        ('"abc", "2"', codes.PRECONDITION_FAILED, "changed-meanwhile"),
        ("abc", codes.BAD_REQUEST, "bad-if-match"),
    ):
        refused = move(if_match=if_match)
        assert (refused.status_code, refused.json()["type"]) == (status, f"urn:por-desk:problem:{code}")
    assert producer.gateway.ticket(number).json()["version"] == 1
    assert move(if_match='"abc", "1"').status_code == codes.OK


def test_illegal_move_names_the_legal_ones(desk: Desk, producer: Producer) -> None:
    """A move that the table does not have is 409 with those it has, the same as the ticket itself lists."""
    number = producer.open_ticket()
    answer = desk.staff.move(number, "resolved")
    assert answer.status_code == codes.CONFLICT
    problem = answer.json()
    assert problem["type"] == "urn:por-desk:problem:illegal-move"
    assert problem["allowed_moves"] == desk.staff.ticket(number).json()["allowed_moves"]
    assert problem["allowed_moves"] == ["in-review", "action-needed", "on-hold", "rejected", "withdrawn"]
    assert desk.staff.ticket(number).json()["version"] == 1


def test_move_that_needs_a_reason_is_refused_without(desk: Desk, producer: Producer) -> None:
    """Where the producer must be told why, staff must say why, by a code that there is; then the mail says it."""
    number = producer.open_ticket()
    refused = desk.staff.move(number, "action-needed")
    assert refused.status_code == codes.UNPROCESSABLE_ENTITY
    assert refused.json()["type"] == "urn:por-desk:problem:reason-missing"
    unknown = desk.staff.move(number, "action-needed", reason="mood")
    assert unknown.status_code == codes.UNPROCESSABLE_ENTITY
    assert [error["pointer"] for error in unknown.json()["errors"]] == ["#/reason"]
    assert desk.staff.move(number, "action-needed", reason="signature-missing").status_code == codes.OK
    mail = next(mail for mail in desk.mails(number, 2) if mail["subject"].endswith("Action needed"))
    text = mail.get_body(("plain",))
    assert text is not None
    assert "The letter is not signed and dated." in text.get_content()
    assert desk.events(number, 2)[1].data.reason == "signature-missing"


def test_producer_may_not_move_a_ticket(producer: Producer) -> None:
    """Moves are staff's: the owner of a ticket is told 403, and nothing moves."""
    number = producer.open_ticket()
    assert producer.gateway.move(number, "in-review").status_code == codes.FORBIDDEN
    assert producer.gateway.ticket(number).json()["version"] == 1
