"""`./run`: what it refuses, what it writes down, and the environment it gives."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification

from anju.ops import doctor, run, tls
from anju.ops.environment import for_processes, read_settings, settings_of
from anju.ops.home import Home
from anju.ops.options import RefusedError, read_options
from anju.ops.postgres import free_port
from anju.ops.runfile import RunFile
from anju.ops.secrets import Secrets

SITE = {"ANJU_HOSTS": "anju.example.org"}


def test_ports_and_addresses() -> None:
    plain = read_options([], {})
    assert (plain.host, plain.port, plain.gateway_port, plain.https, plain.mode) == (
        "127.0.0.1",
        8000,
        8001,
        False,
        "demo",
    )
    assert read_options(["--port", "9000"], {"ANJU_GATEWAY_PORT": "7"}).gateway_port == 9001
    assert read_options([], {"ANJU_PORT": "9000", "ANJU_GATEWAY_PORT": "9500"}).gateway_port == 9500
    assert read_options(["--host", "192.0.2.1"], {}).https  # beyond loopback
    assert not read_options(["--host", "localhost"], {}).https
    assert not read_options(["--no-demo"], {}).demo
    assert read_options([], {}).town, "a demo whose homes fall silent is a wall of alarms after a night"
    assert not any(read_options(more, {}).town for more in (["--no-town"], ["--no-demo"]))
    production = read_options(["--production", "--https"], SITE)
    assert (production.mode, production.demo, production.hosts) == ("production", False, ("anju.example.org",))
    assert not production.town


@pytest.mark.parametrize(
    ("arguments", "settings", "why"),
    [
        (["--production"], SITE, "refuses plain HTTP"),
        (["--production", "--https"], {}, "ANJU_HOSTS"),
        (["--production", "--https"], {"ANJU_HOSTS": "*"}, "ANJU_HOSTS"),
        (["--certificate", __file__], {}, "go together"),
        (["--certificate", "/absent", "--key", __file__], {}, "is not there"),
        (["--port", "70000"], {}, "is no port"),
        ([], {"ANJU_PORT": "web"}, "must be a number"),
    ],
)
def test_refusals(arguments: list[str], settings: dict[str, str], why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        read_options(arguments, settings)


def test_two_starts_and_a_taken_port_are_refused_in_words(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with home.lock("./run") as lock:
        assert lock is not None
        assert run.main([]) == 2
    assert "is in use by ./run (process" in capsys.readouterr().err
    assert run.main(["--production"]) == 2
    assert "refuses plain HTTP" in capsys.readouterr().err


@pytest.mark.usefixtures("_signals")
def test_a_taken_port_is_refused_before_anything_starts(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert free_port(port) != port
        assert run.main(["--port", str(port)]) == 1
    assert f"Port {port} (for the pages) is taken" in capsys.readouterr().err
    assert not (home.path / "postgres" / "data").exists()
    content = json.loads(home.run.read_text())
    assert content["ready"] is False
    assert content["processes"] == {}


def test_secrets_are_private_and_never_change(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = Secrets.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Secrets.load_or_create(path) == first
    known = json.loads(path.read_text())
    del known["metrics"]  # an older release did not know this one
    path.write_text(json.dumps(known))
    second = Secrets.load_or_create(path)
    assert second.metrics != first.metrics
    assert second.field == first.field
    assert path.stat().st_mode & 0o777 == 0o600
    assert Secrets.create() != Secrets.create()


def test_the_run_file_has_the_agreed_shape(home: Home) -> None:
    file = RunFile(home, read_options(["--port", "8123"], {}))
    file.open({"api": {"url": "u", "token": "t"}, "ready": True, "unknown": 1})
    file.write(ready=True, processes={"web": 7})
    assert home.run.stat().st_mode & 0o777 == 0o600
    content = json.loads(home.run.read_text())
    assert set(content) == {
        "ready", "web", "api", "gateway", "mqtt", "metrics", "logins", "processes", "demo_devices", "sip",
    }  # fmt: skip
    assert content["web"] == "http://127.0.0.1:8123"
    assert content["api"] == {"url": "u", "token": "t"}
    assert content["processes"] == {"web": 7}


def test_settings_come_from_the_file_and_the_caller_wins(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.settings.write_text("# a remark\n\nANJU_PORT=9000\nexport ANJU_HOSTS='a.example, b.example'\n")
    assert settings_of(home)["ANJU_PORT"] == "9000"
    monkeypatch.setenv("ANJU_PORT", "9100")
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    settings = settings_of(home)
    assert (settings["ANJU_PORT"], settings["ANJU_HOSTS"]) == ("9100", "a.example, b.example")
    env = for_processes(home, settings)
    assert env["ANJU_HOME"] == str(home.path)
    assert "SECRET_OF_THE_CALLER" not in env
    home.settings.write_text("PATH=/evil\n")
    with pytest.raises(ValueError, match="line 1: write ANJU_NAME=value"):
        read_settings(home.settings)


def test_the_local_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, new = tls.ensure(tmp_path, tls.names_of_machine(["anju.lan"]))
    assert new
    assert files.authority is not None
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "authority.key").stat().st_mode & 0o777 == 0o600
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(files.certificate, files.key)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    server = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    for name in (x509.DNSName("anju.lan"), x509.DNSName("localhost")):
        policy = verification.PolicyBuilder().store(verification.Store([authority]))
        chain = policy.build_server_verifier(name).verify(server, [])
        assert chain[-1] == authority
    assert tls.ensure(tmp_path, ["localhost"]) == (files, False)  # good for fewer names
    assert tls.ensure(tmp_path, ["localhost", "new.lan"])[1]
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=tls.SERVER_DAYS - tls.RENEW_DAYS + 1)  # noqa: TID251
    monkeypatch.setattr(tls, "_now", lambda: later)
    assert tls.ensure(tmp_path, ["localhost"])[1]
    assert x509.load_pem_x509_certificate(files.authority.read_bytes()) == authority  # browsers trust it: it stays


def test_a_certificate_that_its_issuer_renewed_is_taken_over_and_a_half_written_one_is_not(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, _ = tls.ensure(tmp_path / "one", ["localhost"])
    other, _ = tls.ensure(tmp_path / "two", ["localhost"])
    options = read_options(["--https", "--certificate", str(files.certificate), "--key", str(files.key)], {})
    platform = run.Run(home, options, {})
    platform._certificate()
    platform.env = {"ANJU_GATEWAY_PROCESSES": "2"}
    done: list[str] = []
    monkeypatch.setattr(
        platform.supervisor, "restart", lambda names, why: done.append(f"{' then '.join(names)}: {why}")
    )
    monkeypatch.setattr(platform.telephony, "certificate_renewed", lambda manage: done.append("telephony"))
    platform._renew()
    assert done == [], "nothing was exchanged"
    files.certificate.write_bytes(other.certificate.read_bytes())
    platform._renew()
    assert done == [], "the key is still the old one: no pair"
    files.key.write_bytes(other.key.read_bytes())
    platform._renew()
    platform._renew()
    why = "its certificate was renewed"
    assert done == [f"web: {why}", f"gateway then gateway-2: {why}", "telephony"]
    assert tls.days_left(files.certificate) == 396


def test_the_doctor_says_what_to_do(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert doctor.main(home) == 1
    said = capsys.readouterr().out
    assert "✗ the platform is stopped\n      → start ./run" in said
    assert "1 to mend." in said
    home.secrets.write_text("{}")
    home.secrets.chmod(0o644)
    tls.ensure(home.tls, ["localhost"])
    home.settings.write_text("nonsense\n")
    assert doctor.main(home) == 1
    said = capsys.readouterr().out
    assert f"chmod 600 {home.secrets}" in said
    assert "✓ the certificate is good for 396 days" in said
    assert "line 1: write ANJU_NAME=value" in said
    assert "3 to mend." in said
