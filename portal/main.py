"""Assembles the portal."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from portal.attempts import Attempts
from portal.gateway import Gateway
from portal.guards import Guard
from portal.identity import Identity
from portal.kept import KeptLetters
from portal.links import Links
from portal.logs import configure_logs
from portal.mailer import Mailer
from portal.pages import (
    assistance,
    desk,
    files,
    forgotten,
    health,
    home,
    live,
    new_password,
    queue,
    signing_in,
    tickets,
)
from portal.parts import Parts
from portal.problems import install_problems
from portal.sessions import Sessions
from portal.settings import ConfigurationError, PortalSettings, read_settings
from portal.tokens import Mint
from portal.views import Views

STATIC = Path(__file__).parent / "static"
MAX_BODY = 64 * 1024  # bytes; a page that takes letters says how much more
ATTEMPTS_SECONDS = 15 * 60
DRAIN_SECONDS = 5  # streams have no end of their own


def build(settings: PortalSettings) -> FastAPI:
    """The whole portal."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    identity = Identity(settings.users_file, settings.state_dir)
    parts = Parts(
        settings=settings,
        identity=identity,
        sessions=Sessions(Mint(settings), is_secure=settings.is_secure),
        links=Links(),
        logins=Attempts(settings.login_attempts, ATTEMPTS_SECONDS),
        mails=Attempts(settings.login_attempts, ATTEMPTS_SECONDS),
        kept=KeptLetters(settings.state_dir / "letters"),
        gateway=Gateway(settings.gateway_url),
        mailer=Mailer(settings),
        views=Views(settings, identity),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(parts.kept.drop_old_forever())
        yield
        sweeper.cancel()
        await parts.mailer.close()
        await parts.gateway.close()

    app = FastAPI(title=settings.name, lifespan=lifespan, openapi_url=None, max_body_size=MAX_BODY)
    ways_in = (signing_in, forgotten, new_password)
    for pages in (*ways_in, home, assistance, tickets, queue, desk, files, live, health):
        app.include_router(pages.router(parts))
    app.mount("/static", StaticFiles(directory=STATIC))
    install_problems(app, parts)
    app.add_middleware(Guard, origin=settings.url, is_secure=settings.is_secure)
    return app


def main() -> None:
    """Run until SIGTERM; exits 2 where the portal cannot run as it is configured."""
    try:
        settings = read_settings()
        configure_logs()
        app = build(settings)
    except ConfigurationError as error:
        print(f"portal: {error}", file=sys.stderr)
        sys.exit(2)
    with suppress(KeyboardInterrupt):
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )


if __name__ == "__main__":
    main()
