"""What the portal needs to run: read from ``PORTAL_*`` variables, secrets also from files."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from portal.addresses import MailAddress

SECRETS_DIR = Path("/run/secrets")

HttpAddress = Annotated[str, Field(pattern="^https?://[^/]+$", description="http(s)://host:port")]


class PortalSettings(BaseSettings):
    """Settings of the portal."""

    model_config = SettingsConfigDict(
        env_prefix="PORTAL_",
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        hide_input_in_errors=True,
    )

    url: HttpAddress = Field(description="As people open it: in mails, and the only origin forms are taken from.")
    gateway_url: HttpAddress
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=1, le=65535)
    state_dir: Path = Field(description="Passwords that were changed, and letters of forms under way.")

    users_file: Path
    signing_key: SecretStr = Field(description="The development key: PKCS #8 in base64, on one line.")
    jwt_issuer: str
    jwt_audience: str

    smtp_host: str
    smtp_port: int = 587
    smtp_starttls: bool = True
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: MailAddress

    name: str = Field(default="Producer Portal", description="In the head of each page and in mails.")
    statements_url: str | None = Field(default=None, pattern="^https?://", description="Commission Statements.")
    time_zone: ZoneInfo = ZoneInfo("America/Chicago")
    login_attempts: int = Field(default=5, ge=1, description="Failed ones in 15 minutes, of one User ID.")

    @property
    def is_secure(self) -> bool:
        """Whether people reach the portal over TLS: the cookie is then sent over nothing else."""
        return urlsplit(self.url).scheme == "https"


class ConfigurationError(Exception):
    """The portal cannot run as it is configured; the text says what to change."""


def read_settings() -> PortalSettings:
    """Read the settings.

    Raises:
        ConfigurationError: names every variable that is missing or wrong.
    """
    try:
        return PortalSettings()
    except ValidationError as error:
        lines = (
            f"  PORTAL_{'_'.join(str(part) for part in each['loc']).upper()}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError("Wrong settings:\n" + "\n".join(lines)) from None
