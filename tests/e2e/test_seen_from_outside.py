"""What operations and downstream systems see of each service."""

import httpx
import pytest
from httpx import codes
from prometheus_client.parser import text_string_to_metric_families

from tests.fixtures.desk import Desk, Producer

SERVICES = ("intake", "documents", "tickets", "notifier")
CHECKS = {
    "intake": {"rabbitmq", "object_store"},
    "documents": {"rabbitmq", "object_store", "scanner"},
    "tickets": {"rabbitmq", "mongodb"},
    "notifier": {"rabbitmq", "mongodb"},
}


@pytest.mark.parametrize("service", SERVICES)
def test_service_is_alive_and_ready(desk: Desk, service: str) -> None:
    """Each service says that it lives, and that each thing it needs answers."""
    assert desk.get(service, "/healthz").status_code == codes.OK
    ready = desk.get(service, "/readyz")
    assert ready.status_code == codes.OK
    assert ready.json()["checks"] == dict.fromkeys(CHECKS[service], True)


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_count_what_was_done(desk: Desk, producer: Producer, service: str) -> None:
    """Prometheus can read each service, and finds requests or messages counted, by route and never by id."""
    number = producer.open_ticket()
    producer.gateway.ticket(number)
    desk.mails(number)
    text = desk.get(service, "/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    requests = families["http_server_request_duration_seconds"].samples
    routes = {sample.labels["route"] for sample in requests if sample.name.endswith("_count")}
    assert "/metrics" in routes or "/readyz" in routes
    assert not [route for route in routes if number in route]
    if service == "intake":
        assert "/v1/requests" in routes
    else:
        handled = families["faststream_received_messages"].samples
        assert sum(sample.value for sample in handled) > 0


def test_bus_is_described_at_the_gateway(desk: Desk) -> None:
    """The AsyncAPI document is served to everybody and names the public events."""
    document = desk.get("intake", "/asyncapi.json").json()
    assert document["asyncapi"].startswith("3.")
    assert "por.ticket.opened.v1" in str(document)


def test_catalogue_needs_no_token(desk: Desk) -> None:
    """The kinds of request are no secret: a form can be drawn before anybody logs in."""
    kinds = {each["request_type"]: each for each in desk.anybody(None).http.get("/v1/request-types").json()["items"]}
    assert len(kinds) == 9
    required = set(kinds["group-por-change"]["fields"]["required"])
    assert required == {
        "line_of_business",
        "account_number",
        "account_name",
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/request-types", "/v1/tickets"])
def test_head_is_get_without_its_body(producer: Producer, path: str) -> None:
    """HEAD is answered as GET is, with its length and without its body: what load balancers ask with."""
    asked, got = producer.gateway.http.head(path), producer.gateway.http.get(path)
    assert (asked.status_code, asked.content) == (got.status_code, b"")
    assert asked.headers["content-type"] == got.headers["content-type"]
    assert asked.headers["content-length"] == str(len(got.content))


def test_head_of_what_does_not_end_ends(desk: Desk, producer: Producer) -> None:
    """HEAD of the event stream is its head alone: the connection is free for the next request."""
    headers = {"Authorization": f"Bearer {producer.token}"}
    with httpx.Client(base_url=desk.url, headers=headers, limits=httpx.Limits(max_connections=1), timeout=5) as client:
        head = client.head("/v1/tickets/stream")
        assert (head.status_code, head.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        assert client.get("/v1/tickets").status_code == codes.OK


@pytest.mark.parametrize("path", ["/v1/tickets/", "/v1/request-types/"])
def test_slash_too_many_leads_to_the_route(producer: Producer, path: str) -> None:
    """An answer that has no body, and so no type, passes: here the way to the path without its last slash."""
    answer = producer.gateway.http.get(path)
    assert (answer.status_code, answer.headers["location"]) == (
        codes.TEMPORARY_REDIRECT,
        str(answer.request.url).removesuffix("/"),
    )
