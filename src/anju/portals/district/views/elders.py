"""The list of elders and one elder's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from anju.accounts import queries as accounts
from anju.alarms import bounds
from anju.devices import queries as devices
from anju.devices.queries import DeviceHealth
from anju.elders import actions, lists, papers, queries, scans, words
from anju.elders.checks import NotAccepted
from anju.elders.lists import Term
from anju.elders.queries import MaskedElder
from anju.fieldwork import queries as fieldwork
from anju.incidents import queries as incidents
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.places import queries as places
from anju.portals.district import figures, filters, forms, worst
from anju.portals.district.access import actor, allowed, missing, opens
from anju.portals.district.views import habits, planned, watch
from anju.signals import activity
from anju.signals import queries as signals

if TYPE_CHECKING:
    from anju.elders.models import Elder

SIZE = 25
TABS = (
    ("", "总览"),
    ("watch", "看护"),
    ("plans", "呼叫计划"),
    ("contacts", "联系人"),
    ("devices", "设备"),
    ("cases", "事件与工单"),
    ("consents", "告知与期限"),
    ("history", "记事"),
    ("seen", "谁看过"),
)
PRINT_REASONS = ("入户签约", "续签", "摸底核对", "安装验收", "本人要一份")
REASONS = ("联系老人", "联系家属", "核对资料", "上门前准备", "紧急救助")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list."""

    elder: MaskedElder
    term: Term | None
    devices: int
    faults: list[tuple[str, str, str]]  # kind, icon, word
    word: tuple[str, str, str]  # kind, icon, word
    last: str
    worst: worst.Shown | None


@never_cache
@opens("elders")
def listing(request: HttpRequest) -> HttpResponse:
    """Search and filters; every filter is in the address."""
    by, known = actor(request), filters.communities()
    chosen = {
        "text": filters.text(request, "q"),
        "place": filters.place(request, known),
        "status": filters.choice(request, "status", (code for code, _ in words.ELDER_STATES)),
        "kind": filters.choice(request, "kind", (code for code, _ in words.ELDER_KINDS)),
    }
    number, sort = filters.number(request, "page"), filters.choice(request, "sort", ("worst",))
    order = bounds.LONGEST if sort else ("home__area", "id")
    found, count = queries.page_of(by.roles, **chosen, order=order, start=(number - 1) * SIZE, size=SIZE)
    pages = filters.Pages(number, SIZE, count)
    if pages.number != number:
        found, count = queries.page_of(by.roles, **chosen, order=order, start=pages.start, size=SIZE)
    return render(
        request,
        "district/elders.html",
        {
            "rows": _rows(found), "page": pages, "chosen": chosen, "places": known,
            "names": places.names_of(e.place for e in found), "states": words.ELDER_STATES,
            "kinds": words.ELDER_KINDS, "may": allowed(by, "elder.register"), "sort": sort,
        },
    )  # fmt: skip


def _rows(found: list[MaskedElder]) -> list[Row]:
    terms = lists.terms_of(e.id for e in found)
    at_home: dict[int, list[DeviceHealth]] = {}
    for one in devices.health(home_id__in=[e.home_id for e in found]):
        if one.device.home_id is not None:
            at_home.setdefault(one.device.home_id, []).append(one)
    now, bound = clock.now(), bounds.by_homes(e.home_id for e in found)
    return [_row(e, terms.get(e.id), at_home.get(e.home_id, []), now, worst.shown(bound.get(e.home_id))) for e in found]


