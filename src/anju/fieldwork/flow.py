"""The process of a repair order (HZ 附件6 四.2, eleven steps). Data only; everything else reads it.

The source's steps: 申告 → 受理 → 派至外线 → 派单到人 → 联系客户 → 上门 → 修复 → 扫码回单 → 回访 → 材料录入 → 归档. "受理" and
"派至外线" are one move here: accepting an order puts it before the dispatcher. The clock only presses people; what it may
end by itself is an order whose device recovered before anybody set out. An order can be taken back only with the consent of
the quality desk (六.3), and a fault that is back must pass support before it counts as repaired (六.1).
"""

from __future__ import annotations

from typing import Final

from anju.accounts.roles import Role
from anju.kernel.flow.table import A_REASON, CLOCK, SAME, duty, everywhere, final, flow, move, state, within

DISPATCHER, INSTALLER, AGENT, LEAD, QUALITY = Role.DISPATCHER, Role.INSTALLER, Role.AGENT, Role.LEAD, Role.QUALITY
CENTRE = (DISPATCHER, AGENT, LEAD)

REPAIR: Final = flow(
    "repair",
    "维修工单",
    state(
        "reported",
        "待受理",
        within(minutes=30).in_office_hours().then("press"),
        move("accept", "确认故障并受理", "dispatching", *CENTRE, emphasis="primary"),
        move("no_fault", "判定非故障", "not_a_fault", *CENTRE, asks=(A_REASON,)),
        move("recover", "设备自行恢复", "recovered", CLOCK),
        move("press", "催办受理", "reported", CLOCK),
        basis="HZ 附件6 三.1 无条件受理；四.2.1-2 申告、受理；时限依 三.4.2 修障半小时",
    ),
    state(
        "dispatching",
        "待派单",
        within(minutes=30).in_office_hours().then("press"),
        move("assign", "派单到人", "contacting", DISPATCHER, LEAD, needs=("assigned",), emphasis="primary"),
        move("withdraw", "申请退单", "withdrawing", DISPATCHER, LEAD, asks=(A_REASON,)),
        move("recover", "设备自行恢复", "recovered", CLOCK),
        move("press", "催办派单", "dispatching", CLOCK),
        basis="HZ 附件6 四.2.3-4 按网格派单到人；三.4.2 修障工单接单派单半小时",
    ),
    state(
        "contacting",
        "待联系客户",
        within(hours=2).in_office_hours().then("press"),
        move("contacted", "已联系并约定上门", "appointed", INSTALLER, DISPATCHER, AGENT, emphasis="primary"),
        move("unreachable", "联系不上", SAME, INSTALLER, DISPATCHER, AGENT, asks=(A_REASON,)),
        move("reassign", "改派", "dispatching", DISPATCHER, LEAD),
        move("withdraw", "申请退单", "withdrawing", INSTALLER, DISPATCHER, LEAD, asks=(A_REASON,)),
        move("press", "催办首次联系", "contacting", CLOCK),
        basis="HZ 附件6 三.4.3 修障工单到达后 2 小时内与客户联系；17:30 后到单以次日 8:30 起计",
    ),
    state(
        "appointed",
        "待上门",
        within(hours=24).then("press"),
        move("arrive", "到达现场", "on_site", INSTALLER, emphasis="primary"),
        move("rebook", "改约", "appointed", INSTALLER, DISPATCHER, asks=(A_REASON,)),
        move("reassign", "改派", "dispatching", DISPATCHER, LEAD),
        move("withdraw", "申请退单", "withdrawing", INSTALLER, DISPATCHER, LEAD, asks=(A_REASON,)),
        move("press", "催办上门", "appointed", CLOCK),
        duty("call_before", "出发前二次联系客户", INSTALLER),
        basis="HZ 附件6 三.1 24 小时修障；TJ 8.3.2.4、XC 7.3.5 报修后 48 小时内到场查看；六.4 改约",
    ),
    state(
        "on_site",
        "现场修复",
        within(minutes=30).then("press"),
        move(
            "repaired",
            "修复并扫码回单",
            "follow_up",
            INSTALLER,
            needs=("tested_on_site", "support_checked"),
            emphasis="primary",
            basis="HZ 附件6 三.3.3 服务完毕后检测并告知；六.1 两次重复故障须支撑核实",
        ),
        move("part_needed", "缺件另约", "appointed", INSTALLER, asks=(A_REASON,)),
        move("ask_support", "报支撑核实", "support", INSTALLER, DISPATCHER, LEAD),
        move("nobody_home", "用户不在家", "contacting", INSTALLER, asks=(A_REASON,)),
        move("press", "催办现场", "on_site", CLOCK),
        duty("six_ones", "六个一：鞋套、胸卡、垫布、档案、材料清单、清场", INSTALLER),
        duty("tested", "现场测试并告知结果", INSTALLER),
        duty("explained", "讲解使用并告知报障渠道", INSTALLER),
        basis="HZ 附件6 三.4.2 修障测量施工半小时；三.2 六个一；三.3 六项标准；四.2.6-8",
    ),
    state(
        "support",
        "支撑核实",
        within(hours=2).in_office_hours().then("press"),
        move(
            "supported",
            "支撑已核实，再次上门",
            "appointed",
            QUALITY,
            DISPATCHER,
            LEAD,
            asks=(A_REASON,),
            emphasis="primary",
        ),
        move("press", "催办支撑", "support", CLOCK),
        basis="HZ 附件6 六.1 两次重复故障必须报支撑岗位核实；时限取六.2 的 2 小时",
    ),
    state(
        "follow_up",
        "待回访",
        within(hours=24).then("press"),
        move("satisfied", "回访满意", "materials", AGENT, LEAD, QUALITY, CLOCK, emphasis="primary"),
        move("unsatisfied", "回访不满意", "redo", AGENT, LEAD, QUALITY, asks=(A_REASON,)),
        move("bad_mark", "回访评分低", "redo", CLOCK),
        move("press", "催办回访", "follow_up", CLOCK),
        basis="HZ 附件6 四.1.11、四.2.9 回单后语音回访（按 4、5 即满意），没接通或不满意由坐席回访；二.2.2 落实各类工单回访",
    ),
    state(
        "redo",
        "不满意处理",
        within(hours=2).then("press"),
        move("revisit", "再次上门", "appointed", INSTALLER, DISPATCHER, LEAD, emphasis="primary"),
        move("explained_again", "电话解决，再回访", "follow_up", DISPATCHER, LEAD, QUALITY, asks=(A_REASON,)),
        move("press", "催办不满意工单", "redo", CLOCK),
        basis="HZ 附件6 三.4.4 不满意工单自到队列起 2 小时内联系并二次处理",
    ),
    state(
        "materials",
        "待录材料",
        within(hours=24).then("press"),
        move("archive", "录入材料并归档", "archived", INSTALLER, DISPATCHER, LEAD, emphasis="primary"),
        move("press", "催办录入", "materials", CLOCK),
        basis="HZ 附件6 四.2.10-11 材料录入、回访满意归档",
    ),
    state(
        "withdrawing",
        "退单待审",
        within(hours=20).then("press"),
        move("allow", "准予退单", "withdrawn", QUALITY, asks=(A_REASON,)),
        move("refuse", "不予退单", "dispatching", QUALITY, asks=(A_REASON,), emphasis="primary"),
        move("press", "催办退单审核", "withdrawing", CLOCK),
        basis="HZ 附件6 六.3.2 退单审核全程不超过 20 小时；当日 17:30 前发起的当日 20:00 前审核",
    ),
    final("archived", "已归档"),
    final("recovered", "设备已恢复"),
    final("not_a_fault", "非故障办结"),
    final("withdrawn", "已退单"),
    everywhere(
        move("urge", "登记催修", SAME, AGENT, LEAD, Role.COMMUNITY, Role.GRID_WORKER, asks=(A_REASON,)),
        before="follow_up",
    ),
    conditions={"tested_on_site": "已现场测试", "support_checked": "重复故障已经支撑核实", "assigned": "已指定装维员"},
)
