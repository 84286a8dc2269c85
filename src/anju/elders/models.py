"""Homes, the people who live in them, whom to call, what they have agreed to.

All items of the two forms (SH2 信息采集, 17 items; HZ 附件1) are here. Names, numbers, addresses and illnesses are encrypted
field by field; `tokens` are keyed hashes for the search (ADR 0009).
"""

from __future__ import annotations

from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Substr

from anju.elders import words
from anju.kernel import clock
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.scope import ScopedModel


class Home(ScopedModel):
    """A dwelling: what devices and alarms hang on. Coordinates are WGS-84; `datum` is what they came in."""

    scope_place: ClassVar[str] = "area"
    scope_elder: ClassVar[str] = "elders"

    place = models.CharField("社区代码", max_length=12, db_index=True)
    area = models.CharField("区域代码", max_length=14, db_index=True, help_text="社区代码，或 14 位网格代码")
    address = EncryptedTextField("详细地址", blank=True)
    building = models.CharField("楼栋", max_length=40, blank=True)
    lon = models.FloatField("经度", null=True, blank=True)
    lat = models.FloatField("纬度", null=True, blank=True)
    datum = models.CharField("坐标来源", max_length=8, choices=words.DATUMS, default="wgs84")
    entrance = models.CharField("救护车入口", max_length=120, blank=True)
    entrance_lon = models.FloatField("入口经度", null=True, blank=True)
    entrance_lat = models.FloatField("入口纬度", null=True, blank=True)
    floor = models.SmallIntegerField("楼层", null=True, blank=True)
    lift = models.BooleanField("电梯", null=True, blank=True)
    access_note = EncryptedTextField("进门办法", blank=True)
    key_note = EncryptedTextField("钥匙在哪", blank=True)
    status = models.CharField("状态", max_length=10, choices=words.HOME_STATES, default="active")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ScopedModel.Meta):
        verbose_name = "住处"
        verbose_name_plural = "住处"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(area__regex=r"^[0-9]{12}([0-9]{2})?$") & models.Q(place=Substr("area", 1, 12)),
                name="home_area_in_place",
            )
        ]

    def __str__(self) -> str:
        return f"住处 {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A home without a grid hangs on its community."""
        self.area = self.area or self.place
        super().save(*args, **kwargs)


