"""From the tables into the running engine: written, checked, loaded without dropping a call, taken back when it fails."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import httpx
from django.conf import settings

from anju.calls.lines import queries, speech
from anju.calls.lines.config import checking, writing
from anju.calls.lines.config.plan import Machine, Plan
from anju.ops import asterisk

log = logging.getLogger(__name__)

RELOADED = ("res_pjsip.so", "res_pjsip_endpoint_identifier_ip.so", "res_pjsip_outbound_registration.so", "pbx_config.so",
            "app_queue.so", "res_musiconhold.so")  # fmt: skip
"""Modules that read the tables' files; reloading them touches no call."""
SECONDS = 10.0


class NotLoaded(Exception):
    """The engine did not take the new configuration; it goes on with the old one."""


def plan() -> Plan:
    """What the engine should be now, with copies of the certificate that its user may read."""
    machine = queries.machine()
    if settings.ANJU_SIP_WSS_PORT and settings.ANJU_TLS_CERT:
        machine = writing.free_certificate(
            machine, Path(settings.ANJU_TLS_CERT), Path(settings.ANJU_TLS_KEY), asterisk.user()
        )
    else:
        machine = replace(machine, wss_port=0)
    return Plan(machine, queries.lines())


def write(wanted: Plan) -> bool:
    """Write all files; True when one of them changed. writing.RefusedConfig when a row must not be loaded."""
    folder = settings.ANJU_HOME / "prompts"
    return writing.write(wanted, queries.sounds(folder), speech.FOLDER / "tune.wav", owner=asterisk.user())


def apply() -> bool:
    """Take over what the tables say. True when the engine loaded something new. NotLoaded: the old one is back."""
    wanted = plan()
    checking_first = checking.grave(wanted)
    if checking_first:
        raise writing.RefusedConfig(checking_first)
    owed = (
        wanted.machine.home / "reload.owed"
    )  # what was written and not loaded (killed here, engine busy) is loaded next time
    unloaded = owed.exists()
    if not unloaded:
        wanted.machine.home.mkdir(parents=True, exist_ok=True)
        writing.keep(wanted.machine)
        owed.touch()
    if not write(wanted) and not unloaded:
        owed.unlink()
        return False
    try:
        reload(wanted.machine)
        missing = not_loaded(wanted)
    except httpx.HTTPError as error:
        log.warning("the engine does not answer; it is told of the new configuration later: %s", error)
        return False
    owed.unlink()
    if missing:
        writing.go_back(wanted.machine, asterisk.user())
        reload(wanted.machine)
        raise NotLoaded(f"the engine did not take {', '.join(sorted(missing))}; the old configuration is back")
    return True


def reload(machine: Machine) -> None:
    """Have the modules read their files anew."""
    with _client(machine) as http:
        for module in RELOADED:
            answer = http.put(f"/ari/asterisk/modules/{module}")
            if answer.status_code != httpx.codes.NOT_FOUND:  # this engine has no such module; the others go on
                answer.raise_for_status()


def not_loaded(wanted: Plan) -> set[str]:
    """Trunks, seats and phones of the plan that the engine does not have (it drops what it can't read, and goes on)."""
    lines = wanted.lines
    names = (
        {t.line for t in lines.trunks}
        | {s.extension for s in lines.seats}
        | {s.account for s in lines.seats}
        | {p.name for p in lines.phones}
    )
    with _client(wanted.machine) as http:
        there = {row["resource"] for row in http.get("/ari/endpoints").raise_for_status().json()}
    return names - there


def _client(machine: Machine) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{machine.ari_port}", auth=(machine.ari_user, machine.ari_password), timeout=SECONDS,
        trust_env=False,
    )  # fmt: skip
