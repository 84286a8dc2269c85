"""`./run`: sets up and starts the whole platform, and stops it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from anju.ops import probes, tls
from anju.ops.child import Child
from anju.ops.console import complain, say, step
from anju.ops.environment import for_processes, settings_of
from anju.ops.home import ROOT, Home, write_private
from anju.ops.options import Options, RefusedError, read_options
from anju.ops.postgres import PostgresError, Server, choose_home, free_port
from anju.ops.processes import spawn
from anju.ops.runfile import RunFile, address
from anju.ops.secrets import Secrets
from anju.ops.setup import StepFailedError, collect_static, knows, load_demo, manage, migrate
from anju.ops.supervisor import StopRequested, Supervisor, end_the_left
from anju.ops.table import TOWN, Process, processes
from anju.ops.telephony import Telephony

DEMO_HOMES = 200
"""As many homes as `manage.py demo` makes."""


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 stopped on request, 1 could not start, 2 refused."""
    home = Home.current()
    try:
        settings = settings_of(home)
        options = read_options(arguments, settings)
    except (RefusedError, ValueError) as refusal:
        complain(f"./run: {refusal}")
        return 2
    home.make()
    lock = home.lock("./run")
    if lock is None:
        who = home.locked_by()
        complain(f"./run: {home.path} is in use by {who}. Stop that first, or set ANJU_HOME to another folder.")
        return 2
    with lock:
        return Run(home, options, settings).run()


