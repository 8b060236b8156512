"""Tells whether a message's schema may replace another without breaking who reads or sends by the old one."""

from collections.abc import Iterator
from typing import Any, TypeAlias

Schema: TypeAlias = dict[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("pattern", "format", "multipleOf", "uniqueItems")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Everything in ``new`` that breaks a promise of ``old``, each with where it is; empty: compatible.

    A field may come that is optional, a bound may widen and an enum may grow. A field may not go, become or
    cease to be required, or take less than it took.
    """
    return list(_Comparison(old, new).breaks(old, new, "$"))


class _Comparison:
    """Two documents, whose references are followed."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old_definitions, self._new_definitions = old.get("$defs", {}), new.get("$defs", {})
        self._open: set[tuple[int, int]] = set()

    def breaks(self, old: Schema | bool, new: Schema | bool, at: str) -> Iterator[str]:
        """What the new schema breaks at one place."""
        if isinstance(old, bool) or isinstance(new, bool):
            if old is not False and new is False:
                yield f"{at}: nothing is taken any more"
            return
        before = _alternatives(old, self._old_definitions)
        after = _alternatives(new, self._new_definitions)
        for each in before:
            found = [list(self._breaks_of_one(each, candidate, at)) for candidate in after]
            yield from min(found, key=len)

    def _breaks_of_one(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        if (id(old), id(new)) in self._open:  # a schema that holds itself
            return
        self._open.add((id(old), id(new)))
        try:
            yield from _breaks_of_values(old, new, at)
            yield from self._breaks_of_fields(old, new, at)
            yield from self._breaks_of_items(old, new, at)
        finally:
            self._open.discard((id(old), id(new)))

    def _breaks_of_fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        had, has = old.get("properties", {}), new.get("properties", {})
        required, requires = set(old.get("required", ())), set(new.get("required", ()))
        for name in had.keys() - has.keys():
            yield f"{at}.{name}: removed"
        for name in sorted(requires - required):
            yield f"{at}.{name}: required now"
        for name in sorted((required - requires) & has.keys()):
            yield f"{at}.{name}: no longer certain to be there"
        for name in had.keys() & has.keys():
            yield from self.breaks(had[name], has[name], f"{at}.{name}")
        yield from self.breaks(old.get("additionalProperties", True), new.get("additionalProperties", True), f"{at}.*")

    def _breaks_of_items(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        if "items" in new:
            yield from self.breaks(old.get("items", {}), new["items"], f"{at}[]")


def _alternatives(schema: Schema, definitions: Schema) -> list[Schema]:
    """The schema without references and unions: any one of these must hold."""
    if "$ref" in schema:
        named = definitions[schema["$ref"].rpartition("/")[2]]
        return _alternatives(named, definitions)
    unions = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if unions:
        return [flat for each in unions for flat in _alternatives(each, definitions)]
    return [schema]


def _breaks_of_values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """Values that the old schema takes and the new one does not, as far as keywords tell."""
    if lost := _types(old) - _types(new):
        yield f"{at}: no longer {' or '.join(sorted(lost))}"
    yield from _breaks_of_enum(_values(old), _values(new), at)
    for word in _LOWER:
        if word in new and new[word] > old.get(word, float("-inf")):
            yield f"{at}: {word} is {new[word]} now"
    for word in _UPPER:
        if word in new and new[word] < old.get(word, float("inf")):
            yield f"{at}: {word} is {new[word]} now"
    for word in _EXACT:
        if word in new and new[word] != old.get(word):
            yield f"{at}: {word} is {new[word]!r} now"


def _breaks_of_enum(had: list[Any] | None, has: list[Any] | None, at: str) -> Iterator[str]:
    if has is None:
        return
    if had is None:
        yield f"{at}: only {has} now"
    elif gone := [value for value in had if value not in has]:
        yield f"{at}: no longer {gone}"


def _types(schema: Schema) -> set[str]:
    every = {"string", "number", "integer", "boolean", "object", "array", "null"}
    named = schema.get("type", sorted(every))
    types = {named} if isinstance(named, str) else set(named)
    return types | {"integer"} if "number" in types else types


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values
