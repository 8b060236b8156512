"""Accepting further letters for an open ticket, by the rules of a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID, uuid4, uuid5

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.intake import attachments
from services.intake.answers import LetterReplyState
from services.intake.catalogue import Catalogue
from services.intake.counter import letters_of
from services.intake.letterbox import Letterbox
from services.intake.owners import Owner, open_ticket
from services.intake.pipeline import SOURCE, Pipeline
from services.intake.sealing import letters_fingerprint
from services.intake.upload import Upload
from shared.contracts.envelope import event_id, now
from shared.contracts.letters import letter_id
from shared.contracts.messages import MAX_WORDS
from shared.contracts.requests import Letter, LetterReply, LetterSubmitted
from shared.runtime.auth import Caller
from shared.runtime.problems import Problem, field_problems, invalid_fields

LETTER_SUBMITTED = "por.letter.submitted.v1"
# The part that every ticket takes, whatever its type; those of the types are taken too.
LETTER_PART = "por_documentation"


class ReplyFields(BaseModel):
    """What may be sent with further letters; a field that nobody reads would be words that are lost."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, str_strip_whitespace=True)

    comment: str = Field(default="", max_length=MAX_WORDS, description="Shown on the ticket.")


@dataclass(frozen=True)
class Replies:
    """Takes a producer's further letters in; holds no state of its own."""

    catalogue: Catalogue
    letterbox: Letterbox
    pipeline: Pipeline
    tickets: Owner

    async def accept(self, number: str, upload: Upload, caller: Caller, key: str | None) -> LetterReplyState:
        """Take further letters for an open ticket of this caller.

        Raises:
            Problem: 409 closed ticket, 415 wrong file, 422 no file, too long a comment or reused key; 503; and what
                tickets says of the number.
        """
        ticket = await open_ticket(self.tickets, number, caller)
        structlog.contextvars.bind_contextvars(request_id=str(ticket.request_id), ticket_number=number)
        kind = self.catalogue.types.get(ticket.request_type)
        document = kind.document if kind else None
        own = document.part if document else LETTER_PART
        attachments.refuse(attachments.faults(upload, (own, *sorted((self.catalogue.parts | {LETTER_PART}) - {own}))))
        # Of a type that the catalogue does not have any more nobody knows what its letters hold.
        private = kind is None or (document is not None and document.private)
        comment = _comment(upload.fields)
        reply = _reply(ticket.request_id, letters_of(upload, private=private), comment, caller, key)
        async with self.letterbox.turn(reply.reply_id):
            known = await self._known(reply) if key else None
            if known is None:
                await self.pipeline.require(reply.request_id)
                await self.letterbox.keep_letters(reply.request_id, upload.letters)
                await self.letterbox.keep_reply(reply)
        upload.close()  # what is kept needs no room here any more
        await self.pipeline.publish(_submitted(known or reply))
        ids = [letter_id(ticket.request_id, letter.sha256) for letter in reply.letters]
        return LetterReplyState(ticket_number=number, letter_ids=ids)

    async def _known(self, reply: LetterReply) -> LetterReply | None:
        """What was kept under the same key; it must be the same letters."""
        known = await self.letterbox.reply(reply.request_id, reply.reply_id)
        if known is not None and (known.comment, letters_fingerprint(known.letters)) != (
            reply.comment,
            letters_fingerprint(reply.letters),
        ):
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "key-reused",
                "This Idempotency-Key was used for different letters; use a new key.",
                request_id=str(reply.request_id),
            )
        return known


def _reply(
    request_id: UUID, letters: tuple[Letter, ...], comment: str | None, caller: Caller, key: str | None
) -> LetterReply:
    assert caller.producer_id is not None
    return LetterReply(
        request_id=request_id,
        reply_id=uuid5(request_id, key) if key else uuid4(),
        producer_id=caller.producer_id,
        letters=letters,
        comment=comment,
        received_at=now(),
    )


def _comment(fields: Mapping[str, str]) -> str | None:
    """What the producer writes with his letters; an empty field is one that is not filled in."""
    try:
        return ReplyFields.model_validate(fields).comment or None
    except ValidationError as error:
        raise invalid_fields(field_problems(error.errors())) from error


def _submitted(reply: LetterReply) -> LetterSubmitted:
    return LetterSubmitted(
        id=event_id(reply.reply_id, LETTER_SUBMITTED),
        source=SOURCE,
        subject=str(reply.request_id),
        time=reply.received_at,
        data=reply,
    )
