"""The database marks a stored day of figures as stale when anything changes that it was counted from (see `calls.kpis.days`).

Fresh days are not stored yet, so a live call finds no row to mark. A day that is stale already is marked all the same (once in a
transaction): so the change waits for a count that is under way, or the count for the change, and none is missed. One call says
something of its neighbours' first-call resolution within 24 hours either way, therefore three days are marked.
"""

from __future__ import annotations

from typing import Final

import pgtrigger

ZONE: Final = "Asia/Shanghai"
_CALL: Final = (
    "direction", "planned_at", "answered_at", "ended_at", "resolved", "satisfaction", "caller_index", "by_user", "queue_id", "emergency",
    "place",
)  # fmt: skip
_LEG: Final = ("call_id", "role", "user_id", "seat", "ringing_at", "answered_at", "ended_at", "wrapped_at")
_AGAIN: Final = "(NOT stale OR xmin <> pg_current_xact_id()::xid)"
_LOG: Final = ("user_id", "extension", "state", "since", "until")


def _near(row: str) -> str:
    local = f"({row}.planned_at AT TIME ZONE '{ZONE}')"
    return (
        f"UPDATE kpis_day SET stale = true WHERE {_AGAIN} AND day "  # noqa: S608 - our own names
        f"BETWEEN ({local} - interval '1 day')::date AND ({local} + interval '1 day')::date;"
    )


def _of_call(row: str) -> str:
    return (
        f"UPDATE kpis_day SET stale = true WHERE {_AGAIN} AND day = "  # noqa: S608 - our own names
        f"(SELECT (planned_at AT TIME ZONE '{ZONE}')::date FROM calls_call WHERE id = {row}.call_id);"
    )


def _stretch(row: str) -> str:
    return (
        f"UPDATE kpis_day SET stale = true WHERE {_AGAIN} AND day >= ({row}.since AT TIME ZONE '{ZONE}')::date "  # noqa: S608
        f"AND ({row}.until IS NULL OR day <= ({row}.until AT TIME ZONE '{ZONE}')::date);"
    )


def _changed(columns: tuple[str, ...]) -> pgtrigger.Condition:
    return pgtrigger.Condition(" OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in columns))


def _three(name: str, mark: str, old: str, columns: tuple[str, ...]) -> list[pgtrigger.Trigger]:
    after = pgtrigger.After
    return [
        pgtrigger.Trigger(name=f"{name}_new", when=after, operation=pgtrigger.Insert, func=f"{mark} RETURN NULL;"),
        pgtrigger.Trigger(name=f"{name}_gone", when=after, operation=pgtrigger.Delete, func=f"{old} RETURN NULL;"),
        pgtrigger.Trigger(
            name=f"{name}_changed", when=after, operation=pgtrigger.Update, condition=_changed(columns), func=f"{old} {mark} RETURN NULL;"
        ),
    ]  # fmt: skip


def calls_counted() -> list[pgtrigger.Trigger]:
    """For a call."""
    return _three("counted_call", _near("NEW"), _near("OLD"), _CALL)


def legs_counted() -> list[pgtrigger.Trigger]:
    """For a party of a call."""
    return _three("counted_leg", _of_call("NEW"), _of_call("OLD"), _LEG)


def stretches_counted() -> list[pgtrigger.Trigger]:
    """For a stretch of a seat's time."""
    return _three("counted_seat", _stretch("NEW"), _stretch("OLD"), _LOG)
