"""What is kept of each request in the object store, and what of it led to nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from minio import Minio
from minio.datatypes import Object
from pydantic import ValidationError

from ops.doctor.finding import Finding, Severity
from ops.terminal import counted
from shared.contracts.custody import letter_key, reply_key
from shared.contracts.requests import LetterReply

ROOT = "requests/"
_FORM = "request.json"
_LETTER = re.compile(r"[0-9a-f]{64}")
_REPLY = re.compile(r"replies/(.+)\.json")

_LOOK = "Check whether it is waiting (pordesk queues) or parked (pordesk parked list --request <id>)."
_SAYS = {
    "letters-orphaned": (
        Severity.WATCH,
        (
            "object belongs to a request or reply that was never accepted",
            "objects belong to requests or replies that were never accepted",
        ),
        "Nothing was promised for them; they can be deleted.",
    ),
    "forms-missing": (
        Severity.BAD,
        ("ticket has lost its form", "tickets have lost their forms"),
        "Restore request.json from a backup of the object store, and delete nothing beside it.",
    ),
    "forms-without-ticket": (
        Severity.BAD,
        ("form has no ticket", "forms have no ticket"),
        f"{_LOOK} If it is neither, the producer got a 503 and did not send it again.",
    ),
    "replies-not-on-ticket": (
        Severity.BAD,
        ("reply is missing from its ticket", "replies are missing from their tickets"),
        f"{_LOOK} If it is neither, the producer got a 503 and did not send it again, or it was dropped: delete it.",
    ),
}


@dataclass(frozen=True)
class Folder:
    """All that is kept of one request, by its names in the folder."""

    request: str
    names: frozenset[str]


@dataclass(frozen=True)
class Ticket:
    """What a ticket has: its letters by their hashes, and the replies that its history names."""

    letters: frozenset[str]
    replies: frozenset[str]


def folders(store: Minio, bucket: str, before: datetime, looked: Callable[[int], None]) -> Iterator[Folder]:
    """Each request of which nothing is younger than ``before``, one at a time: a store may have millions."""
    # S3 lists by key: what is in one folder comes together.
    listed = store.list_objects(bucket_name=bucket, prefix=ROOT, recursive=True)
    for request, group in groupby(listed, lambda each: _parts(each)[0]):
        objects = [*group]
        looked(len(objects))
        if not any(each.last_modified and each.last_modified > before for each in objects):
            yield Folder(request, frozenset(_parts(each)[1] for each in objects))


@dataclass
class Leftovers:
    """What led to nothing: how much of each kind, and the first of it."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)

    def judge(self, folder: Folder, tickets: Mapping[str, Ticket], read: Callable[[str], bytes]) -> None:
        """Look at one folder, with the tickets by request; ``read`` gives an object by its key."""
        ticket = tickets.get(folder.request)
        if _FORM in folder.names and ticket:
            self._compare(folder, ticket, read)
        elif _FORM in folder.names:
            self._note("forms-without-ticket", folder.request)
        elif ticket:
            self._note("forms-missing", folder.request)
        else:  # its letters came, and then the request was not accepted
            for name in sorted(folder.names):
                self._note("letters-orphaned", f"{ROOT}{folder.request}/{name}")

    def findings(self) -> Iterator[Finding]:
        """One for each kind."""
        for code, count in self.counts.items():
            severity, words, advice = _SAYS[code]
            yield Finding(code, severity, f"{counted(count, *words)}. First: {self.first[code]}.", advice)

    def _compare(self, folder: Folder, ticket: Ticket, read: Callable[[str], bytes]) -> None:
        loose = {name for name in folder.names if _LETTER.fullmatch(name)} - ticket.letters
        for reply_id in sorted({match[1] for name in folder.names if (match := _REPLY.fullmatch(name))}):
            is_named = reply_id in ticket.replies  # from its first letter on
            if is_named and not loose:
                continue
            key = reply_key(folder.request, reply_id)
            letters, comment = _reply(read(key))
            # The same letter once more and not a word with it leaves no trace in a history.
            if letters - ticket.letters or (comment and not is_named):
                self._note("replies-not-on-ticket", key)
            loose -= letters
        for sha256 in sorted(loose):
            self._note("letters-orphaned", letter_key(folder.request, sha256))

    def _note(self, code: str, where: str) -> None:
        self.counts[code] = self.counts.get(code, 0) + 1
        self.first.setdefault(code, where)


def _parts(kept: Object) -> tuple[str, str]:
    request, _, name = (kept.object_name or "").removeprefix(ROOT).partition("/")
    return request, name


def _reply(body: bytes) -> tuple[frozenset[str], bool]:
    """The letters of a reply, and whether something is said with them; what is no reply is one that says something."""
    try:
        reply = LetterReply.model_validate_json(body)
    except ValidationError:
        return frozenset(), True
    return frozenset(letter.sha256 for letter in reply.letters), reply.comment is not None
