"""A product's profile: which property of its messages means what, how often it reports, when it counts as silent.

Data, not code (`devices/profiles/*.json`, copied into `Product.profile` by `manage.py products`). Pure: no Django.
Every product also understands the common properties of the operators' platforms (`COMMON`), so a profile says only what
is special, and a product without any profile still gets its SOS through.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("profiles")

# property → {value as text → kind}. "*" = any other value that is "on" (not 0, false, "", null).
COMMON: Mapping[str, Mapping[str, str]] = {
    "Alarm_Status": {"0": "sos_reset", "*": "sos"},
    "SOS": {"0": "sos_reset", "*": "sos"},
    "SOS_Status": {"0": "sos_reset", "*": "sos"},
    "Help_Status": {"0": "sos_reset", "*": "sos"},
    "Door_Status": {"0": "door_closed", "*": "door_open"},
    "Motion_Status": {"0": "", "*": "motion"},
    "Tamper_Status": {"0": "tamper_clear", "*": "tamper"},
    "Gas_Status": {"0": "gas_clear", "*": "gas"},
    "Gas_Alarm": {"0": "gas_clear", "*": "gas"},
    "Smoke_Status": {"0": "smoke_clear", "*": "smoke"},
    "Smoke_Alarm": {"0": "smoke_clear", "*": "smoke"},
    "CO_Status": {"0": "co_clear", "*": "co"},
    "Fall_Status": {"0": "fall_clear", "*": "fall"},
    "Flood_Status": {"0": "flood_clear", "*": "flood"},
    "Scene_Status": {"0": "scene_clear", "*": "scene"},
    "Scene_Alarm": {"0": "scene_clear", "*": "scene"},
    "Fault_Status": {"0": "fault_clear", "*": "fault"},
    "Test_Status": {"0": "", "*": "test"},
}
READINGS: Mapping[str, str] = {
    "Battery_Level": "battery", "RSRP": "rsrp", "SNR": "snr", "Cell_ID": "cell_id", "CSQ": "csq", "Seq": "seq",
    "Firmware_Version": "firmware", "Software_Version": "firmware", "FW_Version": "firmware", "SW_Version": "firmware",
}  # fmt: skip

# What a reading may be: a meter's total (m³, kWh), where the wearer is (degrees, metres), a clinical measure.
MEASURES = frozenset({
    "water", "power", "gasuse", "phone_use", "lat", "lon", "accuracy", "systolic", "diastolic", "pulse", "spo2", "temperature",
    "glucose", "glucose_fasting", "breath",
})  # fmt: skip
DATUMS = frozenset({"wgs84", "gcj02", "bd09"})

# What the device is, in SCAIP's words, when the signal does not say so itself.
DTY = {"sos": "0004", "phone": "0004", "pendant": "0003", "motion": "0010", "door": "0014", "gas": "0021", "smoke": "0023",
       "co": "0026", "fall": "0005", "flood": "0033", "bed": "0012", "locator": "0051", "health": "0902", "water": "0900",
       "power": "0900", "gasuse": "0900", "camera": "0903", "scene": "0904"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """How to read one product. Times in seconds, battery in percent."""

    code: str = ""
    kind: str = "other"
    dty: str = ""
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: COMMON)
    readings: Mapping[str, str] = field(default_factory=lambda: READINGS)
    records: Mapping[str, str] = field(default_factory=lambda: {"Motion_Records": "motion"})
    measures: Mapping[str, tuple[str, float]] = field(default_factory=dict)  # property → what it is, and × which factor
    datum: str = "wgs84"  # of the positions that it tells
    decoder: str = ""  # name of a module of signals.decoders for a binary APPdata
    report_every: int = 4 * 3600
    silent_after: int = 25 * 3600
    battery_low: int = 20
    plans: dict[str, tuple[str, Any]] = field(
        default_factory=dict, compare=False, repr=False
    )  # what was looked up once

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Profile:
        """Read the JSON form. Unknown keys are refused: a misspelt one would be silently ignored for years."""
        known = {"code", "name", "maker", "kind", "source", "product_id", "dty", "properties", "readings", "records",
                 "measures", "datum", "decoder", "report_every", "silent_after", "battery_low", "note"}  # fmt: skip
        if odd := set(data) - known:
            raise ValueError(f"规约中有不认识的项：{'、'.join(sorted(odd))}。请对照 devices/profile.py 改正。")
        for name, meaning in data.get("properties", {}).items():
            if not isinstance(meaning, Mapping) or not all(isinstance(v, str) for v in meaning.values()):
                raise ValueError(f"属性 {name} 的含义须写成 {{值: 信号}}。请对照 devices/profile.py 改正。")
        for table in ("readings", "records"):
            if not all(isinstance(v, str) for v in data.get(table, {}).values()):
                raise ValueError(f"{table} 须写成 {{属性: 名称}}。请对照 devices/profile.py 改正。")
        if (datum := str(data.get("datum", "wgs84"))) not in DATUMS:
            raise ValueError(f"坐标系 {datum} 不认识，须是 {'、'.join(sorted(DATUMS))} 之一。")
        kind = str(data.get("kind", "other"))
        every = int(data.get("report_every", 4 * 3600))
        return cls(
            code=str(data.get("code", "")),
            kind=kind,
            dty=str(data.get("dty", "")) or DTY.get(kind, "0004"),
            properties={**COMMON, **data.get("properties", {})},
            readings={**READINGS, **data.get("readings", {})},
            records={"Motion_Records": "motion", **data.get("records", {})},
            measures=_measures(data.get("measures", {})),
            datum=datum,
            decoder=str(data.get("decoder", "")),
            report_every=every,
            silent_after=int(data.get("silent_after", 3 * every)),
            battery_low=int(data.get("battery_low", 20)),
        )

    @classmethod
    def safe(cls, data: Any) -> Profile:
        """The same, but what can't be read becomes the profile of an unknown product: one bad line in the catalogue must not
        stop the router or the gateway.
        """
        try:
            return cls.of(data)
        except (ValueError, TypeError, AttributeError):
            return UNKNOWN


def _measures(table: Mapping[str, Any]) -> dict[str, tuple[str, float]]:
    """{"Total_L": "water*0.001"}: litres as m³."""
    found = {}
    for name, meaning in table.items():
        what, _, factor = str(meaning).partition("*")
        if what not in MEASURES:
            raise ValueError(f"读数 {name} 的含义 {what} 不认识。请对照 devices/profile.py 的 MEASURES 改正。")
        found[name] = (what, float(factor or 1))
    return found


UNKNOWN = Profile()


@lru_cache(maxsize=1)
def shipped() -> tuple[dict[str, Any], ...]:
    """The profiles that come with the platform, as they are in the files."""
    return tuple(json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json")))
