"""What the portal refuses to start with, instead of failing people one by one."""

import dataclasses
from pathlib import Path

import pytest

from portal.identity import Identity
from portal.settings import ConfigurationError, PortalSettings, read_settings
from tests.fixtures.portal import STAFF, write_users

NO_ADDRESSES = ["desk", "desk@", "POR Desk <desk@carrier.example>", "dësk@carrier.example", "desk@cärrier.example"]
GIVEN = {
    "url": "https://portal.example",
    "gateway_url": "http://127.0.0.1:1",
    "state_dir": "/nowhere",
    "users_file": "/nowhere/users.json",
    "signing_key": "hush-hush",
    "jwt_issuer": "i",
    "jwt_audience": "a",
    "smtp_host": "127.0.0.1",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """All that the portal must be given but the sender of its mails."""
    required = {name for name, info in PortalSettings.model_fields.items() if info.is_required()}
    assert GIVEN.keys() == required - {"mail_from"}
    for name, value in GIVEN.items():
        monkeypatch.setenv(f"PORTAL_{name.upper()}", value)
    return monkeypatch


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_a_sender_that_no_mail_can_have_is_a_wrong_setting(environment: pytest.MonkeyPatch, address: str) -> None:
    """The portal does not start with it: the page of who forgot a password would fail, and say so who is a user."""
    environment.setenv("PORTAL_MAIL_FROM", address)
    with pytest.raises(ConfigurationError) as wrong:
        read_settings()
    assert [line.strip().partition(":")[0] for line in str(wrong.value).splitlines()[1:]] == ["PORTAL_MAIL_FROM"]


def test_a_sender_is_read_without_the_space_around_it(environment: pytest.MonkeyPatch) -> None:
    """A line of a file often ends with a space that nobody sees."""
    environment.setenv("PORTAL_MAIL_FROM", "desk@carrier.example ")
    assert read_settings().mail_from == "desk@carrier.example"


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_a_user_whom_no_mail_reaches_is_a_wrong_file(tmp_path: Path, address: str) -> None:
    """Each user can be mailed, or the portal does not start."""
    write_users(tmp_path / "users.json", [dataclasses.replace(STAFF, email=address)])
    with pytest.raises(ConfigurationError, match=r"users\.json"):
        Identity(tmp_path / "users.json", tmp_path)
