"""What the pages are made with, put together once in `main`, and who may see them."""

from dataclasses import dataclass

from fastapi import Request

from portal.attempts import Attempts
from portal.gateway import Gateway
from portal.identity import Identity
from portal.kept import KeptLetters
from portal.links import Links
from portal.mailer import Mailer
from portal.sessions import Session, Sessions
from portal.settings import PortalSettings
from portal.views import Views

LIVE = "x-live"  # a header: the page refreshed itself, nobody asked


class SignInFirst(Exception):
    """Nobody is signed in."""


class WrongDoor(Exception):
    """Who is signed in has other pages than this one."""


@dataclass(frozen=True)
class Parts:
    """The rooms of the portal."""

    settings: PortalSettings
    identity: Identity
    sessions: Sessions
    links: Links
    logins: Attempts
    mails: Attempts
    kept: KeptLetters
    gateway: Gateway
    mailer: Mailer
    views: Views

    async def anybody(self, request: Request) -> Session:
        """The session of whoever is signed in.

        Raises:
            SignInFirst: there is none.
        """
        return self._session(request, is_seen=LIVE not in request.headers)

    async def listener(self, request: Request) -> Session:
        """The session of a page that listens: it asks again by itself, and nobody need be there.

        Raises:
            SignInFirst: there is none.
        """
        return self._session(request, is_seen=False)

    def _session(self, request: Request, *, is_seen: bool) -> Session:
        session = self.sessions.find(request.cookies, is_seen=is_seen)
        if session is None:
            raise SignInFirst
        return session

    async def producer(self, request: Request) -> Session:
        """The session of a producer.

        Raises:
            SignInFirst, WrongDoor: it is not there, or staff's.
        """
        session = await self.anybody(request)
        if session.user.is_staff:
            raise WrongDoor
        return session

    async def staff(self, request: Request) -> Session:
        """The session of a member of staff.

        Raises:
            SignInFirst, WrongDoor: it is not there, or a producer's.
        """
        session = await self.anybody(request)
        if not session.user.is_staff:
            raise WrongDoor
        return session
