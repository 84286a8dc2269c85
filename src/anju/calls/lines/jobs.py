"""Background work of the lines."""

from __future__ import annotations

import logging

from anju.kernel.jobs import job, periodic

log = logging.getLogger(__name__)


@periodic("*/10 * * * *")
@job("lines.apply")
def apply() -> None:
    """Write the configuration anew and have the engine load it; also every ten minutes, for what was missed.

    Who got a seat number since gets her telephone. Refused rows leave the running one as it is.
    """
    from anju.calls.lines import actions, applying
    from anju.calls.lines.config.writing import RefusedConfig
    from anju.calls.lines.queries import is_real

    if not is_real():
        return
    actions.ensure_seats()
    try:
        applying.apply()
    except (RefusedConfig, applying.NotLoaded) as refused:
        log.warning("the telephone lines stay as they were: %s", refused)
