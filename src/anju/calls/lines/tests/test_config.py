"""What the engine is given to read: nothing that a table holds can become a line of its own there."""

from __future__ import annotations

import configparser
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anju.calls.lines import speech
from anju.calls.lines.config import checking, sip, system, writing
from anju.calls.lines.config.plan import Lines, Machine, Number, Phone, Plan, Seat, Trunk

SECRET = "long-enough-secret-1"
ALL = Lines(
    trunks=(
        Trunk("city", user="city-user", secret=SECRET),
        Trunk("carrier", user="acc1", secret=SECRET, addresses=("10.1.2.0/24",), host="10.1.2.3", registers=True),
    ),
    numbers=(Number("05710096219"), Number("05710096120", emergency=True)),
    seats=(Seat("1017", SECRET, "周晓岚"), Seat("1023", SECRET, rescue=False)),
    phones=(Phone("onekey-001", SECRET, "14400000001", "004409990000017"),),
    rescue_numbers=("14400000009",),
)


def machine(folder: Path = Path("/srv/anju/asterisk")) -> Machine:
    return Machine(
        home=folder, recordings=folder / "recordings", modules=folder / "modules", documentation=folder / "papers",
        control=folder / "run", ari_port=8004, ari_password=SECRET,
    )  # fmt: skip


def sections(text: str) -> list[str]:
    """Headings of a file, each as often as it stands there."""
    return [line[1 : line.index("]")] for line in text.splitlines() if line.startswith("[")]


@pytest.mark.req("CALL-01", "CALL-13")
def test_every_row_has_its_place_and_calls_are_recorded_before_any_program_hears_of_them() -> None:
    files = writing.render(Plan(machine(), ALL))
    names = sections(files["pjsip.conf"])
    for wanted in ("city-user", "carrier", "1017", "web1017", "1023", "web1023", "onekey-001"):
        assert names.count(wanted) >= 2, wanted  # an endpoint and its address at least
    assert "city" not in names, "who proves himself by user and secret is found by his user"
    plan = files["extensions.conf"]
    for context in ("trunk", "phones"):
        body = plan.split(f"[{context}]")[1].split("\n[")[0]
        assert body.index("MixMonitor(") < body.index("Stasis(anju,") < body.index("rescue,s,1")
        assert "Gosub" not in body, "who hangs up within a subroutine never comes to this context's h"
        assert "exten => h,1," in body
    assert "exten => 05710096120,1,Set(ANJU_EMERGENCY=1)" in plan
    assert "exten => 05710096219,1,Set(ANJU_EMERGENCY=0)" in plan
    assert "refer" not in files["modules.conf"], "a telephone must not transfer past the desk"
    rescue = plan.split("[rescue]")[1].split("\n[")[0]
    assert "Queue(rescue" in rescue
    assert "14400000009@city-user" in rescue
    assert "Stasis" not in rescue
    members = [line for line in files["queues.conf"].splitlines() if line.startswith("member")]
    assert [m.split(",")[2] for m in members] == ["1017", "web1017"], "1023 does not ring when nothing else is left"


@pytest.mark.req("CALL-01")
def test_the_engines_interface_is_for_this_machine_only_even_on_the_browsers_port() -> None:
    secured = replace(
        machine(),
        wss_port=8005,
        certificate=Path("/srv/a.crt"),
        key=Path("/srv/a.key"),
        sip_host="0.0.0.0",  # noqa: S104
    )
    http = system.files(Plan(secured))["http.conf"]
    assert "bindaddr = 127.0.0.1" in http
    assert "tlsbindaddr = 0.0.0.0:8005" in http
    closed = http.split("[/ari]")[1]
    assert "deny = 0.0.0.0/0" in closed
    assert "deny = ::/0" in closed
    assert "permit = 127.0.0.1/32" in closed
    assert "tls" not in system.files(Plan(machine()))["http.conf"]


def test_behind_a_translator_a_telephone_is_reached_where_its_packets_come_from() -> None:
    def plain(host: str) -> str:
        return sip.pjsip(Plan(replace(machine(), sip_host=host), ALL)).split("[telephone]")[1].split("\n[")[0]

    assert "rewrite_contact = yes" in plain("10.0.0.5")
    assert "rewrite_contact = no" in plain("127.0.0.1"), "on loopback it is where it says"
    assert "external_media_address" not in sip.pjsip(Plan(machine(), ALL))
    outside = replace(machine(), external_address="203.0.113.7", local_nets=("10.0.0.0/8",))
    assert sip.pjsip(Plan(outside, ALL)).count("local_net = 10.0.0.0/8") == 4


def section(text: str, name: str, kind: str) -> str:
    """The part of that name that is of that kind (or made from that template)."""
    parts = [p for p in f"\n{text}".split("\n[") if p.startswith(f"{name}]")]
    return next(p for p in parts if f"type = {kind}\n" in p or p.startswith(f"{name}]({kind})"))


