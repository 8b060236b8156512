"""In which order intake keeps things: where a form lies its letters are durable, and where an event is, its form."""

import asyncio
import io
from typing import IO, Any, cast

import pytest
from cryptography.fernet import Fernet
from prometheus_client import CollectorRegistry

from services.intake import replies
from services.intake.catalogue import load_catalogue
from services.intake.counter import Counter
from services.intake.holds import Holds
from services.intake.letterbox import Letterbox
from services.intake.owners import Owner
from services.intake.pipeline import Pipeline
from services.intake.reception import Reception
from services.intake.replies import Replies
from services.intake.sealing import Sealer
from services.intake.spool import SpooledLetter
from services.intake.upload import Upload
from services.intake.waiting import WaitingRoom
from shared.contracts.envelope import Event
from shared.contracts.ticket_views import TicketSummary
from shared.contracts.tickets import Status
from shared.runtime.auth import Caller
from shared.runtime.bus import Bus
from shared.runtime.objects import ObjectStore
from shared.runtime.problems import Problem
from tests.builders import FORM, MOMENT, NUMBER, REQUEST_ID, pdf, picture

CALLER = Caller("P1001", "P1001", "Dana Whitfield", "p1001@agency.example", frozenset(), "token", 0)
LETTERS = ["begin letter", "begin letter", "keep letter", "keep letter"]
ALL = [*LETTERS, "begin form", "keep form", "give room back", "publish"]


class World:
    """Store and bus in one: slow, and a journal of what was begun and what was done; ``failing`` is what it refuses."""

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.journal: list[str] = []

    async def put(self, key: str, data: IO[bytes], size: int, media_type: str) -> None:
        """Keep an object; the first of several takes longest."""
        kind = "form" if key.endswith(".json") else "letter"
        self.journal.append(f"begin {kind}")
        await asyncio.sleep(0.02 / len(self.journal))
        if self.failing == kind:
            raise ConnectionError
        self.journal.append(f"keep {kind}")

    async def get(self, key: str) -> bytes | None:
        """Nothing is there yet."""
        return None

    async def can_publish(self) -> bool:
        """Whether the bus is there."""
        return self.failing != "bus"

    async def publish(self, event: Event) -> None:
        """Take an event."""
        self.journal.append("publish")


@pytest.fixture(params=["request", "further letters"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is sent in: both routes keep the same order."""

    async def open_ticket(*_: object) -> TicketSummary:
        return TicketSummary(
            date=MOMENT,
            ticket_number=NUMBER,
            request_type="group-por-change",
            request_type_label="Group POR change",
            status=Status.ACTION_NEEDED,
            status_label="Action needed",
            request_id=REQUEST_ID,
        )

    monkeypatch.setattr(replies, "open_ticket", open_ticket)
    sent: str = request.param
    return sent


async def accept(world: World, kind: str) -> list[str]:
    """What is done, in which order, to accept two letters."""
    letterbox, pipeline = Letterbox(cast("ObjectStore", world)), Pipeline(cast("Bus", world))
    nobody: Any = cast("Owner", None)
    catalogue = load_catalogue(None, "Portal")
    counter = Counter(catalogue, Holds(None, catalogue, CollectorRegistry()), Sealer([Fernet.generate_key().decode()]))
    with Upload(catalogue.parts, catalogue.tables, 1_000_000, 2) as upload:
        upload.callback(world.journal.append, "give room back")
        upload.fields = dict(FORM) if kind == "request" else {"comment": "Two better ones."}
        for data in (pdf(), picture("PNG")):
            upload.letters.append(SpooledLetter("por_documentation", "letter", io.BytesIO()))
            upload.letters[-1].write(data)
        if kind == "request":
            await Reception(counter, letterbox, pipeline, WaitingRoom(), nobody).accept(upload, CALLER, "key", 0)
        else:
            await Replies(catalogue, letterbox, pipeline, nobody).accept(NUMBER, upload, CALLER, "key")
    return world.journal


async def test_letters_are_kept_before_the_form_and_the_form_before_the_event(kind: str) -> None:
    """The form is begun when every letter is kept; nothing is published, and no room given back, before the form is."""
    assert await accept(World(), kind) == ALL


@pytest.mark.parametrize(
    ("failing", "done"),
    [("bus", []), ("letter", LETTERS[:2]), ("form", ALL[:-3])],
)
async def test_what_fails_stops_what_comes_after(kind: str, failing: str, done: list[str]) -> None:
    """Where a letter cannot be kept there is no form, where a form cannot be kept no event; it is 503."""
    world = World(failing)
    with pytest.raises(Problem) as refused:
        await accept(world, kind)
    assert refused.value.status == 503
    assert world.journal == [*done, "give room back"]
