"""People with telephones: SIPp speaks SIP for them, each says a tone of its own.

A caller (`Caller`) dials us through the trunk; a telephone (`Phone`) is registered with us or stands in the town behind
the trunk, and rings. A party that must act in a certain moment is told so by a signal, never by a guessed pause.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import subprocess
from functools import lru_cache
from pathlib import Path

from anju.calls.simulator import tones
from tests.telephony import nanny
from tests.telephony.engine_room import SECRET, EngineRoom, until
from tests.telephony.ground import is_free

TONES = {
    "music": 300, "caller": 440, "8001": 660, "120": 880, "family": 1200, "8009": 1500, "8002": 1750, "second": 2050,
    "8003": 2350, "doctor": 2700,
}  # fmt: skip
"""Who says what, in Hz. Music is what the tests' own tune sounds like."""
SIPP = shutil.which("sipp") or "sipp"


def alaw(sample: int) -> int:
    """G.711 A-law of a 16-bit sample."""
    sign, size = (0x80, sample) if sample >= 0 else (0, -sample - 1)
    size = min(size >> 3, 0xFFF)
    if size < 32:
        code = size >> 1
    else:
        exponent = size.bit_length() - 5
        code = exponent << 4 | (size >> exponent & 0x0F)
    return (code | sign) ^ 0x55


@lru_cache(maxsize=32)
def second_of_alaw(tone: int) -> bytes:
    """One second of a tone."""
    return bytes(alaw(sample) for sample in memoryview(tones.second_of(frozenset({tone}))).cast("h"))


def write_voices(folder: Path) -> None:
    """One second of each voice, as SIPp streams it."""
    for name, tone in TONES.items():
        (folder / f"{name}.al").write_bytes(second_of_alaw(tone))


def _linear(code: int) -> int:
    code ^= 0x55
    exponent, mantissa = code >> 4 & 7, code & 0x0F
    size = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return size if code & 0x80 else -size


_LINEAR = tuple(_linear(code) for code in range(256))


def voice_of(sounds: list[bytes]) -> set[str]:
    """Whose tones are in these packets of A-law."""
    found = tones.heard([_LINEAR[code] for sound in sounds for code in sound], TONES.values())
    return {name for name, tone in TONES.items() if tone in found}


_SDP = """\
v=0
o=user1 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [{port}] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
"""
_HEAD = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="{name}">\n'
_STREAM = '<nop><action><exec rtp_stream="{voice},-1,8"/></action></nop>\n'
_OK_BYE = """<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
"""


def _reply(line: str, body: str = "", *, cseq: str = "[last_CSeq:]") -> str:
    retrans = ' retrans="500"' if body or line[0] not in "12" else ""
    kind = "Content-Type: application/sdp\nContent-Length: [len]\n" if body else "Content-Length: 0\n"
    return (
        f"<send{retrans}><![CDATA[\nSIP/2.0 {line}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[pid]t[call_number]\n"
        f"[last_Call-ID:]\n{cseq}\nContact: <sip:[local_ip]:[local_port];transport=[transport]>\n{kind}\n{body}\n]]></send>\n"
    )


def telephone(voice: Path | None, *, ring_ms: int = 0, answer: str = "200 OK") -> str:
    """A telephone that rings `ring_ms` and answers: "200 OK" (lifted), a refusal, "" (nobody comes; a CANCEL ends it)."""
    text = _HEAD.format(name="telephone") + '<recv request="INVITE" crlf="true" rrs="true"/>\n' + _reply("180 Ringing")
    if not answer:
        text += '<recv request="CANCEL" timeout="120000"/>\n' + _reply("200 OK")
        return text + _reply("487 Request Terminated", cseq="CSeq: 1 INVITE") + '<recv request="ACK"/>\n</scenario>\n'
    text += f'<pause milliseconds="{ring_ms}"/>\n' if ring_ms else ""
    if answer != "200 OK":
        return text + _reply(answer) + '<recv request="ACK"/>\n</scenario>\n'
    port = "rtpstream_audio_port" if voice else "media_port"
    text += _reply("200 OK", _SDP.format(port=port)) + '<recv request="ACK"/>\n'
    text += _STREAM.format(voice=voice) if voice else ""
    return text + '<recv request="BYE" timeout="240000"/>\n' + _OK_BYE + "</scenario>\n"


