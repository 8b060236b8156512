"""Settings that every service has: read from ``POR_*`` variables, secrets also from files."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

SECRETS_DIR = Path("/run/secrets")

HttpAddress = Annotated[str, Field(pattern="^https?://", description="http(s)://host:port")]


class ServiceSettings(BaseSettings):
    """What each service needs to run, whatever it does."""

    model_config = SettingsConfigDict(
        env_prefix="POR_",
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        hide_input_in_errors=True,
    )

    profile: Literal["local", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    log_format: Literal["json", "console"] = "json"

    head_seconds: float = Field(default=10, gt=0, description="In which a request's headers must come.")
    stall_seconds: float = Field(default=20, gt=0, description="That a client may send, or read, nothing.")
    min_bytes_per_second: float = Field(default=1024, gt=0, description="Of a request's body, on the whole.")

    amqp_url: SecretStr
    amqp_publish_timeout: float = Field(default=5.0, gt=0, description="Seconds.")
    retry_delays: Annotated[tuple[float, ...], NoDecode] = Field(
        default=(5, 30, 120, 600, 3600),
        min_length=5,
        max_length=5,
        description="Lengths of the five delay tiers in seconds, comma-separated.",
    )
    prefetch: int = Field(default=16, ge=1, description="Messages in work at once per queue.")

    jwt_jwks_url: HttpAddress | None = None
    jwt_key_file: Path | None = Field(default=None, description="A JWKS file with public keys.")
    jwt_issuer: str
    jwt_audience: str

    @field_validator("retry_delays", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split(",") if isinstance(value, str) else value


class ObjectStoreSettings(ServiceSettings):
    """What a service needs that keeps or reads letters."""

    s3_endpoint: HttpAddress
    s3_access_key: SecretStr
    s3_secret_key: SecretStr
    s3_bucket: str = "por-letters"
    s3_region: str = "us-east-1"


S = TypeVar("S", bound=ServiceSettings)


class ConfigurationError(Exception):
    """The service cannot run as it is configured; the text says what to change."""


def read_settings(kind: type[S]) -> S:
    """Read the settings of one service.

    Raises:
        ConfigurationError: names every variable that is missing or wrong.
    """
    try:
        return kind()
    except ValidationError as error:
        lines = (
            f"  POR_{'_'.join(str(part) for part in each['loc']).upper()}: {each['msg']}"
            for each in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError("Wrong settings:\n" + "\n".join(lines)) from None
    except SettingsError as error:
        raise ConfigurationError(str(error)) from None
