"""Puts letters and the form as received into the object store, and reads the form again."""

import io

from services.intake.upload import SpooledLetter
from shared.contracts.custody import form_key, letter_key
from shared.contracts.requests import Submission
from shared.runtime.logs import log
from shared.runtime.objects import ObjectStore, ObjectStoreError
from shared.runtime.problems import Problem, unavailable


class Letterbox:
    """The object store as the gateway uses it; every failure is a 503 that names the request."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def keep_letter(self, request_id: object, spooled: SpooledLetter) -> None:
        """Make one letter durable; its key holds its hash, so a repeat changes nothing."""
        letter = spooled.letter
        spooled.spool.seek(0)
        try:
            await self._store.put(
                letter_key(request_id, letter.sha256),
                spooled.spool,
                letter.size,
                letter.media_type,
            )
        except ObjectStoreError as error:
            raise _away(request_id, error) from error

    async def keep_form(self, submission: Submission) -> None:
        """Make the form durable, beside its letters."""
        body = submission.model_dump_json().encode()
        try:
            await self._store.put(
                form_key(submission.request_id),
                io.BytesIO(body),
                len(body),
                "application/json",
            )
        except ObjectStoreError as error:
            raise _away(submission.request_id, error) from error

    async def form(self, request_id: object) -> Submission | None:
        """The form as it was received, or None."""
        try:
            found = await self._store.get(form_key(request_id))
        except ObjectStoreError as error:
            raise _away(request_id, error) from error
        return Submission.model_validate_json(found) if found else None


def _away(request_id: object, error: Exception) -> Problem:
    log.warning("object store away", reason=type(error).__name__)
    return unavailable(
        "Letters cannot be kept now; nothing was accepted. Send the request again with the same Idempotency-Key.",
        request_id=str(request_id),
    )
