"""Reading the audit log: what a person or a thing met, newest first. Writing and sealing are in `audit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q, QuerySet

from anju.kernel.models import AuditLine

ACTIONS: Mapping[str, str] = {
    "elder.reveal": "查看敏感信息", "elder.read": "打开档案", "elder.register": "建档", "elder.change": "改档案", "elder.approve": "批准",
    "elder.suspend": "停机", "elder.resume": "恢复", "elder.end": "停止服务", "contact.add": "加联系人", "contact.change": "改联系人",
    "contact.flag": "标记联系人", "consent.record": "登记同意书", "consent.withdraw": "撤回同意书", "history.append": "加档案记事",
    "home.register": "登记住处", "home.change": "改住处", "device.register": "登记设备", "device.install": "安装设备", "device.remove": "拆除设备",
    "device.test_mode": "设备测试", "user.create": "建用户", "user.grant": "授岗", "user.revoke": "撤岗", "user.switch": "停用/启用用户",
    "user.unlock": "解锁", "user.login": "登录", "user.logout": "退出", "user.login_failed": "登录失败", "user.set_password": "改密码",
    "user.reset_password": "重置密码", "user.forget_second_factor": "清除二次验证", "token.issue": "签发令牌", "token.revoke": "收回令牌",
    "policy.set": "改时限", "place.put": "改区域",
}  # fmt: skip
"""What the commonest actions are called; others are shown by their code."""


def label(action: str) -> str:
    """The Chinese name of an action, or its code."""
    return ACTIONS.get(action, action)


def find(
    *,
    subject: str = "",
    subject_id: int | str = "",
    action: str = "",
    actor: str = "",
    result: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    actions: Iterable[str] = (),
) -> QuerySet[AuditLine]:
    """Lines that fit everything given, the newest first; slice or paginate the answer."""
    wanted = Q()
    for name, value in (("subject", subject), ("action__startswith", action), ("actor__icontains", actor), ("result", result)):
        if value:
            wanted &= Q(**{name: value})
    if subject_id:
        wanted &= Q(subject_id=str(subject_id))
    if since is not None:
        wanted &= Q(at__gte=since)
    if until is not None:
        wanted &= Q(at__lt=until)
    if chosen := list(actions):
        wanted &= Q(action__in=chosen)
    return AuditLine.objects.filter(wanted).order_by("-id")
