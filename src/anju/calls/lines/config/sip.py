"""pjsip.conf: transports, trunks, seats and one-key phones.

A seat has two endpoints with one secret: `1017` for any plain SIP telephone, `web1017` for the browser (WebRTC: DTLS,
ICE). One for both was tried: its offer says UDP/TLS/RTP/SAVP, which plain telephones refuse. REFER is not loaded at all:
calls are transferred from the desk, through the server, so that nobody leaves a call unseen. Nobody is told by re-INVITE
whom he now talks to: telephones show nothing of it, and simple ones end the call. Behind an address translator a telephone
is reached where its packets come from (`rewrite_contact`); on loopback there is none, and it is reached where it says.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from anju.calls.lines.config.plan import LANGUAGE, REALM, Machine, Phone, Plan, Seat, Trunk

QUALIFY_TIMEOUT = 3
"""Seconds within which the far end of a trunk gives its sign of life.

Seats are not asked: a browser's place goes with its WebSocket, a telephone's with its registration, and many a plain
telephone (and every test caller) does not answer OPTIONS: it would count as dead and never ring.
"""
BROWSER_RTP_TIMEOUT = 8
"""Seconds without any sound from a browser until its leg is ended: it is gone and said nothing."""
SEAT_RTP_TIMEOUT = 60
"""The same of a plain telephone, of which some are silent while nobody speaks."""


def pjsip(plan: Plan) -> str:
    """The whole file."""
    here = ipaddress.ip_address(plan.machine.sip_host).is_loopback
    parts = [
        _GLOBAL.format(realm=REALM),
        *_transports(plan.machine),
        _TEMPLATES.replace("{believe}", "no" if here else "yes"),
    ]
    parts += ["\n".join(_trunk(trunk, plan.machine.qualify_seconds)) for trunk in plan.lines.trunks]
    parts += [_seat(seat) for seat in plan.lines.seats]
    parts += [_phone(phone) for phone in plan.lines.phones]
    return "\n".join(parts)


_GLOBAL = """\
[global]
type = global
user_agent = Anju
endpoint_identifier_order = ip,auth_username,username
default_realm = {realm}
keep_alive_interval = 25
unidentified_request_count = 20
unidentified_request_period = 5
ignore_uri_user_options = yes

[system]
type = system
timer_t1 = 500
threadpool_initial_size = 5
threadpool_auto_increment = 5
threadpool_max_size = 50
"""

_TEMPLATES = f"""
[telephone](!)
type = endpoint
language = {LANGUAGE}
allow = !all,alaw,ulaw,g722,opus,gsm
direct_media = no
rtp_symmetric = yes
force_rport = yes
rewrite_contact = {{believe}}
dtmf_mode = rfc4733
allow_transfer = no
allow_subscribe = no
send_pai = yes
send_connected_line = no
timers = no

[seat](!,telephone)
context = seats
allow = !all,alaw,ulaw,g722
rtp_timeout = {SEAT_RTP_TIMEOUT}
rtp_timeout_hold = 0

[browser](!,seat)
allow = !all,opus,alaw,ulaw
webrtc = yes
rewrite_contact = yes
dtls_auto_generate_cert = yes
rtp_timeout = {BROWSER_RTP_TIMEOUT}

[onekey](!,telephone)
context = phones
identify_by = username,auth_username
trust_id_inbound = no

[trunkline](!,telephone)
context = trunk
trust_id_inbound = yes
trust_id_outbound = yes
rtp_timeout = 60
rtp_timeout_hold = 0
identify_by = auth_username,ip

[one-place](!)
type = aor
max_contacts = 1
remove_existing = yes
minimum_expiration = 20
maximum_expiration = 3600
default_expiration = 120

[login](!)
type = auth
auth_type = userpass
realm = {REALM}

[prove](!)
type = auth
auth_type = userpass
"""
"""`prove` names no realm: it answers whatever realm the other side asks for, ours is nobody else's."""


