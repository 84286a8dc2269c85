"""What other modules may ask of the telephone lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from anju.calls.lines import speech
from anju.calls.lines.config import checking, writing
from anju.calls.lines.config import plan as wanted
from anju.calls.lines.models import (
    AccessNumber,
    NumberPrompt,
    OneKeyPhone,
    Prompt,
    RescueNumber,
    SeatPhone,
    Trunk,
    number_code,
)
from anju.calls.models import Queue
from anju.kernel.scope import EVERYWHERE, seen_by
from anju.ops import asterisk
from anju.ops.home import Home
from anju.places import queries as places

if TYPE_CHECKING:
    from anju.accounts.models import User


@dataclass(frozen=True, slots=True)
class Softphone:
    """What a browser (or a SIP telephone) needs to sit at a seat. `websocket` is "" when there is no real engine."""

    extension: str
    account: str
    """What the browser registers and logs in as; a plain telephone uses the extension, with the same secret."""
    secret: str
    websocket: str
    realm: str


@dataclass(frozen=True, slots=True)
class Access:
    """A number that people dial. `queue`, `prompt`, `place` may be empty: then the usual one."""

    number: str
    label: str
    emergency: bool
    queue: str
    prompt: str
    place: str


@dataclass(frozen=True, slots=True)
class PhoneInfo:
    """A one-key phone: its account, its number, and the device that it is."""

    name: str
    number: str
    device_id: int
    home_id: int | None
    place: str


@dataclass(frozen=True, slots=True)
class PromptInfo:
    """A sentence of the telephone. `own`: a recording replaces the synthetic voice."""

    code: str
    label: str
    text: str
    own: bool
    seconds: float = 0.0
    uploaded_by: str = ""
    uploaded_at: datetime | None = None


def is_real() -> bool:
    """A real engine serves: calls from outside can come in."""
    return bool(settings.ANJU_ARI_URL) and settings.ANJU_EXCHANGE in {"", "asterisk"}


def softphone_of(user: User) -> Softphone | None:
    """The seat of this user; None when he has none (no seat number, or switched off)."""
    seat = SeatPhone.objects.filter(user_id=user.pk, active=True).first()
    if seat is None or not user.seat_number or not user.is_active:
        return None
    account = wanted.BROWSER + user.seat_number
    return Softphone(user.seat_number, account, seat.secret, websocket(), wanted.REALM)


def websocket(host: str = "") -> str:
    """Where a browser reaches the engine; `host` as the browser wrote it. "" when there is no real engine.

    A page on HTTPS may only open wss; a page on plain loopback HTTP may open ws.
    """
    if not is_real():
        return ""
    name = host or _name_of_host()
    if settings.ANJU_SIP_WSS_PORT:
        return f"wss://{name}:{settings.ANJU_SIP_WSS_PORT}/ws"
    return f"ws://{name}:{settings.ANJU_SIP_WS_PORT}/ws" if settings.ANJU_SIP_WS_PORT else ""


def _name_of_host() -> str:
    from urllib.parse import urlsplit

    host = urlsplit(settings.ANJU_WEB_URL).hostname or settings.ANJU_SIP_HOST
    return f"[{host}]" if ":" in host else host


def access_numbers() -> list[Access]:
    """Every number that is in use, emergency numbers first."""
    own = set(NumberPrompt.objects.values_list("number_id", flat=True))
    return [
        Access(r.number, r.label, r.emergency, r.queue, (_own(r.pk) if r.pk in own else "") or r.prompt, r.place)
        for r in AccessNumber.objects.filter(active=True)
    ]


def _own(number_id: int) -> str:
    """The number's own recording, as soon as the engine has it; until then callers hear what they heard before."""
    code = number_code(number_id)
    return code if not is_real() or (wanted.sounds_of(settings.ANJU_ASTERISK_HOME) / f"{code}.wav").exists() else ""


def access(number: str) -> Access | None:
    """The access number that was dialled; carriers write it with country or area code, so the end decides."""
    digits = "".join(c for c in number if c.isdigit())
    rows = sorted(access_numbers(), key=lambda a: -len(a.number))
    exact = next((a for a in rows if a.number == number), None)
    return exact or next((a for a in rows if digits and digits.endswith(a.number)), None)


