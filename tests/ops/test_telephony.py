"""The telephone engine is found, or installed from what the machine's own keys vouch for; it never runs as root."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
from pathlib import Path

import pytest

from anju.ops import asterisk, asterisk_install, telephony
from anju.ops.home import Home
from anju.ops.options import RefusedError, read_options
from anju.ops.processes import OsUser
from anju.ops.secrets import Secrets
from anju.ops.setup import StepFailedError

DEB822 = """\
# the distribution
Types: deb
URIs: http://mirror.example/distro
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/k.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.example/distro
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://gone.example/distro bookworm main
deb-src http://src.example/distro bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://one.example/distro bookworm main contrib # ours
deb cdrom:[disk]/ bookworm main
deb http://plain.example/distro bookworm-backports main
"""


@pytest.mark.req("CALL-13")
def test_the_mirror_is_the_one_that_this_machine_uses_for_its_own_release(tmp_path: Path, monkeypatch) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    places = {"list": tmp_path / "sources.list", "parts": parts}
    monkeypatch.setattr(asterisk_install, "_apt_places", lambda: places)
    monkeypatch.setattr(asterisk_install, "os_release", lambda: {"VERSION_CODENAME": "bookworm", "ID": "debian"})
    with pytest.raises(asterisk.AsteriskError, match="names no mirror"):
        asterisk_install.find_mirror()
    (parts / "other.list").write_text("deb http://other.example/tools stable main\n")
    (parts / "debian.sources").write_text(DEB822)
    found = asterisk_install.find_mirror()
    assert found == asterisk_install.Mirror("http://mirror.example/distro", "/usr/share/keyrings/k.gpg")
    places["list"].write_text(ONE_LINE)
    assert asterisk_install.find_mirror() == asterisk_install.Mirror("http://one.example/distro", "/k.gpg")
    rows = list(asterisk_install.one_line(ONE_LINE))
    assert [r[0] for r in rows] == ["http://one.example/distro", "cdrom:[disk]/", "http://plain.example/distro"]


def test_elsewhere_it_refuses_in_plain_words_and_says_what_to_install(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "tree"
    for name, value, word in (
        ("machine", lambda: "aarch64", "aarch64"),
        ("system", lambda: "Darwin", "Darwin"),
    ):
        with monkeypatch.context() as here:
            here.setattr(asterisk_install.platform, name, value)
            with pytest.raises(asterisk.AsteriskError, match=f"(?s){word}.*Install Asterisk 20 or newer"):
                asterisk_install.ensure(folder, None)
    monkeypatch.setattr(asterisk_install, "os_release", lambda: {"ID": "fedora", "PRETTY_NAME": "Fedora 44"})
    with pytest.raises(asterisk.AsteriskError, match=r"(?s)no Debian \(Fedora 44\).*Install Asterisk 20"):
        asterisk_install.ensure(folder, None)
    assert not folder.exists()


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt")
def test_what_nobody_signed_is_neither_fetched_nor_unpacked(tmp_path: Path, monkeypatch) -> None:
    """The mirror says all is well and holds a package; only the signature is missing. A switch of the machine's own
    configuration can't allow it either: ours is read after it."""
    repo = tmp_path / "repo"
    index = repo / "dists" / "forky" / "main" / "binary-amd64"
    index.mkdir(parents=True)
    (index / "Packages").write_text(
        "Package: asterisk\nVersion: 1:22.0\nArchitecture: amd64\nFilename: a.deb\nSize: 1\nSHA256: " + "0" * 64 + "\n"
    )
    (repo / "dists" / "forky" / "Release").write_text(
        "Origin: Debian\nSuite: testing\nCodename: forky\nComponents: main\n"
    )
    monkeypatch.setattr(asterisk_install, "find_mirror", lambda: asterisk_install.Mirror(f"file:{repo}"))
    monkeypatch.setattr(asterisk_install, "RELEASES", ("forky",))
    unpacked: list[object] = []
    monkeypatch.setattr(asterisk_install, "_unpack", lambda *words: unpacked.append(words))
    tmp_path.chmod(0o755)
    with pytest.raises(asterisk.AsteriskError, match=r"(?s)not signed|GPG|NO_PUBKEY"):
        asterisk_install.ensure(tmp_path / "made" / "tree", None)
    assert not unpacked
    config = (tmp_path / "made" / "apt" / "apt.conf").read_text()
    assert 'AllowUnauthenticated "false"' in config
    assert 'AllowInsecureRepositories "false"' in config


