"""What to do when User ID or password is forgotten: a mail to the address that the desk knows.

Every answer is the same for who is a user and who is not, and mails go out beside it.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portal.attempts import Attempts
from portal.guards import machine_of
from portal.parts import Parts
from portal.routes import Line


def router(parts: Parts) -> APIRouter:
    """The ways back in."""
    routes = APIRouter()
    views, identity, url = parts.views, parts.identity, parts.settings.url

    @routes.get("/forgot-user-id")
    async def ask_for_user_id() -> Response:
        return views.page("forgot_user_id.html", is_sent=False)

    @routes.post("/forgot-user-id")
    async def send_user_id(request: Request, email: Line = "") -> Response:
        if _is_in_time(parts.mails, email, request):
            for user in identity.with_email(email):
                parts.mailer.send(user.email, "Your User ID", views.text("user_id.txt", user=user, url=url))
        return views.page("forgot_user_id.html", is_sent=True)

    @routes.get("/forgot-password")
    async def ask_for_link() -> Response:
        return views.page("forgot_password.html", is_sent=False)

    @routes.post("/forgot-password")
    async def send_link(request: Request, user_id: Line = "") -> Response:
        user = identity.find(user_id)
        if _is_in_time(parts.mails, user_id, request) and user:
            link = f"{url}/new-password?word={parts.links.make(user.user_id)}"
            parts.mailer.send(user.email, "Set a new password", views.text("new_password.txt", user=user, link=link))
        return views.page("forgot_password.html", is_sent=True)

    return routes


def _is_in_time(mails: Attempts, name: str, request: Request) -> bool:
    """Whether this name may be mailed once more; counted alike for who is a user and who is not."""
    who = name, machine_of(request)
    if mails.wait(*who):
        return False
    mails.note(*who)
    return True
