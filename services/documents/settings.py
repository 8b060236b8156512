"""What documents needs beside the common settings."""

from typing import Annotated, Literal

from pydantic import Field

from shared.runtime.settings import ObjectStoreSettings

ScannerAddress = Annotated[str, Field(pattern=r"^(tcp://[^/:]+:[0-9]+|unix:/.+)$")]


class DocumentsSettings(ObjectStoreSettings):
    """Settings of the documents service."""

    max_pages: int = Field(default=50, ge=1, description="Pages a letter may have.")
    letter_workers: int = Field(default=2, ge=1, description="Processes in which letters are opened.")
    letter_memory: int = Field(default=512 * 1024 * 1024, ge=64 * 1024 * 1024, description="Bytes one letter may take.")
    letter_seconds: int = Field(default=10, ge=1, description="Of a processor, that one letter may take.")
    clamav_url: ScannerAddress | None = Field(default=None, description="tcp://host:port or unix:/path of clamd.")
    retention_days: int = Field(default=3650, ge=1, description="How long a checked letter is locked.")
    retention_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
