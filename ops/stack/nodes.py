"""RabbitMQ and MongoDB of as many nodes as are asked for: one as a rule, three where the loss of one is tried."""

from dataclasses import dataclass
from pathlib import Path

from ops.stack.balancer import Balancer
from ops.stack.mongodb import MongoDB
from ops.stack.ports import Ports
from ops.stack.processes import Process
from ops.stack.rabbitmq import Epmd, RabbitMQ
from ops.stack.tools import Tools


@dataclass(frozen=True)
class Broker:
    """The nodes of RabbitMQ, the name server that they need first, and the door that clients take to them."""

    epmd: Epmd
    nodes: list[RabbitMQ]
    door: RabbitMQ | Balancer

    @property
    def processes(self) -> list[Process]:
        """What is to be started when `epmd` is up."""
        return [*self.nodes] if self.door in self.nodes else [*self.nodes, self.door]


def broker(home: Path, logs: Path, ports: Ports, tools: Tools, env: dict[str, str], count: int) -> Broker:
    """RabbitMQ below the stack's `home`; more nodes than one are behind a balancer."""
    epmd = Epmd(home / "rabbitmq", logs / "epmd.log", ports, tools, env)
    homes = _homes(home, "rabbitmq", count)
    nodes = [RabbitMQ(each, logs / f"{each.name}.log", ports, tools, epmd, homes) for each in homes]
    if count == 1:
        return Broker(epmd, nodes, nodes[0])
    return Broker(epmd, nodes, Balancer(home / "balancer", logs / "balancer.log", ports, tools, env, nodes))


def database(home: Path, logs: Path, ports: Ports, tools: Tools, env: dict[str, str], count: int) -> list[MongoDB]:
    """The members of one replica set below the stack's `home`."""
    homes = _homes(home, "mongodb", count)
    own = [ports.reserve() for _ in homes]
    return [
        MongoDB(each, logs / f"{each.name}.log", tools, env, port, own) for each, port in zip(homes, own, strict=True)
    ]


def _homes(home: Path, name: str, count: int) -> list[Path]:
    return [home / name] if count == 1 else [home / f"{name}-{n}" for n in range(1, count + 1)]
