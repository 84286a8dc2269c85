"""Who is told what, by which channel, and once: every message has a key that names its occasion."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from anju.accounts import queries as accounts
from anju.calls import actions as calls
from anju.calls import queries as call_queries
from anju.calls.scripts.queries import no_line, simulated
from anju.incidents import plan as plans
from anju.incidents.actions.story import ref, write
from anju.incidents.models import Attempt, Incident
from anju.incidents.rules import SERIOUS
from anju.incidents.sheet import access_notes, call_name, where
from anju.kernel import clock
from anju.notices import actions as notices
from anju.notices import queries as notice_queries
from anju.notices.actions import To

CONTACT_CHANNELS = ("sms", "app")
ASKS_ELDER = "这里是安居中心，收到您家的报警。没事请按 1，要人帮忙请按 2，或者直接说话。"
SEAT_COMES = "好的，坐席马上和您通话，请不要挂断。"


def hotline() -> str:
    """The number that contacts call back."""
    return str(getattr(settings, "ANJU_HOTLINE", "") or "本中心热线")


def page_leads(incident: Incident, template: str, *, occasion: str, **data: Any) -> int:
    """Page every lead on duty inside the platform, and outside if a channel is there; how many people."""
    leads = accounts.on_duty_leads(incident.place)
    values = {"number": incident.number, "where": where(incident), "kind": incident.kind_label, **data}
    for lead in leads:
        key = f"{ref(incident)}:{template}:{occasion}:{lead.id}"
        to = To(lead.name, user_id=lead.id, number=lead.phone)
        notices.send(
            to=to, template=template, data=values, channel="platform", key=key, place=incident.place, ref=ref(incident)
        )
        if notice_queries.reachable("webhook") and not incident.drill:
            notices.send(
                to=to, template=template, data=values, channel="webhook", key=f"{key}:out", place=incident.place,
                ref=ref(incident),
            )  # fmt: skip
    if not leads:
        write(incident, source="system", kind="gap", text="没有值班长在岗，没有人可呼，请在席人员直接处理")
    return len(leads)


def told_before(incident: Incident, template: str) -> bool:
    """Whether such a message really went out for this case."""
    return any(n.template == template and n.state != "held" for n in notice_queries.of(ref(incident)))


def tell_contacts(
    incident: Incident, template: str, *, occasion: str, only: frozenset[str] = frozenset(), **data: Any
) -> None:
    """The same message to every contact of the frozen ladder (or only to those kinds), once for each occasion."""
    if incident.drill:
        write(incident, source="system", kind="drill", text="演练：没有给联系人发消息")
        return
    if incident.priority < SERIOUS and not plans.allows(incident.plan, "third_party"):
        write(incident, source="system", kind="consent", text="没有告知第三方的同意书，没有给联系人发消息")
        return
    values = {
        "elder": call_name(incident), "hotline": hotline(), "kind": incident.kind_label,
        "at": f"{clock.local(incident.first_alarm_at):%H:%M}", **data,
    }  # fmt: skip
    sent = held = 0
    people = [r for r in plans.rungs(incident.plan) if not only or r.kind in only]
    for rung in people:
        for channel in CONTACT_CHANNELS:
            notice = notices.send(
                to=To(rung.name or rung.kind_label, number=rung.phone), template=template, data=values, channel=channel,
                key=f"{ref(incident)}:{template}:{occasion}:{rung.index}:{channel}", place=incident.place,
                ref=ref(incident),
            )  # fmt: skip
            held += notice.state == "held"
            sent += notice.state != "held"
    title = {"contact_alarm": "报警", "contact_withdrawn": "警情解除", "contact_rescue": "已叫救援"}.get(
        template, "进展"
    )
    if sent:
        text = f"已给 {len(people)} 位联系人发消息（{title}）"
        write(incident, source="system", kind="notice", text=text, data={"template": template, "letters": sent})
    elif held:
        text = f"短信没有发出（{title}）：没有配置通道，请电话联系"
        write(incident, source="system", kind="gap", text=text, data={"template": template, "letters": held})


def tell_committee(incident: Incident, template: str, *, occasion: str, **data: Any) -> None:
    """The neighbourhood committee and the grid, by SMS or app."""
    if incident.drill:
        return
    for rung in plans.rungs(incident.plan):
        if rung.kind not in {"committee", "grid", "social_worker"}:
            continue
        for channel in CONTACT_CHANNELS:
            notices.send(
                to=To(rung.name or rung.kind_label, number=rung.phone), template=template,
                data={"elder": call_name(incident), "where": where(incident), **data}, channel=channel,
                key=f"{ref(incident)}:{template}:{occasion}:{rung.index}:{channel}:c", place=incident.place,
                ref=ref(incident),
            )  # fmt: skip


NO_LINE = "演示没有外线：机器人没有呼叫老人，请用旁边的电话拨打"


def robot_to_elder(incident: Incident) -> None:
    """The machine calls her: only a key press is a sign of life, voicemail answers too."""
    phone = str(incident.plan.get("elder", {}).get("phone") or "")
    if not phone or incident.drill or call_queries.live(ref(incident), "elder_check"):
        return
    if no_line():
        if not incident.entries.filter(data__no_line=True).exists():
            write(incident, source="system", kind="call", text=NO_LINE, data={"no_line": True})
        return
    calls.robot_call(
        number=phone, whom=call_name(incident), purpose="elder_check", ref=ref(incident), place=incident.place,
        script="elder_check", says=ASKS_ELDER, says_after_key=SEAT_COMES, home_id=incident.home_id, elder_id=_elder_id(incident),
    )  # fmt: skip
    write(incident, source="system", kind="call", text=f"机器人正在呼叫老人{_mark()}")


def _elder_id(incident: Incident) -> int | None:
    found = incident.plan.get("elder", {}).get("id")
    return int(found) if found else None


def _mark() -> str:
    """Said plainly where it would not be true otherwise."""
    return "（模拟话务，没有真的拨出）" if simulated() else ""


def robot_to_contact(incident: Incident, attempt: Attempt) -> None:
    """ "Press 1 to take it": who presses hears how to get in and what to mind."""
    rung = plans.rungs(incident.plan)[attempt.rung]
    call = calls.robot_call(
        number=rung.phone, whom=rung.name or rung.kind_label, purpose="contact_robot", ref=ref(incident),
        place=incident.place, script="press_one",
        says=f"这里是安居中心。{call_name(incident)}家报警，还没联系上人。您能赶去请按 1，带钥匙赶去请按 2，去不了请按 3。",
        says_after_key=access_notes(incident), home_id=incident.home_id, elder_id=_elder_id(incident),
    )  # fmt: skip
    attempt.channel, attempt.call_id = "robot", call.call_id
    attempt.save(update_fields=["channel", "call_id"])
