"""What the post of a form has brought: fields, files, and files that an earlier post of it has brought."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from starlette.datastructures import UploadFile
from starlette.requests import Request

from portal.gateway import Away, Letter, Refused
from portal.guards import CSRF_FIELD, check_csrf
from portal.kept import KeptLetter, KeptLetters
from portal.sessions import Session

KEY_FIELD, KEPT_FIELD = "key", "kept"
MOST_LETTERS = 10
MOST_BYTES = (MOST_LETTERS * 25 + 2) * 1024**2  # the largest form that the desk may take
MOST_FIELDS = 60
MOST_FIELD_BYTES = 256 * 1024  # a list of accounts


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

    @property
    def letters(self) -> list[tuple[str, Letter]]:
        """Every file as the gateway takes it, those kept from before first; they are open until read."""
        before = [(each.part, (each.name, each.path.open("rb"), each.media_type)) for each in self.kept]
        return before + [
            (part, (each.filename or "", each.file, each.content_type or "")) for part, each in self.uploads
        ]

    def keep(self, kept: KeptLetters, session: Session, problem: Refused | Away) -> None:
        """Make ready for the next try: keep the files, but for those that the desk will not take."""
        errors = problem.errors if isinstance(problem, Refused) else []
        refused = {str(error["pointer"]).removeprefix("#/") for error in errors}
        is_too_large = isinstance(problem, Refused) and problem.code == "too-large"
        if isinstance(problem, Refused) and problem.code == "key-reused":
            self.key = new_key()
        letters: list[KeptLetter | tuple[str, UploadFile]] = [*self.kept, *self.uploads]
        counts: dict[str, int] = {}
        self.kept, self.uploads = [], []
        for letter in letters:
            part = letter.part if isinstance(letter, KeptLetter) else letter[0]
            place = f"{part}/{counts.setdefault(part, 0)}"
            counts[part] += 1
            if isinstance(letter, KeptLetter):
                if place in refused:
                    kept.drop([letter])
                else:
                    self.kept.append(letter)
            elif place not in refused and not is_too_large:
                file = letter[1]
                self.kept.append(kept.keep(session.id, part, file.filename or "", file.content_type or "", file.file))


@asynccontextmanager
async def read_submitted(
    request: Request, session: Session, kept: KeptLetters, parts: Iterable[str], tables: Iterable[str] = ()
) -> AsyncIterator[Submitted]:
    """The form of a request; its uploads are gone at the end.

    ``parts`` take files; ``tables`` take text, and the text of a file in its place.

    Raises:
        Forged: it has not the word of the session.
    """
    async with request.form(max_files=MOST_LETTERS * 2, max_fields=MOST_FIELDS, max_part_size=MOST_FIELD_BYTES) as form:
        check_csrf(session, form.get(CSRF_FIELD))
        own = {CSRF_FIELD, KEY_FIELD, KEPT_FIELD}
        items = form.multi_items()
        files = [(name, file) for name, file in items if isinstance(file, UploadFile) and file.filename]
        typed = {name: value for name, value in items if isinstance(value, str)}
        chosen = {name: (await file.read()).decode(errors="replace") for name, file in files if name in tables}
        yield Submitted(
            key=typed.get(KEY_FIELD) or new_key(),
            fields={name: value for name, value in {**typed, **chosen}.items() if name not in own},
            uploads=[(name, file) for name, file in files if name in parts],
            kept=kept.find(session.id, [str(each) for each in form.getlist(KEPT_FIELD)]),
        )
