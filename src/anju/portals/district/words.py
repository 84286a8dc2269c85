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
    "elder.print": "打印文书", "elder.export": "导出档案", "elder.erase": "抹去档案", "consent.scan": "看签字的文书",
    "consent.scan_add": "传扫描件", "consent.scan_remove": "删扫描件", "contact.filed": "来信归档", "contact.enclosure": "看来信附件",
    "user.forget": "抹去账号姓名", "user.locked": "账号锁定", "duty.plan": "排班", "duty.strike": "撤班", "expert.save": "登记专家",
    "call_plan.made": "定呼叫计划", "call_plan.paused": "暂停呼叫计划", "call_plan.resumed": "恢复呼叫计划", "call_plan.ended": "停止呼叫计划",
    "campaign.made": "建外呼任务", "campaign.filled": "外呼任务加人", "campaign.started": "开始外呼任务", "campaign.paused": "暂停外呼任务",
    "campaign.resumed": "恢复外呼任务", "campaign.stopped": "停止外呼任务", "campaign.exported": "导出外呼结果", "campaign.number": "看外呼号码",
    "recording.listen": "听录音", "recording.download": "下载录音", "recording.hold": "留存录音", "recording.release": "取消留存",
    "recording.delete": "删除录音", "recording.expire": "录音到期删除", "recording.gap": "说明缺录音", "recording.strange": "认领来历不明的录音",
    "prompt.replaced": "换提示音", "prompt.restored": "恢复提示音", "level.set": "改坐席水平", "quality.form": "改质检表", "sop.edition": "改话术",
    "sop.closed": "话术整理完", "storm.called": "区域失联打电话", "rhythm.habit": "记作息", "rhythm.habit_ended": "取消作息",
    "rhythm.ignore_day": "一天不作数", "rhythm.prior": "换同类规律", "fence.set": "设围栏", "fence.ended": "取消围栏",
    "health.limit": "设健康阈值", "health.limit_ended": "取消健康阈值", "meters.delivered": "送来水电气读数", "witness.dropped": "弃用佐证",
    "dictionary.add": "后台新增", "dictionary.change": "后台修改", "dictionary.delete": "后台删除",
    "incident.reveal": "看联系号码", "incident.number": "看联系号码", "audit.verify": "核对审计链",
}  # fmt: skip


def act(code: str) -> str:
    """The Chinese name of an audited act."""
    return ACTS.get(code, code)


THINGS: Mapping[str, str] = {
    "elder": "老人", "user": "用户", "home": "住户", "device": "设备", "recording": "录音", "campaign": "外呼任务", "service": "服务",
    "prompt": "提示音", "file": "文件", "contact": "来信", "call": "通话", "access_number": "接入号", "sop": "话术", "queue": "队列",
    "prior": "同类规律", "policy": "时限方案", "place": "区域", "incident": "事件", "form": "质检表", "expert": "专家",
}  # fmt: skip
"""Kinds of things that acts are about; one that is not listed (a dictionary of the back office) is shown by its code."""

SAID: Mapping[str, str] = {
    "motion": "有人活动", "door_open": "开门", "door_closed": "关门", "vitals": "定时上报", "battery": "电量低", "sos": "求助",
    "sos_reset": "求助复位", "tamper": "被拆动", "tamper_ok": "拆动恢复", "gas": "燃气", "smoke": "烟雾", "water": "水浸", "fall": "跌倒",
    "help": "一键呼叫", "bed": "床上活动", "test": "自检", "online": "上线", "offline": "离线",
}  # fmt: skip
"""What a device that nobody registered has said; what is not listed is shown by its code."""


def said(kinds: str) -> str:
    """Codes in a row, in words."""
    return "、".join(SAID.get(kind, kind) for kind in kinds.replace(",", " ").split())


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
