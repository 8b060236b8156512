"""RabbitMQ nodes of our own: name, cookie, ports, plugins and data have nothing to do with the machine's broker."""

from collections.abc import Sequence
from pathlib import Path

from ops.stack.connections import Connection
from ops.stack.files import kept_secret, write_private
from ops.stack.ports import Ports
from ops.stack.probes import greets, http_ok, port_answers
from ops.stack.processes import Process
from ops.stack.tools import Tools

_CONFIG = """\
listeners.tcp.local = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {metrics}
default_user = {username}
default_pass = {password}
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 200MB
log.console.level = info
"""

# A node that sees no majority takes no clients, rather than let them wait for queues that have none.
_CLUSTER = """\
cluster_formation.peer_discovery_backend = classic_config
cluster_partition_handling = pause_minority
"""

# A dead-letter worker that lost its confirmation tries again after this long; the default is three minutes.
_ADVANCED = "[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 5000}]}].\n"

AMQP_HELLO = b"AMQP\x00\x00\x09\x01"
METHOD_FRAME = b"\x01\x00\x00"


class Epmd(Process):
    """Erlang's name server, by which the nodes of a cluster find each other; `home` holds what they share.

    It runs in the foreground, so that it ends with everything else.
    """

    def __init__(self, home: Path, log: Path, ports: Ports, tools: Tools, env: dict[str, str]) -> None:
        self.home, self.port = home, ports.reserve()
        kept_secret(home / ".erlang.cookie")
        self.naming = {
            "HOME": str(home),
            "ERL_EPMD_PORT": str(self.port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Erlang starts a detached epmd wherever it finds none; it would stay behind if ours had just been killed.
            "ERL_FLAGS": "-start_epmd false",
            **env,
        }
        argv = [tools.epmd, "-port", str(self.port), "-address", "127.0.0.1"]
        super().__init__("epmd", argv, log=log, env=self.naming, grace=1.0)

    def answers(self) -> bool:
        """The port is open."""
        return port_answers(self.port)


class RabbitMQ(Process):
    """One node; `epmd` must be up before it starts. `homes` are the folders of all nodes of its cluster."""

    def __init__(self, home: Path, log: Path, ports: Ports, tools: Tools, epmd: Epmd, homes: Sequence[Path]) -> None:
        self.port, management, metrics, distribution = (ports.reserve() for _ in range(4))
        username, password = "por-desk", kept_secret(epmd.home / "password")
        self.connection = Connection(f"amqp://127.0.0.1:{self.port}/", username, password)
        self.management = Connection(f"http://127.0.0.1:{management}", username, password)
        self.metrics = Connection(f"http://127.0.0.1:{metrics}/metrics")
        self.node = _node_name(home)

        settings = {"amqp": self.port, "management": management, "metrics": metrics}
        write_private(
            home / "rabbitmq.conf",
            _CONFIG.format(**settings, username=username, password=password) + _cluster_config(homes),
        )
        write_private(home / "advanced.config", _ADVANCED)
        write_private(home / "enabled_plugins", "[rabbitmq_management, rabbitmq_prometheus].\n")
        super().__init__(
            home.name,
            # With ALLOW_INPUT the script becomes the broker (exec); -noinput takes back the shell.
            [tools.rabbitmq, "-noinput"],
            log=log,
            cwd=home,
            # After TERM 3.10 closes its stores in 50 ms, then sits out a deadlock of 5 s in the management agent
            # (it asks the application controller, which waits for it). What was confirmed is on disk by then.
            grace=2.0,
            env={
                **epmd.naming,
                "RABBITMQ_ALLOW_INPUT": "1",
                "RABBITMQ_NODENAME": self.node,
                "RABBITMQ_DIST_PORT": str(distribution),
                "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
                "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
                "RABBITMQ_MNESIA_BASE": str(home / "data"),
                "RABBITMQ_SCHEMA_DIR": str(home / "schema"),
                "RABBITMQ_GENERATED_CONFIG_DIR": str(home / "generated"),
                "RABBITMQ_LOG_BASE": str(log.parent),
                "RABBITMQ_LOGS": "-",
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                    "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
                ),
                "ERL_CRASH_DUMP": str(log.with_suffix(".crash_dump")),
            },
        )

    def answers(self) -> bool:
        """The listener shakes hands and the management API knows our user and a broker that has booted."""
        return greets(self.port, AMQP_HELLO, METHOD_FRAME) and http_ok(
            f"{self.management.url}/api/health/checks/port-listener/{self.port}",
            self.management.username,
            self.management.password,
        )


def _node_name(home: Path) -> str:
    return f"por-{kept_secret(home / 'name')[:8]}@localhost"


def _cluster_config(homes: Sequence[Path]) -> str:
    if len(homes) == 1:
        return ""
    nodes = (f"cluster_formation.classic_config.nodes.{n} = {_node_name(home)}\n" for n, home in enumerate(homes, 1))
    return _CLUSTER + "".join(nodes)
