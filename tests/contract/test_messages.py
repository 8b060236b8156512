"""The messages: as they were promised, and CloudEvents to others' eyes."""

import copy
import json
from typing import Any

import pytest
from cloudevents.core.bindings.amqp import AMQPMessage, from_structured_event
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft202012Validator

from shared import topology
from shared.contracts.envelope import CONTENT_TYPE, Event
from shared.contracts.letters import LetterChecked
from shared.contracts.requests import RequestSubmitted, Submission
from tests.builders import events
from tests.contract.compatibility import breaking_changes
from tests.contract.keep_schemas import FOLDER, file_of, schema_of, text_of

MESSAGES = FOLDER.parent / "messages"
KINDS = list(topology.PUBLISHERS)
REFRESH = "refresh it with: python -m tests.contract.keep_schemas"


def name_of(value: type[Event] | Event) -> str:
    """The type of an event, for the test's name."""
    return str((value if isinstance(value, type) else type(value)).model_fields["type"].default)


def kept(kind: type[Event]) -> dict[str, Any]:
    """The schema that the repo keeps of a message."""
    schema: dict[str, Any] = json.loads(file_of(kind).read_text())
    return schema


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_no_message_breaks_its_promise(kind: type[Event]) -> None:
    """A message may gain optional fields; to change it otherwise it needs a new version."""
    assert breaking_changes(kept(kind), schema_of(kind)) == []


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_the_schema_that_is_kept_is_the_newest(kind: type[Event]) -> None:
    """What the repo keeps is what the code has, so that the next change is measured against it."""
    assert file_of(kind).read_text() == text_of(schema_of(kind)), REFRESH


def test_messages_of_the_version_before_are_read() -> None:
    """What was sent before the catalogue, and is parked or queued still, is read as what it was."""
    texts = [(MESSAGES / f"por.{name}.v1.json").read_text() for name in ("request.submitted", "letter.checked")]
    request, verdicts = RequestSubmitted.model_validate_json(texts[0]), LetterChecked.model_validate_json(texts[1])
    assert isinstance(verdicts.data.submission, Submission)
    for submission in (request.data, verdicts.data.submission):
        assert submission.form == json.loads(texts[0])["data"]["form"]
        assert submission.request_type_label == "Group Producer of Record Change"
        assert submission.notices == ()
    assert (request.routing_key, verdicts.routing_key) == ("request.submitted", "letter.checked")


def test_what_was_not_filled_in_was_null() -> None:
    """An optional field of the version before that was left empty is no field today."""
    body = json.loads((MESSAGES / "por.request.submitted.v1.json").read_text())
    body["data"]["form"] |= {"effective_date": None, "comments": None}
    form = RequestSubmitted.model_validate(body).data.form
    assert set(form) == {"line_of_business", "account_number", "account_name"}


def test_every_schema_kept_is_of_a_message() -> None:
    """A message that is gone takes more than the removal of its class."""
    assert {path.name for path in FOLDER.iterdir()} == {file_of(kind).name for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_every_field_of_every_message_is_guarded(kind: type[Event]) -> None:
    """Taking any field out of any model of a real message is found, however deep it lies."""
    whole = kept(kind)
    holders = [whole, *(each for each in whole["$defs"].values() if "properties" in each)]
    paths = [(index, name) for index, holder in enumerate(holders) for name in holder["properties"]]
    assert len(paths) > 10
    for index, name in paths:
        doctored = copy.deepcopy(whole)
        holder = [doctored, *(each for each in doctored["$defs"].values() if "properties" in each)][index]
        del holder["properties"][name]
        assert breaking_changes(whole, doctored), f"{name} of {holder['title']}"


@pytest.mark.parametrize("event", events(), ids=name_of)
def test_an_event_is_a_cloudevent_to_the_official_sdk(event: Event) -> None:
    """The CloudEvents SDK reads each event, from its AMQP message, as the one that was sent."""
    body = event.model_dump_json(exclude_none=True).encode()
    read = from_structured_event(AMQPMessage({"content-type": CONTENT_TYPE}, {}, body), JSONFormat())
    assert isinstance(read, CloudEvent)
    assert read.get_specversion() == "1.0"
    assert (read.get_id(), read.get_type(), read.get_subject()) == (str(event.id), event.type, event.subject)
    assert read.get_time() == event.time
    assert read.get_data() == json.loads(body)["data"]


def test_the_sdk_does_refuse() -> None:
    """The foreign reader is no rubber stamp: an event without its source is refused."""
    body = json.loads(events()[0].model_dump_json())
    del body["source"]
    with pytest.raises(CloudEventValidationError):
        JSONFormat().read(CloudEvent, json.dumps(body))


@pytest.mark.parametrize("event", events(), ids=name_of)
def test_an_event_fits_its_schema(event: Event) -> None:
    """What is sent is valid by the schema that is kept, which knows every field in it."""
    schema, body = kept(type(event)), json.loads(event.model_dump_json(exclude_none=True))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)
    assert set(body) <= set(schema["properties"])


@pytest.mark.parametrize("event", events(), ids=name_of)
def test_a_newer_sender_may_add_fields(event: Event) -> None:
    """A field that a reader does not know is passed over, at the top and in the data."""
    body = json.loads(event.model_dump_json(exclude_none=True))
    newer = {**body, "traceparent": "00-1", "data": {**body["data"], "colour": "green"}}
    assert type(event).model_validate_json(json.dumps(newer)) == event
