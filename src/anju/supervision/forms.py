"""The form that a new centre begins with: the guide's own words where they are left, good practice where its tables are lost."""

from __future__ import annotations

from typing import Any, Final

SOURCES: Final = {
    "phone": "来电",
    "letter": "来信",
    "net": "网络、微信",
    "visit": "来访",
    "consumer": "消协转来",
    "authority": "主管部门转来",
    "media": "媒体转来",
}
ABOUT: Final = {
    "agent": "坐席服务",
    "rescue": "救援处置",
    "device": "设备",
    "repair": "装维",
    "provider": "服务商",
    "fee": "费用",
    "other": "其他",
}

STANDARD: Final[list[dict[str, Any]]] = [
    {"code": "opening", "label": "开头语：报平台名、工号、问好", "group": "服务用语", "points": 10, "role": "phrase", "hint": "先报平台"},
    {"code": "courtesy", "label": "全程使用敬语，不打断、不说禁语", "group": "服务用语", "points": 10, "role": "phrase"},
    {"code": "closing", "label": "结束语：复述要点、道别，等对方先挂", "group": "服务用语", "points": 10, "role": "phrase"},
    {"code": "identify", "label": "核对来电人与所在位置", "group": "受理", "points": 10, "hint": "紧急来电先问在哪里、怎么了"},
    {"code": "listening", "label": "听清需求，语速、音量合老人", "group": "受理", "points": 10},
    {"code": "answer", "label": "答复准确", "group": "处理", "points": 20, "role": "accuracy", "hint": "与知识库、档案一致"},
    {"code": "procedure", "label": "按场景流程处理，时限内完成", "group": "处理", "points": 15},
    {"code": "comfort", "label": "安抚情绪，全程不离线", "group": "处理", "points": 5, "hint": "普通咨询可选不适用"},
    {"code": "record", "label": "整理记录完整、分类正确", "group": "记录", "points": 10, "role": "accuracy"},
    {"code": "cut", "label": "主动挂断求助电话", "group": "一票否决", "fatal": True},
    {"code": "no_rescue", "label": "应联系 110/119/120 而未联系", "group": "一票否决", "fatal": True},
    {"code": "leak", "label": "泄露老人信息", "group": "一票否决", "fatal": True},
    {"code": "abuse", "label": "辱骂、嘲讽来电人", "group": "一票否决", "fatal": True},
]  # fmt: skip
