"""Who may do what: every route of every service, asked with every kind of token."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import Client, Response, codes

from services.documents.main import build as build_documents
from services.intake.main import build as build_intake
from services.notifier.main import build as build_notifier
from services.tickets.main import build as build_tickets
from tests.fixtures.desk import CANARIES, LETTER, Desk
from tests.fixtures.remains import await_quiet
from tests.fixtures.tokens import invalid_tokens, valid_tokens
from tests.identity import Provider, documents_settings, intake_settings, notifier_settings, tickets_settings

OK, NO, HIDDEN, CLOSED, NO_FORM = 200, 403, 404, 409, 415
READERS = {
    "owner": OK, "owner without scope": NO, "owner, write": NO, "owner, read": OK, "owner, bank": OK,
    "owner without address": OK, "stranger": HIDDEN, "stranger, write": NO, "stranger, read": HIDDEN, "staff": OK,
    "work alone": OK, "bank staff": OK, "work and bank alone": OK, "bank alone": NO, "ops": NO,
    "reader without producer_id": NO, "reader with an empty one": NO,
}  # fmt: skip
NOBODY = dict.fromkeys(READERS, NO)
# A stranger's own list is empty, and the owner's is his own.
LISTERS = {**READERS, "stranger": OK, "stranger, read": OK}
BANK_STAFF = {**NOBODY, "bank staff": OK, "work and bank alone": OK}
STAFF = {**BANK_STAFF, "staff": OK, "work alone": OK}
MOVERS = {who: CLOSED if status == OK else status for who, status in STAFF.items()}
OWNERS = {
    **NOBODY, "owner": CLOSED, "owner, write": CLOSED, "owner, bank": CLOSED, "owner without address": CLOSED,
    "stranger": HIDDEN, "stranger, write": HIDDEN,
}  # fmt: skip
# Of both the gateway and its owner, where the tickets are.
TICKETS = {
    ("GET", "/v1/tickets"): LISTERS,
    ("GET", "/v1/tickets/counts"): STAFF,
    ("GET", "/v1/tickets/reasons"): STAFF,
    ("GET", "/v1/tickets/stream"): LISTERS,
    ("GET", "/v1/tickets/{number}"): READERS,
    ("POST", "/v1/tickets/{number}/status"): MOVERS,
    ("POST", "/v1/tickets/{number}/claim"): MOVERS,
    ("POST", "/v1/tickets/{number}/assignment"): MOVERS,
    ("POST", "/v1/tickets/{number}/notes"): STAFF,
    ("POST", "/v1/tickets/{number}/withdrawal"): OWNERS,
    ("POST", "/v1/tickets/{number}/answers"): OWNERS,
}
# By service, method and path: what each caller is answered about one producer's closed ticket, and private fields.
GUARDED: dict[tuple[str, str, str], dict[str, int]] = {
    ("intake", "POST", "/v1/requests"): {
        **NOBODY, "owner": NO_FORM, "owner, write": NO_FORM, "owner, bank": NO_FORM, "stranger": NO_FORM,
        "stranger, write": NO_FORM,
    },
    ("intake", "POST", "/v1/tickets/{number}/letters"): {
        **NOBODY, "owner": CLOSED, "owner, bank": CLOSED, "stranger": HIDDEN,
    },
    ("intake", "GET", "/v1/requests/{request_id}"): {**READERS, "owner, write": OK, "stranger, write": HIDDEN},
    ("intake", "GET", "/v1/requests/{request_id}/private-fields"): BANK_STAFF,
    ("intake", "GET", "/v1/forms/group-por-transfer"): {**LISTERS, "owner, write": OK, "stranger, write": OK},
    ("intake", "GET", "/v1/letters/{letter_id}"): READERS,
    ("documents", "GET", "/v1/letters/{letter_id}"): READERS,
    **{(service, *route): who for service in ("intake", "tickets") for route, who in TICKETS.items()},
}  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    "status": {"json": {"status": "in-review"}},
    "assignment": {"json": {"assignee": "staff-8"}},
    "notes": {"json": {"text": "x", "audience": "staff"}},
    "withdrawal": {"json": {}},
    "answers": {"json": {"comment": "x"}},
    "letters": {"files": {"por_documentation": ("letter.pdf", LETTER)}},
}
# Of the one request that has private fields, digits that are nowhere else.
DIGITS = ("983120405", "83920174655013")
PRIVATE = {
    "request_type": "eft-info", "bank_name": "First Harbor Bank", "routing_number": DIGITS[0],
    "bank_account_number": DIGITS[1], "bank_account_number_again": DIGITS[1],
    "account_type": "checking", "account_holder": "The Agency, LLC",
}  # fmt: skip
EVERYWHERE = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect")
SERVICES = ("intake", "documents", "tickets", "notifier")
OPEN = {
    *((service, "GET", path) for service in SERVICES for path in EVERYWHERE),
    ("intake", "GET", "/v1/request-types"),
    ("intake", "GET", "/asyncapi.json"),
}


def routes(app: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path that an application has, those included that its OpenAPI does not show."""
    for route in app.routes:
        if hasattr(route, "original_router"):
            yield from routes(route.original_router, prefix + route.include_context.prefix)
        else:
            yield from ((method, prefix + route.path) for method in route.methods - {"HEAD"})


def test_no_route_is_forgotten(tmp_path: Path) -> None:
    """The tables above have every route of every service: a new one has to say who may."""
    keys = Provider(tmp_path).key_file
    apps: dict[str, FastAPI] = {
        "intake": build_intake(intake_settings(keys)),
        "documents": build_documents(documents_settings(keys)),
        "tickets": build_tickets(tickets_settings(keys)),
        "notifier": build_notifier(notifier_settings(keys)),
    }
    found = [(service, method, path) for service, app in apps.items() for method, path in routes(app)]
    assert sorted(found) == sorted([*GUARDED, *OPEN])


