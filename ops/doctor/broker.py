"""The doctor at the broker: is the topology whole, is everything worked off, is there room."""

from collections.abc import Iterator

from ops.access import OperatorSettings
from ops.broker_view import BrokerView
from ops.doctor.finding import Finding, Severity
from ops.queues import QueueState
from shared import topology

_DECLARE = "Restart any one service: each declares the whole topology when it starts."
_WORK = tuple(each.name for each in topology.WORK_QUEUES)


def look_at_topology(view: BrokerView, desk: OperatorSettings) -> Iterator[Finding]:
    """What is missing, or is otherwise than the table says."""
    exchanges, queues = view.exchanges(), view.queues()
    for exchange in topology.exchanges():
        found = exchanges.get(exchange.name)
        if found is None:
            yield Finding("exchange-missing", Severity.BAD, f"There is no exchange {exchange.name}.", _DECLARE)
        elif (found["type"], found["arguments"]) != (exchange.type.value, dict(exchange.arguments)):
            yield Finding(
                "exchange-differs",
                Severity.BAD,
                f"The exchange {exchange.name} has another type, or other arguments, than it should.",
                "No service starts with it. Delete it, restart a service.",
            )
    for queue in topology.queues(desk.retry_delays):
        if queue.name not in queues:
            yield Finding("queue-missing", Severity.BAD, f"There is no queue {queue.name}.", _DECLARE)
            continue
        if queues[queue.name]["arguments"] != dict(queue.arguments):
            yield Finding(
                "queue-differs",
                Severity.BAD,
                f"The queue {queue.name} has other arguments than it should.",
                "Is POR_RETRY_DELAYS the same here and there? Else drain and delete the queue, restart a service.",
            )


def look_at_bindings(view: BrokerView, desk: OperatorSettings) -> Iterator[Finding]:
    """Who does not get what is his, and who gets what is not."""
    table, found = topology.queues(desk.retry_delays), view.bindings()
    wanted = {(exchange, queue.name, key) for queue in table for exchange, key in queue.bindings}
    queues = view.queues()
    for exchange, queue, key in sorted(wanted - found):
        if queue in queues:
            yield Finding("binding-missing", Severity.BAD, f"{queue} is not bound to {exchange} by {key}.", _DECLARE)
    for exchange, queue, key in sorted(found - wanted):
        if exchange == topology.PIPELINE:
            yield Finding(
                "binding-foreign",
                Severity.BAD,
                f"{queue} is bound to {exchange} by {key}: what it alone gets is confirmed, and never worked off.",
                "The pipeline has personal data and is the services' own. Remove the binding; listen on por.events.",
            )


def look_at_room(view: BrokerView) -> Iterator[Finding]:
    """Alarms, and who is held up by them."""
    for node, kind in view.alarms():
        yield Finding(
            "alarm",
            Severity.BAD,
            f"{node} has its {kind} alarm up: nothing can be published.",
            f"Make room ({kind}) on the broker's machine; services go on by themselves.",
        )
    if blocked := view.blocked():
        yield Finding(
            "connection-blocked",
            Severity.BAD,
            f"The broker does not read from: {', '.join(sorted(blocked))}.",
            "See the alarm; without one, look at the broker's log.",
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
                f"Nobody works off {state.name}; {state.ready} wait.",
                f"Is {service} up and ready? Restart it if its /readyz stays 503.",
            )
        if state.ready and state.name != work:
            yield Finding(
                "suspects",
                Severity.WATCH,
                f"{state.ready} in {state.name}: somebody's consumer died on them.",
                "Look for crashes in that service's log; what kills it again is parked alone.",
            )
    by_name = {state.name: state for state in states}
    if (count := _ready(by_name, topology.PARKING)) > 0:
        yield Finding("parked", Severity.WATCH, f"{count} parked.", "pordesk parked list, then replay or drop them")
    if (count := _ready(by_name, topology.UNROUTED)) > 0:
        yield Finding(
            "unrouted",
            Severity.BAD,
            f"{count} came back from a delay tier and found no queue.",
            "Mend what is missing; then: pordesk parked replay --reason unrouted",
        )
    tiers = [topology.retry_tier(n) for n in range(1, topology.RETRY_TIERS + 1)]
    if (count := sum(_ready(by_name, name) for name in tiers)) > 0:
        yield Finding(
            "retrying",
            Severity.WATCH,
            f"{count} wait in the delay tiers to be tried again.",
            "The services' log lines with outcome retry say why.",
        )


def _ready(states: dict[str, QueueState], name: str) -> int:
    return states[name].ready if name in states else 0
