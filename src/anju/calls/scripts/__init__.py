"""Scripted calls: robot calls with keys, menus, satisfaction, call-backs. See `spoken` for the scripts themselves."""

from __future__ import annotations


def register(control: object) -> None:
    """Give a switchboard every script."""
    from anju.calls.scripts import spoken  # models are not loaded when this package is

    spoken.register(control)
