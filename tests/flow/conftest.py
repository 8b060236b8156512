"""The desk of the flow tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flow.world import World, desk


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A desk that runs."""
    async with desk(tmp_path, monkeypatch) as running:
        yield running
