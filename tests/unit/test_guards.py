"""The list of guards fits the code: each guard is there to be taken out, each test to notice it."""

from pathlib import Path

import pytest

from tests.mutants.guards import ROOT, Guard, read_guards

GUARDS = read_guards()


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_can_be_taken_out(name: str, tmp_path: Path) -> None:
    """Its code is in its file exactly once, and the file is Python without it too."""
    guard = GUARDS[name]
    copy = tmp_path / guard.file
    copy.parent.mkdir(parents=True)
    copy.write_text((ROOT / guard.file).read_text())
    guard.take_out(tmp_path)
    compile(copy.read_text(), guard.file, "exec")


@pytest.mark.parametrize("test", sorted({test for guard in GUARDS.values() for test in guard.tests}))
def test_a_guards_test_exists(test: str) -> None:
    """What must notice is a test, or a file of tests."""
    path, _, name = test.partition("::")
    assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text() if name else (ROOT / path).is_file()


def test_a_guard_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Code that has changed since is no guard taken out: the list must be brought up to date."""
    (tmp_path / "bus.py").write_text("persist=True, persist=True")
    guard = Guard(purpose="", file="bus.py", code="persist=True", without="persist=False", tests=())
    with pytest.raises(ValueError, match="2 times"):
        guard.take_out(tmp_path)
