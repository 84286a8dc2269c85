"""HTTPS without a public certificate: an authority of this installation, and the server certificate it signs."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import os
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # browsers refuse more
RENEW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files for a server; `authority` is the file to trust, None when the certificate is somebody else's."""

    certificate: Path
    key: Path
    authority: Path | None


def names_of_machine(extra: Iterable[str] = ()) -> list[str]:
    """Every name and address by which a browser may call this machine."""
    names = {"localhost", "127.0.0.1", "::1", socket.gethostname(), *extra}
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family in {socket.AF_INET, socket.AF_INET6}:
                names.add(address.address.partition("%")[0])
    return sorted(name for name in names if name and name not in {"*", "0.0.0.0", "::"})  # noqa: S104


def ensure(folder: Path, names: Iterable[str]) -> tuple[Certificate, bool]:
    """The certificate for these names, and whether it was made or renewed just now."""
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    files = Certificate(folder / "server.crt", folder / "server.key", folder / "authority.crt")
    wanted = sorted(set(names))
    ca_key, ca = _authority(folder)
    if _serves(files, wanted, ca):
        return files, False
    key = ec.generate_private_key(ec.SECP256R1())
    now = _now()
    made = (
        x509.CertificateBuilder()
        .subject_name(_name("Anju server"))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=SERVER_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in wanted]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write_key(files.key, key)
    _replace(files.certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
    return files, True


def _authority(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key_file, file = folder / "authority.key", folder / "authority.crt"
    if key_file.exists() and file.exists():
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        known = x509.load_pem_x509_certificate(file.read_bytes())
        outlives = known.not_valid_after_utc > _now() + dt.timedelta(SERVER_DAYS)
        if isinstance(key, ec.EllipticCurvePrivateKey) and outlives:
            return key, known
    key = ec.generate_private_key(ec.SECP256R1())
    now = _now()
    name = _name(f"Anju local authority of {socket.gethostname()}")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_signs_only(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(key_file, key)
    _replace(file, made.public_bytes(serialization.Encoding.PEM), 0o644)
    return key, made


def pair(files: Certificate) -> bytes:
    """A mark of certificate and key together, another one when either was exchanged; empty when they are no pair."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(files.certificate, files.key)
        return hashlib.sha256(files.certificate.read_bytes() + files.key.read_bytes()).digest()
    except (OSError, ssl.SSLError):
        return b""


def days_left(certificate: Path) -> int:
    """For how many days more browsers and softphones accept it."""
    return (x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc - _now()).days


def _serves(files: Certificate, names: list[str], ca: x509.Certificate) -> bool:
    """The certificate there is good for these names and for another month."""
    if not (files.certificate.exists() and files.key.exists()):
        return False
    known = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    alternatives = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        known.verify_directly_issued_by(ca)
    except (ValueError, TypeError):
        return False
    except Exception as broken:  # noqa: BLE001 - InvalidSignature of another authority
        return broken is None
    has = {str(getattr(entry, "value", entry)) for entry in alternatives}
    return set(names) <= has and known.not_valid_after_utc > _now() + dt.timedelta(days=RENEW_DAYS)


def _signs_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _now() -> dt.datetime:
    return dt.datetime.fromtimestamp(time.time(), dt.UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    )  # fmt: skip
    _replace(path, pem, 0o600)


def _replace(path: Path, content: bytes, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    draft.replace(path)


def how_to_trust(authority: Path, address: str) -> str:
    """What to do once on each computer that opens the pages."""
    return (
        f"  The certificate of {address} comes from this installation's own authority. On each computer, once:\n"
        f"    1. copy {authority}\n"
        "    2. Windows: double-click → Install → Local machine → Trusted root authorities;\n"
        "       macOS: open in Keychain → System → Always trust;\n"
        "       Chrome on Linux, Firefox: Settings → Certificates → Authorities → Import.\n"
        "  Without it a browser warns, and refuses the microphone."
    )
