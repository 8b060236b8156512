"""Writes the JSON Schemas of all messages into the repo: ``python -m tests.contract.keep_schemas``."""

import json
from pathlib import Path
from typing import Any

from shared import topology
from shared.contracts.envelope import Event

FOLDER = Path(__file__).parent / "schemas"


def file_of(kind: type[Event]) -> Path:
    """Where the schema of a message is kept."""
    return FOLDER / f"{kind.model_fields['type'].default}.json"


def schema_of(kind: type[Event]) -> dict[str, Any]:
    """The schema that the code has now."""
    return kind.model_json_schema()


def text_of(schema: dict[str, Any]) -> str:
    """A schema as it is kept: in an order of its own, so that a change is a small diff."""
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Write every schema."""
    FOLDER.mkdir(exist_ok=True)
    for kind in topology.PUBLISHERS:
        file_of(kind).write_text(text_of(schema_of(kind)))
        print(file_of(kind))


if __name__ == "__main__":
    main()
