"""How bodies become events: FastStream knows no CloudEvents."""

from typing import Annotated, Any, Union

from faststream.message import StreamMessage
from pydantic import Field, TypeAdapter, ValidationError

from shared.contracts.envelope import CONTENT_TYPE, Event
from shared.runtime.failures import Permanent


class EventCodec:
    """Reads a body as one of the event types a queue carries."""

    def __init__(self, kinds: tuple[type[Event], ...]) -> None:
        kind: Any = kinds[0]
        if len(kinds) > 1:
            kind = Annotated[Union[kinds], Field(discriminator="type")]  # noqa: UP007  # of as many as there are
        self._adapter: TypeAdapter[Event] = TypeAdapter(kind)

    async def decode(self, msg: StreamMessage[Any]) -> Any:
        """The event in the body.

        Raises:
            Permanent: ``unreadable``, there is none that this queue carries.
        """
        try:
            return self._adapter.validate_json(msg.body)
        except ValidationError as error:
            raise Permanent("unreadable") from error

    async def encode(self, msg: Any, serializer: object = None) -> tuple[bytes, str]:  # noqa: ARG002  # the protocol's
        """Only events are published, and they are bytes already."""
        return msg, CONTENT_TYPE
