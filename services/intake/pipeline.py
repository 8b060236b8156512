"""The way into RabbitMQ as the gateway uses it; every failure is a 503 that names the request."""

from uuid import UUID

from shared.contracts.requests import LetterSubmitted, RequestSubmitted
from shared.runtime.amqp import BusAway
from shared.runtime.bus import Bus
from shared.runtime.logs import log
from shared.runtime.problems import unavailable

SOURCE = "/por-desk/intake"


class Pipeline:
    """Where what was accepted goes."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def require(self, request_id: UUID) -> None:
        """Ask before anything is kept: what could not be published is refused at once.

        Raises:
            Problem: 503, and nothing was accepted.
        """
        if not await self._bus.can_publish():
            raise unavailable(
                "Requests cannot be processed now; nothing was accepted. Send it again with the same Idempotency-Key.",
                request_id=str(request_id),
            )

    async def publish(self, event: RequestSubmitted | LetterSubmitted) -> None:
        """Publish; when this returns the event is durable.

        Raises:
            Problem: 503, and the outcome is unknown.
        """
        try:
            await self._bus.publish(event)
        except BusAway as error:
            log.warning("publish failed", reason=type(error).__name__)
            raise unavailable(
                "We could not confirm whether this was accepted. Send it again with the same Idempotency-Key.",
                request_id=str(event.data.request_id),
            ) from error
