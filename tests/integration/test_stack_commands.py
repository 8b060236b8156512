"""The `pordesk` command beside a stack that is up, that dies, and that is not there."""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jwt
import psutil
import pytest

from ops.tokens import BANK_SCOPE, STAFF_SCOPE
from tests.fixtures.desk import FORM, LETTER, WAIT, Desk
from tests.fixtures.processes import left_behind

PORDESK = Path(sys.executable).with_name("pordesk")
ROOT = Path(__file__).resolve().parents[2]


def pordesk(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end in a folder."""
    return subprocess.run([PORDESK, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def up(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """``pordesk run`` in a folder, once everything is up."""
    with subprocess.Popen(
        [PORDESK, "run"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        try:
            assert read_until(run, "Ctrl-C stops everything."), "the run ended while starting"
            yield run
        finally:
            run.kill()


def read_until(run: subprocess.Popen[str], words: str) -> str:
    """The next line with these words; empty when the run ends before it."""
    assert run.stdout is not None
    return next((line for line in run.stdout if words in line), "")


def test_run_tells_of_a_dead_part_and_ends_well_with_ctrl_c(tmp_path: Path) -> None:
    """Beside a run tokens are minted and the demo changes nothing; a part that dies is told in a line; Ctrl-C is 0."""
    kept = tmp_path / ".local/demo/mail-1.eml"
    kept.parent.mkdir(parents=True)
    kept.write_text("of the last demo")
    with up(tmp_path) as run:
        staff, bank_staff = (pordesk(tmp_path, "token", "--staff", *more).stdout.strip() for more in ((), ("--bank",)))
        scopes = [jwt.decode(each, options={"verify_signature": False})["scope"] for each in (staff, bank_staff)]
        assert scopes == [STAFF_SCOPE, BANK_SCOPE]

        refused = pordesk(tmp_path, "demo")
        assert kept.read_text() == "of the last demo"
        assert (refused.returncode, "already up" in refused.stderr) == (2, True)

        home = tmp_path / ".local"
        victim = next(p for p in psutil.Process(run.pid).children() if "services.documents.main" in p.cmdline())
        victim.kill()
        told = read_until(run, "unexpectedly")
        assert re.fullmatch(rf"documents .*\(status -9\).* {home / 'logs/documents.log'}\n", told)

        run.send_signal(signal.SIGINT)
        assert "unexpectedly" not in run.communicate(timeout=30)[0], "told twice, or of parts that were stopped"
        assert run.returncode == 0
        assert left_behind(tmp_path) == []


def test_tokens_are_minted_without_the_stack() -> None:
    """Who needs only tokens can import them first, wherever the stack's own modules are."""
    argv = [sys.executable, "-c", "import ops.tokens, sys; sys.exit('ops.stack' in sys.modules)"]
    assert subprocess.run(argv, cwd=ROOT, check=False).returncode == 0


def test_no_token_after_a_killed_run(tmp_path: Path, desk: Desk) -> None:
    """A `stack.json` that a killed runner left behind counts no more: no token, and what to do instead."""
    (tmp_path / ".local").mkdir()
    # As it lies there after kill -9: whole, and nobody holds it.
    shutil.copy(desk.stack.home / "stack.json", tmp_path / ".local/stack.json")
    refused = pordesk(tmp_path, "token", "--producer", "P1001")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == "No local stack is running here. Start one with: make run\n"


@pytest.mark.parametrize("producer", ["", " "])
def test_an_empty_producer_is_a_usage_error(tmp_path: Path, producer: str) -> None:
    """Who gives an empty producer id is told to give one, and gets nobody's token."""
    refused = pordesk(tmp_path, "token", "--producer", producer)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--producer needs an id, for example P1001" in refused.stderr


def test_bank_details_are_no_producers_nor_operators(tmp_path: Path) -> None:
    """The scope for bank details is minted for staff alone."""
    refused = pordesk(tmp_path, "token", "--ops", "--bank")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--bank needs --staff" in refused.stderr


@pytest.mark.parametrize("path", ["missing/letter.pdf", "."])
def test_a_letter_that_cannot_be_written_is_one_line(tmp_path: Path, path: str) -> None:
    """A path that cannot be written is told in one line with what to do, not in a traceback."""
    refused = pordesk(tmp_path, "letter", path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert re.fullmatch(rf"Cannot write {re.escape(path)}: .*Choose a file in a folder .*\n", refused.stderr)


def test_the_link_of_a_local_mail_leads_to_the_ticket(desk: Desk) -> None:
    """The link in a mail of the local stack is the ticket's page at the portal, behind the login that `run` prints."""
    portal = desk.stack.info.portal
    login = next(each for each in portal.logins if each.role == "producer")
    token = desk.mint.producer("P1001", login.name, "dana.whitfield@whitfield.example")
    number = desk.anybody(token).post_request(FORM, LETTER, wait=WAIT).json()["ticket_number"]
    body = desk.mails(number)[0].get_body(("plain",))
    assert body is not None
    link = re.search(rf"http://\S+/{number}", body.get_content())
    assert link
    with httpx.Client(trust_env=False, follow_redirects=True, headers={"Origin": portal.url}, timeout=10) as browser:
        asked = browser.get(link[0])
        assert (asked.url.path, asked.url.params["next"]) == ("/login", f"/tickets/{number}")
        form = {"user_id": login.user_id, "password": login.password, "next": asked.url.params["next"]}
        page = browser.post(f"{portal.url}/login", data=form)
    assert str(page.url) == link[0]
    assert f"Ticket {number}" in page.text
