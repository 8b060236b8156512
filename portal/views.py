"""Draws pages: the templates, and how dates and sizes are written."""

from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from portal.forms import sized, worded
from portal.identity import Identity
from portal.sessions import Session
from portal.settings import PortalSettings

FOLDER = Path(__file__).parent / "templates"


class Views:
    """The templates with what every page needs."""

    def __init__(self, settings: PortalSettings, identity: Identity) -> None:
        self._zone = settings.time_zone
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=select_autoescape(enabled_extensions=("html",), default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["portal_name"] = settings.name
        self._templates.filters |= {
            "day": self._day,
            "moment": self._moment,
            "person": identity.name_of,
            "size": sized,
            "worded": worded,
        }

    def page(
        self, template: str, session: Session | None = None, status: HTTPStatus = HTTPStatus.OK, **words: Any
    ) -> HTMLResponse:
        """One page as an answer."""
        return HTMLResponse(self._templates.get_template(template).render(session=session, **words), status)

    def text(self, template: str, **words: Any) -> str:
        """The text of a mail."""
        return self._templates.get_template(template).render(**words)

    def _day(self, at: str) -> str:
        return _local(at, self._zone).strftime("%m/%d/%Y")

    def _moment(self, at: str) -> str:
        return _local(at, self._zone).strftime("%m/%d/%Y %-I:%M %p %Z")


def _local(at: str, zone: Any) -> datetime:
    return datetime.fromisoformat(at).astimezone(zone)
