"""The AsyncAPI document: valid to the specification's own schema, and true of the topology."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, ValidationError

from shared import topology
from shared.asyncapi import asyncapi_document
from shared.contracts.envelope import Event
from tests.builders import events

OFFICIAL = Draft7Validator(json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text()))


def pointed(document: dict[str, Any], reference: str) -> Any:
    """What a reference in the document points to."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def test_the_document_is_valid_asyncapi() -> None:
    """The official JSON Schema of AsyncAPI 3.0.0 finds nothing wrong with the document."""
    OFFICIAL.validate(asyncapi_document())


@pytest.mark.parametrize("part", ["info", "action", "address"])
def test_the_official_schema_does_refuse(part: str) -> None:
    """The foreign validator is no rubber stamp: a document that is wrong in one place is refused."""
    broken = copy.deepcopy(asyncapi_document())
    if part == "info":
        del broken["info"]
    elif part == "action":
        next(iter(broken["operations"].values()))["action"] = "shout"
    else:
        next(iter(broken["channels"].values()))["address"] = 5
    with pytest.raises(ValidationError):
        OFFICIAL.validate(broken)


def test_every_reference_leads_somewhere() -> None:
    """No reference in the document is broken, in channels, messages and schemas alike."""
    document = asyncapi_document()
    references: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                references.append(value["$ref"])
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(document)
    assert len(references) > 20
    for reference in references:
        assert pointed(document, reference) is not None


@pytest.mark.parametrize("event", events(), ids=lambda event: event.type)
def test_every_event_is_documented_as_it_is_published(event: Event) -> None:
    """Each event has its channel on its exchange, under its routing key, sent by its one publisher."""
    document, kind = asyncapi_document(), type(event)
    name = event.routing_key
    channel = document["channels"][name]
    assert channel["address"] == name
    assert channel["bindings"]["amqp"]["exchange"]["name"] == topology.exchange_of(event)
    assert ({"name": "public"} in channel["tags"]) == name.startswith("ticket.")
    message = pointed(document, channel["messages"][kind.__name__]["$ref"])
    assert (message["name"], message["contentType"]) == (event.type, "application/cloudevents+json")
    assert set(pointed(document, message["payload"]["$ref"])["properties"]) == set(kind.model_fields)
    senders = [
        operation
        for operation, each in document["operations"].items()
        if each["action"] == "send" and each["channel"]["$ref"] == f"#/channels/{name}"
    ]
    assert senders == [f"{topology.PUBLISHERS[kind]}.send.{name}"]


def test_the_document_has_no_other_channels() -> None:
    """There is a channel for each event and no more."""
    assert set(asyncapi_document()["channels"]) == {event.routing_key for event in events()}


def test_every_consumer_is_documented() -> None:
    """Each work queue receives, in the document, exactly the events that its consumer can read."""
    found = {
        (operation.partition(".receive.")[0], pointed(asyncapi_document(), each["channel"]["$ref"])["address"])
        for operation, each in asyncapi_document()["operations"].items()
        if each["action"] == "receive"
    }
    by_kind = {type(event): event.routing_key for event in events()}
    assert found == {(queue.name, by_kind[kind]) for queue in topology.WORK_QUEUES for kind in queue.receives}
