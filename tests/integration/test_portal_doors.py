"""The portal's login, its ways back in and its guards, over HTTP and real mail."""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from portal.main import build
from portal.settings import PortalSettings
from tests.fixtures.mail_server import Conversation, Server
from tests.fixtures.portal import PASSWORD, STAFF, Account, producers, write_users
from tests.fixtures.wait import eventually_async

URL = "https://portal.carrier.example"
ACCOUNTS = [*producers(2), STAFF]
OTHER = "another-good-passphrase"


@dataclass
class Door:
    """A portal of one test, the mails it sends, and browsers before it."""

    app: Any
    mails: Server

    @asynccontextmanager
    async def browser(self, origin: str = URL) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody's browser: it keeps cookies and says where its forms come from."""
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url=URL, headers={"Origin": origin}) as client:
            yield client

    async def mail(self, number: int) -> str:
        """The text of the mail of this number, once it is there."""
        await eventually_async(lambda: self.mails.has_mails(number))
        message = message_from_bytes(self.mails.mails[number - 1], policy=policy.default)
        return f"{message['To']}\n{message.get_content()}"


def settings(folder: Path, port: int, **more: Any) -> PortalSettings:
    """Settings of a portal over TLS whose desk is away."""
    write_users(folder / "users.json", ACCOUNTS)
    secret = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = secret.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    defaults = {
        "url": URL,
        "gateway_url": "http://127.0.0.1:9",
        "state_dir": folder / "state",
        "users_file": folder / "users.json",
        "signing_key": base64.b64encode(der).decode(),
        "jwt_issuer": "i",
        "jwt_audience": "a",
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_starttls": False,
        "mail_from": "portal@carrier.example",
    }
    return PortalSettings(**{**defaults, **more})


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A portal, and the mail server that it knows."""
    server = Server()
    listening = await asyncio.get_running_loop().create_server(lambda: Conversation(server), "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield Door(build(settings(tmp_path, port)), server)
    finally:
        listening.close()


async def log_in(browser: httpx.AsyncClient, account: Account, password: str = PASSWORD, **more: str) -> httpx.Response:
    """Send the login form."""
    return await browser.post("/login", data={"user_id": account.user_id, "password": password, **more})


def csrf_of(page: str) -> str:
    """The word in a page's form."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


async def test_the_cookie_is_for_the_server_alone(door: Door) -> None:
    """Over TLS the cookie is out of reach of scripts, other sites and plain HTTP; each login has a new one."""
    words = []
    for _ in range(2):
        async with door.browser() as browser:
            answer = await log_in(browser, ACCOUNTS[0])
            cookie = answer.headers["set-cookie"]
            words.append(cookie.partition(";")[0])
            assert cookie.startswith("__Host-session=")
            assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(cookie.lower().split("; "))
            assert "domain" not in cookie.lower()
    assert len(set(words)) == 2


async def test_every_answer_is_guarded(door: Door) -> None:
    """Pages, files and errors alike have the strict policy and its companions; nothing inline is allowed."""
    async with door.browser() as browser:
        for path in ("/login", "/static/portal.css", "/nowhere", "/forgot-password", "/new-password?word=x"):
            headers = (await browser.get(path)).headers
            policy_of = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
            assert policy_of["default-src"] == "'none'"
            assert policy_of["frame-ancestors"] == policy_of["base-uri"] == "'none'"
            assert set(policy_of.values()) == {"'none'", "'self'"}
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["strict-transport-security"]
            assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
async def test_no_other_site_can_send_our_forms(door: Door, origin: str) -> None:
    """A form from elsewhere, or from nobody knows where, is refused, the login's too."""
    async with door.browser(origin) as browser:
        assert (await log_in(browser, ACCOUNTS[0])).status_code == 403


