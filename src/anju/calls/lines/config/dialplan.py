"""extensions.conf and queues.conf: what the engine does by itself.

It answers nothing for the switchboard but starts the recording of record before it hands a call over, so that every
second is kept whatever happens to a program of ours. When no program takes the call it goes to `[rescue]`: every seat
rings at once while the caller hears a short sentence, with nothing but the engine alive (XC 5.3: no call is lost).
"""

from __future__ import annotations

from anju.calls.lines.config.plan import APP, LANGUAGE, Plan

RESCUE_RING_SECONDS = 40
"""How long all seats ring before the rescue numbers are dialled; then all seats again, as long as the caller stays."""

_CALLED = "${FILTER(0-9+*#A-Za-z,${EXTEN})}"
"""What was dialled, without anything that the dialplan could take for its own commas and brackets."""
_ANYTHING = ("_X!", "_[+*]X!", "_[a-zA-Z].", "s")
"""Patterns of everything that can be dialled; `_.` would also match the engine's own h, i and t."""


def extensions(plan: Plan) -> str:
    """The whole file."""
    return "\n".join(
        (
            "[general]\nstatic = yes\nwriteprotect = yes\nclearglobalvars = yes\n\n[globals]\n",
            _trunk(plan),
            _phones(plan),
            _dialled(plan),
            _SEATS,
            _rescue(plan),
            "[default]\nexten => _X.,1,Hangup(21)\n",
        )
    )


def queues(plan: Plan) -> str:
    """The one queue that the engine runs itself: every seat at once, the first who answers has the call."""
    seats = [s for s in plan.lines.seats if s.rescue]
    names = [name for s in seats for name in (s.extension, s.account)]
    members = "".join(f"member => PJSIP/{name},0,{name},PJSIP/{name}\n" for name in names)
    return (
        "[general]\npersistentmembers = no\nautofill = yes\nshared_lastcall = no\n\n"
        "[rescue]\nmusicclass = rescue\nstrategy = ringall\ntimeout = 20\nretry = 1\nringinuse = no\njoinempty = yes\n"
        "leavewhenempty = no\nautofill = yes\nannounce-frequency = 0\nperiodic-announce-frequency = 0\nweight = 10\n"
        f"reportholdtime = no\nservicelevel = 15\n{members}"
    )


def _trunk(plan: Plan) -> str:
    """From the public network. A number that we don't know is taken all the same: a carrier's mapping may be wrong."""
    lines = plan.lines
    known = "".join(
        f"exten => {n.number},1,Set(ANJU_EMERGENCY={int(n.emergency)})\n"
        f" same => n,Set(ANJU_CALLED={n.number})\n same => n,Goto(in,1)\n"
        for n in lines.numbers
    )
    others = "".join(
        f"exten => {pattern},1,Set(ANJU_CALLED={_CALLED})\n same => n,Goto(in,1)\n" for pattern in _ANYTHING
    )
    return (
        "; ---- callers from the public network\n[trunk]\n"
        + known
        + others
        + "exten => in,1,NoOp()\n"
        + _hand_over(plan, "trunk")
        + _gone_at_once(
            "trunk", "${FILTER(0-9+*#A-Za-z,${CALLERID(dnid)})}", tuple(n.number for n in lines.numbers if n.emergency)
        )
    )


def _phones(plan: Plan) -> str:
    """A one-key phone: whatever it dials is a cry for help."""
    others = "".join(f"exten => {pattern},1,Goto(emergency,1)\n" for pattern in _ANYTHING)
    return (
        f"; ---- one-key phones in homes\n[phones]\n{others}"
        "exten => emergency,1,Set(ANJU_EMERGENCY=1)\n same => n,Set(ANJU_CALLED=emergency)\n"
        + _hand_over(plan, "phone")
        + _gone_at_once("phone", "emergency", ("emergency",))
    )


def _record(plan: Plan) -> str:
    """The recording of record: both voices together, and each by itself, in step (gaps are filled with silence).

    Written out wherever it is needed: who hangs up within a subroutine is looked for in *its* context, so that the `h`
    of the lines never ran, and a cry that lasted two milliseconds was nowhere.
    """
    base = f"{plan.machine.recordings}/${{UNIQUEID}}"
    return f" same => n,Set(ANJU_RECORDED=1)\n same => n,MixMonitor({base}.wav,r({base}-in.wav)t({base}-out.wav))\n"


