"""What notifier needs beside the common settings."""

from pydantic import Field, SecretStr, field_validator

from shared.contracts.addresses import in_ascii
from shared.runtime.settings import ServiceSettings


class NotifierSettings(ServiceSettings):
    """Settings of the notifier service."""

    mongodb_url: SecretStr
    mongodb_database: str = "notifier"
    smtp_host: str
    smtp_port: int = 587
    smtp_starttls: bool = Field(default=True, description="Refuse to send in the clear.")
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_connections: int = Field(default=4, ge=1)
    smtp_timeout: float = Field(default=20.0, gt=0, description="Seconds to connect and send one mail, in all.")
    mail_from: str
    portal_url: str = Field(description="The ticket's page is this plus the ticket number.")

    _mail_from_is_an_address = field_validator("mail_from")(in_ascii)