async def test_a_form_needs_the_word_of_its_own_session(door: Door) -> None:
    """Without its word, or with another session's, a form does nothing; with it, one is logged out."""
    async with door.browser() as browser, door.browser() as other:
        await log_in(browser, ACCOUNTS[0])
        await log_in(other, ACCOUNTS[1])
        foreign = csrf_of((await other.get("/")).text)
        for word in ("", foreign):
            assert (await browser.post("/logout", data={"csrf": word})).status_code == 403
        own = csrf_of((await browser.get("/")).text)
        kept = dict(browser.cookies)
        assert (await browser.post("/logout", data={"csrf": own})).status_code == 303
        browser.cookies.update(kept)  # whoever has copied the cookie has nothing by it any more
        assert (await browser.get("/")).headers["location"].startswith("/login")


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/tickets", "/tickets"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\r\nX: y", "/"),
    ],
)
async def test_the_login_leads_nowhere_else(door: Door, asked: str, led: str) -> None:
    """After the login one is where one wanted to be, if that is in the portal."""
    async with door.browser() as browser:
        assert (await log_in(browser, ACCOUNTS[0], next=asked)).headers["location"] == led


async def test_attempts_are_limited_for_who_is_a_user_and_who_is_not(door: Door) -> None:
    """After five wrong passwords even the right one is refused for a while; a name that nobody has is treated alike."""
    async with door.browser() as browser:
        for account in (ACCOUNTS[0], Account("nobody", "", "", "", "producer")):
            answers = [await log_in(browser, account, "wrong") for _ in range(5)]
            assert {answer.status_code for answer in answers} == {422}
            last = await log_in(browser, account)
            assert last.status_code == 429
            assert "Wait 15 minutes" in last.text
        assert (await log_in(browser, ACCOUNTS[1])).status_code == 303


async def test_a_wrong_password_takes_as_long_as_an_unknown_user(tmp_path: Path) -> None:
    """Neither the words nor the time tell whether there is such a user."""
    dear = settings(tmp_path, 9)
    write_users(dear.users_file, ACCOUNTS, PasswordHasher())
    async with Door(build(dear), Server()).browser() as browser:
        pages, times = [], []
        for account in (ACCOUNTS[0], Account("nobody", "", "", "", "producer")):
            spent = []
            for _ in range(3):
                began = time.process_time()
                answer = await log_in(browser, account, "wrong")
                spent.append(time.process_time() - began)
            pages.append(answer.text.replace(account.user_id, ""))
            times.append(min(spent))
        assert pages[0] == pages[1]
        assert min(times) > 0.3 * max(times)


async def test_a_forgotten_user_id_is_mailed(door: Door) -> None:
    """Who knows his address gets his User ID; the answer to who is no user is the same, and no mail goes out."""
    async with door.browser() as browser:
        unknown = await browser.post("/forgot-user-id", data={"email": "stranger@agency.example"})
        known = await browser.post("/forgot-user-id", data={"email": ACCOUNTS[1].email.upper()})
        assert unknown.text == known.text
        mail = await door.mail(1)
        assert mail.startswith(ACCOUNTS[1].email)
        assert ACCOUNTS[1].user_id in mail
        assert len(door.mails.mails) == 1


async def link_of(door: Door, browser: httpx.AsyncClient, number: int) -> str:
    """The word in a mailed link; the link is the portal's own address, whatever host was asked."""
    await browser.post("/forgot-password", data={"user_id": ACCOUNTS[0].user_id}, headers={"Host": "evil.example"})
    found = re.search(rf"{URL}/new-password\?word=(\S+)", await door.mail(number))
    assert found
    return found[1]


