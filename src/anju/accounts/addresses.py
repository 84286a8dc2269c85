"""Where a request comes from, and whether a post may be used from there."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from anju.accounts.roles import Role


def client_address(request: HttpRequest) -> str:
    """The client's address. A proxy's word (X-Forwarded-For) counts only from proxies named in `TRUSTED_PROXIES`."""
    peer = str(request.META.get("REMOTE_ADDR") or "127.0.0.1")
    if not _is_address(peer):
        return "127.0.0.1"
    if not _inside(peer, settings.TRUSTED_PROXIES):
        return peer
    hops: list[str] = [h.strip() for h in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if h.strip()]
    for hop in reversed(hops):
        if not _is_address(hop):
            break
        if not _inside(hop, settings.TRUSTED_PROXIES):
            return hop
    return peer


def allowed(address: str, roles: Iterable[Role]) -> bool:
    """Whether all these roles may be used from that address. A role without ranges may be used from everywhere."""
    ranges = [settings.ADDRESS_RANGES[r.value] for r in roles if r.value in settings.ADDRESS_RANGES]
    return all(_inside(address, some) for some in ranges)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _inside(address: str, ranges: Iterable[str]) -> bool:
    here = ip_address(address)
    return any(here in ip_network(r, strict=False) for r in ranges)
