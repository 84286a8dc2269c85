"""A small process and a few rows to try the kernel on. Their tables exist only in tests (no installed app owns them)."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.db import models

from anju.kernel.crypto import EncryptedJSONField, EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.flow.table import A_REASON, CLOCK, SAME, Flow, duty, everywhere, final, flow, move, state, within
from anju.kernel.scope import ScopedModel

CITY, STREET, OTHER_STREET = "330199000000", "330199001001", "330199002001"

PARCEL = flow(
    "parcel", "包裹",
    state("packed", "待揽收", within(seconds=30).then("remind"),
        move("collect", "揽收", "moving", "courier", "boss"),
        move("remind", "催揽收", "late", CLOCK),
        basis="样例"),
    state("late", "揽收超时", within(seconds=30).then("remind_again"),
        move("collect", "揽收", "moving", "courier", "boss"),
        move("remind_again", "再催揽收", SAME, CLOCK)),
    state("moving", "运送中", within(minutes=10).then("lost"),
        move("deliver", "送达", "waiting", "courier", needs=("paid",)),
        move("leave", "放门口", "waiting", "courier", asks=("agreed",)),
        move("restart", "重新运送", "moving", "courier"),
        move("lost", "失联", "late", CLOCK),
        duty("call", "电话联系", "courier", every=within(minutes=2)),
        duty("photo", "拍照", "courier", once=within(minutes=5), seat="B"),
        duty("weigh", "称重", "boss")),
    state("waiting", "待签收", within(hours=3).in_office_hours().then("nag"),
        move("sign", "签收", "done", "owner"),
        move("nag", "催签收", "waiting", CLOCK)),
    final("done", "已签收"),
    everywhere(
        move("comment", "备注", SAME, "boss", asks=(A_REASON,)),
        move("cancel", "取消", "done", "boss", basis="样例"),
        before="waiting"),
    conditions={"paid": "已付运费", "agreed": "收件人已同意"},
)  # fmt: skip


def paid(subject: Parcel, by: object) -> bool | str:
    return subject.paid or "尚未付运费，请先收费后再送达。"


def agreed(subject: Parcel, by: object) -> bool:
    return subject.agreed


@runs(PARCEL, conditions={"paid": paid, "agreed": agreed})
class Parcel(FlowSubject, ScopedModel):
    place = models.CharField(max_length=12, default=STREET)
    paid = models.BooleanField(default=True)
    agreed = models.BooleanField(default=False)
    slow = models.BooleanField(default=False)
    fragile = models.BooleanField(default=True)
    flow: ClassVar[Flow] = PARCEL

    class Meta:
        app_label = "kernel_samples"
        triggers = [guard(PARCEL)]

    def duration(self, slot: str, default: timedelta) -> timedelta:
        return default * 10 if self.slow and slot == "state" else default

    def has_duty(self, duty: object) -> bool:
        return self.fragile or duty.name != "photo"


class House(ScopedModel):
    place = models.CharField(max_length=12)
    owner = models.BigIntegerField(null=True)

    scope_elder: ClassVar[str] = "owner"

    class Meta:
        app_label = "kernel_samples"


class Lamp(ScopedModel):
    house = models.ForeignKey(House, on_delete=models.CASCADE, related_name="lamps")
    name = models.CharField(max_length=20, default="灯")
    secret = EncryptedTextField(blank=True, null=True)
    other = EncryptedTextField(blank=True, default="")
    papers = EncryptedJSONField(null=True)

    scope_place: ClassVar[str] = "house__place"
    scope_elder: ClassVar[str] = "house__owner"

    class Meta:
        app_label = "kernel_samples"


TABLES: list[type[models.Model]] = [Parcel, House, Lamp]
