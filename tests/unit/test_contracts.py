"""Models that cross a process border: what is wrong with one is said without a word of what is in it."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared import topology
from shared.contracts.envelope import Contract, Event

CANARY = "zebulon.quartermaine@canary.example"
MESSAGES = sorted({kind for queue in topology.WORK_QUEUES for kind in queue.receives}, key=lambda kind: kind.__name__)


def contracts(kind: type[Contract] = Contract) -> list[type[Contract]]:
    """Every model that there is."""
    return [each for sub in kind.__subclasses__() for each in (sub, *contracts(sub))]


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("body", [{"data": CANARY}, {"id": CANARY, "time": CANARY, "data": {"text": [CANARY]}}, CANARY])
def test_an_error_about_a_message_quotes_nothing_of_it(kind: type[Event], body: Any) -> None:
    """Where a message cannot be read, the error's text, wherever that comes to, has no value of it."""
    with pytest.raises(ValidationError) as raised:
        kind.model_validate(body)
    assert CANARY not in str(raised.value)


def test_no_model_says_otherwise() -> None:
    """A model with settings of its own keeps this one."""
    assert [kind.__name__ for kind in contracts() if not kind.model_config.get("hide_input_in_errors")] == []
