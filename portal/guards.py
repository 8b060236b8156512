"""What stands around every page: where forms may come from, what a page may load, and one line in the log."""

import time
from http import HTTPStatus
from secrets import compare_digest

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.logs import log, places
from portal.sessions import Session

CSRF_FIELD = "csrf"
SAFE = {"GET", "HEAD"}
QUIET = {"/healthz", "/readyz"}

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
# Beside the request staff sees the letter in a frame of the page: nobody else may frame it, and it may load nothing.
_LETTER_POLICY = {"default-src": "'none'", "style-src": "'unsafe-inline'", "frame-ancestors": "'self'"}

SECURITY_HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # Not no-referrer: a browser then says `Origin: null` with our own forms too.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "no-store",
}
LETTER_HEADERS = {"Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _LETTER_POLICY.items())}


class Forged(Exception):
    """A form that does not come from a page of this session."""


def check_csrf(session: Session, word: object) -> None:
    """Refuse a form without its session's word.

    Raises:
        Forged: it has another, or none.
    """
    if not isinstance(word, str) or not compare_digest(word.encode(), session.csrf.encode()):
        raise Forged


def machine_of(request: Request) -> str:
    """Where a request comes from, as far as one can tell."""
    return request.client.host if request.client else ""


class Guard:
    """ASGI middleware around the whole portal."""

    def __init__(self, app: ASGIApp, *, origin: str, is_secure: bool) -> None:
        self._app, self._origin = app, origin
        self._headers = dict(SECURITY_HEADERS)
        if is_secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), HTTPStatus.INTERNAL_SERVER_ERROR.value
        started = False

        async def answer(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if scope["method"] not in SAFE and Headers(scope=scope).get("origin") != self._origin:
                await _foreign(self._origin)(scope, receive, answer)
            else:
                await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001  # the server would log its text, which may quote what somebody typed
            log.error("unexpected error", exception=places(error))
            if not started:
                await _crashed()(scope, receive, answer)
        finally:
            _note(scope, status, time.perf_counter() - began)


def _foreign(origin: str) -> PlainTextResponse:
    return PlainTextResponse(
        f"This form was not sent from the portal's own address. Open {origin} and try again.\n", HTTPStatus.FORBIDDEN
    )


def _crashed() -> PlainTextResponse:
    return PlainTextResponse(
        "Something unexpected happened. Go back and try again.\n", HTTPStatus.INTERNAL_SERVER_ERROR
    )


def _note(scope: Scope, status: int, seconds: float) -> None:
    if scope["path"] in QUIET:
        return
    route = getattr(scope.get("route"), "path", "unmatched")  # never the path, which holds what somebody typed
    log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))
