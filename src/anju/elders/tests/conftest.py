"""The district in which files are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from anju.places.tests.factories import make_district


@pytest.fixture
def district(db: None, everywhere: None, let_pass: Callable[..., int]) -> None:
    """望潮区 on a Friday at noon."""
    make_district()
