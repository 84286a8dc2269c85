"""Secrets of one installation: made at the first start, kept in one file of mode 0600, never in the repository."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    """All keys of an installation. `field` and `blind` are 32 bytes in hex; the others are URL-safe text."""

    django: str
    field: str
    blind: str
    ctwing: str
    onenet_token: str
    onenet_aes_key: str
    mqtt_password: str
    api_token: str
    metrics: str
    postgres: str
    postgres_admin: str
    ari: str
    demo: str

    @classmethod
    def create(cls) -> Secrets:
        """New random secrets."""
        return cls(
            django=secrets.token_urlsafe(50),
            field=secrets.token_hex(32),
            blind=secrets.token_hex(32),
            ctwing=secrets.token_urlsafe(24),
            onenet_token=secrets.token_hex(8),
            onenet_aes_key=secrets.token_hex(8),
            mqtt_password=secrets.token_urlsafe(18),
            api_token=secrets.token_urlsafe(32),
            metrics=secrets.token_urlsafe(18),
            postgres=secrets.token_urlsafe(24),
            postgres_admin=secrets.token_urlsafe(24),
            ari=secrets.token_urlsafe(24),
            demo=f"wangchao-2026-{secrets.token_hex(2)}",  # the demo's log-ins: short, because people type it
        )

    @classmethod
    def for_tests(cls) -> Secrets:
        """Fixed, worthless secrets: tests must be repeatable."""
        return cls(
            **{f.name: f"{f.name}-of-the-tests-0123456789abcdef" for f in fields(cls)}
            | {
                "field": "11" * 32,
                "blind": "22" * 32,
                "onenet_aes_key": "0123456789abcdef",
            }
        )

    @classmethod
    def load_or_create(cls, path: Path) -> Secrets:
        """Read the file, or make it. A key added by a newer release is filled in; no key is ever changed."""
        known = json.loads(path.read_text()) if path.exists() else {}
        names = {f.name for f in fields(cls)}
        whole = cls(**{**asdict(cls.create()), **{k: v for k, v in known.items() if k in names}})
        if asdict(whole) != {k: known.get(k) for k in names}:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(asdict(whole), indent=1))
            draft.replace(path)
        return whole
