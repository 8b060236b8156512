"""Fixtures of all tests; what they are made of is in ``tests/fixtures``."""

pytest_plugins = [
    "tests.fixtures.servers",
    "tests.fixtures.object_stores",
    "tests.fixtures.broker",
    "tests.fixtures.post",
    "tests.fixtures.desk",
    "tests.fixtures.portal",
    "tests.fixtures.typed",
]
