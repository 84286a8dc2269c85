"""Background work of alarms: the watch in case the router is down, and the books of every hour and every night."""

from __future__ import annotations

from datetime import timedelta

from anju.alarms import priors, sensing, states, watch
from anju.kernel import clock
from anju.kernel.jobs import job, periodic
from anju.kernel.scope import EVERYWHERE, seen_by


@periodic("* * * * *")
@job("alarms.look", retry=None)
def look() -> None:
    """What waits, differs or is silent (the router looks every 5 s; this one looks when there is no router)."""
    watch.look()


@periodic("5 * * * *")
@job("alarms.prove_hour", retry=None)
def prove_hour() -> None:
    """The books of the hour that closed five minutes ago."""
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    watch.prove(hour - timedelta(hours=1), hour)


@periodic("40 2 * * *")
@job("alarms.prove_day", retry=None)
def prove_day() -> None:
    """The books of yesterday, hour by hour (late retries and closings included)."""
    midnight = clock.local(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    for n in range(24):
        watch.prove(midnight - timedelta(hours=24 - n), midnight - timedelta(hours=23 - n))


@periodic("20 3 * * *")
@job("alarms.enrol_all", retry=None)
def enrol_all() -> None:
    """Who is watched follows the consents and devices of the day."""
    sensing.enrol_all()


@periodic("15 * * * *")
@job("alarms.notice_returns", retry=None)
def notice_returns() -> None:
    """Homes that are said to be empty, and where somebody moves about."""
    states.notice_returns()


@periodic("50 3 * * 1")
@job("alarms.learn_priors", retry=None)
def learn_priors() -> None:
    """Once a week: what is usual for each placement, from the homes that are watched."""
    with seen_by(EVERYWHERE):
        priors.learn()
