"""The custody of letters: read back, judged, receipted, and found again for who may read them."""

import asyncio
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from uuid import UUID

from services.documents.retention import Retention
from services.documents.scanner import Scanner
from services.documents.verdict import Verdict
from services.documents.workers import Workers
from shared.contracts.custody import letter_key, receipt_key
from shared.contracts.envelope import event_id, now
from shared.contracts.letters import (
    CheckedLetter,
    LetterChecked,
    LetterFault,
    LetterVerdicts,
    Receipt,
    State,
    letter_id,
)
from shared.contracts.requests import (
    Letter,
    LetterReply,
    LetterSubmitted,
    RequestSubmitted,
)
from shared.contracts.transfer_forms import FormReading
from shared.runtime.auth import Caller
from shared.runtime.failures import Transient, away
from shared.runtime.logs import log
from shared.runtime.objects import ObjectDamaged, ObjectStore, ObjectStoreError, read_as
from shared.runtime.problems import Problem, unavailable
from shared.runtime.together import together

SOURCE = "/por-desk/documents"
# Of 25 MiB each; without a bound it would be every letter of every message in work.
LETTERS_IN_MEMORY = 8
_LETTER_ID = re.compile(r"([0-9a-f-]{36})\.([0-9a-f]{64})")


# Not even staff may have what harms who opens it, or may.
_SERVED_TO_NOBODY = frozenset({LetterFault.INFECTED, LetterFault.NOT_SCANNABLE})


class Custody:
    """Letters and receipts over one object store; without a scanner no letter is searched for viruses."""

    def __init__(self, store: ObjectStore, workers: Workers, scanner: Scanner | None, retention: Retention) -> None:
        self._store, self._workers, self._scanner, self._retention = store, workers, scanner, retention
        self._in_memory = asyncio.Semaphore(LETTERS_IN_MEMORY)

    async def check(self, event: RequestSubmitted | LetterSubmitted) -> LetterChecked:
        """Judge every letter of a submission, write the receipts, and say so.

        Raises:
            Away: the store or the scanner is.
            Transient: the store does not show the letter yet, or the scanner says what is no verdict.
        """
        data = event.data
        owner = data.producer_id if isinstance(data, LetterReply) else data.producer.producer_id
        with away(ObjectStoreError, "object-store-away"):
            # None may run on when one has failed: its message comes again, and would find them still at work.
            found = await together(*(self._check_letter(data.request_id, owner, each) for each in data.letters))
        kind = "por.letter.checked.v2"
        return LetterChecked(
            id=event_id(event.id, kind),
            source=SOURCE,
            subject=str(data.request_id),
            time=now(),
            data=LetterVerdicts(
                submission=data,
                letters=tuple(letter for letter, _ in found),
                forms=tuple(reading for _, reading in found),
            ),
        )

    async def _check_letter(self, request_id: UUID, owner: str, letter: Letter) -> tuple[CheckedLetter, FormReading]:
        async with self._in_memory:
            data = await self._store.get(letter_key(request_id, letter.sha256))
            if data is None:
                raise Transient("letter-not-there")
            verdict = await self._judge(data, letter.sha256)
            del data  # with the slot, not when the receipt is written
        checked = CheckedLetter(
            **letter.model_dump(exclude={"media_type"}),
            letter_id=letter_id(request_id, letter.sha256),
            media_type=verdict.media_type,
            pages=verdict.pages,
            fault=verdict.fault,
        )
        receipt = Receipt(letter=checked, request_id=request_id, owner=owner, checked_at=now())
        body = receipt.model_dump_json().encode()
        lock = None
        if receipt.state is State.CUSTODY and (lock := await self._retention.lock_of(receipt.checked_at)):
            await self._store.lock(letter_key(request_id, letter.sha256), lock)
        await self._store.put(
            receipt_key(request_id, letter.sha256),
            io.BytesIO(body),
            len(body),
            "application/json",
            lock,
        )
        # What a refused letter says is nobody's business.
        form = None if checked.fault else verdict.form
        return checked, FormReading(letter_id=checked.letter_id, form=form)

    async def _judge(self, data: bytes, sha256: str) -> Verdict:
        """What the worker finds, and the scanner, also in what is refused already: staff may read that."""
        judging = self._workers.judge(data, sha256)
        if self._scanner is None:
            return await judging
        # None may run on when the other has failed: both have the letter in memory.
        verdict, found = await together(judging, self._scanner.scan(data))
        # A virus counts more than any other fault; that the scanner is not sure counts less: they say why.
        return replace(verdict, fault=found) if found is LetterFault.INFECTED or not verdict.fault else verdict

    async def receipt(self, letter: str, caller: Caller) -> Receipt:
        """The receipt of a letter that this caller may read.

        A refused letter is in quarantine: only staff reads it. One without a receipt is not judged yet: nobody does.

        Raises:
            Problem: 404, also where it is somebody else's or refused; 403 infected; 503 without the store.
        """
        match = _LETTER_ID.fullmatch(letter)
        receipt = None
        if match:
            try:
                receipt = await read_as(Receipt, self._store, receipt_key(match[1], match[2]))
            except ObjectStoreError as error:
                raise _unreadable() from error
        if receipt is None or not _may_read(receipt, caller):
            raise Problem(HTTPStatus.NOT_FOUND, "unknown-letter", "There is no such letter.")
        if receipt.letter.fault in _SERVED_TO_NOBODY:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "letter-withheld",
                "A virus was found in this letter, or it could not be scanned; it cannot be downloaded.",
            )
        return receipt

    async def read(self, receipt: Receipt) -> tuple[Iterator[bytes], int]:
        """The letter's bytes, in chunks, and how many there are; of one found to be damaged whatever is there.

        Others than were judged are not served: of another size none, else all but the last chunk.

        Raises:
            Problem: 503 without the store, and where the size is another.
        """
        letter = receipt.letter
        key = letter_key(receipt.request_id, letter.sha256)
        try:
            chunks, size = await self._store.stream(key)
        except ObjectStoreError as error:
            raise _unreadable() from error
        if letter.fault is LetterFault.DAMAGED:
            return chunks, size
        if size != letter.size:
            log.error("object damaged", key=key)
            raise _unreadable()
        return _as_judged(chunks, letter.sha256, key), size


def _as_judged(chunks: Iterator[bytes], sha256: str, key: str) -> Iterator[bytes]:
    """The chunks, of which the last comes only where all are the letter's: else the answer ends before its end."""
    digest, last = hashlib.sha256(), b""
    for chunk in chunks:
        yield last
        digest.update(chunk)
        last = chunk
    if digest.hexdigest() != sha256:
        log.error("object damaged", key=key)
        raise ObjectDamaged
    yield last


def _unreadable() -> Problem:
    return unavailable("Letters are temporarily unavailable; try again shortly.")


def _may_read(receipt: Receipt, caller: Caller) -> bool:
    if caller.sees_only is None:
        return caller.sees_private or not receipt.letter.private
    return receipt.owner == caller.sees_only and receipt.state is State.CUSTODY
