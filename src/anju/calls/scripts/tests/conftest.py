"""The centre on the simulator, as the switchboard's own tests have it, with who reacts to calls in life."""

import pytest

from anju.calls.tests.control.conftest import centre as bare
from anju.config import wiring, wiring_calls

__all__ = ["bare"]


@pytest.fixture
def centre(bare):
    """With the reactions to calls: cases, call-backs."""
    wiring.emergencies()
    wiring_calls.telephone()
    wiring_calls.call_backs()
    return bare
