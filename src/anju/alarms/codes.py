"""The inner vocabulary of alarms: the codes of SCAIP (SS 91100:2014) with Chinese labels, as data.

`dty` says what spoke (device type), `stc` what happened (status), `lco` where in the home. A code that is not listed
is shown as itself: an odd code never stops an alarm. 0900-0999 are private to this platform.
"""

from __future__ import annotations

from typing import Final

DTY: Final[dict[str, str]] = {
    "0003": "随身呼叫器",
    "0004": "固定求助器（拉绳/按钮）",
    "0005": "跌倒探测器",
    "0010": "人体活动感应器",
    "0012": "床垫感应器",
    "0014": "门磁",
    "0015": "走失防护",
    "0018": "有人/无人感应",
    "0021": "燃气报警器",
    "0023": "烟雾报警器",
    "0026": "一氧化碳报警器",
    "0033": "水浸报警器",
    "0038": "防拆",
    "0051": "定位终端",
    "0900": "平台",
    "0901": "一键呼叫电话",
    "0902": "健康测量设备",
    "0903": "家庭监控装置",
    "0904": "扩展场景设备",
}

LINK_LOST: Final = "链路中断/恢复"

STC: Final[dict[str, str]] = {
    "": "报警",
    "0009": "自动报警",
    "0010": "人工求助",
    "0014": "电池失效",
    "0016": "电量低",
    **dict.fromkeys(("0023", "0024", "0025", "0026", "0027"), LINK_LOST),
    "0049": "长时间未活动",
    "0067": "设备故障",
    "0073": "设备离线",
    "0075": "设备上线",
    "0077": "门开启过久",
    "0085": "市电中断",
    "0086": "市电恢复",
    "0092": "复位",
    "0093": "复位",
    "0102": "测试",
    "0109": "已核实",
    "0111": "处置完成",
    **dict.fromkeys(("0112", "0113", "0114", "0115", "0116"), LINK_LOST),
    "0119": "有活动",
    "0125": "被拆动",
    "0900": "长时间无上报",
    "0901": "状态上报",
    "0902": "开门",
    "0903": "关门",
}

LCO: Final[dict[str, str]] = {
    "011": "卫生间",
    "012": "卧室",
    "019": "电子围栏",
    "021": "厨房",
    "039": "入户门",
    "043": "客厅",
}


def dty_label(code: str) -> str:
    """What spoke, in Chinese; an unlisted code is shown as itself."""
    return DTY.get(code) or (f"设备类型 {code}" if code else "未知设备")


def stc_label(code: str) -> str:
    """What happened, in Chinese. SCAIP: an absent code means an alarm."""
    return STC.get(code) or f"状态 {code}"


def lco_label(code: str) -> str:
    """Where in the home; empty when the device did not say and nobody recorded it."""
    return LCO.get(code) or (f"位置 {code}" if code else "")
