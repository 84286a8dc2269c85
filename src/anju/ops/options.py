"""What `./run` may be told, and what it refuses."""

from __future__ import annotations

import argparse
import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_GATEWAYS = 16


class RefusedError(ValueError):
    """These options can't go together; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """One start. `certificate` and `key` are both empty or both given; empty with `https` means our own authority."""

    host: str
    port: int
    gateway_port: int
    https: bool
    certificate: str
    key: str
    production: bool
    demo: bool
    hosts: tuple[str, ...]
    database_url: str
    telephony: bool = False
    simulated_telephony: bool = False
    town: bool = False
    """The demo's virtual town lives by itself."""
    sip_port: int = 5060
    sip_host: str = "127.0.0.1"
    gateway_processes: int = 1
    """So many share the gateway's port."""

    @property
    def ari_port(self) -> int:
        """Where the telephone engine is told what to do, on loopback only; also the plain WebSocket of the softphone."""
        return self.gateway_port + 3

    @property
    def wss_port(self) -> int:
        """Where browsers on HTTPS pages reach the telephone engine."""
        return self.gateway_port + 4

    @property
    def router_port(self) -> int:
        """Where the router tells its metrics, on loopback only."""
        return self.gateway_port + 1

    @property
    def urgent_port(self) -> int:
        """The same of the process that takes what is urgent."""
        return self.gateway_port + 2

    @property
    def mode(self) -> str:
        """What settings call ANJU_MODE."""
        return "production" if self.production else "demo"

    @property
    def scheme(self) -> str:
        """Of every address that we print."""
        return "https" if self.https else "http"


def parser() -> argparse.ArgumentParser:
    """The command line of `./run`."""
    made = argparse.ArgumentParser(
        prog="./run",
        description="Sets up and starts the whole platform. Settings can also stand in var/anju.env.",
    )
    made.add_argument("--port", type=int, help="of the pages (8000); gateway, metrics and telephone take the next six")
    made.add_argument("--host", help="address to listen on (127.0.0.1); beyond loopback HTTPS is switched on")
    made.add_argument("--https", action="store_true", help="HTTPS, by a local authority unless a certificate is given")
    made.add_argument("--certificate", metavar="FILE", help="PEM, with its chain")
    made.add_argument("--key", metavar="FILE", help="PEM, of the certificate")
    made.add_argument("--production", action="store_true", help="refuses demo, plain HTTP and simulator")
    made.add_argument("--no-demo", action="store_true", help="start with an empty platform")
    made.add_argument("--no-town", action="store_true", help="the demo's virtual town stays still")
    made.add_argument(
        "--telephony", action="store_true", help="install the telephone engine (Asterisk) if it is not here"
    )
    made.add_argument(
        "--simulated-telephony",
        action="store_true",
        help="no telephone engine even if one is here; no real call comes in",
    )
    made.add_argument("--sip-port", type=int, help="where SIP is spoken (5060; with --port: that port + 6)")
    return made


def is_loopback(host: str) -> bool:
    """Only this machine can reach that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_options(arguments: Sequence[str], settings: Mapping[str, str]) -> Options:
    """Options over settings over defaults; raises `RefusedError` for what must not be."""
    told = parser().parse_args(arguments)
    host = told.host or settings.get("ANJU_HOST") or "127.0.0.1"
    port = told.port or _number(settings, "ANJU_PORT", 8000)
    production = told.production or settings.get("ANJU_MODE") == "production"
    certificate = told.certificate or settings.get("ANJU_TLS_CERT", "")
    key = told.key or settings.get("ANJU_TLS_KEY", "")
    options = Options(
        host=host,
        port=port,
        gateway_port=_number(settings, "ANJU_GATEWAY_PORT", port + 1) if told.port is None else port + 1,
        https=told.https or bool(certificate) or settings.get("ANJU_HTTPS") == "1" or not is_loopback(host),
        certificate=certificate,
        key=key,
        production=production,
        demo=not (production or told.no_demo),
        town=not (production or told.no_demo or told.no_town),
        hosts=tuple(part.strip() for part in settings.get("ANJU_HOSTS", "").split(",") if part.strip()),
        database_url=settings.get("DATABASE_URL", ""),
        telephony=told.telephony,
        simulated_telephony=told.simulated_telephony or settings.get("ANJU_EXCHANGE") == "simulator",
        sip_port=told.sip_port or _number(settings, "ANJU_SIP_PORT", 5060 if port == 8000 else port + 6),
        gateway_processes=_number(settings, "ANJU_GATEWAY_PROCESSES", min(2, len(os.sched_getaffinity(0)))),
        sip_host=settings.get("ANJU_SIP_HOST") or {"localhost": "127.0.0.1"}.get(host, host),
    )
    _refuse(options)
    return options


def _number(settings: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(settings.get(name) or default)
    except ValueError:
        raise RefusedError(f"{name} must be a number, not {settings[name]!r}.") from None


def _refuse(options: Options) -> None:
    if options.telephony and options.simulated_telephony:
        raise RefusedError("--telephony installs a real engine, --simulated-telephony refuses one: give one of them.")
    for port in (options.port, options.gateway_port, options.urgent_port, options.wss_port, options.sip_port):
        if not 1 <= port <= 65535:
            raise RefusedError(f"{port} is no port: choose one from 1024 to 65534 (--port).")
    if not 1 <= options.gateway_processes <= MOST_GATEWAYS:
        raise RefusedError(f"ANJU_GATEWAY_PROCESSES must be 1 to {MOST_GATEWAYS}, not {options.gateway_processes}.")
    if bool(options.certificate) != bool(options.key):
        raise RefusedError("A certificate and its key go together: give --certificate and --key.")
    for name in (options.certificate, options.key):
        if name and not Path(name).is_file():
            raise RefusedError(f"{name} is not there.")
    if options.production and not options.https:
        raise RefusedError(
            "--production refuses plain HTTP: add --https (a local authority), or --certificate and --key.",
        )
    if options.production and (not options.hosts or "*" in options.hosts):
        raise RefusedError(
            "--production needs the names that browsers use: ANJU_HOSTS=anju.example.org in var/anju.env."
        )