@dataclass(frozen=True)
class Case:
    """One producer's closed ticket and a request of his with private fields, and how to ask for them."""

    desk: Desk
    http: Client
    owner: str
    number: str
    request_id: str
    letter_id: str
    private_id: str

    def ask(self, service: str, method: str, path: str, token: str | None) -> Response:
        """Ask a route; posts carry a body that would do, but for the request's, which is none."""
        body = BODIES.get(path.rpartition("/")[2], {}) if method == "POST" else {}
        request_id = self.private_id if path.endswith("/private-fields") else self.request_id
        url = self.desk.stack.info.services[service] + path.format(**{**vars(self), "request_id": request_id})
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with self.http.stream(method, url, headers=headers, **body) as answer:
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                return Response(answer.status_code, headers=answer.headers, request=answer.request)  # it has no end
            answer.read()
            return answer

    def secrets(self) -> Iterable[str]:
        """What only the owner and staff may read."""
        letter = LETTER[:32].decode("latin-1")
        return (*CANARIES, *DIGITS, self.number, self.request_id, self.letter_id, self.private_id, letter)


@pytest.fixture(scope="module")
def case(desk: Desk) -> Iterator[Case]:
    """A producer's closed ticket and private fields; all that is asked about them leaves nothing behind."""
    desk.producer().open_ticket()  # the first number is the one in all examples
    producer = desk.producer()
    answer = producer.post().json()
    number = answer["ticket_number"]
    letter_id = producer.gateway.ticket(number).json()["letters"][0]["letter_id"]
    assert desk.staff.move(number, "withdrawn", reason="withdrawn-by-producer").status_code == codes.OK
    private = producer.gateway.post_request(PRIVATE, LETTER, part="bank_documentation", wait=20).json()
    desk.mails(number, 2)
    desk.mails(private["ticket_number"])
    before = await_quiet(desk)
    ids = (number, answer["request_id"], letter_id, private["request_id"])
    yield Case(desk, desk.anybody(None).http, producer.producer_id, *ids)
    assert await_quiet(desk) == before


def leaked(case: Case, answer: Response) -> list[str]:
    """What an answer tells of the case, beside the path that was asked for."""
    said = answer.content.decode("latin-1").replace(answer.request.url.path, "")
    return [secret for secret in case.secrets() if secret in said]


@pytest.fixture(scope="module")
def invalid(desk: Desk) -> dict[str, str]:
    """Tokens that are not valid here."""
    return invalid_tokens(desk.mint, desk.stack.info.jwks)


@pytest.mark.parametrize("route", GUARDED, ids=" ".join)
def test_who_is_nobody_gets_nowhere(case: Case, invalid: dict[str, str], route: tuple[str, str, str]) -> None:
    """Without a token, and with each that is not valid here, the answer is 401 with a challenge, and tells nothing."""
    answers = {wrong: case.ask(*route, token) for wrong, token in invalid.items()}
    challenges = {wrong: (answer.status_code, answer.headers["www-authenticate"]) for wrong, answer in answers.items()}
    assert challenges == dict.fromkeys(answers, (401, 'Bearer error="invalid_token"'))
    missing = case.ask(*route, None)
    assert (missing.status_code, missing.headers["www-authenticate"]) == (401, "Bearer")
    for answer in (missing, *answers.values()):
        assert answer.headers["content-type"] == "application/problem+json"
        assert leaked(case, answer) == []
        assert answer.request.headers.get("authorization", "Bearer ?").split()[1] not in answer.text


@pytest.mark.parametrize("route", GUARDED, ids=" ".join)
def test_each_caller_gets_what_is_his(desk: Desk, case: Case, route: tuple[str, str, str]) -> None:
    """Each scope, alone and together, opens what the table says; no other than owner and staff reads a byte of it."""
    answers = {who: case.ask(*route, token) for who, token in valid_tokens(desk.mint, case.owner).items()}
    assert {who: answer.status_code for who, answer in answers.items()} == GUARDED[route]
    entitled = {who for who, status in READERS.items() if status == OK} | {"owner, write"}
    assert [(who, leaked(case, answers[who])) for who in set(answers) - entitled if leaked(case, answers[who])] == []
    told = {who for who, answer in answers.items() if any(digits in answer.text for digits in DIGITS)}
    assert told == ({"bank staff", "work and bank alone"} if route[-1].endswith("/private-fields") else set())


@pytest.mark.parametrize("route", sorted(OPEN), ids=" ".join)
def test_what_is_open_tells_nothing(desk: Desk, case: Case, route: tuple[str, str, str]) -> None:
    """What needs no token is the same with a bad one, and names nobody."""
    for token in (None, "nonsense"):
        answer = case.ask(*route, token)
        assert answer.status_code == codes.OK
        assert leaked(case, answer) == []


def test_who_may_only_post_learns_no_more_than_the_number(desk: Desk, case: Case) -> None:
    """With a request's id the list is open to its writer, and to a stranger it is empty."""
    tokens = valid_tokens(desk.mint, case.owner)
    path = f"/v1/tickets?state=all&request_id={case.request_id}"
    own = desk.anybody(tokens["owner, write"]).http.get(path)
    foreign = desk.anybody(tokens["stranger, write"]).http.get(path)
    assert [row["ticket_number"] for row in own.json()["items"]] == [case.number]
    assert foreign.json() == {"items": [], "first": 0, "last": 0, "total": 0}
