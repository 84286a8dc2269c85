"""`manage.py urgent`: takes an SOS and its like from the log, and nothing else, so that nothing can delay it."""

from __future__ import annotations

from typing import ClassVar

from anju.config.management.commands.router import Command as RouterCommand


class Command(RouterCommand):
    """The router's urgent reader as a process of its own; `router` takes over within seconds if it dies."""

    help = "the process that takes what is urgent (started by ./run)"
    urgent_only: ClassVar[bool] = True
    port_setting: ClassVar[str] = "ANJU_URGENT_METRICS_PORT"