@pytest.mark.req("CALL-01", "CALL-13")
def test_a_carrier_is_known_by_where_he_sends_from_and_by_nothing_else() -> None:
    """A name in a digest header proves nothing where no secret is asked for: anybody could have written it."""
    given = Trunk("ims", user="+8657100000000", secret="aB1!@#$%", host="ims.example.cn", registers=True)
    text = sip.pjsip(Plan(machine(), replace(ALL, trunks=(*ALL.trunks, given))))
    for name, place in (("carrier", "10.1.2.0/24"), ("ims", "ims.example.cn")):
        endpoint = section(text, name, "trunkline")
        assert "identify_by = ip" in endpoint
        assert "\nauth = " not in endpoint, "a carrier does not log in with us"
        assert f"match = {place}" in section(text, name, "identify")
    out = section(text, "ims~out", "prove")
    assert "password = aB1!@#$%" in out
    assert text.count("outbound_auth = ims~out\n") == 2, "for calls and for its registration"
    assert "realm" not in out + text.split("[prove](!)")[1].split("\n[")[0], "the carrier's realm is not ours to know"
    assert "client_uri = sip:+8657100000000@ims.example.cn:5060" in section(text, "ims", "registration")
    assert "identify_by = ip" not in section(text, "city-user", "trunkline")
    assert "auth = city-user" in section(text, "city-user", "trunkline")
    assert not checking.grave(Plan(machine(), replace(ALL, trunks=(given,))))
    six = replace(given, host="2001:db8::5")
    assert "sip:[2001:db8::5]:5060" in sip.pjsip(Plan(machine(), Lines(trunks=(six,))))


@pytest.mark.req("CALL-01")
def test_a_caller_is_understood_in_whatever_sound_the_engine_reads_and_by_her_name_or_her_number() -> None:
    """A telephone that offers G.722, Opus or GSM alone was refused with 488, and nobody knew that it had called."""
    files = writing.render(Plan(machine(), ALL))
    telephone, onekey = (
        files["pjsip.conf"].split(f"[{name}](!")[1].split("\n[")[0] for name in ("telephone", "onekey")
    )
    assert "allow = !all,alaw,ulaw,g722,opus,gsm" in telephone
    assert {"codec_g722", "codec_opus_open_source", "codec_gsm"} <= set(system.MODULES)
    assert "identify_by = username,auth_username" in onekey


@pytest.mark.req("CALL-13")
def test_a_rescue_number_is_dialled_where_it_is_carried() -> None:
    far = Trunk("far", user="far-user", secret=SECRET, prefixes=("0",))
    lines = replace(ALL, trunks=(far, *ALL.trunks), rescue_numbers=("14400000009", "02112345678"))
    rescue = writing.render(Plan(machine(), lines))["extensions.conf"].split("[rescue]")[1]
    assert "Dial(PJSIP/14400000009@city-user&PJSIP/02112345678@far-user,30" in rescue
    nowhere = [p for p in checking.problems(Plan(machine(), replace(lines, trunks=(far,)))) if "拨不出去" in p.what]
    assert [(p.where, p.grave) for p in nowhere] == [("兜底号码 14400000009", False)]


WRONG = [
    (Lines(trunks=(Trunk("a;b", user="u", secret=SECRET),)), "名称"),
    (Lines(trunks=(Trunk("a", user="u", secret="short"),)), "密码"),
    (Lines(trunks=(Trunk("a", user="u", secret=SECRET + "\nexten"),)), "密码"),
    (Lines(trunks=(Trunk("a"),)), "冒充"),
    (Lines(trunks=(Trunk("a", addresses=("1.2.3.4\n[x]",)),)), "对端地址"),
    (Lines(trunks=(Trunk("a", user="u", secret=SECRET, host="h;x"),)), "对端主机"),
    (Lines(trunks=(Trunk("a", user="u", secret=SECRET, host="fe80::1%\n[x]"),)), "对端主机"),
    (Lines(trunks=(Trunk("a", addresses=("fe80::1%;x",)),)), "对端地址"),
    (Lines(trunks=(Trunk("a", user="u", secret="a;b", host="h", registers=True),)), "密码"),
    (Lines(trunks=(Trunk("a", user="u", secret="", host="h", registers=True),)), "密码"),
    (Lines(trunks=(Trunk("a", user="u", secret=SECRET, registers=True),)), "注册"),
    (Lines(numbers=(Number("12,1,System(x)"),)), "数字"),
    (Lines(numbers=(Number("123"), Number("123"))), "重复"),
    (Lines(seats=(Seat("10a", SECRET),)), "座席号"),
    (Lines(seats=(Seat("1017", SECRET, "周\n[x]"),)), "姓名"),
    (Lines(seats=(Seat("1017", SECRET), Seat("1017", SECRET))), "重名"),
    (Lines(seats=(Seat("1017", SECRET),), phones=(Phone("web1017", SECRET),)), "重名"),
    (Lines(phones=(Phone("transport-udp", SECRET),)), "系统占用"),
    (Lines(phones=(Phone("p1", SECRET, "1x"),)), "号码"),
    (Lines(rescue_numbers=("120",)), "从不自动拨打"),
]


