"""The table of the bus, held against the promises made about it."""

import re
from collections import Counter

import pytest

from shared import topology
from shared.contracts.envelope import Event
from tests.builders import events

DELAYS = (5.0, 30.0, 120.0, 600.0, 3600.0)


@pytest.mark.parametrize("event", events(), ids=lambda event: event.type)
def test_a_routing_key_is_the_kind_of_event_and_no_id(event: Event) -> None:
    """Routing keys come from a handful of words: metrics and bindings by them stay few."""
    assert re.fullmatch(r"(request|letter|address|ticket|message|parking)\.[a-z]+(-[a-z]+)?", event.routing_key)
    assert not re.search(r"[0-9]", event.routing_key)


def test_every_type_of_event_has_a_publisher() -> None:
    """There is one publisher for each event that there is, and each has its own type."""
    assert {type(event) for event in events()} == set(topology.PUBLISHERS)
    assert len({event.type for event in events()}) == len(topology.PUBLISHERS)


def test_names_of_queues_say_who_works_them_off() -> None:
    """A work queue is named consumer.action, and its consumer is a service."""
    for queue in topology.WORK_QUEUES:
        assert re.fullmatch(r"[a-z]+\.[a-z]+-[a-z]+", queue.name)
        assert queue.name.split(".")[0] == queue.service
    assert {queue.service for queue in topology.WORK_QUEUES} == {"documents", "tickets", "notifier"}


@pytest.mark.parametrize("event", events(), ids=lambda event: event.type)
def test_every_event_finds_the_queues_that_can_read_it(event: Event) -> None:
    """A queue's binding lets in exactly the events that it says it receives."""
    for queue in topology.WORK_QUEUES:
        pattern = re.escape(queue.routing_key).replace(r"\*", "[^.]+").replace(r"\#", ".*")
        let_in = topology.exchange_of(event) == queue.exchange and bool(re.fullmatch(pattern, event.routing_key))
        assert let_in == (type(event) in queue.receives)


def test_only_ticket_events_are_public() -> None:
    """What carries personal data stays on the pipeline, which no downstream system may read."""
    public = {event.routing_key for event in events() if topology.exchange_of(event) == topology.EVENTS}
    assert public == {
        "ticket.opened",
        "ticket.status-changed",
        "ticket.letter-added",
        "ticket.message-added",
        "ticket.worked",
    }


def test_names_are_unique() -> None:
    """No two exchanges and no two queues share a name."""
    for names in (
        [each.name for each in topology.exchanges()],
        [each.name for each in topology.queues(DELAYS)],
    ):
        assert [name for name, count in Counter(names).items() if count > 1] == []


def test_every_binding_and_dead_letter_leads_to_an_exchange_there_is() -> None:
    """Nothing is bound to, or dead-lettered to, an exchange that the table does not have."""
    known = {each.name for each in topology.exchanges()}
    for queue in topology.queues(DELAYS):
        assert {source for source, _ in queue.bindings} <= known
        assert queue.arguments.get("x-dead-letter-exchange", topology.DEAD_LETTERS) in known


def test_no_work_is_ever_dropped() -> None:
    """Work, suspects and tiers refuse what they cannot hold and dead-letter at least once; parking deletes nothing."""
    by_name = {queue.name: queue.arguments for queue in topology.queues(DELAYS)}
    work = [name for each in topology.WORK_QUEUES for name in (each.name, topology.suspects_of(each.name))]
    for name in (*work, *(topology.retry_tier(n) for n in range(1, 6))):
        assert by_name[name]["x-queue-type"] == "quorum"
        assert by_name[name]["x-overflow"] == "reject-publish"
        assert by_name[name]["x-dead-letter-strategy"] == "at-least-once"
    for name in (topology.PARKING, topology.UNROUTED):
        assert set(by_name[name]) == {"x-queue-type", "x-delivery-limit"}  # no TTL, no length, no dead letters
        assert by_name[name]["x-delivery-limit"] in {-1, 1_000_000_000}  # looked at as often as anybody likes


def test_tiers_are_as_long_as_the_settings_say() -> None:
    """Each of the five tiers has its length in milliseconds and gives back to the queue the message came from."""
    tiers = [queue for queue in topology.queues(DELAYS) if queue.name.startswith("por.retry.")]
    assert [queue.arguments["x-message-ttl"] for queue in tiers] == [5000, 30_000, 120_000, 600_000, 3_600_000]
    for queue in tiers:
        assert queue.arguments["x-dead-letter-exchange"] == topology.REDELIVER
        assert "x-dead-letter-routing-key" not in queue.arguments
    for work in topology.WORK_QUEUES:
        assert (topology.REDELIVER, work.name) in work.queues[0].bindings
