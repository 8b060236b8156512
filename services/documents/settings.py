"""What documents needs beside the common settings."""

from pydantic import Field

from shared.runtime.settings import ObjectStoreSettings


class DocumentsSettings(ObjectStoreSettings):
    """Settings of the documents service."""

    max_pages: int = Field(default=50, ge=1, description="Pages a letter may have.")
