"""If-Match, as RFC 9110 writes it."""

import pytest

from services.tickets import work_routes
from shared.runtime.problems import Problem


@pytest.mark.parametrize("header", [None, "*", " * "])
async def test_no_condition_names_no_version(header: str | None) -> None:
    """Without If-Match, and with *, whatever is there will do."""
    assert await work_routes.versions(header) is None


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        ('"1"', frozenset({"1"})),
        ('"1","2" ,\t"3"', frozenset({"1", "2", "3"})),
        (', "1",, "2",', frozenset({"1", "2"})),
        ('"abc"', frozenset({"abc"})),
        ('"a,b"', frozenset({"a,b"})),
        ('"\xe9"', frozenset({"\xe9"})),
        ('"01"', frozenset({"01"})),
        ('""', frozenset({""})),
        ('W/"1"', frozenset()),
        ('W/"1", "2"', frozenset({"2"})),
        ("", frozenset()),
    ],
)
async def test_every_strong_tag_of_a_list_is_named(header: str, versions: frozenset[str]) -> None:
    """Each strong tag counts as it is written, also one that no ticket can have; a weak one never does."""
    assert await work_routes.versions(header) == versions


@pytest.mark.parametrize(
    "header",
    ["1", "abc", '"1', '1"', '"1" "2"', '"1""2"', 'w/"1"', 'W/ "1"', "W/1", '*, "1"', "* *", '"a b"', "'1'"],
)
async def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    """Only what the grammar does not have is a bad request."""
    with pytest.raises(Problem) as refused:
        await work_routes.versions(header)
    assert (refused.value.status, refused.value.body.title) == (400, "Bad if match")
