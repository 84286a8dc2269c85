"""How to begin a contact, for the tests that hold of every flow."""

from anju.kernel.testing import opens
from anju.supervision.contacts import actions
from anju.supervision.contacts.models import Contact


def a_letter() -> Contact:
    """Somebody writes on the web."""
    return actions.receive(channel="web", text="想问问助浴怎么约")


opens("contact", a_letter)
