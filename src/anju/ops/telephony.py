"""The telephone engine in one start of the platform: found or installed, configured from the tables, watched, tidied."""

from __future__ import annotations

import base64
import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from anju.ops import asterisk, asterisk_install
from anju.ops.child import Child
from anju.ops.console import complain, say, step
from anju.ops.home import Home
from anju.ops.options import Options, RefusedError
from anju.ops.processes import OsUser, memory_kib, spawn
from anju.ops.secrets import Secrets
from anju.ops.setup import StepFailedError
from anju.ops.table import ENGINE

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/nonexistent"}
DEAF_SECONDS = 15.0
"""A frozen engine takes no call: it is killed sooner than other processes."""
TRIM_HOUR = 3
TRIM_ABOVE_KIB = 400 * 1024
"""The C library keeps freed memory; the engine is told to give it back at night, or when it holds this much."""
ARI_USER = "anju"


class Telephony:
    """What `./run` does about the telephone. Without an engine the simulator serves, and the desk says so."""

    def __init__(self, home: Home, options: Options, settings: Mapping[str, str], secrets: Secrets) -> None:
        self.home, self.options, self.settings, self.secrets = home, options, settings, secrets
        self.tree: asterisk.Tree | None = None
        self.user: OsUser | None = None
        self.child: Child | None = None
        self._trimmed = ""

    @property
    def base(self) -> Path:
        """The engine's folder."""
        told = self.settings.get("ANJU_ASTERISK_HOME")
        return Path(told) if told else asterisk.base_folder(self.home)

    @property
    def recordings(self) -> Path:
        """Where calls are recorded, writable by the engine's user."""
        if told := self.settings.get("ANJU_RECORDINGS"):
            return Path(told)
        return (self.home.path if self.base.is_relative_to(self.home.path) else self.base.parent) / "recordings"

    @property
    def config(self) -> Path:
        """Its main file."""
        return self.base / "etc" / "asterisk.conf"

    def find(self) -> None:
        """Find the engine, or install it when told to. RefusedError in plain words."""
        if self.options.simulated_telephony:
            return
        try:
            self.user = asterisk.user()
            self.tree = asterisk.find(self.home)
            if self.tree is None and self.options.telephony:
                if why := asterisk.why_not_the_systems():
                    say(f"  ! {why}: a private Asterisk is made instead")
                with step("installing the telephone engine (Asterisk, about 80 MB)"):
                    self.tree = asterisk_install.ensure(asterisk.tree_folder(self.home), self.user)
        except asterisk.AsteriskError as problem:
            if self.options.telephony or self.options.production:
                raise RefusedError(str(problem)) from problem
            complain(f"  ! no telephone engine: {problem}")
        if self.tree is None and self.options.production:
            raise RefusedError(
                "--production refuses the simulated telephone: nobody could call. Add --telephony (installs the engine), "
                "or --simulated-telephony if calls are answered elsewhere.",
            )

    def environment(self) -> dict[str, str]:
        """The settings of every process about the telephone."""
        folders = {"ANJU_RECORDINGS": str(self.recordings), "ANJU_ASTERISK_HOME": str(self.base)}
        if self.tree is None:
            return {**folders, "ANJU_EXCHANGE": "simulator", "ANJU_ARI_URL": ""}
        options = self.options
        return {
            **folders,
            "ANJU_EXCHANGE": "asterisk",
            "ANJU_ASTERISK_TREE": str(self.tree.root),
            "ANJU_ARI_URL": f"http://127.0.0.1:{options.ari_port}",
            "ANJU_ARI_USER": ARI_USER,
            "ANJU_SIP_HOST": options.sip_host,
            "ANJU_SIP_PORT": str(options.sip_port),
            "ANJU_SIP_WS_PORT": str(options.ari_port),
            "ANJU_SIP_WSS_PORT": str(options.wss_port if options.https else 0),
        }

    def ports(self) -> tuple[tuple[int, str, str], ...]:
        """What must be free: port, address, what for."""
        if self.tree is None:
            return ()
        options = self.options
        return (
            (options.sip_port, options.sip_host, "the telephone (SIP)"),
            (options.ari_port, "127.0.0.1", "the telephone engine"),
            *(((options.wss_port, options.sip_host, "the softphone"),) if options.https else ()),
        )

    def udp_taken(self) -> bool:
        """Somebody else hears SIP's datagrams here. The engine would start, and be deaf to every trunk that uses them."""
        if self.tree is None:
            return False
        host = self.options.sip_host
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((host, self.options.sip_port))
            except OSError:
                return True
        return False

    def prepare(self, manage: Callable[..., str]) -> None:
        """Write the configuration from the tables. `manage` runs a management command."""
        if self.tree is None:
            return
        try:
            with step("writing the telephone lines"):
                manage("lines", "--write")
        except StepFailedError as problem:  # a row that can't be loaded must not keep the whole platform from starting
            if not self.config.exists():
                raise
            complain(f"  ! the telephone goes on with the lines that it had: {problem}")

    def make_child(self) -> Child | None:
        """The engine as the supervisor watches it."""
        if self.tree is None:
            return None
        self.child = Child(ENGINE, self._start, self.answers, gently=signal.SIGTERM, patience=10, deaf=DEAF_SECONDS)
        return self.child

    def _start(self) -> subprocess.Popen[bytes]:
        assert self.tree is not None  # noqa: S101 - there is a child only with a tree
        with (self.home.logs / f"{ENGINE}.log").open("ab") as out:
            return spawn(self.tree.start(self.config), env=ENVIRONMENT, cwd=self.base, out=out, user=self.user)

    def answers(self) -> bool:
        """ARI answers: the engine works, not merely runs."""
        key = base64.b64encode(f"{ARI_USER}:{self.secrets.ari}".encode()).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.options.ari_port, timeout=2)
        try:
            connection.request("GET", "/ari/asterisk/ping", headers={"Authorization": f"Basic {key}"})
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def say_to_engine(self, words: str) -> bool:
        """One word over the control socket (as the engine's own user)."""
        if self.tree is None or self.child is None or not self.child.up:
            return False
        who = self.user
        try:
            done = subprocess.run(
                self.tree.remote(self.config, words), env=ENVIRONMENT, cwd="/", capture_output=True, timeout=10, check=False,
                user=who.uid if who else None, group=who.gid if who else None, extra_groups=[] if who else None,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0

    def tidy(self) -> None:
        """Every hour: at night, or when it holds much, the engine gives memory back."""
        if self.child is None or self.child.identity is None:
            return
        now = time.localtime()
        night = time.strftime("%F", now) if now.tm_hour == TRIM_HOUR else ""
        if (night and night != self._trimmed) or memory_kib(self.child.identity.pid) > TRIM_ABOVE_KIB:
            self._trimmed = night or self._trimmed
            self.say_to_engine("malloc trim")

    def certificate_renewed(self, manage: Callable[..., str]) -> None:
        """Take over the new certificate; calls go on."""
        if self.tree is not None:
            manage("lines", "--write")
            self.say_to_engine("module reload http")
