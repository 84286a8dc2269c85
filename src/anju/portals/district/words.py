"""Names of audited acts for the audit page; an act that is not listed is shown by its code."""

from __future__ import annotations

from collections.abc import Mapping

ACTS: Mapping[str, str] = {
    "elder.open": "打开档案", "elder.reveal": "显示敏感信息", "elder.register": "建档", "elder.change": "改档案", "elder.approve": "批准",
    "elder.suspend": "停机", "elder.end": "停止服务", "contact.add": "加联系人", "contact.change": "改联系人", "contact.remove": "删联系人",
    "contact.order": "排联系次序", "contact.flag": "标记联系人", "consent.record": "登记同意书", "consent.withdraw": "撤回同意书",
    "history.append": "加档案记事", "home.register": "登记住处", "home.change": "改住处", "device.register": "登记设备",
    "device.install": "安装设备", "device.remove": "拆除设备", "device.test_mode": "设备测试", "user.create": "建用户", "user.grant": "授岗",
    "user.revoke": "撤岗", "user.on": "启用用户", "user.off": "停用用户", "user.unlock": "解锁", "user.password": "改口令",
    "user.password_reset": "重置口令", "user.forget_second_factor": "清除令牌", "token.issue": "签发接口令牌", "token.revoke": "收回接口令牌",
    "family.open": "开家属账号", "family.renew": "家属账号换密码", "family.close": "停家属账号", "home.state": "记家庭状态",
    "home.state_ended": "家庭状态结束", "policy.set": "改时限", "place.put": "改区域", "session.idle": "闲置退出",
    "session.address": "地址被拒", "user.log_in": "登录",
    "user.log_out": "退出", "user.second_factor": "登记令牌", "request.csrf": "请求来历不明", "nightly": "夜间核对",
    "incident.reveal": "看联系号码", "incident.number": "看联系号码", "audit.verify": "核对审计链",
}  # fmt: skip


def act(code: str) -> str:
    """The Chinese name of an audited act."""
    return ACTS.get(code, code)


PROCESSES: Mapping[str, str] = {
    "postgres": "数据库", "web": "页面与开放接口", "gateway": "接收设备与运营商平台的消息",
    "gateway-2": "接收设备与运营商平台的消息（同一端口，第二个）", "router": "把听到的变成告警、事件、工单",
    "urgent": "呼救先于一切，立刻变成事件",
    "ticker": "到点催办", "worker": "后台任务", "mqtt": "4G 设备的消息服务器",
    "asterisk": "话务引擎：接打电话、录音", "switchboard": "话务控制：排队、振铃、会议",
    "town": "虚拟小镇：演示里的住户照常过日子",
    "callwatch": "话务看护：话务控制停了，把电话交给应急振铃",
}  # fmt: skip
"""What each process is for; one that is not listed is shown as the supervisor calls it."""
