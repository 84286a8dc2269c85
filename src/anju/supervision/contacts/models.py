"""What people wrote, or said at the counter, and what was answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from anju.kernel import clock
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.flow.guard import guard
from anju.kernel.flow.registry import runs
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.scope import OpenModel, ScopedModel
from anju.supervision.contacts.flow import CONTACT
from anju.supervision.contacts.rules import CHANNELS, KINDS

LIVE = frozenset({"web", "wechat", "sms"})
"""Channels at whose other end somebody looks at a screen."""


@runs(CONTACT)
class Contact(FlowSubject, ScopedModel):
    """One letter, message or visit. Messages of one writer share a `thread`, the unguessable name of their page."""

    scope_place: ClassVar[str] = "place"

    number = models.CharField("编号", max_length=20)
    year = models.PositiveSmallIntegerField("年")
    place = models.CharField("区划", max_length=12)
    channel = models.CharField("渠道", max_length=10, choices=list(CHANNELS.items()))
    kind = models.CharField("形式", max_length=10, choices=list(KINDS.items()), default="text")
    thread = models.CharField("会话", max_length=43, db_index=True)
    outer_id = models.CharField("渠道里的编号", max_length=40, blank=True, default="")
    origin = models.CharField("来处索引", max_length=32, blank=True, default="", editable=False)
    elder_id = models.BigIntegerField("老人", null=True, blank=True, db_index=True)
    home_id = models.BigIntegerField("住户", null=True, blank=True)
    name = EncryptedTextField("称呼", blank=True, default="")
    reach = EncryptedTextField("联系方式", blank=True, default="")
    text = EncryptedTextField("内容")
    urgent = models.CharField("紧急字样", max_length=20, blank=True, default="")
    suspect = models.BooleanField("像是机器发的", default=False)
    at = models.DateTimeField("收到时间")
    taken_by = models.CharField("登记人", max_length=60, blank=True, default="")
    owner_id = models.BigIntegerField("办理人", null=True, blank=True)
    answer = EncryptedTextField("答复", blank=True, default="")
    became = models.CharField("转成", max_length=40, blank=True, default="")
    rung = models.CharField("最近一次回电", max_length=20, blank=True, default="")
    rung_at = models.DateTimeField("最近回电时间", null=True)
    rung_times = models.PositiveSmallIntegerField("回电次数", default=0)
    done_at = models.DateTimeField("办结时间", null=True)

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "来信与留言"
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["origin", "at"], name="contacts_by_origin")]
        constraints = [
            models.UniqueConstraint(fields=["number", "year"], name="one_contact_number"),
            models.UniqueConstraint(fields=["channel", "outer_id"], condition=~models.Q(outer_id=""), name="one_contact_a_message"),
        ]  # fmt: skip
        triggers = [guard(CONTACT)]

    def __str__(self) -> str:
        return self.number

    def duration(self, slot: str, default: timedelta) -> timedelta:
        """Distress one minute; who waits at a screen ten; a letter a day."""
        if slot != "state" or self.state != "waiting" or self.suspect:
            return timedelta(minutes=1) if slot == "state" and self.state == "waiting" and self.urgent else default
        return timedelta(minutes=1) if self.urgent else timedelta(minutes=10) if self.channel in LIVE else default

    @property
    def promised_at(self) -> datetime | None:
        """Until when somebody takes it, and whoever took it has settled it; pressing moves `due_at`, never this. None: it is settled."""
        day = timedelta(hours=24)
        if self.state == "waiting":
            return self.at + self.duration("state", day)
        return self.state_since + day if self.state == "handling" and self.state_since else None

    @property
    def late(self) -> bool:
        """Not dealt with in its first time, however often it was pressed since."""
        return self.promised_at is not None and clock.now() > self.promised_at


class Enclosure(ScopedModel):
    """A picture, a voice or the still of a video that lies in a WeChat message: sealed in the row, fetched later than its message.

    `content` is empty before it came and after the deletion of the person's data; its digest stays.
    """

    scope_place: ClassVar[str] = "contact__place"

    class Kind(models.TextChoices):
        IMAGE = "image", "图片"
        VOICE = "voice", "语音"
        STILL = "still", "视频画面"

    class State(models.TextChoices):
        WAITING = "waiting", "正在取"
        HERE = "here", "已取到"
        LOST = "lost", "取不到"
        GONE = "gone", "已删除"

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="enclosures", verbose_name="来信")
    kind = models.CharField("形式", max_length=5, choices=Kind.choices)
    state = models.CharField("状态", max_length=7, choices=State.choices, default=State.WAITING)
    media_id = EncryptedTextField("微信的文件号", blank=True, default="")
    problem = models.CharField("为什么没有取到", max_length=120, blank=True, default="")
    form = models.CharField("格式", max_length=4, blank=True, default="")
    size = models.PositiveIntegerField("字节", default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True, default="")
    content = models.BinaryField("内容（加密）", default=b"")
    at = models.DateTimeField("收到时间")

    class Meta(ScopedModel.Meta):
        verbose_name = verbose_name_plural = "留言里的文件"
        ordering = ["id"]
        indexes = [models.Index(fields=["id"], condition=models.Q(state="waiting"), name="enclosures_waiting")]

    def __str__(self) -> str:
        return f"{self.contact_id} {self.kind}"


class WechatAccount(OpenModel):
    """The official account whose messages come in at /wechat/. Its secrets lie sealed here, nowhere else.

    With an `aes_key` only encrypted frames are taken (安全模式, 兼容模式). The key before it still opens what WeChat sent meanwhile.
    """

    scope_reason = "the centre's own account"

    name = models.CharField("名称", max_length=60)
    app_id = models.CharField("AppID", max_length=40, help_text="wx 开头的 18 位")
    token = EncryptedTextField("令牌")
    aes_key = EncryptedTextField("消息加解密密钥", blank=True, default="")
    earlier_key = EncryptedTextField("上一个密钥", blank=True, default="", editable=False)
    app_secret = EncryptedTextField("AppSecret", blank=True, default="")
    active = models.BooleanField("启用", default=True)
    heard_at = models.DateTimeField("最近来信", null=True, editable=False)

    class Meta(OpenModel.Meta):
        ordering = ["id"]
        verbose_name = verbose_name_plural = "微信公众号"
        constraints = [
            models.UniqueConstraint(fields=["active"], condition=models.Q(active=True), name="one_wechat_account"),
        ]

    def __str__(self) -> str:
        return self.name
