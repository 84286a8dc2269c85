"""News of the files for the modules above. Announced inside the transaction: whoever must refuse raises `NotAccepted`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonErased:
    """A person's data are being deleted: forget what names her. `home_empty`: nobody else lives in the home.

    `said`: her name and numbers and those of her contacts, for texts that belong to nobody's file. Never stored.
    """

    elder_id: int
    home_id: int
    home_empty: bool
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CareChanged:
    """A consent was signed or taken back, or the service of the person began, paused or ended: what rests on it is looked at."""

    elder_id: int
    home_id: int
