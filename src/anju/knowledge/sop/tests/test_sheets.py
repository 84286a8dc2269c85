"""Sheets of answers: kept as typed, closed when full or with a reason; versions of scripts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from anju.accounts import queries as accounts
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, Scope, seen_by
from anju.knowledge.sop import actions, queries
from anju.knowledge.sop.models import Edition, Sheet
from anju.places.tests.factories import make_district

pytestmark = [pytest.mark.django_db, pytest.mark.req("CALL-11")]
PLACE = "330199001001"


@pytest.fixture(autouse=True)
def _scope(db: None) -> Iterator[None]:
    make_district()
    with seen_by(EVERYWHERE):
        yield


def person(*roles: Role) -> Actor:
    return accounts.actor_of(make_user(*roles))


def begin(by: Actor, code: str = "life_taxi", **more: Any) -> tuple[int, str]:
    call_id = str(uuid.uuid4())
    return actions.begin(by=by, code=code, place=PLACE, call_id=call_id, **more), call_id


def test_a_call_is_not_written_up_while_required_answers_are_missing_unless_there_is_a_reason() -> None:
    agent = person(Role.AGENT)
    sheet, call_id = begin(agent)
    assert actions.begin(by=agent, code="life_taxi", place=PLACE, call_id=call_id) == sheet, "begun once"
    assert actions.answer(by=agent, sheet_id=sheet, said={"kind": "出租车", "from": "荷汀花园门口"}) == []
    with pytest.raises(NotAllowed, match=r"到哪里、时间（24 小时制）、回电号码"):
        actions.close(by=agent, call_id=call_id)
    with pytest.raises(NotAllowed, match="必填"):
        actions.close(by=agent, call_id=call_id, lacks="其他")
    assert queries.open_of(agent.user_id or 0)[0].id == sheet
    assert actions.close(by=agent, call_id=call_id, lacks="对方挂断") == 1
    (view,) = queries.of_call(call_id)
    assert (view.lacks, view.closed_at is not None) == ("对方挂断", True)
    assert queries.open_of(agent.user_id or 0) == []


def test_answers_are_kept_as_typed_and_a_full_sheet_needs_no_reason() -> None:
    agent = person(Role.AGENT)
    sheet, call_id = begin(agent, "life_wake")
    wrong = actions.answer(
        by=agent, sheet_id=sheet, said={"day": "明天", "hour": "06:30", "nobody": "x"}, outcome="已设置"
    )
    assert wrong == ["日期要填日期"]
    actions.answer(by=agent, sheet_id=sheet, said={"day": "2026-12-01", "phone": "13800001111", "checked": "yes"})
    assert actions.close(by=agent, call_id=call_id, lacks="对方挂断") == 1
    (view,) = queries.of_call(call_id)
    assert {a.field.name: a.value for a in view.answers} == {
        "day": "2026-12-01", "hour": "06:30", "phone": "13800001111", "checked": True,
    }  # fmt: skip
    assert (view.outcome, view.lacks, view.left) == ("已设置", "", ""), "nothing was missing, so no reason is kept"
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers::text FROM sop_sheet")
        assert "13800001111" not in cursor.fetchone()[0], "answers are encrypted"


def test_a_sheet_belongs_to_who_answered_the_call_and_in_a_case_to_every_seat_of_the_place() -> None:
    agent, other, lead = person(Role.AGENT), person(Role.AGENT), person(Role.LEAD)
    of_call, call_id = begin(agent)
    of_case = actions.begin(by=agent, code="rescue_120", place=PLACE, incident_id=7)
    said = {"where": "潮音路 3 号"}
    with pytest.raises(NotAllowed, match="坐席"):
        actions.answer(by=other, sheet_id=of_call, said=said)
    actions.answer(by=lead, sheet_id=of_call, said={"from": "门口"})
    actions.answer(by=other, sheet_id=of_case, said=said)
    with seen_by(Scope(places=("330198",))), pytest.raises(NotAllowed):
        actions.answer(by=other, sheet_id=of_case, said=said)
    with pytest.raises(NotAllowed):
        actions.begin(by=person(Role.STREET), code="rescue_120", place=PLACE, incident_id=8)
    assert actions.close(by=other, call_id=call_id, lacks="对方挂断") == 0, "another's sheet is not hers to close"
    with pytest.raises(NotAllowed, match="不能撤下"):
        actions.drop(by=agent, sheet_id=of_call)
    empty, _ = begin(agent, "biz_return")
    actions.drop(by=agent, sheet_id=empty)
    assert not Sheet.objects.filter(pk=empty).exists()


def test_a_changed_script_is_a_new_version_and_a_sheet_keeps_its_questions() -> None:
    agent, quality = person(Role.AGENT), person(Role.QUALITY)
    sheet, call_id = begin(agent)
    old = queries.script("life_taxi")
    assert old is not None
    asks = tuple(replace(f, must=False) for f in old.ask[:2])
    given: dict[str, Any] = {
        "code": "life_taxi", "based_on": 0, "title": old.title, "when": old.when, "say": ["车马上就叫。"], "ask": asks, "branch": old.branch,
        "do": old.do, "wrap": old.wrap, "words": ["打的"],
    }  # fmt: skip
    with pytest.raises(NotAllowed, match="值班长"):
        actions.put_script(by=agent, **given)
    assert actions.put_script(by=quality, **given) == 1
    with pytest.raises(NotAllowed, match="别人刚改过"):
        actions.put_script(by=quality, **given)
    with pytest.raises(NotAllowed, match="没有改动"):
        actions.put_script(by=quality, **{**given, "based_on": 1})
    with pytest.raises(NotAllowed, match="要说的话"):
        actions.put_script(by=quality, **{**given, "based_on": 1, "say": []})
    new = queries.script("life_taxi")
    assert new is not None
    assert (new.version, new.say, new.clause) == (1, ("车马上就叫。",), old.clause)
    assert queries.edition("life_taxi", 0) == old
    assert [s.code for s in queries.search("打的")] == ["life_taxi"]
    with pytest.raises(NotAllowed, match="必填"):
        actions.close(by=agent, call_id=call_id)
    fresh, _ = begin(agent)
    assert queries.own(agent.user_id or 0, fresh).missing == ()  # type: ignore[union-attr]
    assert queries.own(agent.user_id or 0, sheet).version == 0  # type: ignore[union-attr]
    with pytest.raises(DatabaseError), transaction.atomic():
        Edition.objects.update(made_by="别人")
