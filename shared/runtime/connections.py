"""One HTTP connection, which nobody holds open by being slow, and nobody fills with a head that has no end."""

import json
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.contracts.problems import ProblemDetails
from shared.runtime.logs import log
from shared.runtime.problems import MEDIA_TYPE, Problem

MAX_HEAD = 32 * 1024  # bytes of request line and headers


class Patience(Protocol):
    """How slow a client may be."""

    head_seconds: float
    stall_seconds: float
    min_bytes_per_second: float


class _Phase(Enum):
    HEAD = auto()
    BODY = auto()


class _HeadTooLarge(Exception):
    """Ends the parser's work on this connection."""


class GuardedConnection(HttpToolsProtocol):
    """uvicorn's connection, with a limit for the head; the server has a :meth:`look` at it every so often."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._phase = _Phase.HEAD
        self._requests = self._head_bytes = self._parsed = self._received = 0
        # Seconds: since the head or body began, without a byte of it, since an answer before its end, of one unread.
        self._waited = self._silent = self._rest = self._unread = 0.0

    def look(self, seconds: float, patience: Patience) -> None:
        """Cut the connection where its client has been too slow; called again after ``seconds``."""
        self._unread = self._unread + seconds if self.transport.get_write_buffer_size() else 0.0
        if self._unread > patience.stall_seconds:
            log.info("connection cut", reason="answer-not-read")
            self.transport.abort()
        elif self.transport.is_closing():
            return
        elif self._phase is _Phase.BODY:
            self._look_at_body(seconds, patience)
        elif self.cycle is None or self.cycle.response_complete:
            self._waited += seconds
            if self._waited > patience.head_seconds:
                self._cut("slow-head", heard=self._head_bytes > 0)

    def _look_at_body(self, seconds: float, patience: Patience) -> None:
        if self.flow.read_paused:
            return  # it is we who are slow
        self._waited, self._silent = self._waited + seconds, self._silent + seconds
        if self.cycle.response_complete:
            # The rest of what was refused already is read for politeness only: a client that sends hears no answer.
            self._rest += seconds
            if self._rest > patience.stall_seconds:
                self._cut("sends-after-answer", heard=False)
            return
        due = patience.stall_seconds + self._received / patience.min_bytes_per_second
        if self._silent > patience.stall_seconds or self._waited > due:
            self._cut("slow-body", heard=True)

    def _cut(self, reason: str, *, heard: bool) -> None:
        log.info("connection cut", reason=reason)
        if heard:
            detail = "The request arrived too slowly; send it again, with the same Idempotency-Key if you sent one."
            self._refuse(Problem(HTTPStatus.REQUEST_TIMEOUT, "too-slow", detail))
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse what has come, unless the head is larger than any may be."""
        in_head, requests = self._phase is _Phase.HEAD, self._requests
        super().data_received(data)
        if in_head and self._requests == requests and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self.send_400_response("")

    def resume_writing(self) -> None:
        """The client has read on."""
        self._unread = 0.0
        super().resume_writing()

    def on_url(self, url: bytes) -> None:
        """A part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or, after the body, a trailer, which is none of those that a route reads."""
        self._count(len(name) + len(value))
        if self._phase is _Phase.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._requests += 1
        self._phase = _Phase.BODY
        self._begin_body()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._received += len(body)
        self._silent = 0.0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is whole; the next may begin."""
        self._begin_head()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls where it cannot read what came: refuse it, and hang up."""
        del msg
        if max(self._parsed, self._head_bytes) > MAX_HEAD:
            detail = f"The request line and headers may be at most {MAX_HEAD // 1024} KiB together."
            self._refuse(Problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head-too-large", detail))
        else:
            self._refuse(Problem(HTTPStatus.BAD_REQUEST, "ill-formed-request", "The request is not valid HTTP/1.1."))

    def _refuse(self, problem: Problem) -> None:
        """Answer, unless there is an answer already under way, and hang up; the application hears of that alone."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_as_http(problem.body))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > MAX_HEAD:
            raise _HeadTooLarge

    def _begin_head(self) -> None:
        self._phase, self._waited = _Phase.HEAD, 0.0
        self._head_bytes = self._parsed = 0

    def _begin_body(self) -> None:
        self._waited = self._silent = self._rest = 0.0
        self._received = 0


def _as_http(problem: ProblemDetails) -> bytes:
    status, body = HTTPStatus(problem.status), json.dumps(problem.model_dump(mode="json", exclude_none=True)).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