def test_a_package_that_is_not_the_signed_one_is_fetched_again_and_then_refused(tmp_path: Path, monkeypatch) -> None:
    """A file that lies in the cache since an earlier try is believed by apt if only its size is right."""
    apt = asterisk_install.Apt(tmp_path, asterisk_install.Mirror("file:/nowhere"), "forky")
    archives = tmp_path / "cache" / "archives"
    archives.mkdir(parents=True)
    good, signed = b"the real one", hashlib.sha256(b"the real one").hexdigest()
    says = type("Said", (), {"stdout": f"Package: a\nSHA256: {signed}\n"})
    monkeypatch.setattr(asterisk_install.subprocess, "run", lambda *_words, **_more: says)
    runs: list[str] = []

    def fetches(content: bytes):
        def run(*_words: str, said: str) -> None:
            runs.append(said)
            if not (archives / "a.deb").exists():
                (archives / "a.deb").write_bytes(content)

        return run

    (archives / "a.deb").write_bytes(b"another one!")
    monkeypatch.setattr(apt, "run", fetches(good))
    assert apt.fetch(["a"]) == [archives / "a.deb"]
    assert (archives / "a.deb").read_bytes() == good
    assert len(runs) == 2
    (archives / "a.deb").write_bytes(b"another one!")
    monkeypatch.setattr(apt, "run", fetches(b"bad as before"))
    with pytest.raises(asterisk_install.AptFailed, match="not what the signed index says"):
        apt.fetch(["a"])
    assert not (archives / "a.deb").exists()


def test_what_is_unpacked_was_looked_at_file_by_file(tmp_path: Path, monkeypatch) -> None:
    """What an earlier try left in the cache is no more believed than what comes from the mirror."""
    archives = tmp_path / "apt" / "cache" / "archives"
    archives.mkdir(parents=True)

    def run(*_words: object, **_more: object) -> None:
        (archives / "left.deb").write_bytes(b"not Debian's")

    monkeypatch.setattr(asterisk_install.Apt, "run", run)
    monkeypatch.setattr(asterisk_install.Apt, "strangers", lambda _apt, packages: list(packages))
    with pytest.raises(asterisk.AsteriskError, match="not what the signed index says"):
        asterisk_install._fetch(tmp_path / "apt", asterisk_install.Mirror("file:/nowhere"))
    monkeypatch.setattr(asterisk_install.Apt, "strangers", lambda _apt, _packages: [])
    fetched = asterisk_install._fetch(tmp_path / "apt", asterisk_install.Mirror("file:/nowhere"))
    assert fetched == [archives / "left.deb"]


def program(path: Path, said: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)


def a_tree(root: Path, version: str, modules: tuple[str, ...] = asterisk.NEEDED_MODULES) -> Path:
    libraries = root / "usr/lib/x86_64-linux-gnu"
    program(libraries / "ld-linux-x86-64.so.2", f"Asterisk {version}+dfsg")
    for name in modules:
        (libraries / "asterisk/modules").mkdir(parents=True, exist_ok=True)
        (libraries / f"asterisk/modules/{name}.so").touch()
    papers = root / "usr/share/asterisk/documentation"
    papers.mkdir(parents=True)
    (papers / "core-en_US.xml").touch()
    return root


def test_an_engine_that_is_too_old_or_lacks_a_part_does_not_count(tmp_path: Path, monkeypatch) -> None:
    home = Home(tmp_path / "home")
    good, old = a_tree(tmp_path / "good", "22.10.1"), a_tree(tmp_path / "old", "16.28.0")
    part = a_tree(tmp_path / "part", "22.1.0", asterisk.NEEDED_MODULES[:-1])
    monkeypatch.setenv("ANJU_ASTERISK_TREE", str(good))
    found = asterisk.find(home)
    assert found is not None
    assert (found.version, found.major, found.is_private) == ("22.10.1", 22, True)
    assert str(found.start(Path("/etc/x.conf"))[0]).endswith("ld-linux-x86-64.so.2"), "through its own loader"
    for root in (old, part, tmp_path / "nothing"):
        monkeypatch.setenv("ANJU_ASTERISK_TREE", str(root))
        assert asterisk.find(home) is None, root
    monkeypatch.setenv("ANJU_ASTERISK_TREE", "none")
    assert asterisk.find(home) is None