def caller(voice: Path | None, *, hold: bool = False, keys: str = "") -> str:
    """A caller who stays until the other side hangs up; `hold`: hangs up after SIPp's -d; `keys`: presses them."""
    port = "rtpstream_audio_port" if voice and not keys else "media_port"
    frame = (
        'From: "[field0]" <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]\n'
        "{to}\nCall-ID: [call_id]\nCSeq: {cseq}\nContact: sip:[field0]@[local_ip]:[local_port]\nMax-Forwards: 70\n"
    )
    via = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
    text = (
        _HEAD.format(name="caller")
        + '<send retrans="500"><![CDATA[\nINVITE sip:[field1]@[remote_ip]:[remote_port] SIP/2.0\n'
    )
    text += via + frame.format(to="To: <sip:[field1]@[remote_ip]:[remote_port]>", cseq="1 INVITE")
    text += "Content-Type: application/sdp\nContent-Length: [len]\n\n" + _SDP.format(port=port) + "\n]]></send>\n"
    text += '<recv response="100" optional="true"/>\n<recv response="180" optional="true"/>\n'
    text += '<recv response="183" optional="true"/>\n<recv response="200" rrs="true"/>\n'
    text += "<send><![CDATA[\nACK [next_url] SIP/2.0\n" + via + frame.format(to="[last_To:]", cseq="1 ACK")
    text += "Content-Length: 0\n\n]]></send>\n"
    if keys:
        text += '<pause milliseconds="400"/>\n'
        for key in keys:
            name = {"#": "pound", "*": "star"}.get(key, key)
            text += (
                f'<nop><action><exec play_pcap_audio="/usr/share/sip-tester/dtmf_2833_{name}.pcap"/></action></nop>\n'
            )
            text += '<pause milliseconds="400"/>\n'
    elif voice:
        text += _STREAM.format(voice=voice)
    if hold:
        text += '<pause/>\n<send retrans="500"><![CDATA[\nBYE [next_url] SIP/2.0\n' + via
        text += (
            frame.format(to="[last_To:]", cseq="2 BYE") + 'Content-Length: 0\n\n]]></send>\n<recv response="200"/>\n'
        )
    else:
        text += '<recv request="BYE" timeout="240000"/>\n' + _OK_BYE
    return text + "</scenario>\n"