def phone_of(*, line: str = "", number: str = "") -> PhoneInfo | None:
    """The one-key phone of this SIP account, or of this caller's number."""
    with seen_by(EVERYWHERE):
        rows = OneKeyPhone.objects.filter(active=True).select_related("device")
        row = rows.filter(name=line).first() if line else None
        if row is None and number:
            row = rows.filter(number__in=_ways_to_write(number)).first()
        if row is None:
            return None
        return PhoneInfo(row.name, row.number, row.device_id, row.device.home_id, row.device.place)


def _ways_to_write(number: str) -> set[str]:
    """A number as networks write it: with +86, 0086, 86, or with a zero before a mobile number from afar."""
    digits = "".join(c for c in number if c.isdigit())
    ways = {number, digits}
    for prefix in ("0086", "86"):
        if digits.startswith(prefix) and len(digits) > len(prefix) + 6:
            ways |= {digits.removeprefix(prefix), "0" + digits.removeprefix(prefix)}
    if digits.startswith("01") and len(digits) == 12:
        ways.add(digits[1:])
    return ways - {""}


def trunk_for(number: str) -> str | None:
    """The engine's name of the trunk that takes an outgoing call to this number; None: there is none."""
    for trunk in Trunk.objects.filter(active=True):
        prefixes = [p.strip() for p in trunk.prefixes.split(",") if p.strip()]
        if not prefixes or any(number.startswith(p) for p in prefixes):
            return trunk.line
    return None


def way_out() -> bool:
    """Whether a call can leave the house. A trunk with a host is believed: whether it answers is watched elsewhere. Where all
    wait for the other side to register (the demo's only trunk does), somebody must have: the engine is asked.
    """
    if not is_real():
        return True
    trunks = [t for t in Trunk.objects.filter(active=True) if t.host or t.user]
    if not trunks or any(t.host for t in trunks):
        return True
    from anju.calls.lines import health

    there = health.states()
    return there is None or any(there.get(t.line) == "online" for t in trunks)


def called_as(number: str) -> str:
    """What the agent is told of the number that was called: its name, and the place that it belongs to; "" when unknown."""
    fits = [a for a in AccessNumber.objects.filter(active=True) if number.endswith(a.number)]  # also with its area code
    if not fits:
        return ""
    row = max(fits, key=lambda a: len(a.number))
    return f"{row.label}（{places.path_of(row.place)}）" if row.place else row.label


def caller_number(trunk: str) -> str:
    """What those who are called over this trunk see; "" leaves it to the carrier."""
    return next((t.caller_number for t in Trunk.objects.filter(active=True) if t.line == trunk), "")


def prompts() -> list[PromptInfo]:
    """Every fixed sentence."""
    own = {p.code: p for p in Prompt.objects.defer("sound")}
    return [
        PromptInfo(
            code,
            label,
            row.text or text,
            own=True,
            seconds=row.seconds,
            uploaded_by=row.uploaded_by,
            uploaded_at=row.uploaded_at,
        )
        if (row := own.get(code)) is not None
        else PromptInfo(code, label, text, own=False)
        for code, (label, text) in speech.PROMPTS.items()
    ]


@dataclass(frozen=True, slots=True)
class NumberPromptInfo:
    """What callers of one access number hear first. `common`: the prompt of all, when there is no own recording."""

    id: int
    number: str
    label: str
    emergency: bool
    common: str
    text: str
    own: bool
    seconds: float = 0.0
    uploaded_by: str = ""
    uploaded_at: datetime | None = None


def number_prompts() -> list[NumberPromptInfo]:
    """Every access number in use, with its own recording or the prompt that it has in common with others."""
    own = {p.number_id: p for p in NumberPrompt.objects.defer("sound")}
    usual = dict(Queue.objects.values_list("code", "prompt"))
    found: list[NumberPromptInfo] = []
    for r in AccessNumber.objects.filter(active=True):
        code = r.prompt or usual.get(r.queue or ("emergency" if r.emergency else "service"), "")
        common, text = speech.PROMPTS.get(code, ("不播，直接振铃", ""))
        it = NumberPromptInfo(r.pk, r.number, r.label, r.emergency, common, text, own=False)
        if (row := own.get(r.pk)) is not None:
            it = replace(
                it, own=True, text=row.text, seconds=row.seconds, uploaded_by=row.uploaded_by, uploaded_at=row.uploaded_at
            )  # fmt: skip
        found.append(it)
    return found


