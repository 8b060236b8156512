"""One address for all nodes of a RabbitMQ cluster: HAProxy, as in front of a real one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ops.stack.connections import Connection
from ops.stack.files import write_private
from ops.stack.ports import Ports
from ops.stack.probes import http_ok, port_answers
from ops.stack.processes import Process
from ops.stack.rabbitmq import AMQP_HELLO, METHOD_FRAME, RabbitMQ
from ops.stack.tools import Tools

# The desk is silent for half a heartbeat, 5 s, at most. A node is asked for its AMQP, since the kernel still accepts
# connections for one that hangs; clients of a node that is taken out are cut off, so that they go to another.
# They wait for two seconds: before 3.12 RabbitMQ refuses whatever a channel publishes, for as long as the node is gone,
# that first published between the loss of a queue's leader and the election of the next (rabbit_fifo_client, nodedown).
_CONFIG = """\
defaults
    mode tcp
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    option redispatch 1
    default-server check inter 1s fall 2 rise 2 on-marked-down shutdown-sessions

listen amqp
    bind 127.0.0.1:{amqp}
    balance leastconn
    tcp-request inspect-delay 2s
    tcp-request content accept if WAIT_END
    option tcp-check
    tcp-check connect
    tcp-check send-binary {hello}
    tcp-check expect binary {greeting}
{amqp_nodes}

listen management
    bind 127.0.0.1:{management}
{management_nodes}
"""


class Balancer(Process):
    """The clients' way to the nodes: a new connection goes to one that answers and has the fewest."""

    def __init__(
        self, home: Path, log: Path, ports: Ports, tools: Tools, env: dict[str, str], nodes: Sequence[RabbitMQ]
    ) -> None:
        self.port, management = ports.reserve(), ports.reserve()
        self.connection = replace(nodes[0].connection, url=f"amqp://127.0.0.1:{self.port}/")
        self.management = replace(nodes[0].management, url=f"http://127.0.0.1:{management}")
        config = write_private(
            home / "haproxy.cfg",
            _CONFIG.format(
                amqp=self.port,
                management=management,
                hello=AMQP_HELLO.hex(),
                greeting=METHOD_FRAME.hex(),
                amqp_nodes=_servers(nodes, [node.connection for node in nodes]),
                management_nodes=_servers(nodes, [node.management for node in nodes]),
            ),
        )
        super().__init__(home.name, [tools.haproxy, "-db", "-f", str(config)], log=log, env=env, grace=1.0)

    def answers(self) -> bool:
        """A node answers through it."""
        asked = f"{self.management.url}/api/health/checks/local-alarms"
        return port_answers(self.port) and http_ok(asked, self.management.username, self.management.password)


def _servers(nodes: Sequence[RabbitMQ], connections: Sequence[Connection]) -> str:
    return "\n".join(
        f"    server {node.name} {connection.url.partition('//')[2].rstrip('/')}"
        for node, connection in zip(nodes, connections, strict=True)
    )
