"""Fixtures of all tests; what they are made of is in ``tests/fixtures``."""

from hypothesis import settings

# How long one example takes is a matter of the machine.
settings.register_profile("desk", deadline=None)
settings.load_profile("desk")

pytest_plugins = [
    "tests.fixtures.servers",
    "tests.fixtures.object_stores",
    "tests.fixtures.broker",
    "tests.fixtures.post",
    "tests.fixtures.desk",
    "tests.fixtures.portal",
    "tests.fixtures.typed",
]
