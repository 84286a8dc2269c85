"""How to begin a call, for the tests that hold of every flow."""

from anju.calls.testing import planned
from anju.kernel.testing import opens

opens("call", planned)
