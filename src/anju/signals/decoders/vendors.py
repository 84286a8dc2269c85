"""Decoders of binary frames, by the name that a profile gives in `decoder`. One module a maker."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from anju.devices.profile import Profile
from anju.signals.decoders import bing
from anju.signals.decoders.base import Report

DECODERS: Mapping[str, Callable[[Report, Profile, bytes, int], None]] = {"bing": bing.read}
