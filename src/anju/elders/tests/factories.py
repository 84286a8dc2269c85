"""Invented homes and people for tests: ID numbers with right check digits in 330199, a district that does not exist.

Everything is written in the current scope; most tests use the fixture `everywhere`.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import factory
from stdnum.cn import ric

from anju.elders.finding import reindex
from anju.elders.models import Consent, Contact, Elder, Home
from anju.kernel import clock
from anju.kernel.crypto import blind

SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
GIVEN = ["秀英", "桂兰", "玉珍", "凤仙", "阿毛", "福根", "金妹", "水娟", "荷花", "月娥", "长根", "土根"]


def invented_id(born: date, sex: str, order: int = 10) -> str:
    """A well-formed ID number of nobody: place 330199 was never given out."""
    order = order * 2 % 998 + (1 if sex == "男" else 0)
    head = f"330199{born:%Y%m%d}{order:03d}"
    return head + ric.calc_check_digit(head + "0")


def invented_phone(n: int) -> str:
    """A mobile number that nobody can have (`identity.INVENTED`)."""
    return f"1440000{n % 10000:04d}"


class HomeFactory(factory.django.DjangoModelFactory):
    """A dwelling in 荷汀社区."""

    class Meta:
        model = Home

    place = "330199001001"
    area = factory.LazyAttribute(lambda h: h.place)
    address = factory.Sequence(lambda n: f"荷汀苑 {n % 20 + 1} 幢 {n % 3 + 1} 单元 {n % 6 + 1}0{n % 4 + 1} 室")
    building = factory.Sequence(lambda n: f"{n % 20 + 1} 幢")
    lon, lat = 120.21, 30.21
    entrance = "荷汀苑东门，由潮音路进"
    entrance_lon, entrance_lat = 120.2112, 30.2105
    floor, lift = 3, False
    access_note = "门锁在右侧，敲门要重"
    key_note = "备用钥匙在对门 302"


class ElderFactory(factory.django.DjangoModelFactory):
    """A whole file, in service. `ElderFactory(status="draft")` for a draft; contacts and consent: `complete(elder)`."""

    class Meta:
        model = Elder

    home = factory.SubFactory(HomeFactory)
    number = factory.Sequence(lambda n: f"T{n:06d}")
    name = factory.Sequence(lambda n: SURNAMES[n % len(SURNAMES)] + GIVEN[n % len(GIVEN)])
    sex = factory.Iterator(["女", "男"])
    birth_date = factory.Sequence(lambda n: date(1935, 1, 1) + timedelta(days=n * 37 % 6000))
    n = factory.Sequence(lambda n: n)
    id_number = factory.LazyAttribute(lambda e: invented_id(e.birth_date, e.sex, e.n))
    phone = factory.LazyAttribute(lambda e: invented_phone(e.n))
    kind, status, ability, health_state = "alone", "approved", "mild", "高血压，能走动"
    illnesses, chronic, allergies = "2019 年脑梗，无后遗症", "高血压、糖尿病", "青霉素"
    self_rescue, hobbies, habits = "按床头拉绳", "听越剧", "早睡，6 点起"
    water_no, electricity_no, gas_no = "W330199001", "E330199001", "G330199001"
    appointment, appointment_half = date(2026, 11, 27), "am"
    service_from, service_until = date(2026, 3, 1), date(2027, 2, 28)

    @classmethod
    def _create(cls, model_class: type[Elder], *args: Any, **kwargs: Any) -> Elder:
        kwargs.pop("n", None)
        elder = model_class(**kwargs, id_blind=blind(kwargs.get("id_number", ""), "elder.id"))
        elder.save()
        reindex(elder)
        return elder


class ContactFactory(factory.django.DjangoModelFactory):
    """Somebody to call."""

    class Meta:
        model = Contact

    elder = factory.SubFactory(ElderFactory)
    turn = factory.Sequence(lambda n: n + 1)
    kind = "guardian"
    name = factory.Sequence(lambda n: SURNAMES[n % len(SURNAMES)] + "建国")
    relation, sex = "儿子", "男"
    phone = factory.Sequence(lambda n: invented_phone(5000 + n))
    address = "听潮里 8 幢 201 室"
    eta_minutes = 15


class ConsentFactory(factory.django.DjangoModelFactory):
    """A signed paper that holds today."""

    class Meta:
        model = Consent

    elder = factory.SubFactory(ElderFactory)
    scope = ["monitor", "meters", "calls", "rescue_110_120_119"]
    signed_by = "本人"
    signed_on = factory.LazyFunction(lambda: clock.today() - timedelta(days=30))
    expires_on = factory.LazyAttribute(lambda c: c.signed_on + timedelta(days=364))
    document = factory.Sequence(lambda n: f"TZ-2026-{n:04d}")


def complete(elder: Elder, *, guardians: int = 2, consent: bool = True) -> Elder:
    """Give the elder every contact the form asks for (and a signed consent): she can be approved."""
    people = [("guardian", "儿子", "男")] * guardians
    people += [
        ("grid", "", ""),
        ("grid", "", ""),
        ("social_worker", "", ""),
        ("property", "", ""),
        ("night_duty", "", ""),
    ]
    for turn, (kind, relation, sex) in enumerate([*people, ("committee", "", "")], start=1):
        ContactFactory(elder=elder, turn=turn, kind=kind, relation=relation, sex=sex, has_key=turn == 1)
    if consent:
        ConsentFactory(elder=elder)
    reindex(elder)
    return elder
