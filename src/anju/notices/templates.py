"""What messages say. Data: plain Chinese, no greeting, the next step in every text; a missing value is an error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """Title and text with {names}; `urgent` ones make a sound."""

    name: str
    title: str
    text: str
    urgent: bool = False


TEMPLATES: dict[str, Template] = {
    t.name: t
    for t in (
        Template(
            "page_unanswered",
            "无人接警",
            "{number} {where} {kind}，已等 {seconds} 秒无人接警，马上接警或指派。",
            urgent=True,
        ),
        Template("page_rescue", "须立即代拨", "{number} {where}：亲属和网格都没联系上，马上拨 110/120。", urgent=True),
        Template("page_rescuing", "救援逾时", "{number} {where}：{state}已超过时限，催问并处理。", urgent=True),
        Template("page_duty", "任务逾时", "{number} {where}：“{duty}”到点没做，提醒{seat}席。", urgent=True),
        Template("page_helper", "赶赴的人没到", "{number} {where}：约定时间已过，没有到场消息。", urgent=True),
        Template("page_bell", "席位没有确认", "{number}：{text}，15 秒没人确认。", urgent=True),
        Template("page_follow_up", "回访逾期", "{number} 满 3 天没有回访，今天内完成。"),
        Template("page_false_alarms", "误报偏多", "{where} 30 天内误报 {count} 次，安排上门看设备和使用方法。"),
        Template("page_no_channel", "短信没有发出", "{number}：没有配置短信通道，联系人没收到短信，请电话联系。"),
        Template("page_repair", "维修工单逾时", "{number} {where}：{state}已超过时限，{what}，请立即处理。"),
        Template("page_trouble", "平台故障", "{text}", urgent=True),
        Template("page_quality", "质检与投诉", "{text}"),
        Template(
            "contact_alarm",
            "紧急报警",
            "安居中心：{elder}家 {at} 报警（{kind}），正在核实。请保持电话畅通，能赶去请回电 {hotline}。",
            urgent=True,
        ),
        Template("contact_going", "已有人赶赴", "安居中心：{elder}的情况已有人赶去，约 {eta} 到。有消息再告诉您。"),
        Template(
            "contact_rescue",
            "已叫救援",
            "安居中心：已为{elder}拨打 {numbers}，救援正在赶去。请尽快与我们联系 {hotline}。",
            urgent=True,
        ),
        Template("contact_safe", "已确认平安", "安居中心：{elder}已确认平安，不用再赶去。有疑问请回电 {hotline}。"),
        Template("contact_withdrawn", "警情解除", "安居中心：{elder}已联系上，人没事，救援已撤回。不用再赶去。"),
        Template("contact_result", "处置结果", "安居中心：{elder}的情况：{outcome}。有疑问请回电 {hotline}。"),
        Template(
            "committee_withdrawn", "撤警告知", "安居中心：{elder}（{where}）已确认平安，{numbers} 已撤警，不用再上门。"
        ),
    )
}


class UnknownTemplate(KeyError):
    """No such template, or a value that it names is missing."""


def render(name: str, data: dict[str, object]) -> tuple[str, str, bool]:
    """Title, text and whether it is urgent; UnknownTemplate when something is missing."""
    template = TEMPLATES.get(name)
    if template is None:
        raise UnknownTemplate(name)
    try:
        return template.title, template.text.format(**data), template.urgent
    except KeyError as missing:
        raise UnknownTemplate(f"{name} needs {missing}") from missing
