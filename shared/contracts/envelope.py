"""The envelope of every message: a structured CloudEvents 1.0 JSON event."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

CONTENT_TYPE = "application/cloudevents+json"

_EVENT_IDS = uuid5(NAMESPACE_URL, "urn:por-desk:events")


class Contract(BaseModel):
    """A model that crosses a process border: immutable, and its values never show up in errors.

    Fields that are not known are ignored, so that a newer sender may add optional ones.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Event(Contract):
    """A CloudEvents 1.0 event; subclasses fix ``type`` and ``data``."""

    specversion: Literal["1.0"] = "1.0"
    id: UUID = Field(description="Stable: a redelivery or a repeated publish carries the same id.")
    source: str = Field(description="The service that published it, as a URI reference.")
    type: str
    subject: str = Field(description="The request id, or for ticket.* the ticket number.")
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"

    @property
    def routing_key(self) -> str:
        """The AMQP routing key: the type without its ``por.`` prefix and version; never an id."""
        return self.type.removeprefix("por.").rpartition(".v")[0]


Sequence = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*$")]


class SequencedEvent(Event):
    """An event in a gapless row per ticket (CloudEvents ``sequence`` extension)."""

    sequence: Sequence = Field(description="1, 2, 3 … per subject, without gaps.")
    sequencetype: Literal["Integer"] = "Integer"


def event_id(cause: object, type_: str) -> UUID:
    """The id of the event of ``type_`` that ``cause`` leads to: the same cause, the same id."""
    return uuid5(_EVENT_IDS, f"{type_}\n{cause}")


def now() -> datetime:
    """The present moment in UTC, cut to the milliseconds that every store keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
