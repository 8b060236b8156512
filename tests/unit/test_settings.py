"""Settings: what is missing is named, what is secret is not."""

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from services.intake.settings import IntakeSettings
from services.notifier.settings import NotifierSettings
from services.tickets.settings import TicketsSettings
from shared.runtime.settings import ConfigurationError, ServiceSettings, read_settings
from tests.identity import service_settings

COMMON = {
    "POR_AMQP_URL": "amqp://desk:hush-hush@127.0.0.1/",
    "POR_JWT_ISSUER": "https://idp.example/",
    "POR_JWT_AUDIENCE": "por-desk",
}
NEEDED = {
    IntakeSettings: {
        *COMMON,
        "POR_S3_ENDPOINT",
        "POR_S3_ACCESS_KEY",
        "POR_S3_SECRET_KEY",
        "POR_TICKETS_URL",
        "POR_DOCUMENTS_URL",
        "POR_FIELD_KEYS_FILE",
    },
    TicketsSettings: {*COMMON, "POR_MONGODB_URL"},
    NotifierSettings: {*COMMON, "POR_MONGODB_URL", "POR_SMTP_HOST", "POR_MAIL_FROM", "POR_PORTAL_URL"},
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which only the common settings are made."""
    for name, value in COMMON.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def complaint(kind: type[ServiceSettings] = ServiceSettings) -> str:
    """What a service says that cannot start."""
    with pytest.raises(ConfigurationError) as raised:
        read_settings(kind)
    return str(raised.value)


@pytest.mark.parametrize("kind", list(NEEDED), ids=lambda kind: kind.__name__)
def test_every_missing_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch, kind: type[ServiceSettings]) -> None:
    """A service without settings names all the variables that it needs, in one go."""
    for name in NEEDED[kind]:
        monkeypatch.delenv(name, raising=False)
    said = complaint(kind)
    assert {line.strip().partition(":")[0] for line in said.splitlines()[1:]} == NEEDED[kind]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POR_PORT", "70000"),
        ("POR_PORT", "hush-hush"),
        ("POR_PROFILE", "hush-hush"),
        ("POR_PREFETCH", "0"),
        ("POR_AMQP_PUBLISH_TIMEOUT", "0"),
        ("POR_RETRY_DELAYS", "1,2,3"),
        ("POR_RETRY_DELAYS", "1,2,3,4,hush-hush"),
    ],
)
def test_a_wrong_value_is_named_but_not_repeated(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The complaint names the variable and never its value, which may be a secret in the wrong place."""
    environment.setenv(name, value)
    said = complaint()
    assert name in said
    assert "hush-hush" not in said
    with pytest.raises((ValidationError, SettingsError)) as raw:
        ServiceSettings()
    assert "hush-hush" not in str(raw.value)


@pytest.mark.parametrize("address", ["desk", "desk@", "POR Desk <desk@carrier.example>", "dësk@carrier.example"])
def test_a_sender_that_no_mail_can_have_is_a_wrong_setting(environment: pytest.MonkeyPatch, address: str) -> None:
    """Notifier does not start with it: it would be found when every mail has failed for its last time."""
    for name in NEEDED[NotifierSettings] - {*COMMON}:
        environment.setenv(name, "mongodb://127.0.0.1/")
    environment.setenv("POR_MAIL_FROM", address)
    said = complaint(NotifierSettings)
    assert [line.strip().partition(":")[0] for line in said.splitlines()[1:]] == ["POR_MAIL_FROM"]


def test_settings_are_read_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    """Right variables are read, the tiers' lengths as a list with commas."""
    environment.setenv("POR_RETRY_DELAYS", "1,2,3,4.5,6")
    settings = read_settings(ServiceSettings)
    assert settings.retry_delays == (1, 2, 3, 4.5, 6)
    assert settings.jwt_issuer == "https://idp.example/"
    assert settings.amqp_url.get_secret_value().endswith("@127.0.0.1/")


def test_the_profile_is_production_unless_said(environment: pytest.MonkeyPatch) -> None:
    """Nobody runs the local profile by forgetting a variable."""
    environment.delenv("POR_PROFILE", raising=False)
    assert read_settings(ServiceSettings).profile == "production"


def test_secrets_do_not_show(environment: pytest.MonkeyPatch) -> None:
    """Settings that are printed or logged show no secret."""
    settings = read_settings(ServiceSettings)
    assert "hush-hush" not in f"{settings} {settings!r} {settings.model_dump_json()}"
    assert "guest" not in repr(service_settings(None))
