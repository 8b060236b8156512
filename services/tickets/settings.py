"""What tickets needs beside the common settings."""

from pydantic import Field, SecretStr

from shared.runtime.settings import ServiceSettings


class TicketsSettings(ServiceSettings):
    """Settings of the tickets service."""

    mongodb_url: SecretStr
    mongodb_database: str = "tickets"
    sweep_seconds: float = Field(default=2.0, gt=0, description="How often unpublished history is looked for.")
