"""What the operator's commands make of the answers of RabbitMQ's management API."""

from collections.abc import Callable

import httpx
import pytest

from ops.access import OperatorSettings, Refused
from ops.broker_view import BrokerView

DESK = OperatorSettings(
    amqp_url="amqp://broker/desk", rabbitmq_management_url="http://broker:15672", jwt_issuer="i", jwt_audience="a"
)


@pytest.fixture
def view_of() -> Callable[..., BrokerView]:
    """A view of a broker that gives these answers, one after another."""

    def made(*answers: httpx.Response) -> BrokerView:
        left = iter(answers)
        view = BrokerView(DESK)
        view._http = httpx.Client(base_url="http://broker", transport=httpx.MockTransport(lambda _: next(left)))
        return view

    return made


def test_a_list_that_fell_over_a_new_queue_is_asked_for_again(view_of: Callable[..., BrokerView]) -> None:
    """The API's 500 while queues come or go is no reason to send an operator away."""
    with view_of(httpx.Response(500), httpx.Response(500), httpx.Response(200, json=[{"name": "q"}])) as view:
        assert list(view.queues()) == ["q"]


@pytest.mark.parametrize("answers", [[500] * 3, [401], [404]])
def test_an_api_that_goes_on_refusing_is_said(view_of: Callable[..., BrokerView], answers: list[int]) -> None:
    """What stays refused is a refusal with its status; only the 500 is asked for again."""
    with view_of(*map(httpx.Response, answers)) as view, pytest.raises(Refused, match=f"{answers[0]}"):
        view.queues()
