"""An unknown caller turns out to be somebody."""

from __future__ import annotations

import pytest

from anju.elders.tests.factories import ElderFactory
from anju.incidents import actions
from anju.incidents.models import Entry, Incident
from anju.incidents.tests.subjects import an_incident
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, seen_by

pytestmark = pytest.mark.django_db
BY = Actor("周晓岚", frozenset({"agent"}), None)


@pytest.mark.req("REG-10", "CALL-03")
def test_a_stranger_gets_an_address_and_an_elder_her_own_plan() -> None:
    with seen_by(EVERYWHERE):
        unknown = an_incident()
        with pytest.raises(NotAllowed, match="地址"):
            actions.identify(incident_id=unknown.pk, by=BY)
        actions.identify(incident_id=unknown.pk, by=BY, address="潮汐路 3 号路口", phone="14400000009")
        unknown.refresh_from_db()
        assert unknown.plan["caller"] == {"address": "潮汐路 3 号路口", "phone": "14400000009"}
        assert unknown.home_id is None
        elder = ElderFactory()
        actions.identify(incident_id=unknown.pk, by=BY, elder_id=elder.pk)
        known = Incident.objects.get(pk=unknown.pk)
        assert (known.home_id, known.elder_id, known.place) == (elder.home_id, elder.pk, elder.home.place)
        assert known.plan["elder"]["name"] == elder.name
        assert known.plan["caller"]["address"] == "潮汐路 3 号路口"
        assert Entry.objects.filter(incident=known, kind="identified").count() == 2
        with pytest.raises(NotAllowed, match="已经知道"):
            actions.identify(incident_id=unknown.pk, by=BY, elder_id=elder.pk)


@pytest.mark.req("REG-10")
def test_two_open_cases_of_one_home_are_never_made_by_naming_her() -> None:
    with seen_by(EVERYWHERE):
        elder = ElderFactory()
        first, second = an_incident(), an_incident()
        actions.identify(incident_id=first.pk, by=BY, elder_id=elder.pk)
        with pytest.raises(NotAllowed, match="已有未结事件"):
            actions.identify(incident_id=second.pk, by=BY, elder_id=elder.pk)
        assert Incident.objects.get(pk=second.pk).home_id is None
        with pytest.raises(NotAllowed, match="册上没有"):
            actions.identify(incident_id=second.pk, by=BY, elder_id=10**9)
