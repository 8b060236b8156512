"""The load generator, `python -m ops.bench.load`: posts finished bytes over kept connections and notes the times.

It must cost next to nothing beside the desk: a general HTTP client takes 8 ms of CPU to put one such form together,
more than the gateway takes to accept it. So every request is bytes before the clock starts, and the client is a socket.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import uvloop

from ops.bench.worker import report, told, wait_for_go
from ops.letter import load_sample, make_padded_letter

_BOUNDARY = "----por-desk-bench-7f0c41"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """What came back for one request, and when, on the clock that dates files too."""

    sent_ns: int
    answered_ns: int
    status: int
    body: bytes

    def as_json(self) -> dict[str, Any]:
        """The answer as the bench reads it."""
        # 201 is rare but right: the ticket was there before the broker's word on the request was.
        request_id = json.loads(self.body)["request_id"] if self.status in {201, 202} else None
        return {
            "sent_ns": self.sent_ns,
            "answered_ns": self.answered_ns,
            "status": self.status,
            "request_id": request_id,
        }


def make_requests(host: str, token: str, count: int, letter_bytes: int, run: str) -> list[bytes]:
    """Whole HTTP requests, each with a letter and an Idempotency-Key of its own."""
    sample = load_sample()
    form = {
        "request_type": "group-por-change",
        "line_of_business": sample.line_of_business,
        "account_number": sample.account_number,
        "account_name": sample.account_name,
        "effective_date": sample.effective_date.isoformat(),
    }
    begin = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form.items()
    ).encode()
    begin += (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="por_documentation"; filename="letter.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    ).encode()
    end = f"\r\n--{_BOUNDARY}--\r\n".encode()
    letters = (make_padded_letter(sample, letter_bytes, seed) for seed in range(count))
    return [
        b"".join((_head(host, token, f"{run}-{n}", len(begin) + len(letter) + len(end)), begin, letter, end))
        for n, letter in enumerate(letters)
    ]


def _head(host: str, token: str, key: str, length: int) -> bytes:
    return (
        f"POST /v1/requests HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f'Idempotency-Key: "{key}"\r\nContent-Type: multipart/form-data; boundary={_BOUNDARY}\r\n'
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


async def post_all(host: str, port: int, requests: list[bytes], in_flight: int) -> dict[str, Any]:
    """Send all requests, `in_flight` at a time; connections are open before the clock starts."""
    connections = [await asyncio.open_connection(host, port) for _ in range(min(in_flight, len(requests)))]
    waiting, answers = iter(requests), list[Answer]()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in waiting:
            sent = time.time_ns()
            writer.write(request)
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1])) if length else b""
            answers.append(Answer(sent, time.time_ns(), int(head[9:12]), body))
        writer.close()

    wait_for_go()
    before = time.process_time()
    await asyncio.gather(*(client(*connection) for connection in connections))
    cpu = time.process_time() - before
    return {"cpu_seconds": cpu, "answers": [answer.as_json() for answer in answers]}


def main() -> None:
    """Make the requests, wait for the word, post them, say what came back."""
    spec = told()
    gateway = urlsplit(spec["gateway"])
    requests = make_requests(gateway.netloc, spec["token"], spec["requests"], spec["letter_bytes"], spec["run"])
    report(uvloop.run(post_all(gateway.hostname or "", gateway.port or 80, requests, spec["in_flight"])))


if __name__ == "__main__":
    main()
