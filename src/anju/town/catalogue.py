"""How the demo's products speak: which operator carries them, in which form, and what they say when something happens."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from anju.devices.profile import shipped
from anju.town import bodies
from anju.town.kits import DeviceSeed

_FORMS = {"cord-nb1": ("base64", "Alarm"), "sos-nb1": ("service", "Alarm"), "sos-bin1": ("binary", ""), "door-nb1": ("service", "Door"),
          "gas-nb1": ("properties", "Gas"), "pir-nb1": ("properties", "Motion")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Speech:
    """A product's way to speak. `batches`: motion is collected and sent as records with `Seq`."""

    code: str
    kind: str
    channel: str
    product_id: str
    form: str
    service: str
    batches: bool
    report_every: int


@lru_cache(maxsize=1)
def _products() -> dict[str, Speech]:
    made = {}
    for data in shipped():
        form, service = _FORMS.get(data["code"], ("properties", ""))
        made[data["code"]] = Speech(
            data["code"], data["kind"], data["source"], data["product_id"], form, service,
            batches=data["code"].startswith("pir-nb"), report_every=int(data.get("report_every", 14400)),
        )  # fmt: skip
    return made


def product(code: str) -> Speech:
    """How the product with this code speaks."""
    return _products()[code]


def fact(speech: Speech, what: str, count: int) -> bodies.Fact:
    """The properties a device of this product sends for an event; vitals alone are an empty fact."""
    if what in {"sos", "sos_reset"}:
        name = "SOS" if speech.kind == "phone" else "Alarm_Status"
        return {name: 1 if what == "sos" else 0}
    if what in {"door_open", "door_closed"}:
        return {"Door_Status": 1 if what == "door_open" else 0}
    if what in {"tamper", "tamper_clear"}:
        return {"Tamper_Status": 1 if what == "tamper" else 0}
    if what == "gas":
        return {"Gas_Status": 1}
    if what == "motion":
        return {"Motion_Status": 1, "Motion_Count": count} if count > 1 else {"Motion_Status": 1}
    return {}


def speaker(device: DeviceSeed) -> bodies.Speaker:
    """The device under its operator's names."""
    speech = product(device.product)
    return bodies.Speaker(device.imei, device.operator_id, speech.product_id, speech.form, speech.service)
