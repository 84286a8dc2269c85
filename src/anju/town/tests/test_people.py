"""The invented people hold together, and nothing about them can be real."""

import json
from datetime import date
from pathlib import Path

import pytest
from stdnum import imei
from stdnum.cn import ric

from anju.town import ids, land, living, people

TODAY = date(2026, 11, 20)
MAP = Path(__file__).parents[1] / "static" / "town" / "map.geojson"


@pytest.fixture(scope="module")
def homes():
    return people.homes(200, today=TODAY)


@pytest.mark.req("REG-02")
def test_every_number_is_well_formed_and_of_nobody(homes):
    elders = [e for h in homes for e in h.elders]
    assert len(homes) == 200
    assert len(elders) > 200
    for elder in elders:
        assert elder.id_number.startswith("330199")
        assert ric.calc_check_digit(elder.id_number) == elder.id_number[-1]
        assert int(elder.id_number[16]) % 2 == (0 if elder.sex == "女" else 1)
        assert elder.id_number[6:14] == f"{elder.born:%Y%m%d}"
        assert 60 <= TODAY.year - elder.born.year <= 100
        assert elder.phone.startswith("1440")
        assert len(elder.phone) == 11
    assert len({e.id_number for e in elders}) == len(elders)
    phones = {c.phone for h in homes for c in h.contacts}
    assert all(p.startswith(("1440", "0571-0")) for p in phones)
    devices = [d for h in homes for d in h.devices]
    assert len({d.imei for d in devices}) == len(devices) == len({d.operator_id for d in devices})
    assert all(imei.is_valid(d.imei) and d.imei.startswith("00") for d in devices)
    assert not imei.is_valid(ids.imei(1)[:-1] + ("0" if ids.imei(1)[-1] != "0" else "1"))


@pytest.mark.req("REG-02")
def test_the_same_seed_makes_the_same_town_and_odd_cases_are_there(homes):
    assert people.homes(200, today=TODAY) == homes
    assert people.homes(10, today=TODAY) == homes[:10]
    elders = [h.elders[0] for h in homes]
    assert any(e.consent is None for e in elders)
    assert any(e.consent and e.consent.expires_on < TODAY for e in elders)
    assert any(e.consent and not e.consent.covers_rescue for e in elders)
    assert any(e.status == "suspended" for e in elders)
    assert [homes[0].elders[0].name, homes[1].elders[0].name] == ["沈玉芬", "陆秀英"]
    assert all(3 <= len(h.devices) <= 6 for h in homes)
    kinds = {d.kind for h in homes for d in h.devices}
    assert kinds == {"sos", "motion", "door", "phone", "gas"}
    for home in homes:
        assert {"sos", "motion", "door"} <= {d.kind for d in home.devices}
        assert {"grid", "social_worker", "property", "night_duty", "committee"} <= {c.kind for c in home.contacts}


def test_homes_stand_in_their_buildings_and_the_map_is_up_to_date(homes):
    drawn = json.loads(MAP.read_text())
    assert drawn == json.loads(json.dumps(land.features())), "run `manage.py demo --map`"
    blocks = {
        (f["properties"]["compound"], f["properties"]["number"]): f["geometry"]["coordinates"][0]
        for f in drawn["features"] if f["properties"]["kind"] == "building"
    }  # fmt: skip
    for home in homes:
        ring = blocks[home.compound, home.building]
        assert min(p[0] for p in ring) - 3e-4 < home.at[0] < max(p[0] for p in ring) + 3e-4
        assert min(p[1] for p in ring) - 3e-4 < home.at[1] < max(p[1] for p in ring) + 3e-4
    assert len({h.address for h in homes}) == 200
    gates = [f for f in drawn["features"] if f["properties"]["kind"] == "gate"]
    assert {f["properties"]["compound"] for f in gates if f["properties"]["ambulance"]} == {
        c.name for c in land.compounds()
    }


def test_days_have_a_rhythm():
    from anju.kernel.clock import SHANGHAI

    on = date(2026, 11, 18)
    day = living.day(5, on, SHANGHAI)
    assert day == living.day(5, on, SHANGHAI)
    assert all(d.at.astimezone(SHANGHAI).date() == on for d in day)
    assert [d.at for d in day] == sorted(d.at for d in day)
    every = [d.at.hour for n in range(60) for d in living.day(n, on, SHANGHAI) if d.kind == "motion"]
    night, noon = sum(1 for h in every if h < 4), sum(1 for h in every if 8 <= h < 12)
    assert noon > 12 * night
