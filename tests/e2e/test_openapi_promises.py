"""What the OpenAPI says is what the services do: a foreign tool makes up requests and holds each answer to it."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from services.tickets.numbers import ticket_number
from tests.fixtures.desk import LETTER, WAIT, Desk

EFT = {
    "request_type": "eft-info",
    "bank_name": "First Harbor Bank",
    "routing_number": "983120405",
    "bank_account_number": "83920174655012",
    "bank_account_number_again": "83920174655012",
    "account_type": "checking",
    "account_holder": "The Agency, LLC",
}
OPERATIONS = [
    ("intake", "POST", "/v1/requests"),
    ("intake", "GET", "/v1/requests/{request_id}"),
    ("intake", "GET", "/v1/request-types"),
    ("intake", "GET", "/v1/forms/group-por-transfer"),
    ("intake", "POST", "/v1/tickets/{number}/letters"),
    ("intake", "GET", "/v1/letters/{letter_id}"),
    ("intake", "GET", "/v1/requests/{request_id}/private-fields"),
    ("documents", "GET", "/v1/letters/{letter_id}"),
    *(
        (service, method, path)
        for service in ("intake", "tickets")
        for method, path in (
            ("GET", "/v1/tickets"),
            ("GET", "/v1/tickets/counts"),
            ("GET", "/v1/tickets/reasons"),
            ("GET", "/v1/tickets/{number}"),
            ("POST", "/v1/tickets/{number}/status"),
            ("POST", "/v1/tickets/{number}/claim"),
            ("POST", "/v1/tickets/{number}/assignment"),
            ("POST", "/v1/tickets/{number}/notes"),
            ("POST", "/v1/tickets/{number}/withdrawal"),
            ("POST", "/v1/tickets/{number}/answers"),
        )
    ),
]
# Its answer has no end: tests/e2e/test_live.py holds it.
ENDLESS = [("intake", "GET", "/v1/tickets/stream"), ("tickets", "GET", "/v1/tickets/stream")]
# Not "what fits the schema is accepted": check digits, and states of a ticket, no schema can say.
PROMISES = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]


@pytest.fixture(scope="module")
def schemas(desk: Desk) -> dict[str, schemathesis.BaseSchema]:
    """The OpenAPI of each service, as it serves it."""
    services = desk.stack.info.services
    return {
        name: schemathesis.openapi.from_url(f"{services[name]}/openapi.json")
        for name in ("intake", "tickets", "documents")
    }


@pytest.fixture(scope="module")
def known(desk: Desk) -> dict[str, list[str]]:
    """Parts of a path that lead somewhere, or nearly: of a producer's ticket, of private fields, and of nobody's."""
    producer = desk.producer()
    answer = producer.post().json()
    private = producer.gateway.post_request(EFT, LETTER, part="bank_documentation", wait=WAIT).json()
    letter = producer.gateway.ticket(answer["ticket_number"]).json()["letters"][0]
    return {
        "number": [answer["ticket_number"], ticket_number(99_999_998)],
        "request_id": [answer["request_id"], private["request_id"]],
        "letter_id": [letter["letter_id"]],
    }


def all_operations(schemas: dict[str, schemathesis.BaseSchema]) -> Iterator[tuple[str, str, str]]:
    """Every operation that a document has."""
    for service, schema in schemas.items():
        for path in schema:
            for method in schema[path]:
                yield service, method.upper(), path


def test_no_operation_is_forgotten(schemas: dict[str, schemathesis.BaseSchema]) -> None:
    """The list above has every operation of every document."""
    assert sorted(all_operations(schemas)) == sorted([*OPERATIONS, *ENDLESS])


@pytest.mark.parametrize(("service", "method", "path"), OPERATIONS)
def test_answers_are_as_documented(
    desk: Desk,
    schemas: dict[str, schemathesis.BaseSchema],
    known: dict[str, list[str]],
    service: str,
    method: str,
    path: str,
) -> None:
    """Whatever is sent, no answer is a 5xx, or has a status, type, header or body that the document does not name."""
    operation = schemas[service][path][method]
    token = desk.mint.token(
        sub="everything",
        producer_id="P-everything",
        email="p@agency.example",
        name="n",
        scope="requests:write tickets:read tickets:work bank:read",
    )

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy(), choose=st.data())
    def hold(case: schemathesis.Case[Any], choose: st.DataObject) -> None:
        for name in case.path_parameters or {}:
            if choose.draw(st.booleans()):
                case.path_parameters[name] = choose.draw(st.sampled_from(known[name]))
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=PROMISES)

    hold()