async def test_a_forgotten_password_is_set_anew(door: Door, tmp_path: Path) -> None:
    """The link sets a password once, ends its user's sessions and his wait; the new one outlives a restart."""
    async with door.browser() as elsewhere, door.browser() as browser:
        await log_in(elsewhere, ACCOUNTS[0])
        first = await link_of(door, browser, 1)
        word = await link_of(door, browser, 2)
        pages = [(await browser.post("/forgot-password", data={"user_id": who})).text for who in ("nobody", "noone")]
        assert len({*pages, (await browser.post("/forgot-password", data={"user_id": ACCOUNTS[1].user_id})).text}) == 1
        for _ in range(5):
            assert (await log_in(browser, ACCOUNTS[0], "wrong")).status_code == 422
        assert (await browser.get("/new-password", params={"word": first})).status_code == 410, "the newest counts"
        assert "New Password" in (await browser.get("/new-password", params={"word": word})).text
        form = {"word": word, "password": "short"}
        assert (await browser.post("/new-password", data=form)).status_code == 422
        assert (await browser.post("/new-password", data={**form, "password": OTHER})).status_code == 200
        assert (await browser.post("/new-password", data={**form, "password": OTHER})).status_code == 410
        assert (await elsewhere.get("/")).headers["location"].startswith("/login")
        assert (await log_in(browser, ACCOUNTS[0])).status_code == 422, "the attempts before it count no more"
        assert (await log_in(browser, ACCOUNTS[0], OTHER)).status_code == 303
    kept = tmp_path / "state/passwords.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert OTHER not in kept.read_text()
    async with Door(build(settings(tmp_path, 9)), Server()).browser() as browser:
        assert (await log_in(browser, ACCOUNTS[0], OTHER)).status_code == 303


