"""Personal data at rest: encrypted field by field, found again through blind indexes.

A stored value is `<key id>.<base64 of nonce, ciphertext and tag>` (AES-256-GCM). The name of model and field is bound to
it, so a value copied into another column does not decrypt. Keys live in the secrets file, never in the database:
`SECRETS.field` is `<hex>` or, while keys are rotated, `2:<hex>,1:<hex>` (the first one writes, all of them read).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import FieldError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

NONCE = 12


class Undecipherable(ValueError):
    """The stored value was not written by one of our keys for this field, or it was changed."""


@lru_cache(maxsize=8)
def _keys(written: str) -> dict[str, AESGCM]:
    keys: dict[str, AESGCM] = {}
    for part in written.split(","):
        name, _, key = part.strip().rpartition(":")
        keys[name or "1"] = AESGCM(bytes.fromhex(key))
    return keys


def encrypt(text: str, bound_to: str) -> str:
    """The text as it may be stored in the column `bound_to` ("elders.elder.name")."""
    name, key = next(iter(_keys(settings.SECRETS.field).items()))
    nonce = secrets.token_bytes(NONCE)
    return f"{name}.{urlsafe_b64encode(nonce + key.encrypt(nonce, text.encode(), bound_to.encode())).decode()}"


def decrypt(stored: str, bound_to: str) -> str:
    """The text again; Undecipherable if key, column or content do not fit."""
    name, _, body = stored.partition(".")
    key = _keys(settings.SECRETS.field).get(name)
    if key is None:
        raise Undecipherable(f"{bound_to}: no key {name!r} in the secrets file")
    try:
        raw = urlsafe_b64decode(body)
        return key.decrypt(raw[:NONCE], raw[NONCE:], bound_to.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise Undecipherable(f"{bound_to}: the stored value was changed or belongs to another column") from error


def seal(body: bytes, bound_to: str) -> bytes:
    """A file as it may be stored (a scan of a signed paper): the same keys and the same binding as `encrypt`."""
    name, key = next(iter(_keys(settings.SECRETS.field).items()))
    nonce = secrets.token_bytes(NONCE)
    return name.encode() + b"." + nonce + key.encrypt(nonce, body, bound_to.encode())


def unseal(stored: bytes, bound_to: str) -> bytes:
    """The file again; Undecipherable if key, place or content do not fit."""
    name, _, body = bytes(stored).partition(b".")
    key = _keys(settings.SECRETS.field).get(name.decode("ascii", "replace"))
    if key is None:
        raise Undecipherable(f"{bound_to}: no key for it in the secrets file")
    try:
        return key.decrypt(body[:NONCE], body[NONCE:], bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise Undecipherable(f"{bound_to}: the stored file was changed or belongs elsewhere") from error


def normalised(value: str) -> str:
    """One spelling for what people write in several: width, case, blanks and dashes do not matter."""
    return "".join(c for c in unicodedata.normalize("NFKC", value).casefold() if c.isalnum())


def blind(value: str, purpose: str) -> str:
    """32 hex digits that are equal for equal values of one purpose and tell nothing without the key; "" for nothing."""
    plain = normalised(value)
    return _mac(f"{purpose}\x00{plain}")[:32] if plain else ""


def blind_tokens(text: str, purpose: str) -> list[str]:
    """Blind indexes of every character and every pair of neighbours, for an array column that is searched by parts."""
    plain = normalised(text)
    parts = {*plain, *(plain[n : n + 2] for n in range(len(plain) - 1))}
    return sorted(_mac(f"{purpose}\x01{part}")[:16] for part in parts)


def blind_query(text: str, purpose: str) -> list[str]:
    """The tokens that a row must all have to be found by this text (`column__contains=`); [] finds nothing."""
    plain = normalised(text)
    parts = {plain[n : n + 2] for n in range(len(plain) - 1)} or set(plain)
    return sorted(_mac(f"{purpose}\x01{part}")[:16] for part in parts)


def _mac(text: str) -> str:
    return hmac.new(bytes.fromhex(settings.SECRETS.blind), text.encode(), hashlib.sha256).hexdigest()


if TYPE_CHECKING:
    _Text = models.TextField[str, str]
    _Json = models.TextField[Any, Any]
else:
    _Text = _Json = models.TextField


class _Sealed:
    """What both fields share: the column they are bound to, and that nobody can search them."""

    model: type[models.Model]
    name: str
    bound_to: str

    def _column(self) -> str:
        return self.bound_to or f"{self.model._meta.label_lower}.{self.name}"

    def _open(self, stored: str | None) -> str | None:
        return decrypt(stored, self._column()) if stored else stored


def _refuse(field: Any, lookup: str) -> None:
    if lookup != "isnull":
        raise FieldError(f"{field.name} is encrypted and cannot be searched; use a blind index beside it")


class EncryptedTextField(_Sealed, _Text):
    """Text of any length, encrypted at rest. NULL stays NULL and "" stays "". `bound_to` pins the name after a rename."""

    def __init__(self, *args: Any, bound_to: str = "", **kwargs: Any) -> None:
        self.bound_to = bound_to
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, **({"bound_to": self.bound_to} if self.bound_to else {})}

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        return encrypt(text, self._column()) if text else text

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return self._open(value)

    def get_lookup(self, lookup_name: str) -> Any:
        _refuse(self, lookup_name)
        return super().get_lookup(lookup_name)


class EncryptedJSONField(_Sealed, _Json):
    """Any JSON value, encrypted at rest. None is NULL; dates become text, as in every JSON."""

    def __init__(self, *args: Any, bound_to: str = "", **kwargs: Any) -> None:
        self.bound_to = bound_to
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, **({"bound_to": self.bound_to} if self.bound_to else {})}

    def get_prep_value(self, value: Any) -> Any:
        if value is None:
            return None
        return encrypt(json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder), self._column())

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        text = self._open(value)
        return json.loads(text) if text else None

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj), ensure_ascii=False, cls=DjangoJSONEncoder)

    def get_lookup(self, lookup_name: str) -> Any:
        _refuse(self, lookup_name)
        return super().get_lookup(lookup_name)
