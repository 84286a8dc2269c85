"""`var/run.json`: what a client needs to know of the running platform (addresses, demo log-ins, secrets, pids)."""

from __future__ import annotations

from typing import Any

from anju.ops.home import Home, write_private
from anju.ops.options import Options

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}  # noqa: S104 - to compare with, not to bind


def address(options: Options, port: int) -> str:
    """The address of a port, as a browser on this machine writes it."""
    host = _ANYWHERE.get(options.host, options.host)
    if options.production and options.hosts:
        host = options.hosts[0]
    return f"{options.scheme}://{host}:{port}"


class RunFile:
    """Kept up to date by the supervisor. `doors` is what `manage.py doors` printed: the domain's own part."""

    def __init__(self, home: Home, options: Options) -> None:
        self.home = home
        self.content: dict[str, Any] = {
            "ready": False,
            "web": address(options, options.port),
            "api": {"url": address(options, options.port) + "/api", "token": None},
            "gateway": {},
            "mqtt": None,
            "metrics": [],
            "logins": [],
            "processes": {},
            "demo_devices": [],
            "sip": None,
        }

    def open(self, doors: dict[str, Any]) -> None:
        """Take over what the domain says of its doors."""
        self.content.update({key: value for key, value in doors.items() if key in self.content and key != "ready"})

    def write(self, ready: bool, processes: dict[str, int]) -> None:  # noqa: FBT001 - the supervisor's call-back
        """Say who runs, and whether all of them answer."""
        self.content["ready"] = ready
        self.content["processes"] = processes
        write_private(self.home.run, self.content)
