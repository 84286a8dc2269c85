"""A telephone in a test's hand: it lifts, refuses and hangs up in the very moment in which the test says so.

SIPp (`sipp.py`) plays a part that was written beforehand; this one waits for the story. Just enough SIP for one call at a
time over UDP, with A-law sound: it says its voice and keeps what it hears.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping

from tests.telephony.engine_room import SECRET, EngineRoom, until
from tests.telephony.sipp import TONES, authorization, second_of_alaw, voice_of

_NAP = threading.Event()
_LATE = 0.1
"""Seconds of its voice that it makes up for when it could not speak; the rest is not said: no telephone speaks faster."""
_KEYS = 101
"""Payload type of keys in our offers and answers."""
_SDP = (
    "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
)


def _header(message: str, name: str) -> str:
    found = re.search(rf"(?im)^{name}\s*:\s*(.*?)\s*$", message)
    return found[1] if found else ""


class Handset:
    """One telephone. `states` tells its story: ringing, answered, ended (with the code of a refusal)."""

    def __init__(self, room: EngineRoom, ip: str, *, user: str, voice: str, port: int = 0) -> None:
        self.room, self.ip, self.user, self.voice = room, ip, user, voice
        self.port = port
        self.states: list[str] = []
        self.provisional = False
        """Its call was taken note of (100, 180)."""
        self._given_up = False
        """It hung up before it was answered; an answer that was already under way is ended as soon as it comes."""
        self.invited = 0
        """How often it was rung."""
        self.auto: str = ""
        """"lift" or a refusal ("486 Busy Here") at once; "" waits for the test."""
        self._sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sound.bind((ip, 0))
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._line.bind((ip, port))
        self.port = self._line.getsockname()[1]
        host, _, engine_port = room.sip.partition(":")
        self._engine = host, int(engine_port)
        self._heard: deque[bytes] = deque(maxlen=60)
        self.frames = self._sent = 0
        self.pressed = ""
        """The keys that came to it with the sound."""
        self._last_key = b""
        self._far: tuple[str, int] | None = None
        self._dialog: dict[str, str] = {}
        self._invite = ""
        self._rung: set[str] = set()
        """The calls that it was told of: an INVITE that is sent again, as to a slow telephone, is no other call."""
        self._open = True
        self._lock = threading.RLock()
        for work in (self._answering, self._listening, self._talking):
            threading.Thread(target=work, daemon=True).start()

    # ---- what the test says

    def register(self, secret: str = "") -> Handset:
        """Known to the engine as its seat or phone."""
        self._secret = secret or f"{SECRET}-{self.user}"
        self._challenge = ""
        for turn in (1, 2):
            self._registered = ""
            proof = authorization(self._challenge, self.user, self._secret, "REGISTER", f"sip:{self.room.sip}")
            self._send(
                f"REGISTER sip:{self.room.sip} SIP/2.0", f"{turn} REGISTER", to=f"<sip:{self.user}@{self.room.sip}>",
                call_id=f"reg-{self.user}-{self.port}", more=proof + "Expires: 300\r\n",
            )  # fmt: skip
            until(lambda: self._registered, f"{self.user}: an answer to REGISTER")
        if self._registered != "200":
            raise AssertionError(f"{self.user} was refused: {self._registered}")
        return self

    def call(self, number: str, *, display: str = "", sender: str = "") -> Handset:
        """Dial; `sender` is who it says it is (its own number when empty)."""
        self._invite, self._given_up = "", False
        self._dialog = {
            "call_id": uuid.uuid4().hex, "to": f"<sip:{number}@{self.room.sip}>", "tag": uuid.uuid4().hex[:8],
            "sender": sender or self.user, "display": display, "branch": f"z9hG4bK{uuid.uuid4().hex[:10]}",
            "target": f"sip:{number}@{self.room.sip}",
        }  # fmt: skip
        self._send_invite()
        return self

    def lift(self) -> None:
        """Answer the ringing telephone."""
        until(lambda: self._invite, f"{self.user} rings")
        with self._lock:
            self._reply(self._invite, "200 OK", body=_SDP.format(ip=self.ip, port=self._sound.getsockname()[1]))
            self._became("answered")

    def refuse(self, line: str = "486 Busy Here") -> None:
        """Not now."""
        until(lambda: self._invite, f"{self.user} rings")
        self._reply(self._invite, line)
        self._invite = ""

    def hang_up(self) -> None:
        """CANCEL before the answer, BYE after it."""
        with self._lock:
            d = self._dialog
            if "ended" in self.states[-1:]:
                return
            if "answered" in self.states:
                self._send(f"BYE {d['target']} SIP/2.0", "9 BYE", to=d["to"], call_id=d["call_id"], sender=d)
            else:
                self._given_up = True
                self._send(
                    f"CANCEL {d['target']} SIP/2.0", "1 CANCEL", to=d["to"], call_id=d["call_id"], sender=d,
                    branch=d["branch"],
                )  # fmt: skip

    def put_down(self) -> None:
        """The line went dead without a word: whoever held it puts it down, and it may ring again."""
        with self._lock:
            self._invite, self.states = "", []

    def press(self, key: str) -> None:
        """A key, as RFC 4733 sends it: the beginning, and three times its end."""
        code = "0123456789*#".index(key)
        with self._lock:
            if self._far is None:
                raise AssertionError("no key before there is a call")
            stamp = (int(time.monotonic() * 8000) & 0xFFFFFFFF).to_bytes(4, "big")
            for turn, (end, length) in enumerate(((0, 160), (0, 480), (0x80, 800), (0x80, 800), (0x80, 800))):
                self._sent += 1
                head = bytes([0x80, 101 | (0x80 if turn == 0 else 0)]) + (self._sent & 0xFFFF).to_bytes(2, "big")
                self._sound.sendto(
                    head + stamp + self.port.to_bytes(4, "big") + bytes([code, end | 10]) + length.to_bytes(2, "big"),
                    self._far,
                )

    def waits_for(self, state: str, within: float = 30.0) -> Handset:
        """Until this happened to it."""
        until(lambda: state in self.states, f"{self.user}: {state} (so far {self.states})", within)
        return self

    def hears(self) -> set[str]:
        """Whose voices it hears from now on, of a second of sound; nobody when none comes."""
        mark = self.frames
        end = time.monotonic() + 2.5
        while self.frames < mark + 55 and time.monotonic() < end:
            _NAP.wait(0.02)
        return voice_of(list(self._heard)[-45:]) if self.frames > mark + 20 else set()

    def hears_just(self, *voices: str, why: str = "") -> None:
        """It comes to hear these voices and no other; an ear that is not sure listens again, for half a minute."""
        heard: list[set[str]] = []

        def listens() -> bool:
            heard.append(self.hears())
            return heard[-1] == set(voices)

        try:
            until(listens, "")
        except AssertionError:
            raise AssertionError(f"{why or self.user}: hears {heard[-3:]}, not {set(voices)}") from None

    def close(self) -> None:
        """The plug is pulled: not a word."""
        with self._lock:
            self._open = False
        for one in (self._line, self._sound):
            with contextlib.suppress(OSError):  # a socket that a thread still reads from keeps its port otherwise
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    # ---- the line

    def _became(self, state: str) -> None:
        self.states.append(state)

    def _send(
        self, line: str, cseq: str, *, to: str, call_id: str, more: str = "", body: str = "", branch: str = "",
        sender: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        me = sender or {"sender": self.user, "tag": f"t{self.port}", "display": ""}
        who = f'"{me["display"]}" ' if me.get("display") else ""
        own = me.get("own") or f"{who}<sip:{me['sender']}@{self.ip}>;tag={me['tag']}"
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"{line}\r\nVia: SIP/2.0/UDP {self.ip}:{self.port};branch={branch or 'z9hG4bK' + uuid.uuid4().hex[:12]}\r\n"
            f"From: {own}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:{self.user}@{self.ip}:{self.port}>\r\n{more}{kind}Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self._line.sendto(text.encode(), self._engine)

    def _send_invite(self) -> None:
        d = self._dialog
        self._send(
            f"INVITE {d['target']} SIP/2.0", "1 INVITE", to=d["to"], call_id=d["call_id"], sender=d, branch=d["branch"],
            body=_SDP.format(ip=self.ip, port=self._sound.getsockname()[1]),
        )  # fmt: skip

    def _reply(self, request: str, line: str, *, body: str = "") -> None:
        to = _header(request, "To")
        to += "" if "tag=" in to else f";tag=h{self.port}"
        vias = "".join(f"Via: {v}\r\n" for v in re.findall(r"(?im)^Via\s*:\s*(.*?)\s*$", request))
        kind = "Content-Type: application/sdp\r\n" if body else ""
        text = (
            f"SIP/2.0 {line}\r\n{vias}From: {_header(request, 'From')}\r\nTo: {to}\r\nCall-ID: {_header(request, 'Call-ID')}\r\n"
            f"CSeq: {_header(request, 'CSeq')}\r\nContact: <sip:{self.user}@{self.ip}:{self.port}>\r\n{kind}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        self._line.sendto(text.encode(), self._engine)

    def _answering(self) -> None:
        while self._open:
            try:
                message = self._line.recv(8192).decode(errors="replace")
                with self._lock:
                    (self._answered if message.startswith("SIP/2.0") else self._asked)(message)
            except OSError:
                if not self._open:
                    return
                raise

    def _asked(self, request: str) -> None:
        method = request.partition(" ")[0]
        if method == "INVITE":
            call_id = _header(request, "Call-ID")
            if "answered" in self.states[-1:] and call_id == self._dialog.get("call_id"):
                self._learn(request)
                self._reply(request, "200 OK", body=_SDP.format(ip=self.ip, port=self._sound.getsockname()[1]))
                return
            if call_id in self._rung:
                return
            self._rung.add(call_id)
            self._learn(request)
            self.invited += 1
            self._invite, self.states = request, []
            tag = f";tag=h{self.port}"
            self._dialog = {
                "call_id": call_id, "to": _header(request, "From"),
                "own": _header(request, "To") + tag, "tag": "", "sender": self.user,
                "target": _header(request, "Contact").strip("<>"),
            }  # fmt: skip
            self._reply(request, "180 Ringing")
            self._became("ringing")
            if self.auto == "lift":
                self.lift()
            elif self.auto:
                self.refuse(self.auto)
        elif method in {"BYE", "CANCEL"}:
            self._reply(request, "200 OK")
            if _header(request, "Call-ID") != self._dialog.get("call_id"):
                return  # the end of an earlier call, when the next one rings already
            if method == "CANCEL" and self._invite:
                self._reply(self._invite, "487 Request Terminated")
            self._invite = ""
            self._became("ended")
        elif method != "ACK":
            self._reply(request, "200 OK")

    def _answered(self, answer: str) -> None:
        code, cseq = answer.split(" ", 2)[1], _header(answer, "CSeq")
        if cseq.endswith("REGISTER"):
            self._challenge, self._registered = answer, code
        elif cseq.endswith("INVITE"):
            d = self._dialog
            self.provisional = self.provisional or code.startswith("1")
            if code == "180":
                self._became("ringing")
            elif code == "200":
                d["to"], d["target"] = _header(answer, "To"), _header(answer, "Contact").strip("<>")
                self._learn(answer)
                self._send(f"ACK {d['target']} SIP/2.0", "1 ACK", to=d["to"], call_id=d["call_id"], sender=d)
                if "answered" not in self.states:
                    self._became("answered")
                    if self._given_up:
                        self.hang_up()
            elif code >= "300":
                self._send(
                    f"ACK {d['target']} SIP/2.0", "1 ACK", to=_header(answer, "To"), call_id=d["call_id"], sender=d,
                    branch=d["branch"],
                )  # fmt: skip
                if "ended" not in self.states:
                    self._became(code)
                    self._became("ended")
        elif cseq.endswith("BYE"):
            self._became("ended")

    # ---- the sound

    def _learn(self, message: str) -> None:
        where = re.search(r"(?m)^c=IN IP4 (\S+)", message), re.search(r"(?m)^m=audio (\d+)", message)
        if where[0] and where[1]:
            self._far = where[0][1], int(where[1][1])

    def _listening(self) -> None:
        while self._open:
            try:
                packet = self._sound.recv(2048)
            except OSError:
                return
            if len(packet) >= 16 and packet[1] & 0x7F == _KEYS:
                self._key(packet)
            elif len(packet) > 90 and packet[1] & 0x7F == 8:
                self._heard.append(packet[12:])
                self.frames += 1

    def _key(self, packet: bytes) -> None:
        """RFC 4733: a key is sent many times, with one time stamp; it is over with the first that says so."""
        stamp, code, flags = packet[4:8], packet[12], packet[13]
        if flags & 0x80 and stamp != self._last_key:
            self._last_key = stamp
            self.pressed += "0123456789*#"[code]

    def _talking(self) -> None:
        sound, due = second_of_alaw(TONES[self.voice]), time.monotonic()
        at = 0
        while self._open:
            due = max(due + 0.02, time.monotonic() - _LATE)
            _NAP.wait(max(0.0, due - time.monotonic()))
            if self._far is None or "answered" not in self.states[-1:]:
                continue
            at = at + 160
            try:
                with self._lock:
                    self._sent += 1
                    head = (
                        bytes([0x80, 8])
                        + (self._sent & 0xFFFF).to_bytes(2, "big")
                        + (at & 0xFFFFFFFF).to_bytes(4, "big")
                    )
                    self._sound.sendto(
                        head + self.port.to_bytes(4, "big") + sound[at % 8000 : at % 8000 + 160], self._far
                    )
            except OSError:
                return


class Hands:
    """All handsets of a test; they are gone afterwards."""

    def __init__(self, room: EngineRoom) -> None:
        self.room = room
        self._all: list[Handset] = []

    def _keep(self, one: Handset) -> Handset:
        self._all.append(one)
        return one

    def caller(self, number: str = "13800000001", *, voice: str = "caller") -> Handset:
        """Somebody outside, not calling yet."""
        return self._keep(Handset(self.room, self.room.ground.callers, user=number, voice=voice))

    def seat(self, extension: str = "8001", *, auto: str = "") -> Handset:
        """A registered seat."""
        one = self._keep(Handset(self.room, self.room.ground.agents, user=extension, voice=extension))
        one.auto = auto
        return one.register()

    def town(self, *, voice: str = "family", auto: str = "lift") -> Handset:
        """Whoever is reached through the trunk; returns when the engine knows that the trunk lives."""
        room = self.room
        one = self._keep(Handset(room, room.ground.town, user="town", voice=voice, port=room.town_port))
        one.auto = auto
        self.room.cli("pjsip qualify trunk")
        until(lambda: (self.room.ask("endpoints/PJSIP/trunk") or {}).get("state") == "online", "the trunk is alive")
        return one

    def close(self) -> None:
        """All plugs pulled."""
        for one in self._all:
            one.close()
