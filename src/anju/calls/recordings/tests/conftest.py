from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, settings: object) -> Path:
    """The engine's folder."""
    made = tmp_path / "recordings"
    made.mkdir()
    settings.ANJU_RECORDINGS = str(made)  # type: ignore[attr-defined]
    return made
