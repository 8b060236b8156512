"""The counter at which a filled-in form is looked through: what is wrong with it, or the request that it is."""

from dataclasses import dataclass
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from services.intake import attachments
from services.intake.catalogue import TYPE_FIELD, Catalogue, RequestType
from services.intake.holds import Holds
from services.intake.sealing import KeptRequest, Sealer
from services.intake.upload import Upload
from shared.contracts.envelope import now
from shared.contracts.problems import FieldProblem
from shared.contracts.requests import Form, Letter, Producer
from shared.runtime.auth import Caller
from shared.runtime.problems import invalid_fields

ROUTE = "POST /v1/requests"


@dataclass(frozen=True)
class Counter:
    """Knows the catalogue, the holds, and how private fields are sealed."""

    catalogue: Catalogue
    holds: Holds
    sealer: Sealer

    def request(self, upload: Upload, caller: Caller, key: str | None) -> KeptRequest:
        """The request that a form makes.

        Raises:
            Problem: 415 wrong file, 422 with everything that is wrong.
        """
        kind, errors = self.catalogue.type_of(upload.fields)
        if kind is None:
            raise invalid_fields(errors)
        form, errors = _read(kind, upload)
        faults = _faults(kind, upload)
        if errors:
            raise invalid_fields(errors + faults)
        attachments.refuse(faults)
        shown, sealed = self.sealer.seal(kind, form)
        letters = letters_of(upload, private=kind.document is not None and kind.document.private)
        assert caller.producer_id is not None
        return KeptRequest(
            request_id=request_id_of(caller.producer_id, key) if key else uuid4(),
            request_type=kind.code,
            request_type_label=kind.name,
            producer=Producer(producer_id=caller.producer_id, name=caller.name, email=caller.email),
            form=shown,
            sealed=sealed,
            letters=letters,
            fingerprint=self.sealer.fingerprint(form, letters),
            received_at=now(),
        )

    def with_notices(self, request: KeptRequest) -> KeptRequest:
        """A request that is to be accepted now, with what the holds say of it.

        Raises:
            Problem: 409 where one refuses it.
        """
        return request.model_copy(update={"notices": self.holds.notices(request.request_type, request.form)})

    def is_retry(self, request: KeptRequest, known: KeptRequest) -> bool:
        """Whether what was kept under the same key is the same request."""
        return request.request_type == known.request_type and request.fingerprint == self.sealer.fingerprint_of(known)


def letters_of(upload: Upload, *, private: bool) -> tuple[Letter, ...]:
    """The letters that travel with a request, by reference."""
    return tuple(each.letter.model_copy(update={"private": private}) for each in upload.letters)


def request_id_of(producer_id: str, key: str) -> UUID:
    """The id of the request under an Idempotency-Key: same route, producer and key, same id."""
    return uuid5(NAMESPACE_URL, f"urn:por-desk:request:{ROUTE}\n{producer_id}\n{key}")


def _read(kind: RequestType, upload: Upload) -> tuple[Form, list[FieldProblem]]:
    beside = {TYPE_FIELD, kind.document.part if kind.document else None}
    return kind.read({name: value for name, value in upload.fields.items() if name not in beside})


def _faults(kind: RequestType, upload: Upload) -> list[FieldProblem]:
    if kind.document is None:
        return attachments.faults(upload, (), required=False)
    return attachments.faults(upload, (kind.document.part,), required=kind.document.required)