def _hand_over(plan: Plan, kind: str) -> str:
    return (
        f" same => n,Set(CHANNEL(language)={LANGUAGE})\n"
        f"{_record(plan)}"
        f" same => n,Stasis({APP},{kind},${{ANJU_LINE}},${{ANJU_CALLED}})\n"
        ' same => n,GotoIf($["${STASISSTATUS}" = "FAILED"]?rescue,s,1)\n'
        " same => n,Hangup()\n"
    )


def _gone_at_once(kind: str, called: str, emergencies: tuple[str, ...]) -> str:
    """Who hung up before the engine had come to the switchboard's line is handed over all the same, already gone: she
    has a row and is rung back. The application leaves its status behind, so an empty one says that it never ran."""
    in_need = "".join(f' same => n,GotoIf($["${{ANJU_CALLED}}" = "{n}"]?need)\n' for n in emergencies)
    return (
        'exten => h,1,GotoIf($["${STASISSTATUS}" != ""]?done)\n'
        ' same => n,GotoIf($["${ANJU_CALLED}" != ""]?known)\n'
        f" same => n,Set(ANJU_CALLED={called})\n"
        " same => n(known),NoOp()\n"
        f"{in_need}"
        " same => n,Goto(tell)\n"
        " same => n(need),Set(ANJU_EMERGENCY=1)\n"
        f" same => n(tell),Stasis({APP},{kind},${{ANJU_LINE}},${{ANJU_CALLED}})\n"
        " same => n(done),NoOp()\n"
    )


def _dialled(plan: Plan) -> str:
    return (
        "; ---- somebody whom we dialled and who has answered (dialled into this context instead of straight into the\n"
        "; application): recorded from the first second, as incoming calls are; ANJU_ARGS is what the application gets\n"
        f"[callback]\nexten => s,1,Set(CHANNEL(language)={LANGUAGE})\n"
        f"{_record(plan)}"
        f" same => n,Stasis({APP},out,${{ANJU_ARGS}})\n"
        ' same => n,GotoIf($["${STASISSTATUS}" = "FAILED"]?rescue,s,1)\n'
        " same => n,Hangup()\n"
    )


_SEATS = f"""\
; ---- what a seat's telephone may dial by itself: a test of microphone and ear. All calls are made from the desk.
[seats]
exten => 9196,1,Set(CHANNEL(language)={LANGUAGE})
 same => n,Answer(,i)
 same => n,Echo()
 same => n,Hangup()
exten => *9196,1,Goto(9196,1)
"""


def _rescue(plan: Plan) -> str:
    """No program is there: the engine alone. The first seconds of the music class say that people are being called."""
    lines = plan.lines
    ways = [(number, lines.way_out(number)) for number in lines.rescue_numbers]
    targets = "&".join(f"PJSIP/{number}@{trunk.line}" for number, trunk in ways if trunk)
    dial = f" same => n,Dial({targets},30,m(rescue))\n" if targets else ""
    return (
        "; ---- nobody of ours takes the call: every seat rings, the caller hears the sentence and then music\n"
        "[rescue]\n"
        f"exten => s,1,Set(CHANNEL(language)={LANGUAGE})\n"
        " same => n,Set(CHANNEL(musicclass)=rescue)\n"
        ' same => n,GotoIf($["${ANJU_RECORDED}" = "1"]?recorded)\n'
        f"{_record(plan)}"
        " same => n(recorded),Answer(,i)\n"
        f" same => n(again),Queue(rescue,,,,{RESCUE_RING_SECONDS})\n"
        ' same => n,GotoIf($["${QUEUESTATUS}" = "CONTINUE"]?done)\n'
        f"{dial}"
        " same => n,Wait(1)\n"
        " same => n,Goto(again)\n"
        " same => n(done),Hangup()\n"
        "exten => _X!,1,Goto(s,1)\n"
    )
