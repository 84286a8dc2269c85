"""A handful of letters and messages in every state, so that the desk's list and the district's page show something. All invented.

None of them speaks of distress (it would ring on every desk) and none waits at a screen (ten minutes after the start it would be late).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from anju.accounts import queries as accounts
from anju.accounts.models import User
from anju.kernel import clock
from anju.kernel.flow.actor import Actor
from anju.supervision.contacts import actions
from anju.town import ids

STAFF = ("agent1", "agent2", "lead1")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: hours ago, the way, who wrote what, what was done with it, and by whom, so many hours later."""

    hours: float
    channel: str
    name: str
    text: str
    own_number: int = -1
    """Which caller of the demo (`people`) left her number; -1: an unknown one, -2: none."""
    then: str = ""
    says: str = ""
    after: float = 0.0
    who: str = "agent1"


LETTERS = (
    Letter(72, "letter", "陈阿姨", "谢谢夜里陪我说话的周姑娘，讲得耐心，我放心多了。", 4, "answer", "已转告周晓岚，谢谢您特地来信。", 2.5, "lead1"),
    Letter(52, "web", "", "请问助浴服务怎么约，多久能排上？", -2, "answer", "每周二、周四上门，提前一天打服务热线预约；本周四下午还有空位。", 0.12),
    Letter(31, "visit", "沈先生", "母亲出院了，一键通要不要换号码？", 7, "answer", "号码不用换，已在档案里更新出院后的联系人。", 0.1, "agent2"),
    Letter(28, "letter", "赵家女儿", "我妈一个人住，想给她卫生间也装一个拉绳，怎么申请？", 11),
    Letter(26, "web", "", "买药便宜，加微信领券", -2, "close", "广告", 1.0, "lead1"),
    Letter(5, "sms", "", "手表充电器又坏了，还是上次那个地址，麻烦派人看看。", 15, "to_complaint", "device", 0.3, "lead1"),
    Letter(3, "visit", "孙先生", "来窗口问食堂送餐能不能换成软一点的饭菜。", -1),
    Letter(0.4, "wechat", "钱女士", "我下周带爸爸去外地，家里没人，要跟你们说一声吗？", 19, "take", "", 0.1, "agent2"),
)  # fmt: skip
"""In their order: three that were answered, late, closed, a complaint, waiting, being dealt with."""


def make(people: list[tuple[int, int, str, str, str]], until: datetime) -> int:
    """All of them, each at its own time; how many."""
    by = {u.username: accounts.actor_of(u) for u in User.objects.filter(username__in=STAFF)}
    if len(by) < len(STAFF) or not people:
        return 0
    for n, one in enumerate(LETTERS):
        with clock.pretend(until - timedelta(hours=one.hours)), transaction.atomic():
            number = (
                ""
                if one.own_number == -2
                else people[one.own_number % len(people)][4]
                if one.own_number >= 0
                else ids.mobile(8400 + n)
            )
            row = _begin(one, number, by["agent1"])
        if one.then:
            with clock.pretend(until - timedelta(hours=one.hours - one.after)), transaction.atomic():
                _goes_on(one, row, by[one.who])()
    return len(LETTERS)


def _begin(one: Letter, number: str, agent: Actor) -> int:
    if one.channel == "web":
        return actions.receive(channel="web", text=one.text, name=one.name, reach=number).pk
    return actions.register(by=agent, channel=one.channel, text=one.text, name=one.name, reach=number).pk


def _goes_on(one: Letter, row: int, by: Actor) -> Callable[[], object]:
    return {
        "take": lambda: actions.take(by=by, contact_id=row),
        "answer": lambda: actions.answer(by=by, contact_id=row, text=one.says),
        "close": lambda: actions.close(by=by, contact_id=row, reason=one.says),
        "to_complaint": lambda: actions.to_complaint(by=by, contact_id=row, about=one.says),
    }[one.then]
