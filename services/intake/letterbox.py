"""Puts letters and the form as received into the object store, and reads the form again."""

import asyncio
import io
from typing import TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from services.intake.sealing import KeptRequest
from services.intake.spool import SpooledLetter
from shared.contracts.custody import form_key, letter_key, reply_key
from shared.contracts.requests import LetterReply
from shared.runtime.logs import log
from shared.runtime.objects import ObjectStore, ObjectStoreError, read_as
from shared.runtime.problems import Problem, unavailable
from shared.runtime.together import together

Kept = TypeVar("Kept", KeptRequest, LetterReply)


class Letterbox:
    """The object store as the gateway uses it; every failure is a 503 that names the request."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    def turn(self, accepted_id: UUID) -> asyncio.Lock:
        """Held by the one in this process who may look what is kept and keep it: two under one key come one by one."""
        return self._turns.setdefault(accepted_id, asyncio.Lock())

    async def keep_letters(self, request_id: UUID, letters: list[SpooledLetter]) -> None:
        """Make letters durable; the key of each holds its hash, so a repeat changes nothing."""
        try:
            # None may run on when one has failed: they read from files that go with the request.
            await together(*(self._put_letter(request_id, each) for each in letters))
        except ObjectStoreError as error:
            raise _not_kept(request_id, error) from error

    async def keep_form(self, submission: KeptRequest) -> None:
        """Make the form durable, beside its letters."""
        await self._keep(form_key(submission.request_id), submission)

    async def keep_reply(self, reply: LetterReply) -> None:
        """Make the list of further letters durable, beside them."""
        await self._keep(reply_key(reply.request_id, reply.reply_id), reply)

    async def form(self, request_id: UUID) -> KeptRequest | None:
        """The form as it was received, or None."""
        return await self._read(KeptRequest, form_key(request_id), request_id)

    async def reply(self, request_id: UUID, reply_id: UUID) -> LetterReply | None:
        """The list of further letters as it was received, or None."""
        return await self._read(LetterReply, reply_key(request_id, reply_id), request_id)

    async def _put_letter(self, request_id: UUID, spooled: SpooledLetter) -> None:
        letter = spooled.letter
        spooled.spool.seek(0)
        key = letter_key(request_id, letter.sha256)
        await self._store.put(key, spooled.spool, letter.size, letter.media_type)

    async def _keep(self, key: str, accepted: Kept) -> None:
        body = accepted.model_dump_json().encode()
        try:
            await self._store.put(key, io.BytesIO(body), len(body), "application/json")
        except ObjectStoreError as error:
            raise _not_kept(accepted.request_id, error) from error

    async def _read(self, kind: type[Kept], key: str, request_id: UUID) -> Kept | None:
        try:
            return await read_as(kind, self._store, key)
        except ObjectStoreError as error:
            raise _away(request_id, error, "Requests are temporarily unavailable; try again shortly.") from error


def _not_kept(request_id: object, error: Exception) -> Problem:
    return _away(
        request_id,
        error,
        "Letters cannot be stored now; nothing was accepted. Send the request again with the same Idempotency-Key.",
    )


def _away(request_id: object, error: Exception, detail: str) -> Problem:
    log.warning("object store away", reason=type(error).__name__)
    return unavailable(detail, request_id=str(request_id))
