"""Who is signed in: sessions in memory, each found by the random word in its cookie."""

import secrets
import time
from dataclasses import dataclass, field

from starlette.responses import Response

from portal.identity import User
from portal.tokens import AccessToken, Mint

IDLE_SECONDS = 30 * 60
LONGEST_SECONDS = 12 * 3600


@dataclass
class Session:
    """One signed-in browser; ``csrf`` goes into each of its forms."""

    user: User
    mint: Mint
    began: float = field(default_factory=time.monotonic)
    seen: float = field(default_factory=time.monotonic)
    id: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def __post_init__(self) -> None:
        """Get the first access token."""
        self._token = self.mint.token(self.user)

    @property
    def token(self) -> AccessToken:
        """The access token, renewed where it ends soon: an upload may take longer than one lasts."""
        if not self._token.is_fresh:
            self._token = self.mint.token(self.user)
        return self._token

    @property
    def is_over(self) -> bool:
        """Whether nobody was there for half an hour, or it began half a day ago."""
        now = time.monotonic()
        return now - self.seen > IDLE_SECONDS or now - self.began > LONGEST_SECONDS


class Sessions:
    """All sessions of this process; a restart ends them."""

    def __init__(self, mint: Mint, *, is_secure: bool) -> None:
        self._mint, self._is_secure = mint, is_secure
        # With the prefix a browser takes the cookie from this very host alone, and over TLS.
        self._cookie = "__Host-session" if is_secure else "session"
        self._sessions: dict[str, Session] = {}

    def begin(self, user: User, response: Response) -> None:
        """Sign a user in; the word in the cookie is always a new one."""
        self._sessions = {key: session for key, session in self._sessions.items() if not session.is_over}
        session = Session(user, self._mint)
        self._sessions[session.id] = session
        response.set_cookie(self._cookie, session.id, path="/", httponly=True, samesite="lax", secure=self._is_secure)

    def find(self, cookies: dict[str, str], *, is_seen: bool = True) -> Session | None:
        """The session of a request; ``is_seen``: a person asked, not a script by itself."""
        session = self._sessions.get(cookies.get(self._cookie, ""))
        if session is None or session.is_over:
            return None
        if is_seen:
            session.seen = time.monotonic()
        return session

    def end(self, session: Session, response: Response) -> None:
        """Sign out."""
        self._sessions.pop(session.id, None)
        response.delete_cookie(self._cookie, path="/", httponly=True, samesite="lax", secure=self._is_secure)

    def end_all_of(self, user: User) -> None:
        """Sign a user out everywhere, as after a change of his password."""
        self._sessions = {key: each for key, each in self._sessions.items() if each.user.user_id != user.user_id}
