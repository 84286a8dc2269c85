"""The second factor of staff: a time-based one-time password (RFC 6238) and recovery codes, kept by django-allauth.

Unlike allauth's own check, a code counts once whatever process sees it: the last counter that was used is stored with the
secret, and the row is locked while it is compared.
"""

from __future__ import annotations

from collections.abc import Collection

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    validate_totp_code,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from django.db import transaction

from anju.accounts.models import User
from anju.kernel import clock, crypto

_COLUMN = "mfa.authenticator.data"
ISSUER = "安居"


class Adapter(DefaultMFAAdapter):  # type: ignore[misc,unused-ignore]
    """Secrets of the second factor are encrypted like every personal field."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text, _COLUMN)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text, _COLUMN)

    def get_totp_issuer(self) -> str:
        return ISSUER


def enrolled(user_ids: Collection[int]) -> set[int]:
    """Who of these has a token."""
    found = Authenticator.objects.filter(user__in=user_ids, type=Authenticator.Type.TOTP)
    return set(found.values_list("user_id", flat=True))


def is_enrolled(user: User) -> bool:
    """Whether the user has a token."""
    return bool(enrolled([user.pk]))


def new_secret() -> str:
    """A secret to be shown as a QR code, before it is confirmed."""
    secret: str = generate_totp_secret()
    return secret


def address_of(user: User, secret: str) -> str:
    """The `otpauth://` address that goes into the QR code."""
    url: str = get_adapter().build_totp_url(user, secret)
    return url


@transaction.atomic
def enrol(user: User, secret: str, code: str) -> list[str] | None:
    """Keep the secret if the code proves that the token has it. The recovery codes, to be shown once; None if wrong."""
    if not validate_totp_code(secret, code.strip()):
        return None
    forget(user)
    TOTP.activate(user, secret)
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


@transaction.atomic
def check(user: User, code: str) -> str:
    """`"totp"` or `"recovery"` when the code is right (and now used up), else empty."""
    code = "".join(code.split())
    found = {a.type: a for a in Authenticator.objects.select_for_update().filter(user=user)}
    token = found.get(Authenticator.Type.TOTP)
    if token is not None:
        secret, last = decrypt(token.data["secret"]), token.data.get("last", -1)
        for counter in yield_hotp_counters_from_time():
            if counter > last and compare_user_code(
                actual=code, expected=format_hotp_value(hotp_value(secret, counter))
            ):
                token.data["last"] = counter
                token.last_used_at = clock.now()
                token.save(update_fields=["data", "last_used_at"])
                return "totp"
    spare = found.get(Authenticator.Type.RECOVERY_CODES)
    if spare is not None and len(code) > 6 and spare.wrap().validate_code(code):
        return "recovery"
    return ""


def codes_left(user: User) -> int:
    """How many recovery codes are unused."""
    spare = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    return len(spare.wrap().get_unused_codes()) if spare else 0


def forget(user: User) -> None:
    """Remove token and recovery codes; a member of staff must enrol again at the next log-in."""
    Authenticator.objects.filter(user=user).delete()
