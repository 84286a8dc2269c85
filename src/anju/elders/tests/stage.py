"""Who writes files in the tests of this module, at which times, and a whole form as it is typed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.elders import actions
from anju.elders.models import Elder
from anju.elders.tests.factories import invented_id
from anju.kernel.flow.actor import Actor
from anju.places.tests.factories import LOTUS

FORM = {
    "phone": "144-0000-1234",
    "kind": "alone",
    "ability": "mild",
    "health_state": "能走动",
    "illnesses": "无",
    "chronic": "高血压",
    "allergies": "青霉素",
    "self_rescue": "按床头拉绳",
    "hobbies": "越剧",
    "habits": "早睡",
    "other": "养猫",
    "water_no": "W1",
    "electricity_no": "E1",
    "gas_no": "无",
    "appointment": date(2026, 12, 1),
    "appointment_half": "am",
}
NIGHT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # 23:00 in China
DAY = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # noon, a Friday


def community() -> Actor:
    """Somebody of the community."""
    return accounts.actor_of(make_user(Role.COMMUNITY, place=LOTUS))


def bureau() -> Actor:
    """Somebody of the bureau."""
    return accounts.actor_of(make_user(Role.BUREAU))


def register(**fields: Any) -> Elder:
    """A draft with every item of the form but the contacts and the papers."""
    by = community()
    home = actions.register_home(place=LOTUS, address="荷汀苑 3 幢 502 室", entrance="东门", by=by)
    number = invented_id(date(1943, 5, 12), "女")
    return actions.register_elder(home_id=home.pk, name="周玉珍", by=by, **{"id_number": number, **FORM, **fields})