def _row(
    elder: MaskedElder, term: Term | None, mine: list[DeviceHealth], now: datetime, bound: worst.Shown | None
) -> Row:
    heard = max((d.last_heard_at for d in mine if d.last_heard_at), default=None)
    moved = max((d.last_event_at for d in mine if d.last_event_at), default=None)
    events = [activity.Happening(moved, "motion")] if moved else []
    faults = [
        (_FAULTS[0], sum(d.silent for d in mine)),
        (_FAULTS[1], sum(d.low for d in mine)),
        (_FAULTS[2], sum(d.tamper for d in mine)),
    ]
    if elder.status == "draft" or not mine:
        word = ("mute", "file", "未装机")
    else:
        state = activity.state(events, now, last_heard=heard, suspended=elder.status != "approved", zone=clock.SHANGHAI)
        word = (state.kind, state.icon, state.word)
    shown = [(kind, icon, f"{name} {n}") for (kind, icon, name), n in faults if n]
    return Row(elder, term, len(mine), shown, word, figures.ago(moved, now) if moved else "", bound)


_FAULTS = (("deaf", "deaf", "失联"), ("maint", "battery-low", "电量低"), ("maint", "wrench", "被拆动"))


@never_cache
@opens("elders")
def page(request: HttpRequest, elder_id: int) -> HttpResponse:
    """One elder: who, today, what is the matter, whom to call. Opening it leaves a trace."""
    elder = queries.elder(elder_id)
    if elder is None:
        return missing(request, "这份档案")
    actions.note_opened(elder_id=elder_id)
    return render(request, "district/elder.html", context(elder, actor(request), request))


@never_cache
@require_POST
@opens("elders")
def reveal(request: HttpRequest, elder_id: int) -> HttpResponse:
    """One masked item in clear, for a reason; the page that answers is not kept by the browser."""
    elder, by = queries.elder(elder_id), actor(request)
    if elder is None:
        return missing(request, "这份档案")
    field, contact = request.POST.get("field", "")[:30], request.POST.get("contact", "")
    contact_id = int(contact) if contact.isascii() and contact.isdigit() and len(contact) < 18 else None
    reason = (request.POST.get("other", "").strip() or request.POST.get("reason", "")).replace("\0", "")[:120]
    found = context(elder, by, request)
    try:
        shown = actions.reveal(elder_id=elder_id, field=field, by=by, reason=reason, contact_id=contact_id)
        found["shown"] = {f"{field}:{contact_id or ''}": shown}
    except NotAccepted as fault:
        found["fault"] = str(fault)
    except (LookupError, AttributeError, ObjectDoesNotExist):
        found["fault"] = "没有这一项，请刷新页面再看"
    return render(request, "district/elder.html", found, status=400 if "fault" in found else 200)


def context(elder: Elder, by: Actor, request: HttpRequest, *, tab: str = "") -> dict[str, Any]:
    """Everything the page of an elder shows."""
    now, tab = clock.now(), tab or filters.choice(request, "tab", (t for t, _ in TABS))
    mine = devices.of_home(elder.home_id)
    masked = queries.masked(elder, by.roles)
    may = allowed(
        by,
        "elder.change",
        "elder.approve",
        "elder.suspend",
        "elder.end",
        "elder.export",
        "elder.erase",
        "contact.change",
        "family.open",
        "consent.record",
        "consent.withdraw",
        "history.append",
        "home.state",
        "call.plan",
        "health.limit",
        "incidents",
        "repairs",
    )
    cases = incidents.page(by.roles, home_id=elder.home_id, limit=30) if may["incidents"] else []
    found: dict[str, Any] = {
        "elder": masked, "home": elder.home, "born": elder.birth_date, "tab": tab, "tabs": TABS, "devices": mine, "may": may,
        "faults": sum(not d.well for d in mine), "contacts": queries.masked_contacts(elder.pk, by.roles), "cases": cases,
        "orders": fieldwork.page(home_id=elder.home_id, limit=30) if may["repairs"] else [],
        "others": [queries.masked(e, by.roles) for e in queries.elders_of(elder.home_id) if e.pk != elder.pk],
        "place_name": places.path_of(elder.home.place), "grid_name": places.name_of(elder.home.area),
        "gaps": queries.missing(elder.pk) if elder.status == "draft" else [], "shown": {}, "reasons": REASONS,
        "false_alarms": sum(c.outcome_class in FALSE and c.opened_at > now - timedelta(days=30) for c in cases),
        **_papers(elder), **_day(elder, mine, now),
    }  # fmt: skip
    if gaps := found["gaps"]:
        found["gap_note"] = f"还差 {len(gaps)} 项才能批准：{'、'.join(gaps)}"
    if tab == "watch":
        found |= watch.context(elder.home_id) | habits.context(elder)
    if tab == "plans":
        found |= planned.context(elder)
    if tab == "contacts":
        found["contact_form"] = forms.ContactForm()
        found["kin"] = accounts.families_of(c.id for c in found["contacts"])
    if tab == "consents":
        number = papers.last_number(elder.pk, "service")
        found |= {
            "consent_form": forms.ConsentForm(initial={"document": number, "signed_by": masked.name}),
            "scope_labels": words.CONSENT_SCOPE_LABELS, "papers": papers.PAPERS.values(), "scanned": scans.counts(elder.pk),
            "printable": {p.code for p in papers.printable(by)}, "print_reasons": PRINT_REASONS,
        }  # fmt: skip
    if tab == "seen":
        found["lookers"] = queries.lookers(elder.pk, 100)
    if tab == "history" and lists.may_see("history", by.roles):
        found["lines"] = list(reversed(queries.history_of(elder.pk)))
    return found


