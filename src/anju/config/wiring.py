"""Who reacts to what: the one page that joins modules which may not know each other.

`connect()` is called once by `ConfigConfig.ready()`. A reaction is `now` (same transaction) or a job.
"""

from __future__ import annotations


def connect() -> None:
    """Register every reaction."""
