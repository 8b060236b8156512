"""The scenes of the demo, each on the real parts; what it reports is read back from them."""

import asyncio
import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from ops.events import read_stream
from ops.gateway import Gateway, mails_about
from ops.letter import Letter, load_sample, make_letter
from ops.stack import Stack
from ops.tokens import Mint
from shared.contracts.tickets import TicketEvent

DEADLINE = 30.0

T = TypeVar("T")


class DemoFailed(Exception):
    """A scene did not end as the desk promises."""


@dataclass
class Story:
    """Runs the scenes in order and keeps what the last line reports."""

    stack: Stack
    folder: Path
    console: Console
    result: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mint = Mint(Path(self.stack.info.signing_key))
        gateway = self.stack.info.services["intake"]
        self.letter = load_sample()
        producer = self.letter.new_producer
        self.producer = Gateway(gateway, mint.producer(producer.producer_id, producer.name))
        self.staff = Gateway(gateway, mint.staff())
        self.maildir = Path(self.stack.info.smtp.maildir)

    def run(self) -> None:
        """Every scene."""
        number = self.letter_becomes_ticket()
        self.wrong_file_is_refused()
        self.same_key_same_number(number)
        second = self.tickets_is_killed()
        before = self.show_list("The producer's open tickets before")
        self.staff_resolves(number)
        self.show_events(number)
        after = self.show_list("The producer's open tickets after: the resolved one is gone")
        _check(number in before and number not in after and second in after, "the list of open tickets is wrong")
        self.keep_mails(number)

    def letter_becomes_ticket(self) -> str:
        """A letter in, a ticket number out, the producer told."""
        self._scene("A producer asks for a change of the producer of record")
        pdf = make_letter(self.letter)
        kept = self.folder / "letter.pdf"
        kept.write_bytes(pdf)
        self._say(f"The group's signed letter: [cyan]{kept}[/] ({len(pdf):,} bytes)")
        began = time.perf_counter()
        answer = self.producer.post_request(_form(self.letter), pdf, key="demo-1", wait=10)
        ms = (time.perf_counter() - began) * 1000
        _check(answer.status_code == 201, f"the request was answered {answer.status_code}")
        body = answer.json()
        number: str = body["ticket_number"]
        self._say(f"POST /v1/requests → [green]201[/] in {ms:.0f} ms: ticket [bold]{number}[/]")
        detail = self.producer.ticket(number).json()
        receipt = detail["letters"][0]
        self._say(f"Receipt: {receipt['media_type']}, {receipt['pages']} page, sha256 {receipt['sha256'][:16]}…")
        served = self.producer.letter(receipt["letter_id"]).content
        mail = self._await_mails(number, 1)[0]
        self._say(f"Mail to the producer: “{_subject(mail)}”")
        self.result |= {
            "ticket_number": number,
            "letter_sha256": hashlib.sha256(served).hexdigest(),
            "letter_matches": served == pdf and receipt["sha256"] == hashlib.sha256(pdf).hexdigest(),
        }
        _check(self.result["letter_matches"], "the letter served is not the one that was sent")
        return number

    def wrong_file_is_refused(self) -> None:
        """A text file named .pdf is told apart by its bytes."""
        self._scene("A text file named letter.pdf")
        answer = self.producer.post_request(_form(self.letter), b"Dear desk, please change it.\n")
        _check(answer.status_code == 415, f"the text file was answered {answer.status_code}")
        self._say(f"→ [red]{answer.status_code}[/] {answer.headers['content-type']}")
        self.console.print_json(answer.text)

    def same_key_same_number(self, number: str) -> None:
        """The same Idempotency-Key gives the same ticket."""
        self._scene("The same request again, with the same Idempotency-Key")
        answer = self.producer.post_request(_form(self.letter), make_letter(self.letter), key="demo-1", wait=10)
        again = answer.json().get("ticket_number")
        self._say(f"→ {answer.status_code}: ticket [bold]{again}[/] again, not a second one")
        self.result["same_key_same_number"] = again == number
        _check(again == number, "the same key gave a different ticket number")

    def tickets_is_killed(self) -> str:
        """With tickets dead a request is still accepted; its number comes when tickets does."""
        self._scene("kill -9 tickets: requests are still accepted")
        self.stack["tickets"].kill()
        self._say("The tickets service is down.")
        answer = self.producer.post_request(_form(self.letter), make_letter(self.letter), key="demo-2")
        _check(answer.status_code == 202, f"with tickets down the request was answered {answer.status_code}")
        where = answer.headers["location"]
        self._say(f"POST /v1/requests → [green]202[/], Location {where}: accepted and durable")
        self.stack["tickets"].restart()
        self._say("The tickets service is back up.")
        state = _until(lambda: self._state(where), lambda found: found["state"] == "opened")
        second: str = state["ticket_number"]
        self._say(f"GET {where} → ticket [bold]{second}[/]")
        self.result["survived_kill"] = state["state"] == "opened"
        self._await_mails(second, 1)
        return second

    def staff_resolves(self, number: str) -> None:
        """Staff takes the ticket to its end."""
        self._scene("Staff work on the first ticket")
        for status in ("in-review", "approved", "resolved"):
            etag = self.staff.ticket(number).headers["etag"]
            answer = self.staff.move(number, status, if_match=etag)
            _check(answer.status_code == 200, f"the move to {status}: {answer.text}")
            self._say(f"→ {answer.json()['status_label']} (version {answer.headers['etag']})")
        self.result["status"] = self.producer.ticket(number).json()["status"]

    def show_events(self, number: str) -> None:
        """What a downstream system reads; the table fits into 80 columns."""
        self._scene("The events as a downstream system reads them from the stream")
        table = Table("#", "ticket", "type", "status", "id")
        events = _until(self._stream, lambda found: _last(found, number) == "resolved")
        for event in events:
            facts = event.data
            table.add_row(event.sequence, facts.ticket_number, event.type, facts.status, str(event.id)[:8])
        self.console.print(table)
        self.result["events"] = len({event.id for event in events})

    def show_list(self, title: str) -> set[str]:
        """The portal's grid."""
        page = self.producer.tickets().json()
        table = Table("Date", "Ticket Number", "Request Type", "Status", title=title)
        for row in page["items"]:
            table.add_row(
                row["date"][:10],
                row["ticket_number"],
                row["request_type_label"],
                row["status_label"],
            )
        table.caption = f"Showing {page['first']} - {page['last']} of {page['total']}"
        self.console.print(table)
        return {row["ticket_number"] for row in page["items"]}

    def keep_mails(self, number: str) -> None:
        """Leave every mail where a person can open it; `tickets_is_killed` has awaited that of its ticket."""
        self._await_mails(number, 4)
        mails = sorted((self.maildir / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        self._scene("The mails to the producer")
        for index, mail in enumerate(mails, start=1):
            kept = self.folder / f"mail-{index}.eml"
            shutil.copyfile(mail, kept)
            self._say(f"“{_subject(mail)}” [cyan]{kept}[/]")
        self.result["mails"] = len(mails)

    def _state(self, where: str) -> dict[str, Any]:
        state: dict[str, Any] = self.producer.http.get(where).json()
        return state

    def _stream(self) -> list[TicketEvent]:
        return asyncio.run(read_stream(self.stack.info.rabbitmq.url_with_credentials))

    def _await_mails(self, number: str, count: int) -> list[Path]:
        return _until(lambda: mails_about(self.maildir, number), lambda found: len(found) >= count)

    def _scene(self, title: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")

    def _say(self, text: str) -> None:
        self.console.print(f"  {text}", soft_wrap=True, highlight=False)


def last_line(result: dict[str, Any]) -> str:
    """The one line of JSON that ends the demo."""
    order = (
        "ticket_number",
        "status",
        "letter_sha256",
        "letter_matches",
        "mails",
        "events",
        "survived_kill",
        "same_key_same_number",
        "seconds",
    )
    return json.dumps({name: result[name] for name in order})


def _form(letter: Letter) -> dict[str, str]:
    return {
        "request_type": "group-por-change",
        "line_of_business": letter.line_of_business,
        "account_number": letter.account_number,
        "account_name": letter.account_name,
        "effective_date": letter.effective_date.isoformat(),
        "comments": letter.comments,
    }


def _last(events: list[TicketEvent], number: str) -> str | None:
    return next((e.data.status for e in reversed(events) if e.data.ticket_number == number), None)


def _subject(mail: Path) -> str:
    lines = mail.read_text().splitlines()
    return next(line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: "))


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise DemoFailed(what)


def _until(read: Callable[[], T], done: Callable[[T], bool]) -> T:
    """Read again until it is as it should be; what is last read otherwise fails the demo."""
    deadline = time.monotonic() + DEADLINE
    while not done(found := read()):
        if time.monotonic() > deadline:
            raise DemoFailed(f"nothing as expected within {DEADLINE:.0f} s; last seen: {found}")
        time.sleep(0.1)
    return found
