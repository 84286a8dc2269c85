"""What happened with calls is told until it is told: a reaction that is broken costs nobody an emergency call."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from anju.calls.control import teller
from anju.calls.control.teller import TRIES, Teller
from anju.calls.facts import NewsUntold
from anju.calls.models import News
from anju.kernel import clock
from anju.kernel.testing import NOON


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
@pytest.mark.req("CALL-01", "REG-10")
def test_what_fails_is_tried_for_ever_is_told_to_people_and_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, told, said = {"CallArrived"}, list[str](), list[Any]()

    def announce(name: str, _data: dict[str, Any]) -> None:
        if name in broken:
            raise RuntimeError("no case could be opened")
        told.append(name)

    monkeypatch.setattr(teller, "_announce", announce)
    monkeypatch.setattr(teller.facts, "announce", said.append)
    with time_machine.travel(NOON, tick=False) as now:
        first = News.objects.create(fact="CallArrived", data={}, at=clock.now())
        News.objects.create(fact="CallEnded", data={}, at=clock.now())
        it = Teller()
        it.tell_all()
        it.tell_all()
        first.refresh_from_db()
        assert (told, first.tries) == (["CallEnded"], 1), "it rests before it is tried again; the others need not wait"
        for _ in range(TRIES + 3):
            now.shift(120)
            it.tell_all()
        first.refresh_from_db()
        assert first.tries == TRIES + 4
        assert [fact.over for fact in said] == [False] * 5, "from the fifth failure on people are told"
        assert "CallArrived" in said[0].text
        broken.clear()
        now.shift(120)
        assert it.tell_all() == 1
        assert told == ["CallEnded", "CallArrived"]
        assert said[-1] == NewsUntold("CallArrived", "", over=True)
