"""Background work of contacts: what belongs to a message is fetched from WeChat; what is kept long enough goes."""

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


@periodic("50 3 * * *")
@job("contacts.forget_strangers")
def forget_strangers() -> None:
    """Every night: words of people without a file go when their time is over."""
    from anju.supervision.contacts import keeping

    keeping.forget_strangers()