class Elder(ScopedModel):
    """One person's file. A file with gaps is a draft and is never approved (HZ 附件1)."""

    scope_place: ClassVar[str] = "home__area"
    scope_elder: ClassVar[str] = "id"

    home = models.ForeignKey(Home, models.PROTECT, related_name="elders", verbose_name="住处")
    number = models.CharField("档案号", max_length=20, unique=True)
    main = models.BooleanField("户内主要服务对象", default=True)
    name = EncryptedTextField("姓名")
    sex = models.CharField("性别", max_length=1, choices=words.SEXES, blank=True)
    birth_date = models.DateField("出生日期", null=True, blank=True)
    id_number = EncryptedTextField("身份证号", blank=True)
    phone = EncryptedTextField("联系电话", blank=True)
    kind = models.CharField("对象类别", max_length=12, choices=words.ELDER_KINDS, blank=True)
    status = models.CharField("状态", max_length=10, choices=words.ELDER_STATES, default="draft", db_index=True)
    ability = models.CharField("能力状态", max_length=12, choices=words.ABILITIES, blank=True)
    health_state = models.CharField("健康状况", max_length=60, blank=True)
    illnesses = EncryptedTextField("重大疾病史", blank=True)
    chronic = EncryptedTextField("慢病史", blank=True)
    allergies = EncryptedTextField("药物过敏史", blank=True)
    self_rescue = models.CharField("自救方式", max_length=200, blank=True)
    hobbies = models.CharField("兴趣爱好", max_length=200, blank=True)
    habits = models.CharField("生活习惯", max_length=200, blank=True)
    other = models.TextField("其他信息", blank=True)
    hearing_note = models.CharField("听力与沟通", max_length=120, blank=True)
    water_no = models.CharField("水表户号", max_length=30, blank=True)
    electricity_no = models.CharField("电表户号", max_length=30, blank=True)
    gas_no = models.CharField("燃气户号", max_length=30, blank=True)
    appointment = models.DateField("预约安装上门日期", null=True, blank=True)
    appointment_half = models.CharField("预约时段", max_length=4, choices=words.HALF_DAYS, blank=True)
    service_from = models.DateField("服务起", null=True, blank=True)
    service_until = models.DateField("服务止", null=True, blank=True)
    approved_at = models.DateTimeField("批准时间", null=True, blank=True, editable=False)
    ended_on = models.DateField("停止日", null=True, blank=True)
    ended_reason = models.CharField("停止原因", max_length=120, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    id_blind = models.CharField(max_length=64, blank=True, editable=False)
    tokens = ArrayField(models.TextField(), default=list, editable=False)

    class Meta(ScopedModel.Meta):
        verbose_name = "老人"
        verbose_name_plural = "老人"
        indexes = [GinIndex(fields=["tokens"], name="elder_tokens")]
        constraints = [
            models.UniqueConstraint(fields=["id_blind"], condition=~models.Q(id_blind=""), name="one_file_a_person"),
            models.UniqueConstraint(fields=["home"], condition=models.Q(main=True), name="one_main_elder_a_home"),
        ]

    def __str__(self) -> str:
        return f"老人 {self.number}"


class Contact(ScopedModel):
    """Somebody to call for an elder, in the order of `turn` within the kinds' own order."""

    scope_place: ClassVar[str] = "elder__home__area"
    scope_elder: ClassVar[str] = "elder_id"

    elder = models.ForeignKey(Elder, models.CASCADE, related_name="contacts", verbose_name="老人")
    turn = models.PositiveSmallIntegerField("次序")
    kind = models.CharField("类别", max_length=16, choices=words.CONTACT_KINDS)
    name = EncryptedTextField("姓名")
    relation = models.CharField("与本人关系", max_length=20, blank=True)
    sex = models.CharField("性别", max_length=1, choices=words.SEXES, blank=True)
    phone = EncryptedTextField("联系电话")
    address = EncryptedTextField("居住地址", blank=True)
    availability = models.JSONField("何时能联系", default=dict, blank=True)
    has_key = models.BooleanField("有钥匙", default=False)
    eta_minutes = models.PositiveSmallIntegerField("几分钟能到", null=True, blank=True)
    flagged_reason = models.CharField("待更正原因", max_length=120, blank=True)
    flagged_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ScopedModel.Meta):
        verbose_name = "联系人"
        verbose_name_plural = "联系人"
        ordering = ["elder", "turn"]
        constraints = [
            models.UniqueConstraint(
                fields=["elder", "turn"], name="one_contact_a_turn", deferrable=models.Deferrable.DEFERRED
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.turn}"


class Consent(ScopedModel):
    """告知及确认书 or 放弃承诺书 (HZ 附件2, 附件3): who signed what, until when, and where the paper is."""

    scope_place: ClassVar[str] = "elder__home__area"
    scope_elder: ClassVar[str] = "elder_id"

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="consents", verbose_name="老人")
    kind = models.CharField("文书", max_length=10, choices=words.CONSENT_KINDS, default="service")
    scope = ArrayField(
        models.CharField(max_length=24, choices=words.CONSENT_SCOPES), default=list, verbose_name="同意范围"
    )
    signed_by = EncryptedTextField("签字人")
    signer = models.CharField("签字人身份", max_length=10, choices=words.SIGNERS, default="elder")
    signed_on = models.DateField("签字日期")
    expires_on = models.DateField("有效至（含当日）")
    document = models.CharField("文书编号", max_length=60)
    withdrawn_on = models.DateField("撤回日期", null=True, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta(ScopedModel.Meta):
        verbose_name = "同意书"
        verbose_name_plural = "同意书"
        ordering = ["elder", "-signed_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_on__gte=models.F("signed_on")), name="consent_ends_after_start"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.document}"


class ConsentScan(ScopedModel):
    """The signed paper itself, scanned: sealed in the row, so that one backup holds it and one deletion takes it.

    `content` is empty after the deletion of the person's data or of a wrong scan; size and digest stay, so that a paper
    copy can still be shown to be the one that was recorded.
    """

    scope_place: ClassVar[str] = "consent__elder__home__area"
    scope_elder: ClassVar[str] = "consent__elder_id"

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="scans", verbose_name="文书")
    kind = models.CharField("格式", max_length=4, choices=words.SCAN_KINDS)
    size = models.PositiveIntegerField("字节")
    sha256 = models.CharField("SHA-256", max_length=64)
    content = models.BinaryField("内容（加密）", default=b"")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField("上传时间", default=clock.now, editable=False)
    removed_at = models.DateTimeField("内容删除时间", null=True, blank=True)

    class Meta(ScopedModel.Meta):
        verbose_name = "文书扫描件"
        verbose_name_plural = "文书扫描件"
        ordering = ["consent", "id"]

    def __str__(self) -> str:
        return f"{self.consent_id} {self.kind} {self.sha256[:8]}"


class HistoryLine(ScopedModel):
    """A line added to an elder's file: what a rescue, a visit or a change taught us. Lines are only ever added."""

    scope_place: ClassVar[str] = "elder__home__area"
    scope_elder: ClassVar[str] = "elder_id"

    elder = models.ForeignKey(Elder, models.PROTECT, related_name="history", verbose_name="老人")
    at = models.DateTimeField("时间", default=clock.now)
    by = models.CharField("记录人", max_length=60, blank=True)
    text = EncryptedTextField("内容")

    class Meta(ScopedModel.Meta):
        verbose_name = "档案记事"
        verbose_name_plural = "档案记事"
        ordering = ["elder", "at", "id"]
        triggers = [pgtrigger.Protect(name="history_only_added_to", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.elder_id} {self.at:%m-%d %H:%M}"
