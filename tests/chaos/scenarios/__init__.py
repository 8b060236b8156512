"""The scenarios by name, in the order in which they are run: of the suite, and of its short form."""

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