def test_root_is_never_whom_the_engine_runs_as(monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert asterisk.user() is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    who = asterisk.user()
    assert who is not None
    assert who.uid != 0
    monkeypatch.setenv("ANJU_ASTERISK_USER", "root")
    who = asterisk.user()
    assert who is not None
    assert who.uid != 0, "not even when somebody asks for it"
    monkeypatch.setattr(asterisk.pwd, "getpwall", lambda: [asterisk.pwd.getpwuid(0)])
    with pytest.raises(asterisk.AsteriskError, match="useradd"):
        asterisk.user()


def test_a_folder_that_the_engines_user_can_not_reach_is_not_used(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(asterisk, "user", lambda: OsUser("someone", 65534, 65534))
    monkeypatch.setattr(asterisk, "can_enter", lambda folder, _who: "closed" not in str(folder))
    assert asterisk.base_folder(Home(tmp_path / "open")) == tmp_path / "open" / "asterisk"
    assert asterisk.base_folder(Home(tmp_path / "closed")).is_relative_to(asterisk.OUTSIDE)
    short, long = asterisk.control_folder(Path("/srv/a")), asterisk.control_folder(Path("/srv/" + "a" * 120))
    assert short == Path("/srv/a/run")
    assert len(str(long / "asterisk.ctl")) < 108, "a socket's path has a limit"


def started(tmp_path: Path, *words: str, **settings: str) -> telephony.Telephony:
    known = {"ANJU_HOSTS": "anju.example.org", **settings}
    options = read_options(words, known)
    return telephony.Telephony(Home(tmp_path), options, known, Secrets.for_tests())


@pytest.mark.req("CALL-13")
def test_production_refuses_the_simulated_telephone_unless_it_is_asked_for(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("ANJU_ASTERISK_TREE", "none")
    with pytest.raises(RefusedError, match="--telephony"):
        started(tmp_path, "--production", "--https").find()
    for allowed in (
        started(tmp_path, "--production", "--https", "--simulated-telephony"),
        started(tmp_path, "--production", "--https", ANJU_EXCHANGE="simulator"),
        started(tmp_path),
    ):
        allowed.find()
        assert allowed.environment()["ANJU_EXCHANGE"] == "simulator"
        assert allowed.environment()["ANJU_ARI_URL"] == ""
        assert allowed.make_child() is None
        assert allowed.ports() == ()
    with pytest.raises(RefusedError, match="one of them"):
        started(tmp_path, "--telephony", "--simulated-telephony")


@pytest.mark.req("CALL-13")
def test_a_row_that_can_not_be_loaded_does_not_keep_the_platform_from_starting(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setenv("ANJU_ASTERISK_TREE", str(a_tree(tmp_path / "tree", "22.10.1")))
    one = started(tmp_path)
    one.find()

    def refuses(*_words: str) -> str:
        raise StepFailedError("中继 bad：密码须为 12 位")

    with pytest.raises(StepFailedError):
        one.prepare(refuses)  # nothing to go on with
    one.config.parent.mkdir(parents=True)
    one.config.touch()
    one.prepare(refuses)
    assert "goes on with the lines that it had: 中继 bad" in capsys.readouterr().err
    assert one.make_child() is not None


def test_every_process_is_told_of_the_engine_and_its_ports_are_its_own(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("ANJU_ASTERISK_TREE", str(a_tree(tmp_path / "tree", "22.10.1")))
    plain, secured = started(tmp_path, "--port", "8100"), started(tmp_path, "--port", "8100", "--https")
    for one in (plain, secured):
        one.find()
    told = plain.environment()
    assert told["ANJU_EXCHANGE"] == "asterisk"
    assert told["ANJU_ARI_URL"] == "http://127.0.0.1:8104"
    assert (told["ANJU_SIP_PORT"], told["ANJU_SIP_WSS_PORT"]) == ("8106", "0")
    assert secured.environment()["ANJU_SIP_WSS_PORT"] == "8105"
    assert [port for port, _, _ in plain.ports()] == [8106, 8104]
    assert [port for port, _, _ in secured.ports()] == [8106, 8104, 8105]
    assert started(tmp_path).options.sip_port == 5060
    assert started(tmp_path, "--sip-port", "5070").options.sip_port == 5070
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        there = started(tmp_path, "--sip-port", str(other.getsockname()[1]))
        assert not there.udp_taken(), "without an engine nobody wants the port"
        there.find()
        assert there.udp_taken()
    assert not there.udp_taken()
    child = plain.make_child()
    assert child is not None
    assert child.deaf == telephony.DEAF_SECONDS < 45
    assert not plain.answers()
    assert not plain.say_to_engine("malloc trim"), "who does not run is told nothing"
    plain.tidy()
    assert stat.S_ISDIR(tmp_path.stat().st_mode)
