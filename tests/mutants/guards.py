"""The guards, as ``guards.toml`` lists them."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

ROOT = Path(__file__).parents[2]


class Guard(BaseModel):
    """One guard: ``code`` in ``file`` becomes ``without``, and at least one of ``tests`` must fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose: str
    file: str
    code: str
    without: str
    tests: tuple[str, ...]

    def take_out(self, root: Path) -> None:
        """Take the guard out of the tree at ``root``.

        Raises:
            ValueError: the code is not there exactly once.
        """
        path = root / self.file
        text = path.read_text()
        if text.count(self.code) != 1:
            raise ValueError(f"{self.file} has this {text.count(self.code)} times: {self.code!r}")
        path.write_text(text.replace(self.code, self.without))


def read_guards() -> dict[str, Guard]:
    """Every guard by its name."""
    table = tomllib.loads(Path(__file__).with_name("guards.toml").read_text())
    return TypeAdapter(dict[str, Guard]).validate_python(table)
