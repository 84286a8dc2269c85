"""What is read aloud to 120, 110 and 119: from the frozen copy and the story, never from live tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from anju.incidents import plan as plans
from anju.incidents.models import Incident
from anju.kernel import clock
from anju.places import queries as places


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One speakable line: 地址, 进场, 病人 …"""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class RescueSheet:
    """The lines in the order in which a dispatcher asks, and how long reading them takes."""

    lines: tuple[SheetLine, ...]
    spoken: str
    seconds: int


SYLLABLES_A_SECOND = 4.5


def call_name(incident: Incident) -> str:
    """The elder's name, or what we call somebody we do not know."""
    return str(incident.plan.get("elder", {}).get("name") or ("多户失联" if incident.kind == "storm" else "未知住户"))


def age_of(plan: dict[str, Any], on: date) -> int | None:
    """Full years, from the frozen birth date."""
    if plan.get("elder", {}).get("birth_date") is None:
        return None
    born = str(plan.get("elder", {}).get("birth_date") or "")[:10]
    if not born:
        return None
    day = date.fromisoformat(born)
    return on.year - day.year - ((on.month, on.day) < (day.month, day.day))


def where(incident: Incident) -> str:
    """Short place: community and address, or the receiving district with what is known."""
    home = incident.plan.get("home", {})
    address = str(home.get("address") or "")
    path = places.path_of(incident.place)
    if address:
        return address if address.startswith(path) else f"{path}{address}"
    said = str(incident.plan.get("caller", {}).get("address") or "")
    if said:
        return said  # as the caller says it: nobody in the files lives there
    clue = incident.unknown_key.partition(" #")[0]  # behind it: what tells two callers of one masked number apart
    if clue and incident.kind == "storm":
        return clue  # which homes, since when: nobody is unknown here
    return f"未知住户（{clue}）" if clue else f"{path}（地址不明）"


def access_notes(incident: Incident) -> str:
    """How to get in and what to mind; given to a contact who took the case, and to the rescue."""
    home, elder = incident.plan.get("home", {}), incident.plan.get("elder", {})
    parts = [
        where(incident),
        f"门禁：{home['access_note']}" if home.get("access_note") else "",
        f"钥匙：{home['key_note']}" if home.get("key_note") else "",
        f"过敏：{elder['allergies']}" if elder.get("allergies") else "",
        f"听力：{elder['hearing_note']}" if elder.get("hearing_note") else "",
        "到了请回电，有危险先打 120",
    ]
    return "。".join(p for p in parts if p) + "。"


def sheet(incident: Incident, *, condition: str = "", coming: str = "") -> RescueSheet:
    """The rescue sheet; `condition` is what is known of her now, `coming` who will open the door."""
    plan = incident.plan
    home, elder = plan.get("home", {}), plan.get("elder", {})
    lines = [
        SheetLine("地址", where(incident)),
        SheetLine("进场", _entrance(home)),
        SheetLine("病人", _patient(plan, elder)),
        SheetLine(
            "状况", condition or f"{clock.local(incident.first_alarm_at):%H:%M} {incident.kind_label}，情况正在核实"
        ),
        SheetLine("病史", _joined(elder.get("illnesses"), elder.get("chronic"))),
        SheetLine("过敏", str(elder.get("allergies") or "")),
        SheetLine("接应", coming),
        SheetLine("回电", str(elder.get("phone") or plan.get("caller", {}).get("phone") or "")),
    ]
    told = tuple(line for line in lines if line.text)
    spoken = "。".join(f"{line.label}：{line.text}" for line in told) + "。"
    return RescueSheet(told, spoken, round(len(spoken) / SYLLABLES_A_SECOND))


def _joined(*parts: object) -> str:
    return "；".join(str(p) for p in parts if p)


def _entrance(home: dict[str, Any]) -> str:
    if not home:
        return ""
    floor = f"{home['floor']} 楼" if home.get("floor") else ""
    lift = "" if home.get("lift") is None else ("有电梯" if home["lift"] else "无电梯，需担架")
    return "；".join(p for p in (str(home.get("entrance") or ""), floor, lift, str(home.get("access_note") or "")) if p)


def _patient(plan: dict[str, Any], elder: dict[str, Any]) -> str:
    if not elder:
        return "身份不明"
    age = age_of(plan, clock.today())
    return "，".join(
        p
        for p in (
            str(elder.get("name") or ""),
            str(elder.get("sex") or ""),
            f"{age} 岁" if age else "",
            str(elder.get("hearing_note") or ""),
        )
        if p
    )


def coming_line(incident: Incident) -> str:
    """Who is on the way, for the sheet: "网格员 卢某 带钥匙，约 09:53 到"."""
    rungs = plans.rungs(incident.plan)
    coming = incident.attempts.filter(state="coming").order_by("eta_at").first()
    if coming is None:
        return ""
    rung = rungs[coming.rung]
    key = "带钥匙，" if coming.with_key else ""
    eta = f"约 {clock.local(coming.eta_at):%H:%M} 到" if coming.eta_at else ""
    return f"{rung.kind_label}{rung.name}{key}{eta}"
