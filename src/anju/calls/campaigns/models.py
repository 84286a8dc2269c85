"""A campaign and the people on its list, and who does not want to be rung for such things."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from anju.calls.campaigns.flow import CAMPAIGN
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.scope import ScopedModel

WAYS = {"robot": "机器人拨打", "agent": "坐席拨打"}
PERSON_STATES = {"waiting": "待拨", "open": "正在联系", "done": "已联系上", "missed": "未联系上", "left_out": "没有拨"}


@runs(CAMPAIGN)
class Campaign(FlowSubject, ScopedModel):
    """One matter for many. `says` is read by the robot, or is the agents' script; times are the centre's 24-hour clock."""

    scope_place: ClassVar[str] = "place"

    place = models.CharField("区划", max_length=12)
    name = models.CharField("名称", max_length=40)
    purpose = models.CharField("为什么打", max_length=200)
    way = models.CharField("谁来拨", max_length=6, choices=list(WAYS.items()))
    says = models.TextField("说什么")
    labels = models.JSONField("按键的意思", default=dict, blank=True)
    first = models.DateField("从哪天起")
    until = models.DateField("到哪天止")
    from_at = models.TimeField("每天从几点")
    until_at = models.TimeField("到几点")
    at_once = models.PositiveSmallIntegerField("同时拨打")
    tries = models.PositiveSmallIntegerField("最多拨几次")
    gap_minutes = models.PositiveSmallIntegerField("隔几分钟再拨")
    made_by = models.CharField("谁定的", max_length=60)
    made_at = models.DateTimeField("定的时间")
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    over_at = models.DateTimeField("结束时间", null=True, blank=True)
    forgotten_at = models.DateTimeField("名单外号码已忘记", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "外呼任务"
        ordering = ["-id"]
        triggers = [guard(CAMPAIGN)]

    def __str__(self) -> str:
        return self.name


class CampaignPerson(ScopedModel):
    """Somebody on the list: with a file (name and number are the file's) or only a number that was uploaded."""

    scope_place: ClassVar[str] = "place"
    scope_elder: ClassVar[str] = "elder_id"

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="people", verbose_name="外呼任务")
    place = models.CharField("区划", max_length=12)
    elder_id = models.BigIntegerField("老人", null=True, db_index=True)
    home_id = models.BigIntegerField("住户", null=True)
    name = EncryptedTextField("姓名（没有档案的人）", blank=True, default="")
    number = EncryptedTextField("号码（没有档案的人）", blank=True, default="")
    number_index = models.CharField("号码索引", max_length=64, blank=True, default="", editable=False)
    state = models.CharField("现在", max_length=10, choices=list(PERSON_STATES.items()), default="waiting")
    tried = models.PositiveSmallIntegerField("拨了几次", default=0)
    next_at = models.DateTimeField("最早再拨")
    put_off = models.PositiveSmallIntegerField("暂缓了几次", default=0, db_default=0)
    planned_id = models.BigIntegerField("最近一次外呼", null=True, db_index=True)
    answered = models.BooleanField("接通过", default=False)
    key = models.CharField("按了哪个键", max_length=1, choices=[(d, d) for d in "0123456789"], blank=True, default="")
    why = models.CharField("原因", max_length=60, blank=True, default="")
    done_at = models.DateTimeField("了结时间", null=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "外呼名单"
        ordering = ["id"]
        indexes = [models.Index(fields=["campaign", "state", "next_at"], name="campaign_next")]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "number_index"], condition=~models.Q(number_index=""), name="one_call_a_number"
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.state}"


class DoNotCall(ScopedModel):
    """A number whose owner does not want campaigns: only a keyed hash of it, so that the wish outlives her data."""

    scope_place: ClassVar[str] = "place"

    place = models.CharField("区划", max_length=12)
    number_index = models.CharField("号码索引", max_length=64, unique=True, editable=False)
    since = models.DateTimeField("何时说的")

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "不接外呼任务的号码"

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d}"
