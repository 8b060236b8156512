"""What the post of a form has brought: fields, files, and files that an earlier post of it has brought."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import uuid4

from starlette.datastructures import UploadFile
from starlette.requests import Request

from portal.forms import sized
from portal.gateway import Away, Json, Letter, Refused
from portal.guards import CSRF_FIELD, check_csrf
from portal.kept import KeptLetter, KeptLetters
from portal.sessions import Session

KEY_FIELD, KEPT_FIELD = "key", "kept"
MOST_LETTERS = 10
MOST_BYTES = (MOST_LETTERS * 25 + 2) * 1024**2  # the largest form that the desk may take
MOST_FILES = 100  # of one post; how many of them the desk takes at once is the desk's to say
MOST_FIELDS = MOST_FILES + 60  # a file that was kept is a field
MOST_FIELD_BYTES = 256 * 1024  # a list of accounts

GONE = "A file that you uploaded before is not kept any longer. Choose it again."
TOO_LONG = "This file is too large for a list of accounts."
NO_CSV = "This is not a CSV file. In your spreadsheet choose Save As, then CSV."


def new_key() -> str:
    """A key that makes one form one request, however often it is sent."""
    return str(uuid4())


@dataclass
class Submitted:
    """A form that was sent, or is about to be filled in."""

    key: str = field(default_factory=new_key)
    fields: dict[str, str] = field(default_factory=dict)
    uploads: list[tuple[str, UploadFile]] = field(default_factory=list)
    kept: list[KeptLetter] = field(default_factory=list)
    faults: list[Json] = field(default_factory=list)  # found here, in the shape of the desk's own

    @property
    def has_letters(self) -> bool:
        """Whether there is any file."""
        return bool(self.kept or self.uploads)

    @contextmanager
    def letters(self) -> Iterator[list[tuple[str, Letter]]]:
        """Every file as the gateway takes it, those kept from before first.

        Raises:
            Refused: some of what was sent cannot be used.
        """
        if self.faults:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-fields", errors=self.faults)
        with ExitStack() as opened:
            before = [
                (each.part, (each.name, opened.enter_context(each.path.open("rb")), each.media_type))
                for each in self.kept
            ]
            yield before + [
                (part, (each.filename or "", each.file, each.content_type or "")) for part, each in self.uploads
            ]

    async def keep(self, kept: KeptLetters, session: Session, problem: Refused | Away) -> None:
        """Make ready for the next try: keep the files, but for those that the desk will not take."""
        errors = problem.errors if isinstance(problem, Refused) else []
        refused = {str(error["pointer"]) for error in errors}
        if isinstance(problem, Refused) and problem.code == "key-reused":
            self.key = new_key()
        pointers = iter(self.pointers())
        left = [letter for letter in self.kept if next(pointers) not in refused]
        kept.drop(letter for letter in self.kept if letter not in left)
        for part, file in self.uploads:
            if next(pointers) not in refused:
                name, media_type = file.filename or "", file.content_type or ""
                left.append(await kept.keep(session.id, part, name, media_type, file.file))
        self.kept, self.uploads = left, []

    def pointers(self) -> list[str]:
        """What the desk calls each file, in the order in which they are sent."""
        counts = Counter[str]()
        found = []
        for part in (*(letter.part for letter in self.kept), *(part for part, _ in self.uploads)):
            found.append(f"#/{part}/{counts[part]}")
            counts[part] += 1
        return found


@asynccontextmanager
async def read_submitted(
    request: Request,
    session: Session,
    kept: KeptLetters,
    documents: Sequence[Json],
    schemas: Mapping[str, Json],
) -> AsyncIterator[Submitted]:
    """The form of a request; its uploads are gone at the end.

    ``documents`` are the files that it takes, and ``schemas`` its fields, both as the catalogue has them.

    Raises:
        Forged: it has not the word of the session.
    """
    most_bytes = {each["part"]: each["max_bytes"] for each in documents}
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=MOST_FIELD_BYTES) as form:
        check_csrf(session, form.get(CSRF_FIELD))
        own = {CSRF_FIELD, KEY_FIELD, KEPT_FIELD}
        items = form.multi_items()
        files = [(name, file) for name, file in items if isinstance(file, UploadFile) and file.filename]
        fields = {name: value for name, value in items if isinstance(value, str)}
        submitted = Submitted(
            key=fields.get(KEY_FIELD) or new_key(),
            fields={name: value for name, value in fields.items() if name not in own},
            uploads=[(name, file) for name, file in files if name in most_bytes],
        )
        for name, file in files:
            if "contentMediaType" in schemas.get(name, ()):  # a list, which may come as the text of a file
                await _read_table(submitted, name, file)
        ids = dict.fromkeys(str(each) for each in form.getlist(KEPT_FIELD))
        submitted.kept = kept.find(session.id, ids)
        if len(submitted.kept) < len(ids):
            submitted.faults.append({"pointer": f"#/{documents[0]['part']}", "detail": GONE})
        submitted.faults += _oversized(submitted, most_bytes, schemas)
        yield submitted


def _oversized(submitted: Submitted, most_bytes: Mapping[str, int], schemas: Mapping[str, Json]) -> Iterator[Json]:
    """What the desk would not even read, and so could not say where it is."""
    pointers = submitted.pointers()[len(submitted.kept) :]
    for pointer, (part, file) in zip(pointers, submitted.uploads, strict=True):
        if 0 < most_bytes[part] < (file.size or 0):
            detail = f"{file.filename}: a file may be at most {sized(most_bytes[part])}. Choose a smaller one."
            yield {"pointer": pointer, "detail": detail}
    for name, value in submitted.fields.items():
        most = schemas.get(name, {}).get("maxLength")
        if most and len(value.strip()) > most:
            yield {"pointer": f"#/{name}", "detail": f"At most {most} characters."}


async def _read_table(submitted: Submitted, name: str, file: UploadFile) -> None:
    """Put the text of a file in the place of what was typed, or say why it is none."""
    content = await file.read(MOST_FIELD_BYTES + 1)
    if len(content) > MOST_FIELD_BYTES:
        submitted.faults.append({"pointer": f"#/{name}", "detail": TOO_LONG})
        return
    text = _text_of(content)
    if text is None:
        submitted.faults.append({"pointer": f"#/{name}", "detail": NO_CSV})
    else:
        submitted.fields[name] = text


def _text_of(content: bytes) -> str | None:
    """The text of a CSV file in either of the encodings that spreadsheets write; None: it is no text."""
    for encoding in ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            text = content.decode(encoding)
            if not any(char < " " and char not in "\t\r\n" for char in text):
                return text
    return None