FALSE = frozenset({"mis_press", "child", "nobody_speaks", "test", "device_fault", "late_data"})


def _papers(elder: Elder) -> dict[str, Any]:
    """Consents, and how much of the term has gone."""
    today = clock.today()
    rows = queries.consents_of(elder.pk)
    valid = {c.pk for c in queries.consents_of(elder.pk, today)}
    service = [c for c in rows if c.kind == "service"]
    term = next((c for c in service if c.pk in valid), service[0] if service else None)
    scopes = {s for c in rows if c.pk in valid for s in c.scope}
    gone = 0
    if term:
        whole = max(1, (term.expires_on - term.signed_on).days)
        gone = min(100, max(0, round(100 * (today - term.signed_on).days / whole)))
    return {
        "consents": [(c, c.pk in valid) for c in rows], "term": term, "term_gone": gone,
        "term_valid": term is not None and term.pk in valid,
        "days_left": (term.expires_on - today).days if term else 0,
        "scopes": [(label, code in scopes) for code, label in words.CONSENT_SCOPES],
        "rescue": lists.RESCUE in scopes, "monitored": "monitor" in scopes,
    }  # fmt: skip


def _day(elder: Elder, mine: list[DeviceHealth], now: datetime) -> dict[str, Any]:
    """Today's strip, the thirty days, the word of the home and the sentence that explains it."""
    rows = signals.activity(elder.home_id, now - timedelta(days=figures.DAYS), now + timedelta(minutes=1))
    events = [activity.Happening(r.at, r.kind, r.lco, r.count) for r in rows if r.kind in _TELLING]
    heard = [r.at for r in rows]
    last = max((d.last_heard_at for d in mine if d.last_heard_at), default=heard[-1] if heard else None)
    suspended = elder.status in {"suspended", "ended"}
    state = activity.state(events, now, last_heard=last, suspended=suspended, zone=clock.SHANGHAI)
    return {
        "state": state, "has_signals": bool(rows), "strip": figures.strip(events, heard, now, clock.SHANGHAI),
        "heat": figures.heat(events, heard, now, clock.SHANGHAI), "said": figures.sentence(state, now, clock.SHANGHAI),
        "last_heard": figures.ago(last, now), "device_rows": figures.devices(mine, now),
    }  # fmt: skip


_TELLING = activity.MOVES | activity.DOORS | {"sos"}


def back(elder_id: int, tab: str = "") -> HttpResponse:
    """To the elder's page, on one of its tabs."""
    return redirect(f"/district/elders/{elder_id}/" + (f"?tab={tab}" if tab else ""))
