"""Asterisk's words in ours, and the other way round. Pure."""

from __future__ import annotations

from datetime import datetime

from anju.calls.asterisk.api import Channel
from anju.calls.exchange import Cause, Endpoint, LegView, Number, Phone, Seat

_CAUSES = {
    1: Cause.UNKNOWN_NUMBER,
    3: Cause.UNREACHABLE,
    16: Cause.NORMAL,
    17: Cause.BUSY,
    18: Cause.NO_ANSWER,
    19: Cause.NO_ANSWER,
    20: Cause.UNREACHABLE,
    21: Cause.REFUSED,
    22: Cause.UNKNOWN_NUMBER,
    26: Cause.NORMAL,
    27: Cause.UNREACHABLE,
    28: Cause.UNKNOWN_NUMBER,
    31: Cause.NORMAL,
    32: Cause.NORMAL,
    127: Cause.NORMAL,
}
"""ITU-T Q.850 causes; 26 is "answered elsewhere", 127 a caller who hangs up while it rings. All others are failures."""

_REASONS = {
    Cause.NORMAL: "normal",
    Cause.NO_ANSWER: "no_answer",
    Cause.BUSY: "busy",
    Cause.REFUSED: "rejected",
    Cause.UNKNOWN_NUMBER: "unallocated",
    Cause.UNREACHABLE: "congestion",
    Cause.FAILED: "failure",
}


def cause(code: int | None) -> Cause:
    """Why it ended. 0 and nothing are what Asterisk says of a plain hang-up."""
    return Cause.NORMAL if not code else _CAUSES.get(code, Cause.FAILED)


def reason(why: Cause) -> str:
    """What to tell Asterisk when we end a leg."""
    return _REASONS[why]


def address(to: Endpoint) -> str:
    """Where Asterisk dials."""
    match to:
        case Seat(extension):
            return f"PJSIP/{extension}"
        case Phone(name):
            return f"PJSIP/{name}"
        case Number(number, trunk):
            return f"PJSIP/{number}@{trunk}"


BROWSER = "web"
"""Before a seat's extension: the endpoint of its browser (calls.lines.config.plan). Plain telephones are the extension."""


def seat(endpoint: str) -> str:
    """The seat of an endpoint: web1017 → 1017; any other name stays."""
    plain = endpoint.removeprefix(BROWSER)
    return plain if plain.isdigit() else endpoint


def media(prompt: str) -> str:
    """Where a sound lies: a code in the tree of prompts, a path as it is, an address of Asterisk's ("digits:12") too."""
    if ":" in prompt:
        return prompt
    return f"sound:{prompt}" if prompt.startswith("/") else f"sound:anju/{prompt}"


def moment(text: str) -> datetime:
    """A time of Asterisk: 2026-11-22T00:12:34.567+0000."""
    return datetime.fromisoformat(text)


def line_of(channel: Channel) -> str:
    """The endpoint of a channel: PJSIP/trunk-0000002a → trunk."""
    return seat(channel["name"].partition("/")[2].rpartition("-")[0])


def is_party(channel: Channel) -> bool:
    """Whether there is a telephone at its end. Announcers, recorders and snoopers are channels, too."""
    return channel["name"].startswith("PJSIP/")


def arguments(channel: Channel, app: str) -> tuple[str, ...] | None:
    """What was said to Stasis when the channel came to this application; None when it is not there."""
    plan = channel["dialplan"]
    if plan["app_name"] != "Stasis":
        return None
    name, *args = plan["app_data"].split(",")
    return tuple(args) if name == app else None


def view(channel: Channel, args: tuple[str, ...], bridge_id: str = "") -> LegView:
    """A channel as the port tells it. A called-in leg's arguments are (trunk|phone|seat, line, called number)."""
    dialled = args[:1] == ("out",)
    return LegView(
        leg_id=channel["id"],
        up=channel["state"] == "Up",
        number=channel["caller"]["number"],
        called=args[2] if len(args) > 2 and not dialled else channel["dialplan"]["exten"],
        line=line_of(channel),
        args=args,
        variables={
            name: str(value) for name, value in channel.get("channelvars", {}).items() if value not in ("", None)
        },
        bridge_id=bridge_id,
        since=moment(channel["creationtime"]),
    )
