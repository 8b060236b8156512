"""The rule that guards the messages, on a schema changed in every way that matters."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.contract.compatibility import Schema, breaking_changes

KEPT: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "name": {"type": "string", "minLength": 1, "maxLength": 120},
        "count": {"type": "number", "minimum": 0},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "status": {"$ref": "#/$defs/Status"},
        "letters": {"type": "array", "items": {"$ref": "#/$defs/Letter"}},
    },
    "required": ["id", "name"],
    "$defs": {
        "Status": {"type": "string", "enum": ["open", "closed"]},
        "Letter": {
            "type": "object",
            "properties": {
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "next": {"$ref": "#/$defs/Letter"},
            },
            "required": ["sha256"],
        },
    },
}


def changed(change: Callable[[Any], object]) -> list[str]:
    """What a change of the kept schema breaks."""
    new = deepcopy(KEPT)
    change(new)
    assert new != KEPT
    return breaking_changes(KEPT, new)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda new: new["properties"].pop("note"), "$.note: removed"),
        (lambda new: new["$defs"]["Letter"]["properties"].pop("next"), "$.letters[].next: removed"),
        (lambda new: new["required"].append("count"), "$.count: required now"),
        (
            lambda new: (new["properties"].update(colour={}), new["required"].append("colour")),
            "$.colour: required now",
        ),
        (lambda new: new["required"].remove("name"), "$.name: no longer certain to be there"),
        (lambda new: new["properties"].update(name={"type": "integer"}), "$.name: no longer string"),
        (lambda new: new["properties"]["count"].update(type="integer"), "$.count: no longer number"),
        (lambda new: new["properties"].update(note={"type": "string"}), "$.note: no longer null"),
        (lambda new: new["$defs"]["Status"]["enum"].remove("closed"), "$.status: no longer ['closed']"),
        (lambda new: new["$defs"]["Status"].update(const="open"), "$.status: no longer ['closed']"),
        (lambda new: new["properties"]["count"].update(enum=[1, 2]), "$.count: only [1, 2] now"),
        (lambda new: new["properties"]["name"].update(maxLength=60), "$.name: maxLength is 60 now"),
        (lambda new: new["properties"]["name"].update(minLength=2), "$.name: minLength is 2 now"),
        (lambda new: new["properties"]["count"].update(maximum=9), "$.count: maximum is 9 now"),
        (lambda new: new["properties"]["letters"].update(minItems=1), "$.letters: minItems is 1 now"),
        (
            lambda new: new["$defs"]["Letter"]["properties"]["sha256"].update(pattern="^a"),
            "$.letters[].sha256: pattern is '^a' now",
        ),
        (lambda new: new["properties"]["name"].update(format="email"), "$.name: format is 'email' now"),
        (lambda new: new["properties"]["letters"].update(items=False), "$.letters[]: nothing is taken any more"),
        (lambda new: new.update(additionalProperties=False), "$.*: nothing is taken any more"),
    ],
)
def test_each_kind_of_break_is_found(change: Callable[[Any], object], found: str) -> None:
    """A field that goes or becomes required, and a value no longer taken, are each one finding with its place."""
    assert changed(change) == [found]


@pytest.mark.parametrize(
    "change",
    [
        lambda new: new["properties"].update(colour={"type": "string"}),
        lambda new: new["$defs"]["Letter"]["properties"].update(pages={"type": "integer"}),
        lambda new: new["$defs"]["Status"]["enum"].append("parked"),
        lambda new: new["$defs"]["Status"].pop("enum"),
        lambda new: new["properties"]["name"].update(maxLength=200, minLength=0),
        lambda new: new["properties"]["name"].pop("maxLength"),
        lambda new: new["properties"]["count"].pop("minimum"),
        lambda new: new["properties"]["note"]["anyOf"].append({"type": "integer"}),
        lambda new: new["properties"]["id"].pop("format"),
        lambda new: new.update(title="Other", description="Other words."),
        lambda new: new["properties"].update(status=new["$defs"].pop("Status")),
    ],
)
def test_what_only_adds_passes(change: Callable[[Any], object]) -> None:
    """An optional addition, a wider bound, a longer enum, other words and a moved definition break nobody."""
    assert changed(change) == []


def test_several_breaks_are_all_found() -> None:
    """One change that breaks in three places is told three times."""
    found = changed(
        lambda new: (
            new["properties"].pop("note"),
            new["required"].append("count"),
            new["properties"]["name"].update(maxLength=60),
        )
    )
    assert sorted(found) == ["$.count: required now", "$.name: maxLength is 60 now", "$.note: removed"]
