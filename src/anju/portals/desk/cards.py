"""The cards of the queue as HTML. A card is drawn once for all that it says; only its ring goes with the clock.

The key is the whole row, and a row holds only what its reader may see (`incidents.waiting`): two readers share a card
only when it reads the same for both. A card that a desk shows already, in this very version, is sent as its name only
(`data-same`; `islands/morph.ts` leaves it as it stands).
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from anju.design.templatetags import kit
from anju.incidents.views import QueueRow

SHOWN = "X-Anju-Shown"
"""Header of a request for the queue: the versions of the cards on the page, with blanks between."""
_RING = "<!--ring-->"


def shown(header: str | None) -> frozenset[str]:
    """The versions that a desk says it shows."""
    return frozenset((header or "").split())


def html(row: QueueRow, look: str, icon: str, now: datetime, shown: Set[str] = frozenset()) -> SafeString:
    """The list item of one case. `look` is the data-kind, `icon` the sign of its kind."""
    version, before, after = _drawn(row, look, icon)
    if version in shown:
        return mark_safe(f'<li id="queue-{row.id}" data-version="{version}" data-same></li>')  # noqa: S308 - figures only
    ring = (
        kit.countdown({"now": now}, row.due_at, row.due_total, "emergency" if look == "emergency" else "")
        if row.due_at
        else kit.ring(100, "—")
    )
    return mark_safe(f"{before}{ring}{after}")  # noqa: S308 - parts of a template


@lru_cache(maxsize=4000)
def _drawn(row: QueueRow, look: str, icon: str) -> tuple[str, str, str]:
    """(version, HTML before the ring, HTML after it)."""
    version = blake2b(repr((row, look, icon)).encode(), digest_size=6).hexdigest()
    card = render_to_string("desk/queue_card.html", {"row": row, "look": look, "icon": icon, "version": version})
    before, _, after = card.partition(_RING)
    return version, before, after
