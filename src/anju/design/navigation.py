"""The rail is data: each portal registers its items once (in `AppConfig.ready`), the shells draw what the user may open.

`design` knows no domain: roles are plain strings, compared with the `roles` of the page context.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True)
class NavItem:
    """One entry of a rail.

    `frame` is "desk" or "office"; `roles` empty means everybody who is logged in; `group` is a small heading in the office
    rail; `order` sorts inside the frame; `match` is the path prefix that marks the item as current (default: the address).
    """

    url: str
    label: str
    icon: str
    frame: str = "office"
    group: str = ""
    order: int = 100
    roles: frozenset[str] = frozenset()
    match: str = ""

    def seen_with(self, roles: Iterable[str]) -> bool:
        """May somebody with these roles open it?"""
        return not self.roles or bool(self.roles.intersection(roles))

    def leads_to(self, path: str) -> bool:
        """Is the page at `path` behind this item?"""
        return path == self.url or path.startswith(self.match or self.url)


_items: dict[tuple[str, str], NavItem] = {}


def register(*items: NavItem) -> None:
    """Add entries; the same address in the same frame replaces the earlier one."""
    for item in items:
        _items[item.frame, item.url] = item


def items_for(frame: str, roles: Iterable[str]) -> list[NavItem]:
    """The entries of one frame that these roles may see, in order."""
    held = frozenset(roles)
    mine = [item for item in _items.values() if item.frame == frame and item.seen_with(held)]
    return sorted(mine, key=lambda item: item.order)


def current(items: Iterable[NavItem], path: str) -> NavItem | None:
    """The entry whose address is the longest prefix of the page's path."""
    fitting = [item for item in items if item.leads_to(path)]
    return max(fitting, key=lambda item: len(item.match or item.url), default=None)


def grouped(items: Iterable[NavItem]) -> Iterator[tuple[str, list[NavItem]]]:
    """Neighbours of one group together: (heading or "", entries)."""
    for group, members in groupby(items, key=lambda item: item.group):
        yield group, list(members)
