"""What the simulated exchange holds: legs, bridges, recordings, and people who do what was foreseen."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from anju.calls.exchange import Cause, Event, Gone, Kind, LegView
from anju.calls.simulator import tones
from anju.kernel import clock

TONES = (440, 660, 880, 1200, 1500, 1750, 2050, 2350, 2700, 3050)
"""Each party sounds with one of these; music is 300."""
MUSIC = 300
PROMPT_SECONDS = 3.0
"""How long a prompt lasts whose sound is unknown."""
_ENDINGS = {
    "ended": Cause.NORMAL,
    "busy": Cause.BUSY,
    "refused": Cause.REFUSED,
    "failed": Cause.FAILED,
    "no_answer": Cause.NO_ANSWER,
    "unreachable": Cause.UNREACHABLE,
    "unknown_number": Cause.UNKNOWN_NUMBER,
}


@dataclass
class Leg:
    """One party in the exchange."""

    leg_id: str
    line: str
    number: str
    called: str
    args: tuple[str, ...]
    dialled: bool
    tone: int
    since: datetime
    variables: dict[str, str] = field(default_factory=dict)
    up: bool = False
    ours: bool = True
    """Under the switchboard's hand, not the dialplan's."""
    bridge: str = ""
    music: bool = False
    muted: set[str] = field(default_factory=set)
    listened: bool = False
    steps: deque[str] = field(default_factory=deque)
    waits_for: Literal["", "prompt", "answer"] = ""
    spied: str = ""
    """Of a snoop leg: whom it listens to."""
    spy: str = "none"
    whisper: str = "none"

    def view(self) -> LegView:
        """As the port tells it."""
        return LegView(
            self.leg_id,
            self.up,
            self.number,
            self.called,
            self.line,
            self.args,
            dict(self.variables),
            self.bridge,
            self.since,
        )


@dataclass
class Playing:
    """Prompts that sound now."""

    play_id: str
    target: str
    prompts: tuple[str, ...]


@dataclass
class Tape:
    """A recording that runs: since when which tones sound."""

    path: Path | None
    target: str
    turns: list[tuple[datetime, frozenset[int]]]


class World:
    """The exchange. It goes on when a switchboard dies; `crash` takes everything away."""

    def __init__(self, recordings: Path | None = None) -> None:
        self.recordings = recordings
        self.behaviour: dict[str, tuple[str, ...]] = {}
        self.registered: dict[str, bool] = {}
        self.dead: set[str] = set()
        """Trunks whose other end is away."""
        self.prompt_seconds: dict[str, float] = {}
        self.listener: Callable[[Event], None] | None = None
        self.running = True
        self.started_at = clock.now()
        self.legs: dict[str, Leg] = {}
        self.bridges: dict[str, None] = {}
        self.playing: dict[str, Playing] = {}
        self.tapes: dict[str, Tape] = {}
        self.ever: set[str] = set()
        """Every leg id that was dialled: a second dial of one dials nothing."""
        self.given: list[tuple[str, str, str]] = []
        """Legs that the dialplan has (again): id, context, extension."""
        self._vanishing: dict[str, str] = {}
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = itertools.count(1)

    # ---- time

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it when so much time has passed."""
        heapq.heappush(self._due, (clock.now() + timedelta(seconds=seconds), next(self._count), do))

    def tick(self) -> int:
        """Let everything happen that is due now; how many things did."""
        done = 0
        while self._due and self._due[0][0] <= clock.now():
            heapq.heappop(self._due)[2]()
            done += 1
        return done

    def next_due(self) -> datetime | None:
        """When the next thing happens by itself."""
        return self._due[0][0] if self._due else None

    # ---- what people do

    def call_in(
        self,
        number: str,
        called: str,
        *,
        line: str = "trunk",
        kind: str = "trunk",
        then: Iterable[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Somebody dials us; the leg's id. Without a switchboard that listens the dialplan rescues the call."""
        leg_id = f"{int(clock.now().timestamp())}.{next(self._count)}"
        leg = self._new(leg_id, line, number, called, (kind, line, called), dialled=False)
        leg.variables.update(variables or {})
        leg.steps.extend(then)
        if self.recordings is not None:
            self.record(leg_id, leg_id)
        if not self.running or self.listener is None:
            leg.ours = False
            self.given.append((leg_id, "rescue", "s"))
            return leg_id
        self.tell(Kind.ENTERED, leg_id, leg=leg.view())
        self.go_on(leg)
        return leg_id

    def party(self, who: str) -> Leg:
        """The leg of this id, or the newest of this number or line. Gone when there is none."""
        if who in self.legs:
            return self.legs[who]
        found = [leg for leg in self.legs.values() if who in {leg.number, leg.line} and not leg.spied]
        if not found:
            raise Gone(who)
        return found[-1]

    def does(self, who: str, *steps: str) -> None:
        """A party does something now: "answered", "key:1", "says:2", "ended", "refused", "busy"."""
        leg = self.party(who)
        leg.steps.extendleft(reversed(steps))
        leg.waits_for = ""
        self.go_on(leg)

    def vanish(self, who: str, on: str) -> None:
        """The party hangs up in the moment in which the switchboard says the verb `on` to it: the race of every call."""
        self._vanishing[self.party(who).leg_id] = on

    def go_on(self, leg: Leg) -> None:
        """Let a person do the next foreseen things, as far as nothing is to be waited for."""
        while leg.steps and not leg.waits_for and leg.leg_id in self.legs:
            step, _, value = leg.steps.popleft().partition(":")
            if step == "answered":
                self.lift(leg)
            elif step == "hears":
                leg.waits_for = "prompt"
            elif step == "until_answered":
                leg.waits_for = "" if leg.up else "answer"
            elif step == "wait":
                rest, leg.steps = leg.steps, deque()
                self.later(float(value), lambda rest=rest: self._resume(leg, rest))  # type: ignore[misc]
                return
            elif step == "key":
                self.tell(Kind.KEY, leg.leg_id, digit=value)
            elif step == "says":
                if leg.listened:
                    self.tell(Kind.SPEECH, leg.leg_id)
                    self.tell(Kind.SILENCE, leg.leg_id, seconds=float(value or 1))
            elif step in _ENDINGS:
                self.end(leg, _ENDINGS[step])

    def _resume(self, leg: Leg, steps: deque[str]) -> None:
        leg.steps.extend(steps)
        self.go_on(leg)

    # ---- what happens to legs

    def _new(self, leg_id: str, line: str, number: str, called: str, args: tuple[str, ...], *, dialled: bool) -> Leg:
        tone = TONES[len(self.ever) % len(TONES)]
        self.ever.add(leg_id)
        leg = Leg(leg_id, line, number, called, args, dialled, tone, clock.now())
        self.legs[leg_id] = leg
        return leg

    def ring_out(
        self, leg_id: str, line: str, number: str, args: tuple[str, ...], ring_for: int, variables: Mapping[str, str]
    ) -> Leg:
        """A telephone somewhere begins to ring."""
        leg = self._new(leg_id, line, number, number, args, dialled=True)
        leg.variables.update(variables)
        leg.steps.extend(self.behaviour.get(number, ()))
        self.tell(Kind.RINGING, leg_id)
        self.later(ring_for, lambda: self._rang_out(leg))
        self.go_on(leg)
        return leg

    def open_ear(self, leg_id: str, target: Leg) -> Leg:
        """A leg that listens to another one."""
        ear = self._new(leg_id, f"snoop/{target.leg_id}", "", "", ("snoop",), dialled=True)
        ear.up, ear.spied = True, target.leg_id
        return ear

    def _rang_out(self, leg: Leg) -> None:
        if not leg.up:
            self.end(leg, Cause.NO_ANSWER)

    def lift(self, leg: Leg) -> None:
        """The party lifts, or we lift for it."""
        if leg.up:
            return
        leg.up = True
        self.tell(Kind.ANSWERED, leg.leg_id)
        if leg.waits_for == "answer":
            leg.waits_for = ""
            self.go_on(leg)
        self.listen_again()

    def end(self, leg: Leg, cause: Cause) -> None:
        """Over: once, with what hung on it."""
        if self.legs.pop(leg.leg_id, None) is None:
            return
        for playing in [p for p in self.playing.values() if p.target == leg.leg_id]:
            self.played(playing.play_id, complete=False)
        if leg.ours:
            self.tell(Kind.ENDED, leg.leg_id, cause=str(cause))
        for other in [one for one in self.legs.values() if one.spied == leg.leg_id]:
            self.end(other, Cause.NORMAL)
        self.listen_again()
        if leg.leg_id in self.tapes:
            self.stop_tape(leg.leg_id)

    def give(self, leg: Leg, context: str, exten: str) -> None:
        """The dialplan has the leg: our switchboard said so, or the watch did when ours was frozen."""
        leg.ours, leg.bridge, leg.music = False, "", False
        self.given.append((leg.leg_id, context, exten))
        self.tell(Kind.LEFT, leg.leg_id)
        self.listen_again()

    def touched(self, leg_id: str, verb: str) -> Leg:
        """The leg for a verb, or Gone: it hung up before, in this very moment, or is not in our hands."""
        leg = self.legs.get(leg_id)
        if leg is not None and self._vanishing.get(leg_id) == verb:
            del self._vanishing[leg_id]
            self.end(leg, Cause.NORMAL)
            leg = None
        if leg is None or not leg.ours:
            raise Gone(leg_id)
        return leg

    # ---- prompts

    def play(self, target: str, prompts: Iterable[str], play_id: str) -> None:
        """They sound one after another."""
        self.playing[play_id] = Playing(play_id, target, tuple(prompts))
        seconds = sum(self.prompt_seconds.get(p, PROMPT_SECONDS) for p in self.playing[play_id].prompts)
        self.later(seconds, lambda: self.played(play_id, complete=True))

    def played(self, play_id: str, *, complete: bool) -> None:
        """They sounded, or were stopped."""
        playing = self.playing.pop(play_id, None)
        if playing is None:
            return
        leg = self.legs.get(playing.target)
        self.tell(
            Kind.PROMPT_DONE, playing.target if playing.target not in self.bridges else "",
            play_id=play_id, complete=complete,
        )  # fmt: skip
        if leg is not None and leg.waits_for == "prompt":
            leg.waits_for = ""
            self.go_on(leg)

    # ---- sound

    def says(self, leg: Leg) -> frozenset[str]:
        """Whose voices a leg brings into its bridge."""
        if not leg.spied:
            return frozenset() if "in" in leg.muted else frozenset({leg.leg_id})
        target = self.legs.get(leg.spied)
        if target is None:
            return frozenset()
        voices = self.says(target) if leg.spy in {"in", "both"} else frozenset[str]()
        return voices | (self.hears(target.leg_id, whispers=False) if leg.spy in {"out", "both"} else frozenset())

    def hears(self, leg_id: str, *, whispers: bool = True) -> frozenset[str]:
        """Whose voices a party hears (ids of legs; "music")."""
        leg = self.legs[leg_id]
        if leg.music and not leg.bridge:
            return frozenset({"music"})
        if "out" in leg.muted or not leg.up:
            return frozenset()
        room = [one for one in self.legs.values() if leg.bridge and one.bridge == leg.bridge]
        voices = frozenset[str]().union(*(self.says(one) for one in room if one is not leg))
        if not whispers:
            return voices
        for spy in [one for one in self.legs.values() if one.spied and one.bridge]:
            told = frozenset[str]().union(
                *(self.says(one) for one in self.legs.values() if one.bridge == spy.bridge and one is not spy)
            )
            if spy.spied == leg_id and spy.whisper in {"out", "both"}:
                voices |= told
            if spy.whisper in {"in", "both"} and any(one.leg_id == spy.spied for one in room) and spy.spied != leg_id:
                voices |= told
        return voices

    def record(self, target: str, name: str) -> None:
        """Record a bridge, or a leg with what it hears. Without a folder it is written nowhere, but runs."""
        if name not in self.tapes:
            self.tapes[name] = Tape(self.recordings and self.recordings / f"{name}.wav", target, [])
            self.listen_again()

    def stop_tape(self, name: str) -> float:
        """Write the file; its length in seconds."""
        tape = self.tapes.pop(name)
        ends = [at for at, _ in tape.turns[1:]] + [clock.now()]
        parts = [((end - at).total_seconds(), heard) for (at, heard), end in zip(tape.turns, ends, strict=True)]
        return tones.write(tape.path, parts) if tape.path else sum(seconds for seconds, _ in parts)

    def listen_again(self) -> None:
        """Something changed: note for every recording what sounds from now on."""
        for tape in self.tapes.values():
            if tape.target in self.legs:
                voices = self.says(self.legs[tape.target]) | self.hears(tape.target)
            else:
                room = [one for one in self.legs.values() if one.bridge == tape.target]
                voices = frozenset[str]().union(*(self.says(one) for one in room))
            heard = frozenset(
                MUSIC if v == "music" else self.legs[v].tone for v in voices if v in {*self.legs, "music"}
            )
            if not tape.turns or tape.turns[-1][1] != heard:
                tape.turns.append((clock.now(), heard))

    # ---- news and accidents

    def tell(self, kind: Kind, leg_id: str = "", **data: Any) -> None:
        """Say it to whoever listens; nobody listens, nobody hears it, ever."""
        if self.listener is not None and self.running:
            self.listener(Event(kind, leg_id, clock.now(), data))

    def crash(self) -> None:
        """The exchange dies: every call is cut, nobody is told."""
        if self.listener is not None:
            self.listener(Event(Kind.DISCONNECTED, "", clock.now()))
        self.running = False
        self.legs.clear()
        self.bridges.clear()
        self.playing.clear()
        self.tapes.clear()
        self._due.clear()

    def start(self) -> None:
        """It is up again, empty."""
        self.running, self.started_at = True, clock.now()
        if self.listener is not None:
            self.listener(Event(Kind.CONNECTED, "", clock.now(), {"restarted": True}))
