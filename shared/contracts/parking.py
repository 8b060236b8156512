"""What operators did with parked messages: who, which, why."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.envelope import Contract, Event


class ParkingAct(Contract):
    """One act on one parked message; codes and ids, but for the operator's own words."""

    message_id: str
    queue: str = Field(description="The work queue that the message failed in.")
    reason: str = Field(description="Why it was parked.")
    request_id: str | None = None
    who: str = Field(description="The subject of the operator's access token.")
    why: str | None = Field(default=None, description="The operator's words.")


class ParkingReplayed(Event):
    """A parked message went back to its work queue."""

    type: Literal["por.parking.replayed.v1"] = "por.parking.replayed.v1"
    data: ParkingAct


class ParkingDropped(Event):
    """A parked message was dropped."""

    type: Literal["por.parking.dropped.v1"] = "por.parking.dropped.v1"
    data: ParkingAct


ParkingEvent = Annotated[ParkingReplayed | ParkingDropped, Field(discriminator="type")]
