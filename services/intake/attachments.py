"""What is wrong with the files of a form: none, one in the wrong place, or one that is no letter by its bytes."""

from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus

from services.intake.upload import Upload
from shared.contracts.media import LETTER_TYPES
from shared.contracts.problems import FieldProblem
from shared.runtime.problems import Problem, invalid_fields, pointer_to


def faults(upload: Upload, parts: Sequence[str], *, required: bool = True) -> list[FieldProblem]:
    """What is wrong with the files, other than their size; they belong into ``parts``, the first for choice."""
    if as_text := [part for part in parts if part in upload.fields]:
        return [_fault("not-a-file", "Send this as a file (a part with a filename), not as text.", as_text[0])]
    if not upload.letters and required:
        return [_fault("missing", "Attach the requested document.", parts[0])]
    found, digests, places = [], set[str](), Counter[str]()
    for letter in upload.letters:
        place = (letter.part, places[letter.part])
        places[letter.part] += 1
        if letter.part not in parts:
            found.append(_fault("no-file-here", "This request type does not take a file here.", *place))
        elif letter.size == 0:
            found.append(_fault("empty-file", "The file is empty.", *place))
        elif letter.media_type not in LETTER_TYPES:
            detail = "This file is not a PDF, PNG, JPEG or TIFF, even if its name says so."
            found.append(_fault("wrong-file-type", detail, *place))
        elif letter.sha256 in digests:
            found.append(_fault("duplicate-file", "This file is attached twice; remove one.", *place))
        digests.add(letter.sha256)
    return found


def refuse(errors: list[FieldProblem]) -> None:
    """Refuse a form whose fields are right where its files are not.

    Raises:
        Problem: 415 where a file is of a wrong type, 422 for all else.
    """
    if any(error.code == "wrong-file-type" for error in errors):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "wrong-file-type",
            "A letter must be a PDF, PNG, JPEG or TIFF by its content; save it as one.",
            errors=errors,
        )
    if errors:
        raise invalid_fields(errors)


def _fault(code: str, detail: str, part: str, *index: int) -> FieldProblem:
    return FieldProblem(pointer=pointer_to(part, *index), code=code, detail=detail)
