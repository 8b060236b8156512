"""What callers do: ask, ask again under the same key where they were left in the dark, and write every answer down."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.chaos.journal import Answer, Attempt

PATIENCE = 100.0  # seconds for which somebody keeps asking; longer than any fault and its recovery
TIMEOUT = httpx.Timeout(40, connect=3)
BOUNDARY = "----por-desk-chaos-41d7"
_FORM_TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
_FIELDS = {
    "request_type": "group-por-change",
    "line_of_business": "group-medical",
    "account_number": "041872",
    "account_name": "Harbor & Pine Woodworks, Inc.",
}


@dataclass(frozen=True)
class Line:
    """One caller's way to the gateway."""

    http: httpx.AsyncClient
    token: str

    async def say(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        """Ask once."""
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        try:
            answer = await self.http.request(method, path, headers=headers, **more)
            # The body may be cut as well as the head; of a letter nothing is kept.
            body = answer.json() if answer.headers.get("content-type", "").endswith("json") else {}
        except (httpx.HTTPError, ValueError):
            return Answer(time.time(), None)
        return Answer(time.time(), answer.status_code, body, "retry-after" in answer.headers)

    async def ask(
        self, attempt: Attempt, path: str, *, patient: bool, headers: dict[str, str] | None = None, **more: Any
    ) -> Answer:
        """Ask until there is an answer that settles it, or just once who is not patient; all of it is written down."""
        deadline, pause = time.monotonic() + PATIENCE, 0.2
        while True:
            attempt.sent += 1
            answer = await self.say("POST", path, headers, **more)
            attempt.answers.append(answer)
            if answer.is_yes or answer.is_no or not patient or time.monotonic() > deadline:
                return answer
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 1.5)

    async def post_form(
        self, attempt: Attempt, path: str, letters: list[bytes], *, key: str, patient: bool, wait: int = 0
    ) -> Answer:
        """Send letters, for a request with its fields."""
        fields = _FIELDS if path == "/v1/requests" else {}
        headers = {**_FORM_TYPE, "Idempotency-Key": f'"{key}"', **({"Prefer": f"wait={wait}"} if wait else {})}
        return await self.ask(attempt, path, patient=patient, headers=headers, content=_form(fields, letters))

    async def read(self, reading: Attempt, path: str) -> Answer:
        """Look at something once."""
        reading.sent += 1
        answer = await self.say("GET", path)
        reading.answers.append(answer)
        return answer

    async def number_of(self, reading: Attempt, until: float) -> str:
        """The number that a request has got; empty where it has none in time."""
        while time.monotonic() < until:
            answer = await self.read(reading, f"/v1/requests/{reading.request_id}")
            if answer.is_yes and (number := answer.body.get("ticket_number")):
                return str(number)
            await asyncio.sleep(0.5)
        return ""

    async def ticket(self, reading: Attempt, number: str, until: float) -> dict[str, Any]:
        """A ticket as it is now; empty where nobody tells in time."""
        while time.monotonic() < until:
            answer = await self.read(reading, f"/v1/tickets/{number}")
            if answer.is_yes:
                return answer.body
            await asyncio.sleep(0.5)
        return {}


def new_key() -> str:
    """An Idempotency-Key that nobody had."""
    return uuid4().hex


def _form(fields: dict[str, str], letters: list[bytes]) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for letter in letters:
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="por_documentation"; filename="letter.pdf"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        )
        parts += [head.encode(), letter, b"\r\n"]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