async def test_a_link_is_good_for_half_an_hour(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 30 minutes the link sets nothing any more."""
    async with door.browser() as browser:
        word = await link_of(door, browser, 1)
        now = time.monotonic()
        for minutes, status in ((29, 200), (31, 410)):
            monkeypatch.setattr("portal.links.time.monotonic", lambda minutes=minutes: now + minutes * 60)
            assert (await browser.get("/new-password", params={"word": word})).status_code == status


async def test_mails_to_one_are_limited(door: Door) -> None:
    """Nobody's mailbox is filled by asking again and again; every answer is the same."""
    async with door.browser() as browser:
        asked = [await browser.post("/forgot-password", data={"user_id": ACCOUNTS[0].user_id}) for _ in range(8)]
        await eventually_async(lambda: door.mails.has_mails(5))
        await asyncio.sleep(0.1)
        assert len({answer.text for answer in asked}) == 1
        assert len(door.mails.mails) == 5


async def test_the_way_to_a_page_leads_over_the_login(door: Door) -> None:
    """Who must log in first is led back to the page he asked for, filters and all."""
    async with door.browser() as browser:
        onward = (await browser.get("/tickets?sort=-status&page=2")).headers["location"]
        assert onward == "/login?next=%2Ftickets%3Fsort%3D-status%26page%3D2"
        led = await log_in(browser, ACCOUNTS[0], next="/tickets?sort=-status&page=2")
        assert led.headers["location"] == "/tickets?sort=-status&page=2"


async def test_a_form_leads_over_the_login_to_its_page(door: Door) -> None:
    """Where the session has ended under a form, the login leads back to the page it was on, and to no other site."""
    async with door.browser() as browser:
        for referer, onward in (
            (f"{URL}/desk/SR-00000001-9?letter=x", "%2Fdesk%2FSR-00000001-9%3Fletter%3Dx"),
            ("https://evil.example//evil.example", "%2F%2Fevil.example"),
        ):
            answer = await browser.post("/desk/SR-00000001-9/moves", headers={"Referer": referer})
            assert answer.headers["location"] == f"/login?next={onward}"
        assert 'name="next" value="/"' in (await browser.get(answer.headers["location"])).text
        assert (await browser.post("/logout")).headers["location"] == "/login?next=%2F"


async def test_what_is_no_number_is_no_page(door: Door) -> None:
    """An address with anything but a ticket's number is 404 and asks the desk nothing, which has others beside it."""
    async with door.browser() as producer, door.browser() as staff:
        await log_in(producer, ACCOUNTS[0])
        await log_in(staff, STAFF)
        for browser, paths in (
            (producer, ("/tickets/stream", "/tickets/SR-00000001-9%0A", "/tickets/stream/letters")),
            (staff, ("/desk/reasons", "/desk/counts", "/desk/stream/moves")),
        ):
            for path in paths:
                answer = await browser.get(path)
                assert (answer.status_code, "There is no such page" in answer.text) == (404, True), path
        csrf = csrf_of((await staff.get("/nowhere")).text)
        assert (await staff.post("/desk/stream/notes", data={"csrf": csrf, "text": "x"})).status_code == 404


async def test_what_is_not_ascii_is_the_desks_to_refuse(door: Door) -> None:
    """A version or an event's id with any characters is handed on; with the desk away the answer is that."""
    async with door.browser() as browser:
        await log_in(browser, ACCOUNTS[0])
        form = {"csrf": csrf_of((await browser.get("/")).text), "etag": '"é"'}
        assert (await browser.post("/tickets/SR-00000001-9/withdrawal", data=form)).status_code == 503
        assert (await browser.get("/live", headers={b"Last-Event-ID": "é".encode()})).status_code == 503


async def test_what_was_typed_stands_on_the_page_that_says_why_it_was_not_sent(door: Door) -> None:
    """With the desk away for the form's own page too, every text that was typed can be copied from the answer."""
    words = {"comment": "Page <2>", "message": "Please sign.", "text": "Call them."}
    async with door.browser() as producer, door.browser() as staff:
        await log_in(producer, ACCOUNTS[0])
        await log_in(staff, STAFF)
        for browser, path, said in (
            (producer, "/tickets/SR-00000001-9/withdrawal", ["Page &lt;2&gt;"]),
            (staff, "/desk/SR-00000001-9/moves", ["Please sign.", "Page &lt;2&gt;"]),
            (staff, "/desk/SR-00000001-9/drafts", ["Please sign.", "Page &lt;2&gt;"]),
            (staff, "/desk/SR-00000001-9/notes", ["Call them."]),
        ):
            csrf = csrf_of((await browser.get("/nowhere")).text)
            answer = await browser.post(path, data={"csrf": csrf, **words})
            assert answer.status_code == 503
            assert re.findall('<p class="said">(.*)</p>', answer.text) == said, path


async def test_an_idle_session_ends(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half an hour without a click one must log in again; what a page asks by itself is no click."""
    async with door.browser() as browser:
        await log_in(browser, ACCOUNTS[0])
        now = time.monotonic()
        for minutes, path, headers, status in (
            (20, "/", {}, 200),
            (44, "/live", {}, 503),  # a page that listens asks again by itself, with no word of its own
            (45, "/", {"X-Live": "1"}, 200),
            (51, "/", {}, 303),
        ):
            monkeypatch.setattr("portal.sessions.time.monotonic", lambda minutes=minutes: now + minutes * 60)
            assert (await browser.get(path, headers=headers)).status_code == status


async def test_without_the_desk_pages_say_what_to_do(door: Door) -> None:
    """With the gateway away a page is 503 and says that nothing is lost; the statements' link is hidden if unset."""
    async with door.browser() as browser:
        await log_in(browser, ACCOUNTS[0])
        away = await browser.get("/assistance")
        assert (away.status_code, "Try again in a moment" in away.text) == (503, True)
        assert "Commission Statements" not in (await browser.get("/")).text
        assert (await browser.get("/readyz")).status_code == 503
        assert (await browser.get("/healthz")).status_code == 200


async def test_no_log_names_a_person(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    """What is typed, and the words of links and sessions, are in no log line."""
    async with door.browser() as browser:
        await log_in(browser, ACCOUNTS[0], "wrong-password")
        word = await link_of(door, browser, 1)
        await browser.get("/new-password", params={"word": word})
        await browser.get(f"/nowhere/{ACCOUNTS[0].user_id}")
    said = capsys.readouterr().out
    assert "/login" in said
    for secret in (ACCOUNTS[0].user_id, ACCOUNTS[0].email, "wrong-password", word):
        assert secret not in said


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    """A portal that cannot run as it is configured says which variable, and not its value."""
    for name, value in (("signing_key", "secret-word"), ("users_file", tmp_path / "missing.json")):
        with pytest.raises(Exception, match=r"PORTAL_SIGNING_KEY|missing\.json") as raised:
            build(settings(tmp_path, 9, **{name: value}))
        assert "secret-word" not in str(raised.value)
    json.loads((tmp_path / "users.json").read_text())
