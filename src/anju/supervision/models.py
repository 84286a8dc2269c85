"""Audited calls with their forms and plans, and what clients complain about."""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models

from anju.kernel.crypto import EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.scope import OpenModel, ScopedModel
from anju.supervision import conditions
from anju.supervision.flow import COMPLAINT, REVIEW
from anju.supervision.forms import ABOUT, SOURCES


class ScoreForm(OpenModel):
    """A form, as one numbered version. A version is never changed: old scores keep the form that they were given by."""

    scope_reason: ClassVar[str] = "a form of the centre; it says nothing of anybody"

    code = models.CharField("代码", max_length=20)
    version = models.PositiveIntegerField("版本")
    name = models.CharField("名称", max_length=60)
    criteria = models.JSONField("评分项")
    made_by = models.CharField("制定人", max_length=60)
    made_at = models.DateTimeField("制定时间")

    class Meta:
        verbose_name = verbose_name_plural = "质检表"
        ordering = ["code", "-version"]
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="one_form_version")]
        triggers = [pgtrigger.Protect(name="form_never_changed", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.name} 第 {self.version} 版"


class Plan(ScopedModel):
    """One weekly drawing: its seed and what was in the drum, so that anybody can draw it again and get the same calls."""

    scope_place: ClassVar[str] = "place"

    place = models.CharField("区划", max_length=12)
    week = models.DateField("抽查的一周（周一）")
    seed = models.CharField("种子", max_length=32)
    candidates = models.PositiveIntegerField("候选通话")
    digest = models.CharField("候选摘要", max_length=64)
    agents = models.JSONField("坐席", default=list)
    short = models.JSONField("不足的坐席", default=dict)
    before = models.JSONField("本月此前已抽", default=dict)
    per_week = models.PositiveSmallIntegerField("每周至少")
    per_month = models.PositiveSmallIntegerField("每月至少")
    made_at = models.DateTimeField("抽取时间")
    made_by = models.CharField("抽取人", max_length=60)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "抽查计划"
        ordering = ["-week", "place"]
        constraints = [models.UniqueConstraint(fields=["place", "week"], name="one_plan_a_week")]
        triggers = [pgtrigger.Protect(name="plan_never_changed", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.place} {self.week}"


@runs(REVIEW, conditions=conditions)
class Review(FlowSubject, ScopedModel):
    """One audited call of one agent: why it was drawn, who judges, what was scored, what the agent says."""

    scope_place: ClassVar[str] = "place"

    number = models.CharField("质检单号", max_length=20)
    year = models.PositiveSmallIntegerField("年")
    place = models.CharField("区划", max_length=12)
    call = models.ForeignKey("calls.Call", models.PROTECT, related_name="+", verbose_name="通话")
    agent_id = models.BigIntegerField("坐席", db_index=True)
    agent_name = models.CharField("坐席姓名", max_length=40)
    seat = models.CharField("坐席号", max_length=10, blank=True)
    emergency = models.BooleanField("紧急来电", default=False)
    called_at = models.DateTimeField("来电时间")
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, blank=True, verbose_name="抽查计划")
    why = models.CharField("为什么抽这通", max_length=200)
    drawn_at = models.DateTimeField("抽取时间")
    judge_id = models.BigIntegerField("评分人", null=True, db_index=True)
    judge_name = models.CharField("评分人姓名", max_length=40, blank=True)
    form = models.ForeignKey(ScoreForm, models.PROTECT, verbose_name="质检表")
    answers = models.JSONField("评分", default=dict)
    score = models.FloatField("得分", null=True)
    first_score = models.FloatField("申诉前得分", null=True)
    fatal = models.JSONField("一票否决", default=list)
    accurate = models.BooleanField("答复准确", null=True)
    polite = models.BooleanField("用语规范", null=True)
    scored_by = models.BigIntegerField("实际评分人", null=True)
    scored_at = models.DateTimeField("评分时间", null=True)
    comment = EncryptedTextField("评语", blank=True)
    appeal = EncryptedTextField("申诉理由", blank=True)
    verdict = EncryptedTextField("复核意见", blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "质检单"
        ordering = ["-drawn_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["number", "year"], name="one_review_number"),
            models.UniqueConstraint(
                fields=["call", "agent_id"], condition=~models.Q(state="void"), name="one_review_a_call"
            ),
        ]
        indexes = [
            models.Index(fields=["called_at"], name="reviews_by_time"),
            models.Index(fields=["state", "judge_id"], name="reviews_to_do"),
        ]
        triggers = [guard(REVIEW)]

    def __str__(self) -> str:
        return self.number


@runs(COMPLAINT, conditions=conditions)
class Complaint(FlowSubject, ScopedModel):
    """What a client is not content with. It counts as a complaint only when talking did not help (`formal_at`)."""

    scope_place: ClassVar[str] = "place"

    number = models.CharField("编号", max_length=20)
    year = models.PositiveSmallIntegerField("年")
    place = models.CharField("区划", max_length=12)
    source = models.CharField("来源", max_length=10, choices=list(SOURCES.items()))
    about = models.CharField("涉及", max_length=10, choices=list(ABOUT.items()))
    call = models.ForeignKey("calls.Call", models.PROTECT, null=True, blank=True, related_name="+", verbose_name="来电")
    agent_id = models.BigIntegerField("被投诉坐席", null=True, blank=True, db_index=True)
    elder_id = models.BigIntegerField("老人", null=True, blank=True)
    name = EncryptedTextField("投诉人", blank=True)
    contact = EncryptedTextField("联系方式", blank=True)
    content = EncryptedTextField("内容")
    wish = EncryptedTextField("诉求", blank=True)
    opened_at = models.DateTimeField("登记时间")
    opened_by = models.CharField("登记人", max_length=60)
    formal_at = models.DateTimeField("投诉成立时间", null=True)
    valid = models.BooleanField("属实", null=True)
    answered_at = models.DateTimeField("答复时间", null=True)
    closed_at = models.DateTimeField("办结时间", null=True)
    outcome = EncryptedTextField("处理结果", blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "意见与投诉"
        ordering = ["-opened_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["number", "year"], name="one_complaint_number")]
        indexes = [models.Index(fields=["formal_at"], name="complaints_by_time")]
        triggers = [guard(COMPLAINT)]

    def __str__(self) -> str:
        return self.number