@pytest.mark.req("CALL-13")
@pytest.mark.parametrize(("lines", "word"), WRONG, ids=[word + str(n) for n, (_, word) in enumerate(WRONG)])
def test_a_value_that_the_engine_would_misread_is_refused_and_says_what_is_wrong(lines: Lines, word: str) -> None:
    found = checking.grave(Plan(machine(), lines))
    assert any(word in str(problem) for problem in found), [str(p) for p in found]
    with pytest.raises(writing.RefusedConfig):
        writing.render(Plan(machine(), lines))
    assert not checking.grave(Plan(machine(), ALL))


def test_an_odd_machine_is_refused_and_an_empty_centre_is_only_told() -> None:
    odd = [
        replace(machine(), sip_port=8004), replace(machine(), rtp_first=100), replace(machine(), sip_host="host"),
        replace(machine(), home=Path("/srv/a b")), replace(machine(), external_address="x y"),
        replace(machine(), local_nets=("10.0",)), replace(machine(), external_address="fe80::1%\nx"), replace(machine(), ari_password="x"),
    ]  # fmt: skip
    assert all(checking.grave(Plan(m, ALL)) for m in odd)
    empty = checking.problems(Plan(machine(), Lines()))
    assert len(empty) == 3
    assert not any(p.grave for p in empty)


ODD = (
    "\n[x]\n",
    "\r\n",
    ";",
    "\\",
    "[x]",
    "${EXTEN}",
    "%\n[x]",
    "%;",
    ",1,System(x)",
    "=>",
    "#include x",
    " ",
    "\0",
    "",
)
RIGHT = {
    "name": ("city", "a.b-c"), "user": ("", "acc1"), "secret": (SECRET,), "host": ("", "h.example", "10.0.0.1", "fe80::1"),
    "number": ("057196219", "+86571"), "extension": ("1017",), "shown": ("周晓岚", "Zhou (夜班)"), "address": ("10.0.0.0/8", "::1"),
}  # fmt: skip


@st.composite
def rows_of(draw: st.DrawFn) -> dict[str, str]:
    """A row as people fill it in, with at most two values spoilt: if all of them were, nothing would ever be written."""
    row = {name: draw(st.sampled_from(good)) for name, good in RIGHT.items()}
    for name in draw(st.sets(st.sampled_from(sorted(row)), max_size=2)):
        at = draw(st.integers(0, len(row[name])))
        row[name] = draw(st.just(row[name][:at] + draw(st.sampled_from(ODD)) + row[name][at:]) | st.text(max_size=60))
    return row


def test_whatever_a_table_holds_the_files_hold_only_sections_that_we_wrote() -> None:
    """Either it is refused, or it is a value: no more headings, no more lines than an ordinary row makes."""
    usual = set(sections(writing.render(Plan(machine(), Lines()))["pjsip.conf"]))
    written: list[dict[str, str]] = []

    @settings(max_examples=150, deadline=None)
    @given(rows_of())
    def holds(row: dict[str, str]) -> None:
        name, address = row["name"], row["address"]
        lines = Lines(
            trunks=(Trunk(name, row["user"], row["secret"], (address,) if address else (), row["host"]),),
            numbers=(Number(row["number"]),), seats=(Seat(row["extension"], row["secret"], row["shown"]),),
            phones=(Phone(name + "p", row["secret"], row["number"], "".join(c for c in address if c != "/")),),
        )  # fmt: skip
        try:
            files = writing.render(Plan(machine(), lines))
        except writing.RefusedConfig:
            return
        written.append(row)
        line, seat = lines.trunks[0].line, row["extension"]
        assert set(sections(files["pjsip.conf"])) <= {line, f"{line}~out", seat, "web" + seat, name + "p"} | usual
        assert ";" not in files["pjsip.conf"].replace("\\;", "")
        steps = [step for step in files["extensions.conf"].splitlines() if step.startswith(("exten", " same"))]
        assert not any("System(" in step or "#include" in step for step in steps)

    holds()
    assert len(written) > 10, "if all were refused, this test could not fail"


def test_the_files_are_written_whole_for_their_owner_and_only_when_they_change(tmp_path: Path) -> None:
    home = machine(tmp_path / "a")
    prompts = {p.stem: p for p in speech.FOLDER.glob("*.wav")}
    (tmp_path / "a" / "papers").mkdir(parents=True)
    assert writing.write(Plan(home, ALL), prompts, speech.FOLDER / "tune.wav")
    assert not writing.write(Plan(home, ALL), prompts, speech.FOLDER / "tune.wav")
    assert writing.write(Plan(home, replace(ALL, seats=())), prompts, speech.FOLDER / "tune.wav")
    for path in home.etc.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert (home.sounds / "rescue_wait.wav").read_bytes() == prompts["rescue_wait"].read_bytes()
    parser = configparser.ConfigParser(strict=False, delimiters=("=>", "="))
    parser.read(home.etc / "asterisk.conf")
    assert parser["directories"]["astspooldir"] == str(home.spool)
    writing.keep(home)
    (home.etc / "pjsip.conf").write_text("broken")
    writing.go_back(home, None)
    assert "onekey-001" in (home.etc / "pjsip.conf").read_text()
