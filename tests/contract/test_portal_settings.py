"""docs/portal.md says which settings the portal has."""

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from portal.settings import PortalSettings

PAGE = Path(__file__).resolve().parents[2] / "docs/portal.md"


def test_the_settings_table_is_what_the_portal_reads() -> None:
    """Each variable is in the table with its default, and no other is."""
    written = dict(re.findall(r"^\| `(PORTAL_\w+)` \| `?([^|`]+?)`? \|", PAGE.read_text(), re.MULTILINE))
    read = {}
    for name, info in PortalSettings.model_fields.items():
        default = info.default
        words = "required" if default is PydanticUndefined else "none" if default is None else str(default)
        read[f"PORTAL_{name.upper()}"] = words.lower() if isinstance(default, bool) else words
    assert written == read
