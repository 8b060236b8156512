"""The scenarios, by name, in the order in which they are run."""

from tests.chaos.scenario import Scenario
from tests.chaos.scenarios import deaths

SCENARIOS: dict[str, Scenario] = {each.name: each for each in (*deaths.SCENARIOS,)}