class Sipp:
    """One SIPp process, which has its port. Its other ports follow from that one: nobody else's on its address do."""

    def __init__(
        self, folder: Path, name: str, scenario: str, ip: str, port: int, *more: str, room: EngineRoom, media: int = 0
    ) -> None:
        self.name, self.ip, self.port = name, ip, port
        path = folder / f"{name}.xml"
        path.write_text(scenario)
        self.errors, self.said = folder / f"{name}.err", folder / f"{name}.said"
        with self.said.open("wb") as said:
            self.process = nanny.start(
                [SIPP, "-sf", str(path), "-i", ip, "-p", str(port), "-mi", ip, "-mp", str(media or 30000 + port * 4 % 2600),
                 "-ci", ip, "-cp", str(port + 1), "-nostdin", "-aa", "-trace_err",
                 "-error_file", str(self.errors), *more, room.sip],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
            )  # fmt: skip
        until(self.listens, f"{name} listens")

    def listens(self) -> bool:
        """Whether it has its port; if it has ended instead, that fails in its own words."""
        number = f"{int.from_bytes(socket.inet_aton(self.ip), 'little'):08X}:{self.port:04X}"
        if number in Path("/proc/thread-self/net/udp").read_text() or self.process.poll() == 0:
            return True
        if code := self.process.poll():
            raise AssertionError(f"SIPp {self.name} ended at once with {code}:\n{self.words()}")
        return False

    def words(self) -> str:
        """What it complained of."""
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in (self.said, self.errors) if path.exists())

    def over(self, within: float = 30.0) -> int:
        """Wait until its calls are over; its exit code (0: as the scenario says)."""
        return self.process.wait(within)

    def crash(self) -> None:
        """Gone without a word: a telephone whose battery was taken out."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)


def _free(ip: str) -> int:
    """A port that nobody has at this address."""
    return next(port for port in range(5500, 6100, 2) if is_free(port, socket.SOCK_DGRAM, ip))


class Town:
    """Everybody with a telephone, for one test."""

    def __init__(self, room: EngineRoom, folder: Path) -> None:
        self.room, self.folder = room, folder
        self._all: list[Sipp] = []
        write_voices(folder)

    def _run(self, name: str, scenario: str, ip: str, port: int, *more: str) -> Sipp:
        one = Sipp(self.folder, name, scenario, ip, port, *more, room=self.room)
        self._all.append(one)
        return one

    def calls(self, number: str, called: str, *, voice: str = "caller", keys: str = "") -> Sipp:
        """Somebody dials us; returns at once."""
        name = f"caller-{len(self._all)}"
        table = self.folder / f"{name}.csv"
        table.write_text(f"SEQUENTIAL\n{number};{called}\n")
        ip = self.room.ground.callers
        scenario = caller(self.folder / f"{voice}.al", keys=keys)
        return self._run(name, scenario, ip, _free(ip), "-inf", str(table), "-m", "1")

    def seat(self, extension: str, *, ring_ms: int = 0, answer: str = "200 OK", secret: str = "") -> Sipp:
        """A telephone registers as this seat; returns when the engine can ring it."""
        ip = self.room.ground.agents
        port = _free(ip)
        register(self.room.sip, ip, port, extension, secret or f"{SECRET}-{extension}")
        scenario = telephone(self.folder / f"{extension}.al", ring_ms=ring_ms, answer=answer)
        return self._run(f"seat-{extension}", scenario, ip, port)

    def outside(self, *, voice: str = "family", ring_ms: int = 0, answer: str = "200 OK") -> Sipp:
        """Whoever is called through the trunk; returns when the engine has found the trunk alive."""
        scenario = telephone(self.folder / f"{voice}.al", ring_ms=ring_ms, answer=answer)
        one = self._run(f"town-{len(self._all)}", scenario, self.room.ground.town, self.room.town_port)
        self.room.cli("pjsip qualify trunk")
        until(lambda: (self.room.ask("endpoints/PJSIP/trunk") or {}).get("state") == "online", "the trunk is alive")
        return one

    def end(self) -> None:
        """Everybody is gone."""
        for one in self._all:
            one.crash()


def register(engine: str, ip: str, port: int, user: str, secret: str, *, expires: int = 600) -> None:
    """REGISTER with a digest, from the address where SIPp will be a moment later."""
    host, _, engine_port = engine.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((ip, port))
        line.settimeout(3)
        answer = ""
        for turn in (1, 2):
            proof = authorization(answer, user, secret, "REGISTER", f"sip:{engine}")
            line.sendto(_register(engine, ip, port, user, turn, expires, proof).encode(), (host, int(engine_port)))
            answer = line.recv(4096).decode()
        if not answer.startswith("SIP/2.0 200"):
            raise AssertionError(f"{user} is not registered: {answer.splitlines()[0]}")


def _register(engine: str, ip: str, port: int, user: str, turn: int, expires: int, proof: str) -> str:
    return (
        f"REGISTER sip:{engine} SIP/2.0\r\nVia: SIP/2.0/UDP {ip}:{port};branch=z9hG4bK{user}{port}{turn}\r\n"
        f"From: <sip:{user}@{engine}>;tag={user}{port}\r\nTo: <sip:{user}@{engine}>\r\nCall-ID: {user}-{port}\r\n"
        f"CSeq: {turn} REGISTER\r\nContact: <sip:{user}@{ip}:{port}>\r\nExpires: {expires}\r\nMax-Forwards: 70\r\n"
        f"{proof}Content-Length: 0\r\n\r\n"
    )


def authorization(challenge: str, user: str, secret: str, method: str, uri: str) -> str:
    """The header that answers a 401; "" before there was one."""
    if not challenge:
        return ""
    realm, nonce = (re.search(rf'{name}="([^"]*)"', challenge)[1] for name in ("realm", "nonce"))  # type: ignore[index]
    first = hashlib.md5(f"{user}:{realm}:{secret}".encode()).hexdigest()  # noqa: S324  SIP digest
    second = hashlib.md5(f"{method}:{uri}".encode()).hexdigest()  # noqa: S324  SIP digest
    answer = hashlib.md5(f"{first}:{nonce}:00000001:anju:auth:{second}".encode()).hexdigest()  # noqa: S324  SIP digest
    return (
        f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{answer}", '
        f'algorithm=MD5, qop=auth, nc=00000001, cnonce="anju"\r\n'
    )
