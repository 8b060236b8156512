"""What intake needs beside the common settings."""

from pathlib import Path

from pydantic import Field

from shared.runtime.settings import HttpAddress, ObjectStoreSettings


class IntakeSettings(ObjectStoreSettings):
    """Settings of the intake gateway."""

    tickets_url: HttpAddress
    documents_url: HttpAddress
    max_letter_bytes: int = Field(default=25 * 1024 * 1024, ge=1)
    max_letters: int = Field(default=10, ge=1)
    max_uploads: int = Field(default=100, ge=1, description="At once; one caller may have half of them.")
    rate_per_second: float = Field(default=10, gt=0, description="Requests of one caller, in the long run.")
    rate_burst: int = Field(default=100, ge=1, description="Requests of one caller at once.")
    max_wait: float = Field(default=30, ge=0, description="Seconds that Prefer: wait may ask for.")
    forward_timeout: float = Field(default=10, gt=0, description="Seconds.")
    portal_name: str = Field(default="Producer Portal", description="As the catalogue's words call the portal.")
    request_types: Path | None = Field(default=None, description="A folder of request types; none: those shipped.")
    holds_file: Path | None = Field(default=None, description="Holds and notices; none: the file shipped.")
    field_keys_file: Path = Field(description="The keys of private fields, one in each line, the newest first.")