class Run:
    """One start of the platform, from set-up to stop."""

    def __init__(self, home: Home, options: Options, settings: Mapping[str, str]) -> None:
        self.home = home
        self.options = options
        self.settings = dict(settings)
        self.secrets = Secrets.load_or_create(home.secrets)
        self.run_file = RunFile(home, options)
        self.supervisor = Supervisor(home, self._on_change)
        self.telephony = Telephony(home, options, self.settings, self.secrets)
        self.env: dict[str, str] = {}
        self.certificate: tls.Certificate | None = None
        self._loaded = b""
        self.greeted = False
        self.waiting_for = ""

    def run(self) -> int:
        """Set up, watch until a signal, stop."""
        self.run_file.write(ready=False, processes={})
        try:
            self._set_up()
            self.supervisor.run()
        except StopRequested:
            pass
        except (PostgresError, StepFailedError, RefusedError) as problem:
            complain(f"\n./run: {problem}")
            return 1
        finally:
            say("\n  … stopping")
            self.supervisor.stop()
            self.run_file.write(ready=False, processes={})
        say("  ✓ stopped; nothing is lost, ./run goes on where it was")
        return 0

    def _set_up(self) -> None:
        say(f"Anju 安居 — {'production' if self.options.production else 'demo'}, data in {self.home.path}")
        self.telephony.find()
        self._certificate()
        server = self._server()
        end_the_left(self.home, server.data if server else None, say)
        self._check_ports()
        if server:
            self._start_server(server)
        database = server.url if server else self.options.database_url
        self.env = for_processes(self.home, self._settings_for_processes(database))
        write_private(self.home.environment, self.env)
        migrate(self.home, self.env)
        collect_static(self.home, self.env)
        if self.options.demo:
            load_demo(self.home, self.env)
        self._refuse_demo_in_production()
        self._telephone()
        if knows("doors"):
            self._doors()
        table = [process for process in processes(self.env) if knows(process.command)]
        say("  … starting " + ", ".join([*(c.name for c in self.supervisor.children), *(p.name for p in table)]))
        for process in table:
            self.supervisor.add(self._child(process))
        if self.options.town:
            self.supervisor.add(Child(TOWN.name, self._live, answers=lambda: True))
        self.supervisor.patience.append(self._who_is_late)

    def _telephone(self) -> None:
        """The engine first: calls are answered (by itself) before anything of ours runs."""
        self.telephony.prepare(lambda *words: manage(self.home, self.env, *words))
        if child := self.telephony.make_child():
            self.supervisor.add(child)
            self.supervisor.hourly.append(self.telephony.tidy)
        else:
            say(
                "  ! no telephone engine: the simulator serves, no real call can come in (./run --telephony installs one)"
            )

    def _doors(self) -> None:
        """What clients need to know; without it the platform works all the same."""
        try:
            self.run_file.open(json.loads(manage(self.home, self.env, "doors", log="doors").splitlines()[-1]))
        except (StepFailedError, ValueError, IndexError) as problem:
            complain(f"  ! {self.home.run} stays without secrets and log-ins: {problem}")
        if not (self.home.path / "demo.stamp").exists():  # nobody of the demo is here
            sip = {**(self.run_file.content["sip"] or {}), "demo_phones": [], "seats": []}
            self.run_file.open({"logins": [], "demo_devices": [], "sip": sip})

    def _refuse_demo_in_production(self) -> None:
        if self.options.production and knows("production"):
            with step("looking for what production refuses"):
                manage(self.home, self.env, "production")

    def _certificate(self) -> None:
        if not self.options.https:
            return
        if self.options.certificate:
            paths = Path(self.options.certificate).resolve(), Path(self.options.key).resolve()
            self.certificate = tls.Certificate(*paths, authority=None)
            self._loaded = tls.pair(self.certificate)
        else:
            self._own_certificate()
        self.supervisor.hourly.append(self._renew)

    def _own_certificate(self) -> bool:
        names = tls.names_of_machine([*self.options.hosts, self.options.host])
        self.certificate, new = tls.ensure(self.home.tls, names)
        return new

    def _given_anew(self) -> bool:
        """Whoever issues the given certificate has laid a new one there, with its key."""
        found = tls.pair(self.certificate) if self.certificate is not None else b""
        if not found or found == self._loaded:  # also half written: looked at again in an hour
            return False
        self._loaded = found
        return True

    def _renew(self) -> None:
        if self._given_anew() if self.options.certificate else self._own_certificate():
            addressed = [p for p in processes(self.env) if p.address]
            for command in {p.command: None for p in addressed}:  # those that share a port one after another
                self.supervisor.restart(
                    [p.name for p in addressed if p.command == command], "its certificate was renewed"
                )
            self.telephony.certificate_renewed(lambda *words: manage(self.home, self.env, *words))

    def _server(self) -> Server | None:
        """The embedded database, unless DATABASE_URL names another."""
        if self.options.database_url:
            return None
        place, remark = choose_home(self.home.path)
        if remark:
            say(f"  ! {remark}")
        return Server(place, self.secrets.postgres, self.secrets.postgres_admin)

    def _start_server(self, server: Server) -> None:
        what = "starting PostgreSQL" if server.data.exists() else "making the database"
        with step(what):
            server.prepare()
            child = Child(
                "postgres", lambda: self._spawn_server(server), server.answers, gently=signal.SIGINT, patience=60,
            )  # fmt: skip
            self.supervisor.add(child, base=True)
            child.begin()
            self.supervisor.report()
            server.wait_ready(child.process, tell=lambda words: say(f"    {words}"))
            server.ensure_database()
            child.up = True

    def _spawn_server(self, server: Server) -> subprocess.Popen[bytes]:
        with (self.home.logs / "postgres.log").open("ab") as out:
            env, end = server.environment(), signal.SIGINT
            return spawn(server.command(), env=env, cwd=server.home, out=out, user=server.user, death=end)

    def _check_ports(self) -> None:
        options = self.options
        wanted = (
            (options.port, options.host, "the pages"),
            (options.gateway_port, options.host, "the gateway"),
            (options.router_port, "127.0.0.1", "the router's metrics"),
            (options.urgent_port, "127.0.0.1", "the urgent router's metrics"),
            *self.telephony.ports(),
        )
        for port, host, what in wanted:
            if free_port(port, host) != port:
                raise RefusedError(
                    f"Port {port} (for {what}) is taken by another program. Choose another: ./run --port {port + 100}",
                )
        if self.telephony.udp_taken():
            raise RefusedError(
                f"UDP port {options.sip_port} (for the telephone, SIP) is taken by another program. Choose another: "
                f"./run --sip-port {options.sip_port + 100}",
            )

    def _settings_for_processes(self, database: str) -> dict[str, str]:
        options = self.options
        told = {
            "ANJU_MODE": options.mode,
            "ANJU_HOST": options.host,
            "ANJU_PORT": str(options.port),
            "ANJU_GATEWAY_PORT": str(options.gateway_port),
            "ANJU_GATEWAY_PROCESSES": str(options.gateway_processes),
            "ANJU_ROUTER_METRICS_PORT": str(options.router_port),
            "ANJU_URGENT_METRICS_PORT": str(options.urgent_port),
            "ANJU_HTTPS": "1" if options.https else "0",
            "ANJU_WEB_URL": address(options, options.port),
            "ANJU_GATEWAY_URL": address(options, options.gateway_port),
            "DATABASE_URL": database,
            **self.telephony.environment(),
        }
        if self.certificate:
            told |= {"ANJU_TLS_CERT": str(self.certificate.certificate), "ANJU_TLS_KEY": str(self.certificate.key)}
        return {**self.settings, **told}

    def _live(self) -> subprocess.Popen[bytes]:
        """The town waits by itself until the gateway answers, and takes up again after every restart."""
        with (self.home.logs / f"{TOWN.name}.log").open("ab") as out:
            command = [sys.executable, "manage.py", "simulate", "--live", "--quiet", "--homes", str(DEMO_HOMES)]
            return spawn(command, env={**self.env, "ANJU_PROCESS": TOWN.name}, cwd=ROOT, out=out)

    def _child(self, process: Process) -> Child:
        own = {"port": 0}

        def start() -> subprocess.Popen[bytes]:
            (self.home.beats / f"{process.name}.beat").unlink(missing_ok=True)
            env = {**self.env, "ANJU_PROCESS": process.name}
            if process.number:
                own["port"] = free_port()
                env["ANJU_OWN_PORT"] = str(own["port"])
            with (self.home.logs / f"{process.name}.log").open("ab") as out:
                return spawn([sys.executable, "manage.py", *process.arguments], env=env, cwd=ROOT, out=out)

        def answers() -> bool:
            if not process.address:
                return probes.beats(process.name, self.home)
            if process.number and self.options.gateway_processes > 1:  # at the shared port another one may answer
                return probes.http_answers("127.0.0.1", own["port"], https=self.options.https)
            name = self.options.hosts[0] if self.options.hosts else ""
            port = int(self.env[process.address])
            return probes.http_answers(self.options.host, port, https=self.options.https, name=name)

        return Child(process.name, start, answers)

    def _on_change(self, ready: bool, processes: dict[str, int]) -> None:  # noqa: FBT001 - the supervisor's call-back
        self.run_file.write(ready, processes)
        if ready and not self.greeted:
            self.greeted = True
            self._greet()

    def _who_is_late(self) -> None:
        """Said until everybody has answered once, when it changes."""
        late = [child for child in self.supervisor.all if not child.up]
        text = ", ".join(f"{child.name} ({child.last_exit})" if child.last_exit else child.name for child in late)
        if not self.greeted and text != self.waiting_for:
            self.waiting_for = text
            say(f"    waiting for {text}" + (f"; the logs are in {self.home.logs}" if "(" in text else ""))

    def _greet(self) -> None:
        say(f"  ✓ everything answers\n\n  Open {address(self.options, self.options.port)}/\n")
        if self.options.host in {"0.0.0.0", "::"}:  # noqa: S104 - to compare with, not to bind
            others = [name for name in tls.names_of_machine(self.options.hosts) if ":" not in name]
            say(f"  Other machines use one of these names: {', '.join(others)}\n")
        rows = self.run_file.content["logins"]
        if rows:
            say("  This is a demo with invented people. Log in as (user / password):")
            for row in rows:
                say(f"    {row['user']:<12} {row['password']:<16} {row['role']}")
            say("  The virtual town lives at the speed of life; ./anju simulate --sos-every 60 presses SOS cords.")
        else:
            say(
                "  No account is built in. On the first day make the three administrators, each gets a password for one log-in; they make all others:"
            )
            say(
                "    ./anju administrators 330199000000 --name 望潮区 --system wang=王一 --security li=李二 --audit zhao=赵三"
            )
        if self.certificate and self.certificate.authority:
            say(tls.how_to_trust(self.certificate.authority, address(self.options, self.options.port)))
        say(f"  Addresses and secrets for machines: {self.home.run}\n  Stop with Ctrl-C.")
