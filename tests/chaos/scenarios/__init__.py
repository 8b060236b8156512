"""The scenarios by name, in the order in which they are run: of the suite, of its short form, and by name only."""

from tests.chaos.scenario import Scenario
from tests.chaos.scenarios import broker, clusters, deaths, delivery, mail, stores, wires

_ALL = (
    *deaths.SCENARIOS,
    *broker.SCENARIOS,
    *stores.SCENARIOS,
    *mail.SCENARIOS,
    *wires.SCENARIOS,
    *delivery.SCENARIOS,
    *clusters.SCENARIOS,
)

SCENARIOS: dict[str, Scenario] = {each.name: each for each in _ALL}

SHORT: dict[str, Scenario] = {each.name: each for each in (deaths.SHORT,)}

BY_NAME: dict[str, Scenario] = {each.name: each for each in clusters.ON_RABBITMQ_4}
