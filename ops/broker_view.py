"""What RabbitMQ's management API tells of a desk's vhost."""

import time
from collections import defaultdict
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from ops.access import OperatorSettings, Refused

TIMEOUT = 10.0
# RabbitMQ answers 500 now and then when queues come or go while it lists them; the next answer is good.
ATTEMPTS = 3
# How far back RabbitMQ keeps the lengths of queues unless it is told otherwise, and at which steps, in seconds.
RECORDS = ((600, 5), (3600, 60))
LONGEST_SECONDS = float(RECORDS[-1][0])


class BrokerView:
    """One vhost through the management API.

    Raises:
        Refused: the API is not known, or does not answer.
    """

    def __init__(self, desk: OperatorSettings) -> None:
        if desk.rabbitmq_management_url is None:
            raise Refused("Set POR_RABBITMQ_MANAGEMENT_URL, for example http://user:password@broker:15672")
        vhost = urlsplit(desk.amqp_url.get_secret_value()).path.removeprefix("/") or "/"
        self._vhost = vhost if "%" in vhost else quote(vhost, safe="")
        self._http = httpx.Client(
            base_url=desk.rabbitmq_management_url.get_secret_value(), trust_env=False, timeout=TIMEOUT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def queues(self) -> dict[str, dict[str, Any]]:
        """Every queue by its name; its counts may be some seconds old."""
        return {each["name"]: each for each in self._list(f"queues/{self._vhost}")}

    def lengths(self) -> dict[str, list[tuple[float, int]]]:
        """How long each queue was in the last hour, as (seconds ago, length); a zero may also be a lack of records."""
        found: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for age, step in RECORDS:
            query = f"columns=name,messages_details&lengths_age={age}&lengths_incr={step}"
            moment = time.time()
            for each in self._list(f"queues/{self._vhost}?{query}"):
                samples = each.get("messages_details", {}).get("samples", [])
                found[each["name"]] += [(moment - one["timestamp"] / 1000, one["sample"]) for one in samples]
        return found

    def uptime(self) -> float:
        """Seconds since the latest start of a node."""
        return float(min((node.get("uptime", 0) for node in self._list("nodes")), default=0)) / 1000

    def exchanges(self) -> dict[str, dict[str, Any]]:
        """Every exchange by its name."""
        return {each["name"]: each for each in self._list(f"exchanges/{self._vhost}")}

    def bindings(self) -> set[tuple[str, str, str]]:
        """Every binding: (exchange, queue, routing key)."""
        return {(b["source"], b["destination"], b["routing_key"]) for b in self._list(f"bindings/{self._vhost}")}

    def alarms(self) -> list[tuple[str, str]]:
        """Which node raised which alarm."""
        kinds = {"mem_alarm": "memory", "disk_free_alarm": "disk"}
        return [(node["name"], kind) for node in self._list("nodes") for flag, kind in kinds.items() if node.get(flag)]

    def blocked(self) -> list[str]:
        """The connections that the broker does not read from."""
        found = self._list(f"vhosts/{self._vhost}/connections")
        return [
            each.get("client_properties", {}).get("connection_name", each["name"])
            for each in found
            if each.get("state") in {"blocked", "blocking"}
        ]

    def _list(self, path: str) -> list[dict[str, Any]]:
        try:
            for _ in range(ATTEMPTS):
                answer = self._http.get(f"/api/{path}")
                if answer.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                    break
            found: list[dict[str, Any]] = answer.raise_for_status().json()
        except httpx.HTTPStatusError as error:
            what = f"RabbitMQ's management API answers {error.response.status_code}."
            raise Refused(f"{what} Check POR_RABBITMQ_MANAGEMENT_URL.") from None
        except (httpx.HTTPError, ValueError) as error:
            what = f"RabbitMQ's management API does not answer ({type(error).__name__})."
            raise Refused(f"{what} Check POR_RABBITMQ_MANAGEMENT_URL.") from None
        return found
