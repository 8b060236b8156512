"""One AsyncAPI 3 document of the whole system, made from the topology and the contracts."""

from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from shared import topology
from shared.contracts.envelope import CONTENT_TYPE, Event


@cache
def asyncapi_document() -> dict[str, Any]:
    """The document: a channel per routing key, a message per event, who sends and who receives."""
    kinds = tuple(topology.PUBLISHERS)
    _, definitions = models_json_schema(
        [(kind, "validation") for kind in kinds],
        ref_template="#/components/schemas/{model}",
    )
    channels = {_name(kind): _channel(kind) for kind in kinds}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "POR Desk",
            "version": "1.0.0",
            "description": (
                "Structured CloudEvents 1.0 over RabbitMQ. `ticket.*` on `por.events` is public: "
                "at least once, stable IDs, a gapless `sequence` per ticket; the stream "
                f"`{topology.EVENTS_LOG}` keeps {topology.STREAM_AGE}. Everything else is internal."
            ),
            "license": {"name": "Proprietary"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {
                "host": "{host}",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "variables": {"host": {"default": "localhost:5672"}},
                "security": [{"$ref": "#/components/securitySchemes/userPassword"}],
            }
        },
        "channels": channels,
        "operations": {**_sends(), **_receives()},
        "components": {
            "messages": {kind.__name__: _message(kind) for kind in kinds},
            "schemas": definitions["$defs"],
            "securitySchemes": {"userPassword": {"type": "userPassword"}},
        },
    }


def _name(kind: type[Event]) -> str:
    return str(kind.model_fields["type"].default).removeprefix("por.").rpartition(".v")[0]


def _channel(kind: type[Event]) -> dict[str, Any]:
    exchange = topology.exchange_of(kind)
    return {
        "address": _name(kind),
        "description": (kind.__doc__ or "").strip(),
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": exchange,
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                    "vhost": "/",
                },
                "bindingVersion": "0.3.0",
            }
        },
        "tags": [{"name": "public" if exchange == topology.EVENTS else "internal"}],
    }


def _message(kind: type[Event]) -> dict[str, Any]:
    return {
        "name": kind.model_fields["type"].default,
        "title": kind.__name__,
        "summary": (kind.__doc__ or "").strip(),
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }


def _sends() -> dict[str, Any]:
    return {
        f"{service}.send.{_name(kind)}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{_name(kind)}"},
            "summary": f"{service} publishes {_name(kind)}.",
            "bindings": {
                "amqp": {
                    "deliveryMode": 2,
                    "mandatory": True,
                    "bindingVersion": "0.3.0",
                }
            },
        }
        for kind, service in topology.PUBLISHERS.items()
    }


def _receives() -> dict[str, Any]:
    return {
        f"{queue.name}.receive.{_name(kind)}": {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{_name(kind)}"},
            "summary": f"{queue.service} consumes {queue.name}.",
            "bindings": {"amqp": {"ack": True, "bindingVersion": "0.3.0"}},
        }
        for queue in topology.WORK_QUEUES
        for kind in queue.receives
    }
