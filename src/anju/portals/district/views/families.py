"""The family account of a contact: opened, given a new password, closed. What is shown once is shown once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from anju.accounts import queries as accounts
from anju.accounts.permissions import must
from anju.elders import families, queries
from anju.elders.checks import NotAccepted
from anju.kernel.flow.actor import Actor
from anju.portals.district import drawer
from anju.portals.district.access import actor, opens
from anju.portals.district.views.changes import contact_of

TEMPLATE = "district/elder/family.html"


@sensitive_post_parameters()
@never_cache
@opens("elders")
def account(request: HttpRequest, elder_id: int, contact_id: int) -> HttpResponse:
    """The form of one contact; what was done answers with what must be told to the family."""
    elder, by, row = queries.elder(elder_id), actor(request), contact_of(elder_id, contact_id)
    if elder is None or row is None:
        return drawer.nothing(request, "这位联系人")
    must(by, "family.open")
    found = {
        "elder_id": elder_id, "number": elder.number, "contact": row, "name": elder.name, "title": f"家属账号 · {row.name}",
        "agreed": elder_id in families.let_in([elder_id]),
    }  # fmt: skip
    if request.method == "POST":
        try:
            opened = _do(request, contact_id, by)
        except NotAccepted as fault:
            found["fault"] = str(fault)
        else:
            if opened is None:
                return drawer.done(request, elder_id, "contacts")
            found |= {"opened": opened, "address": request.build_absolute_uri("/family/")}
    found["account"] = accounts.families_of([contact_id]).get(contact_id)
    answer = drawer.show(request, found, template=TEMPLATE)
    if "opened" in found:
        answer.status_code = 200
    return answer


def _do(request: HttpRequest, contact_id: int, by: Actor) -> families.Opened | None:
    what, typed = request.POST.get("what", ""), request.POST.get("username", "").replace("\0", "")[:40]
    if what == "open":
        return families.open_account(contact_id=contact_id, by=by, username=typed)
    if what == "renew":
        return families.renew_account(contact_id=contact_id, by=by)
    if what == "close":
        families.close_account(
            contact_id=contact_id, reason=request.POST.get("reason", "").replace("\0", "")[:100], by=by
        )
        return None
    raise NotAccepted("请刷新页面再试")
