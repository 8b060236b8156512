"""The hands on the broker: its management API, and its control command."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from ops.stack import Stack
from ops.stack.processes import clean_environment
from tests.fixtures.management import Management

CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl"
_SECONDS = 30


@contextmanager
def management(stack: Stack) -> Iterator[Management]:
    """The management API over the stack's one vhost."""
    hands = Management(stack.info.rabbitmq_management, "/")
    try:
        yield hands
    finally:
        hands.close()


def control(stack: Stack, *arguments: str) -> None:
    """Run ``rabbitmqctl`` on the stack's node."""
    env = clean_environment(stack["rabbitmq"].env)
    ran = subprocess.run(
        [CONTROL, *arguments], env=env, cwd=stack["rabbitmq"].cwd, capture_output=True, timeout=_SECONDS, check=False
    )
    if ran.returncode:
        raise RuntimeError(f"rabbitmqctl {arguments[0]} failed: {os.fsdecode(ran.stderr)[-500:]}")
