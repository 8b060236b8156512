"""The doctor at the broker: is the topology whole, is everything worked off, is there room."""

from collections.abc import Iterator

from ops.access import OperatorSettings
from ops.broker_view import BrokerView
from ops.doctor.finding import Finding, Severity
from ops.queues import QueueState
from ops.terminal import counted
from shared import topology

_DECLARE = "Restart any service; each declares the whole topology at startup."
_WORK = tuple(each.name for each in topology.WORK_QUEUES)


def look_at_topology(view: BrokerView, desk: OperatorSettings) -> Iterator[Finding]:
    """What is missing, or is otherwise than the table says."""
    exchanges, queues = view.exchanges(), view.queues()
    for exchange in topology.exchanges():
        found = exchanges.get(exchange.name)
        if found is None:
            yield Finding("exchange-missing", Severity.BAD, f"The exchange {exchange.name} is missing.", _DECLARE)
        elif (found["type"], found["arguments"]) != (exchange.type.value, dict(exchange.arguments)):
            yield Finding(
                "exchange-differs",
                Severity.BAD,
                f"The exchange {exchange.name} has the wrong type or arguments.",
                "Services cannot start with it. Delete it, then restart a service.",
            )
    for queue in topology.queues(desk.retry_delays):
        if queue.name not in queues:
            yield Finding("queue-missing", Severity.BAD, f"The queue {queue.name} is missing.", _DECLARE)
            continue
        if queues[queue.name]["arguments"] != dict(queue.arguments):
            yield Finding(
                "queue-differs",
                Severity.BAD,
                f"The queue {queue.name} has the wrong arguments.",
                "Check that POR_RETRY_DELAYS is the same here as in the services. "
                "If it is, drain and delete the queue, then restart a service.",
            )


def look_at_bindings(view: BrokerView, desk: OperatorSettings) -> Iterator[Finding]:
    """Who does not get what is his, and who gets what is not."""
    table, found = topology.queues(desk.retry_delays), view.bindings()
    wanted = {(exchange, queue.name, key) for queue in table for exchange, key in queue.bindings}
    queues = view.queues()
    for exchange, queue, key in sorted(wanted - found):
        if queue in queues:
            what = f"{queue} is not bound to {exchange} with key {key}."
            yield Finding("binding-missing", Severity.BAD, what, _DECLARE)
    for exchange, queue, key in sorted(found - wanted):
        if exchange == topology.PIPELINE:
            yield Finding(
                "binding-foreign",
                Severity.BAD,
                f"{queue} should not be bound to {exchange} with key {key}: "
                "messages that reach only this queue are confirmed but never processed.",
                "Remove the binding: the pipeline carries personal data. Other systems bind to por.events.",
            )


def look_at_room(view: BrokerView) -> Iterator[Finding]:
    """Alarms, and who is held up by them."""
    for node, kind in view.alarms():
        yield Finding(
            "alarm",
            Severity.BAD,
            f"{node} has raised its {kind} alarm: nothing can be published.",
            f"Free some {kind} space on that machine; publishing then resumes on its own.",
        )
    if blocked := view.blocked():
        yield Finding(
            "connection-blocked",
            Severity.BAD,
            f"The broker is blocking these connections: {', '.join(sorted(blocked))}.",
            "If there is an alarm, clear it. Otherwise check the broker's log.",
        )


def look_at_queues(states: list[QueueState]) -> Iterator[Finding]:
    """Queues that nobody works off, and those that should be empty and are not."""
    for state in states:
        work = state.name.removesuffix(topology.suspects_of(""))
        if work in _WORK and state.consumers == 0:
            service = work.partition(".")[0]
            yield Finding(
                "no-consumer",
                Severity.BAD,
                f"No consumer on {state.name}: {counted(state.ready, 'message is', 'messages are')} waiting.",
                f"Check that {service} is running and ready. Restart it if its /readyz stays 503.",
            )
        if state.ready and state.name != work:
            yield Finding(
                "suspects",
                Severity.WATCH,
                f"{counted(state.ready, 'message', 'messages')} in {state.name}: a consumer died while processing.",
                "Look for crashes in that service's log. A message that kills it again is parked on its own.",
            )
    by_name = {state.name: state for state in states}
    if (count := _ready(by_name, topology.PARKING)) > 0:
        what = f"{counted(count, 'message is', 'messages are')} parked."
        yield Finding("parked", Severity.WATCH, what, "Run: pordesk parked list; then replay or drop them.")
    if (count := _ready(by_name, topology.UNROUTED)) > 0:
        yield Finding(
            "unrouted",
            Severity.BAD,
            f"{counted(count, 'message', 'messages')} came back from a retry delay and found no queue.",
            "Restore what is missing, then run: pordesk parked replay --reason unrouted",
        )
    tiers = [topology.retry_tier(n) for n in range(1, topology.RETRY_TIERS + 1)]
    if (count := sum(_ready(by_name, name) for name in tiers)) > 0:
        yield Finding(
            "retrying",
            Severity.WATCH,
            f"{counted(count, 'message is', 'messages are')} waiting to be retried.",
            "To see why, look for outcome retry in the services' logs.",
        )


def _ready(states: dict[str, QueueState], name: str) -> int:
    return states[name].ready if name in states else 0