def _transports(machine: Machine) -> Iterator[str]:
    host = f"[{machine.sip_host}]" if ":" in machine.sip_host else machine.sip_host
    outside = ""
    if machine.external_address:
        outside = f"external_media_address = {machine.external_address}\nexternal_signaling_address = {machine.external_address}\n"
        outside += "".join(f"local_net = {net}\n" for net in machine.local_nets)
    for protocol in ("udp", "tcp"):
        yield (
            f"[transport-{protocol}]\ntype = transport\nprotocol = {protocol}\nbind = {host}:{machine.sip_port}\n"
            f"allow_reload = no\n{outside}"
        )
    for protocol in ("ws", "wss"):
        yield f"[transport-{protocol}]\ntype = transport\nprotocol = {protocol}\nbind = {host}\n{outside}"


_OUT = "~out"
"""What proves us to others; no name of a row can end like this."""


def _auth(name: str, user: str, secret: str, kind: str = "login") -> str:
    return f"[{name}]({kind})\nusername = {user}\npassword = {secret}\n"


def _trunk(trunk: Trunk, qualify: int) -> Iterator[str]:
    name = trunk.line
    yield f"[{name}](trunkline)\naors = {name}\ntransport = transport-{trunk.transport}\nset_var = ANJU_LINE={name}"
    if trunk.caller_number:
        yield f"from_user = {trunk.caller_number}"
    if trunk.known_by_place:
        yield "identify_by = ip"  # by user name too, anybody who knows the name would be let in without a secret
    elif trunk.user:
        yield f"auth = {name}"
    if trunk.user and trunk.host:
        yield f"outbound_auth = {name}{_OUT}"
    yield f"\n[{name}](one-place)"
    if trunk.host:
        yield f"contact = sip:{_at(trunk.host)}:{trunk.port}" + ("\\;transport=tcp" if trunk.transport == "tcp" else "")
        yield f"qualify_frequency = {qualify}\nqualify_timeout = {QUALIFY_TIMEOUT}"
    yield ""
    if trunk.user:
        yield _auth(name, trunk.user, trunk.secret)
    if trunk.user and trunk.host:
        yield _auth(name + _OUT, trunk.user, trunk.secret, "prove")
    if trunk.known_by_place:
        yield f"[{name}]\ntype = identify\nendpoint = {name}\n" + "".join(f"match = {a}\n" for a in trunk.places)
    if trunk.registers and trunk.host:
        where = f"sip:{_at(trunk.host)}:{trunk.port}"
        yield (
            f"[{name}]\ntype = registration\ntransport = transport-{trunk.transport}\noutbound_auth = {name}{_OUT}\n"
            f"server_uri = {where}\nclient_uri = sip:{trunk.user}@{_at(trunk.host)}:{trunk.port}\ncontact_user = {trunk.user}\n"
            "retry_interval = 15\nforbidden_retry_interval = 60\nfatal_retry_interval = 60\nauth_rejection_permanent = no\n"
            "max_retries = 100000\nexpiration = 300\nline = no\n"
        )


def _at(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _seat(seat: Seat) -> str:
    shown = f"callerid = {seat.name} <{seat.extension}>\n" if seat.name else ""
    return "\n".join(
        f"[{name}]({kind})\naors = {name}\nauth = {name}\n{shown}\n[{name}](one-place)\n\n{_auth(name, name, seat.secret)}"
        for name, kind in ((seat.extension, "seat"), (seat.account, "browser"))
    )


def _phone(phone: Phone) -> str:
    known = f"callerid = <{phone.number}>\nset_var = ANJU_NUMBER={phone.number}\n" if phone.number else ""
    return (
        f"[{phone.name}](onekey)\naors = {phone.name}\nauth = {phone.name}\nset_var = ANJU_LINE={phone.name}\n"
        f"set_var = ANJU_DEVICE={phone.device or phone.name}\n{known}\n"
        f"[{phone.name}](one-place)\n\n{_auth(phone.name, phone.name, phone.secret)}"
    )
