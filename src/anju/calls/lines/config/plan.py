"""What the engine is to serve, as plain values: the machine it runs on, and the lines, seats and phones."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

APP = "anju"
"""Name of our Stasis application (the switchboard); the watcher has one of its own."""
REALM = "anju"
"""What SIP clients are asked for; part of every digest, so it never changes."""
LANGUAGE = "zh"
BROWSER = "web"
"""Before the extension: the account of a seat's browser. The same secret serves both."""


def sounds_of(home: Path) -> Path:
    """Where an engine with this home looks for our prompts."""
    return home / "data" / "sounds" / LANGUAGE / "anju"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and as whom the engine runs. All paths absolute; ports of this machine.

    `wss_port` 0 means: no certificate, so the softphone's WebSocket is plain and for this machine only.
    `qualify_seconds`: how often the far end of a trunk is asked for a sign of life: a dead one then fails at once
    instead of ringing on.
    """

    home: Path
    recordings: Path
    modules: Path
    documentation: Path
    control: Path
    ari_port: int
    ari_password: str
    ari_user: str = "anju"
    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    wss_port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    qualify_seconds: int = 15
    rtp_first: int = 20000
    rtp_last: int = 29999
    external_address: str = ""
    local_nets: tuple[str, ...] = ()

    @property
    def etc(self) -> Path:
        """The folder of the configuration."""
        return self.home / "etc"

    @property
    def sounds(self) -> Path:
        """The prompts, `<code>.wav`; a prompt is named `sound:anju/<code>` to the engine."""
        return sounds_of(self.home)

    @property
    def music(self) -> Path:
        """What those who wait hear."""
        return self.home / "data" / "moh"

    @property
    def spool(self) -> Path:
        """Recordings that ARI makes lie in `recording` below it."""
        return self.home / "spool"


@dataclass(frozen=True, slots=True)
class Trunk:
    """A line to the public network. It is known by its user and secret, or by the addresses that it sends from.

    `host` is where outgoing calls go; without it they go where the other side has registered with user and secret. Where
    we register, user and secret prove us to the carrier, who himself proves nothing: he is known by where he sends from.
    """

    name: str
    user: str = ""
    secret: str = ""
    addresses: tuple[str, ...] = ()
    host: str = ""
    port: int = 5060
    transport: str = "udp"
    registers: bool = False
    caller_number: str = ""
    prefixes: tuple[str, ...] = ()
    """Beginnings of the numbers that it carries; none: all."""

    @property
    def known_by_place(self) -> bool:
        """Whoever sends from there is believed; a user name proves nothing then."""
        return bool(self.addresses) or self.registers

    @property
    def places(self) -> tuple[str, ...]:
        """Where such a one sends from."""
        return self.addresses or ((self.host,) if self.registers else ())

    @property
    def line(self) -> str:
        """Its name in the engine. Who proves himself by user and secret is found by exactly that user."""
        return self.user if self.user and not self.known_by_place else self.name

    def carries(self, number: str) -> bool:
        """Whether an outgoing call to this number may go this way."""
        return bool(self.host or self.user) and (not self.prefixes or number.startswith(self.prefixes))


@dataclass(frozen=True, slots=True)
class Number:
    """A number that people dial to reach the centre."""

    number: str
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """A place at the desk: what a softphone or a SIP telephone registers as. `rescue`: rings when no program is alive."""

    extension: str
    secret: str
    name: str = ""
    rescue: bool = True

    @property
    def account(self) -> str:
        """What its browser registers as. A browser wants encrypted sound, a plain telephone wants none: two endpoints."""
        return BROWSER + self.extension


@dataclass(frozen=True, slots=True)
class Phone:
    """A one-key telephone in a home that registers with us by SIP itself."""

    name: str
    secret: str
    number: str = ""
    device: str = ""
    """The device's own key (IMEI), told with every call as ANJU_DEVICE."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Everything that comes from tables. `rescue_numbers` are dialled by the engine itself when no seat answers."""

    trunks: tuple[Trunk, ...] = ()
    numbers: tuple[Number, ...] = ()
    seats: tuple[Seat, ...] = ()
    phones: tuple[Phone, ...] = ()
    rescue_numbers: tuple[str, ...] = ()

    def way_out(self, number: str) -> Trunk | None:
        """The first trunk that carries this number."""
        return next((t for t in self.trunks if t.carries(number)), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole wish."""

    machine: Machine
    lines: Lines = field(default_factory=Lines)
