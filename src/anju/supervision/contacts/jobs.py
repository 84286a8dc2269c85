"""Background work of contacts: what belongs to a message is fetched from WeChat."""

from __future__ import annotations

from anju.kernel.jobs import job, periodic


@job("contacts.fetch", retry=None)
def fetch(*, enclosure_id: int) -> None:
    """Fetch one; what fails is tried again by the round below."""
    from anju.supervision.contacts import enclosures

    enclosures.fetch(enclosure_id=enclosure_id)


@periodic("*/10 * * * *")
@job("contacts.fetch_left", retry=None)
def fetch_left() -> None:
    """Whatever has not come yet, as long as WeChat keeps it."""
    from anju.supervision.contacts import enclosures

    enclosures.fetch_left()
