"""The telephone lines of the centre: trunks, the numbers that people dial, seats' telephones, one-key phones, prompts.

From these rows the engine's configuration is made (`calls.lines.config`); a change is applied without dropping a call.
"""

from __future__ import annotations

import secrets

from django.db import models

from anju.calls.lines.speech import PROMPTS
from anju.kernel.crypto import EncryptedTextField
from anju.kernel.scope import OpenModel, ScopedModel


def new_secret() -> str:
    """What a telephone proves itself with; nobody types it but into a device."""
    return secrets.token_urlsafe(18)


class Trunk(OpenModel):
    """A line to the public network. Who has no address is known by user and secret, from wherever he calls."""

    scope_reason = "the centre's own equipment"

    class Transport(models.TextChoices):
        UDP = "udp", "UDP"
        TCP = "tcp", "TCP"

    name = models.CharField("代号", max_length=40, unique=True, help_text="字母、数字、横线")
    label = models.CharField("名称", max_length=60)
    user = models.CharField("用户名", max_length=40, blank=True, default="")
    secret = EncryptedTextField("密码", blank=True, default="")
    addresses = models.TextField(
        "对端地址", blank=True, default="", help_text="一行一个 IP 或网段。填了就按地址认，不验密码"
    )
    host = models.CharField(
        "对端主机", max_length=120, blank=True, default="", help_text="呼出送到哪里。不填则等对端来注册"
    )
    port = models.PositiveIntegerField("对端端口", default=5060)
    transport = models.CharField("传输", max_length=3, choices=Transport.choices, default=Transport.UDP)
    registers = models.BooleanField("向对端注册", default=False)
    caller_number = models.CharField("外显号码", max_length=20, blank=True, default="")
    prefixes = models.CharField(
        "呼出号段", max_length=200, blank=True, default="", help_text="逗号分开的号码开头；不填表示所有号码"
    )
    priority = models.PositiveSmallIntegerField("呼出次序", default=10, help_text="小的先用")
    active = models.BooleanField("启用", default=True)

    class Meta(OpenModel.Meta):
        ordering = ["priority", "name"]
        verbose_name = verbose_name_plural = "中继"

    def __str__(self) -> str:
        return self.label

    @property
    def line(self) -> str:
        """Its name in the engine (config.plan.Trunk.line)."""
        return self.user if self.user and not self.addresses.strip() and not self.registers else self.name


class AccessNumber(OpenModel):
    """A number that people dial. An emergency number goes before everything else (XC 5.3)."""

    scope_reason = "the centre's own equipment"

    number = models.CharField("号码", max_length=20, unique=True)
    label = models.CharField("名称", max_length=60)
    emergency = models.BooleanField("紧急", default=False)
    queue = models.CharField("进入队列", max_length=40, blank=True, default="", help_text="队列代号；不填由系统定")
    prompt = models.CharField(
        "先播",
        max_length=40,
        blank=True,
        default="",
        help_text="提示音代号；不填用队列的。有专用录音（在“提示音”页上传）的先播录音",
    )
    place = models.CharField("受理区划", max_length=12, blank=True, default="", help_text="不填为受理中心所在区")
    active = models.BooleanField("启用", default=True)

    class Meta(OpenModel.Meta):
        ordering = ["-emergency", "number"]
        verbose_name = verbose_name_plural = "接入号"

    def __str__(self) -> str:
        return f"{self.number} {self.label}"


class SeatPhone(OpenModel):
    """The telephone of a seat. Its extension is the user's seat number; browser and SIP telephone use the same secret."""

    scope_reason = "the centre's own equipment"

    user = models.OneToOneField("accounts.User", models.CASCADE, related_name="seat_phone", verbose_name="坐席")
    secret = EncryptedTextField("密码", default=new_secret)
    rescue = models.BooleanField("应急时振铃", default=True, help_text="话务程序停止时，所有勾选的座席同时振铃")
    active = models.BooleanField("启用", default=True)

    class Meta(OpenModel.Meta):
        ordering = ["user_id"]
        verbose_name = verbose_name_plural = "座席电话"

    def __str__(self) -> str:
        return f"座席 {self.user_id}"


class OneKeyPhone(ScopedModel):
    """A telephone with one key in a home. It is known by its number (public network) or by its account (SIP)."""

    scope_place = "device__place"

    name = models.CharField("SIP 账号", max_length=40, unique=True, help_text="字母、数字、横线")
    secret = EncryptedTextField("SIP 密码", default=new_secret)
    number = models.CharField("号码", max_length=20, blank=True, default="", db_index=True)
    device = models.OneToOneField("devices.Device", models.PROTECT, related_name="line", verbose_name="设备")
    active = models.BooleanField("启用", default=True)

    class Meta(ScopedModel.Meta):
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["number"], condition=~models.Q(number=""), name="one_phone_a_number")
        ]
        verbose_name = verbose_name_plural = "一键电话"

    def __str__(self) -> str:
        return self.name


class RescueNumber(OpenModel):
    """Whom the engine dials by itself when no program is alive and no seat answers."""

    scope_reason = "the centre's own equipment"

    label = models.CharField("谁", max_length=60)
    number = models.CharField("号码", max_length=20)
    position = models.PositiveSmallIntegerField("次序", default=10)
    active = models.BooleanField("启用", default=True)

    class Meta(OpenModel.Meta):
        ordering = ["position", "id"]
        verbose_name = verbose_name_plural = "兜底号码"

    def __str__(self) -> str:
        return f"{self.label} {self.number}"


class Recorded(OpenModel):
    """A person's recording. `sound` is WAV, 8 kHz, 16 bit, mono."""

    scope_reason = "the centre's own equipment"

    text = models.TextField("说什么", blank=True, default="")
    sound = models.BinaryField("录音")
    seconds = models.FloatField("秒")
    level = models.FloatField("响度 dBFS", help_text="上传时的响度，播放前统一到 -20")
    uploaded_at = models.DateTimeField("上传时间")
    uploaded_by = models.CharField("谁上传", max_length=60)

    class Meta(OpenModel.Meta):
        abstract = True


class Prompt(Recorded):
    """A recording that replaces the synthetic voice of a fixed prompt."""

    scope_reason = "the centre's own equipment"

    code = models.CharField(
        "提示音", max_length=40, unique=True, choices=[(c, label) for c, (label, _) in PROMPTS.items()]
    )

    class Meta(Recorded.Meta):
        abstract = False
        ordering = ["code"]
        verbose_name = verbose_name_plural = "提示音"

    def __str__(self) -> str:
        return PROMPTS[self.code][0] if self.code in PROMPTS else self.code


class NumberPrompt(Recorded):
    """What callers of one access number hear first, instead of the prompt that is common to all."""

    scope_reason = "the centre's own equipment"

    number = models.OneToOneField(AccessNumber, models.CASCADE, related_name="recorded", verbose_name="接入号")

    class Meta(Recorded.Meta):
        abstract = False
        ordering = ["number"]
        verbose_name = verbose_name_plural = "接入号专用录音"

    def __str__(self) -> str:
        return f"{self.number}"

    @property
    def code(self) -> str:
        """How the engine is told to play it."""
        return number_code(self.number_id)


def number_code(number_id: int) -> str:
    """The name of an access number's own recording among the prompts; it stays when the number is written anew."""
    return f"number-{number_id}"