def number_sound(number_id: int) -> bytes | None:
    """A number's own recording (WAV); None when it has none."""
    row = NumberPrompt.objects.filter(number=number_id).first()
    return bytes(row.sound) if row is not None else None


def placeholders() -> int:
    """How many sentences are still the synthetic voice."""
    return sum(not p.own for p in prompts())


def prompt_sound(code: str) -> bytes | None:
    """A sentence as callers hear it (WAV); None for a code that nobody knows."""
    if code not in speech.PROMPTS:
        return None
    row = Prompt.objects.filter(code=code).first()
    return bytes(row.sound) if row is not None else (speech.FOLDER / f"{code}.wav").read_bytes()


def prompt_path(code: str) -> str:
    """How the engine is told to play it: `sound:anju/<code>`; KeyError for a code that nobody knows."""
    if code not in speech.PROMPTS:
        raise KeyError(f"unknown prompt {code}")
    return f"sound:anju/{code}"


def machine() -> wanted.Machine:
    """The engine of this installation, from the settings. Raises asterisk.AsteriskError when there is none."""
    tree = asterisk.find(Home(settings.ANJU_HOME))
    if tree is None:
        raise asterisk.AsteriskError("There is no Asterisk: ./run --telephony installs one.")
    first, _, last = settings.ANJU_RTP_PORTS.partition("-")
    home = settings.ANJU_ASTERISK_HOME
    return wanted.Machine(
        home=home, recordings=settings.ANJU_RECORDINGS, modules=tree.modules, documentation=tree.documentation,
        control=asterisk.control_folder(home), ari_port=settings.ANJU_SIP_WS_PORT, ari_password=settings.SECRETS.ari,
        ari_user=settings.ANJU_ARI_USER, sip_host=settings.ANJU_SIP_HOST, sip_port=settings.ANJU_SIP_PORT,
        wss_port=settings.ANJU_SIP_WSS_PORT, rtp_first=int(first), rtp_last=int(last or first),
        external_address=settings.ANJU_SIP_EXTERNAL, local_nets=settings.ANJU_SIP_LOCAL_NETS,
    )  # fmt: skip


def lines() -> wanted.Lines:
    """All rows that are in use, as plain values."""
    with seen_by(EVERYWHERE):
        seats = SeatPhone.objects.filter(active=True, user__is_active=True).exclude(user__seat_number="")
        return wanted.Lines(
            trunks=tuple(_trunk(t) for t in Trunk.objects.filter(active=True)),
            numbers=tuple(wanted.Number(a.number, a.emergency) for a in AccessNumber.objects.filter(active=True)),
            seats=tuple(
                wanted.Seat(s.user.seat_number, s.secret, checking.shown(s.user.name), s.rescue)
                for s in seats.select_related("user").order_by("user__seat_number")
            ),
            phones=tuple(
                wanted.Phone(p.name, p.secret, p.number, p.device.imei)
                for p in OneKeyPhone.objects.filter(active=True).select_related("device")
            ),
            rescue_numbers=tuple(r.number for r in RescueNumber.objects.filter(active=True)),
        )


def _trunk(row: Trunk) -> wanted.Trunk:
    return wanted.Trunk(
        name=row.name, user=row.user, secret=row.secret, addresses=tuple(row.addresses.split()), host=row.host,
        port=row.port, transport=row.transport, registers=row.registers, caller_number=row.caller_number,
        prefixes=tuple(p.strip() for p in row.prefixes.split(",") if p.strip()),
    )  # fmt: skip


def engine_config() -> dict[str, str]:
    """Every file of the engine as it should be now; writing.RefusedConfig when a row must not be loaded."""
    return writing.render(wanted.Plan(machine(), lines()))


def sounds(folder: Path) -> dict[str, Path]:
    """Prompt code → WAV. What was uploaded is laid into `folder` first; the others are the committed ones."""
    found = {code: speech.FOLDER / f"{code}.wav" for code in speech.PROMPTS}
    folder.mkdir(parents=True, exist_ok=True)
    uploaded = [(row.code, bytes(row.sound)) for row in Prompt.objects.filter(code__in=found)]
    uploaded += [(row.code, bytes(row.sound)) for row in NumberPrompt.objects.all()]
    for code, content in uploaded:
        path = folder / f"{code}.wav"
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
        found[code] = path
    return found
