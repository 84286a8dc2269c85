"""How an emergency runs, from the press of a button to the archive.

Read down the page: each state, how long it may last, what the clock does when the time is up, who may do what, and
which duties run side by side (their own clocks; seat A talks to the helpers, seat B stays with the elder).
Durations are defaults: the policy profile frozen on the case overrides them (`Incident.duration`).
A duty that belongs to a scene (120, 110, …) is armed only while that scene is active (`scenes.py`).
"""

from anju.accounts.roles import Role
from anju.kernel.flow.table import CLOCK, SAME, duty, everywhere, final, flow, move, state, within

AGENT, LEAD = Role.AGENT, Role.LEAD

SAFE = move("safe", "确认平安", "follow_up", AGENT, LEAD, emphasis="ok")
FALSE_ALARM = move("false_alarm", "误报", "closed", AGENT, LEAD)
LATE_DATA = move("late_data", "迟到数据解除", "closed", CLOCK)
ARRIVED = move("arrived", "已到现场", "on_scene", AGENT, LEAD)
GOING = move("helper_going", "有人赶赴", "helper_coming", AGENT, LEAD, CLOCK, emphasis="primary")

# Seat B, as long as she may be alone with her fear.
CALM = duty("calm", "安抚老人，不挂电话", AGENT, LEAD, seat="B")
CONDITION = duty(
    "ask_condition", "问意识、呼吸、疼痛有无变化，按急救卡指导", AGENT, LEAD, every=within(minutes=2), seat="B"
)
KEEP_CALLING = duty(
    "keep_calling", "继续呼叫老人，有回应就告诉 A 席", AGENT, LEAD, CLOCK, every=within(minutes=2), seat="B"
)
LISTEN_IN = duty("listen_in", "保持现场监听，直到有人接手", AGENT, LEAD, seat="B")

INCIDENT = flow(
    "incident",
    "紧急事件处置",
    # ---- state ------- 名称 ---- deadline ------ on time-out
    state("waiting", "待接警", within(seconds=15).then("unanswered"),
        # -- move ------- 名称 ---------- leads to ---- who may
        move("accept", "接警", "verifying", AGENT, LEAD, emphasis="primary"),
        move("unanswered", "无人接警", "overdue", CLOCK),
        move("rung_again", "更高级报警并入，重新计时", "waiting", CLOCK),
        LATE_DATA,
        basis="一键通指南：15 秒服务水平；9 级 15 秒，5-7 级 60 秒，3 级 15 分钟"),
    state("overdue", "超时待接", within(seconds=30).then("press_on"),
        move("accept", "接警", "verifying", AGENT, LEAD, emphasis="primary"),
        move("press_on", "继续催促", SAME, CLOCK),
        move("rung_again", "更高级报警并入，重新计时", "waiting", CLOCK),
        LATE_DATA,
        basis="机器人呼叫老人，短信通知联系人，呼叫值班长；2 分钟后机器人逐一呼叫联系人；每分钟重复"),
    state("verifying", "核实老人", within(minutes=2).then("no_answer"),
        SAFE, FALSE_ALARM, ARRIVED,
        move("no_answer", "无人应答", "contacting", AGENT, LEAD, CLOCK, emphasis="primary"),
        move("silent_line", "接通但无人说话", SAME, AGENT, LEAD),
        move("call_back", "回拨老人", SAME, AGENT, LEAD, CLOCK),
        duty("confirm_place", "核对姓名、地址、联系电话", AGENT, LEAD, seat="A"),
        duty("ask_state", "问清哪里不适、能否活动、身边有没有人", AGENT, LEAD, seat="B"),
        CALM,
        basis="一键通指南（三）2(4)：无响应回拨 2 次，仍无响应按紧急处理"),
    state("contacting", "联系亲属及网格", within(minutes=6).then("nobody_reached"),
        GOING, SAFE, FALSE_ALARM, ARRIVED,
        move("nobody_reached", "均无果", "rescue_due", AGENT, LEAD, CLOCK),
        KEEP_CALLING, LISTEN_IN,
        basis="告知及确认书二.2：老人→监护人→社工/网格员/物业（夜间值班电话）→110/119/120；每位 60 秒"),
    state("helper_coming", "有人赶赴", within(minutes=15).then("helper_late"),
        move("arrived", "已到现场", "on_scene", AGENT, LEAD, emphasis="primary"),
        move("given_up", "来不了了", "contacting", AGENT, LEAD, CLOCK),
        move("helper_late", "逾时未到", "contacting", CLOCK),
        SAFE,
        duty("ask_helper", "催问赶赴的人到哪里了", AGENT, LEAD, every=within(minutes=5), seat="A"),
        KEEP_CALLING, LISTEN_IN, CONDITION,
        basis="一键通指南场景三：每隔一段时间询问是否赶到；按约定时间，最长 15 分钟"),
    state("rescue_due", "须立即代拨", within(seconds=30).then("press_lead"),
        move("press_lead", "再呼值班长", SAME, CLOCK),
        GOING, SAFE, ARRIVED,
        move("needs_help", "补充救援需要", SAME, AGENT, LEAD),
        KEEP_CALLING, LISTEN_IN, CONDITION,
        basis="告知及确认书二.2：均无果时授权代拨；系统只催人，从不自动拨打 110/119/120"),
    state("rescuing", "救援跟踪", within(minutes=10).then("press_lead"),
        move("arrived", "救援到场", "on_scene", AGENT, LEAD, emphasis="primary"),
        move("withdraw", "撤警", "follow_up", AGENT, LEAD),
        move("press_lead", "呼值班长", SAME, CLOCK),
        move("call_120", "加拨 120", SAME, AGENT, LEAD, asks=("authority_120",), emphasis="emergency"),
        move("call_110", "加拨 110", SAME, AGENT, LEAD, asks=("authority_110",), emphasis="emergency"),
        move("call_119", "加拨 119", SAME, AGENT, LEAD, asks=("authority_119",), emphasis="emergency"),
        move("needs_help", "补充救援需要", SAME, AGENT, LEAD),
        # 场景一 120
        duty("ask_120_sent", "问 120 派车没有", AGENT, LEAD, every=within(minutes=2), seat="A"),
        duty("ask_120_position", "问救护车到哪里了", AGENT, LEAD, every=within(minutes=5), seat="A"),
        duty("give_sheet", "念救援单：地址、进场、病人、病史、过敏", AGENT, LEAD, seat="A"),
        duty("give_route", "讲清小区入口和进场路线", AGENT, LEAD, seat="A"),
        duty("meet_at_gate", "叫人在入口接车、开门", AGENT, LEAD, seat="A"),
        duty("tell_position", "把车的位置告诉老人", AGENT, LEAD, every=within(minutes=10), seat="B"),
        duty("cash_and_card", "提醒带现金、医保卡", AGENT, LEAD, seat="B"),
        duty("ask_relatives", "问要联系哪些家属", AGENT, LEAD, seat="B"),
        # 场景二 110 / 119
        duty("ask_110_arrived", "问 110 到场没有", AGENT, LEAD, every=within(minutes=15), seat="A"),
        duty("ask_119_arrived", "问 119 到场没有", AGENT, LEAD, every=within(minutes=15), seat="A"),
        # 场景三 联系人
        duty("ask_contact_arrived", "问联系人到家没有", AGENT, LEAD, every=within(minutes=10), seat="A"),
        # 场景四 呻吟或倒地
        duty("ring_contacts", "同时联系第一、第二联系人", AGENT, LEAD, seat="A"),
        # 场景五 无声音
        duty("tell_committee", "告知居委，请人上门", AGENT, LEAD, seat="A"),
        duty("police_lead", "民警到场后，一切以民警为主", AGENT, LEAD, seat="A"),
        LISTEN_IN, KEEP_CALLING, CONDITION, CALM,
        basis="一键通指南（五）1：派车后每 5-10 分钟问位置，无车每 2 分钟问一次，110/119 每 15 分钟问到场"),
    state("on_scene", "现场处置", within(minutes=30).then("press_lead"),
        move("to_hospital", "送医院", "follow_up", AGENT, LEAD, emphasis="primary"),
        move("safe_at_home", "在家平安", "follow_up", AGENT, LEAD, emphasis="ok"),
        move("refused", "本人拒绝救助", "follow_up", AGENT, LEAD),
        move("deceased", "去世", "follow_up", AGENT, LEAD),
        move("wrong_address", "地址不对", "rescuing", AGENT, LEAD),
        move("press_lead", "呼值班长", SAME, CLOCK),
        duty("ask_scene", "问现场情况", AGENT, LEAD, every=within(minutes=15), seat="A"),
        duty("tell_family", "把结果告诉家属和居委", AGENT, LEAD, seat="A"),
        basis="一键通指南（三）2(1)：到场后及时记录救援情况"),
    state("follow_up", "待回访", within(days=3).then("supervise"),
        move("revisited", "回访归档", "closed", AGENT, LEAD, emphasis="primary"),
        move("reopened", "重新处置", "verifying", AGENT, LEAD),
        move("pressed_again", "平安后又报警", "waiting", CLOCK),
        move("supervise", "督办", SAME, CLOCK),
        duty("check_devices", "看设备是否复位、在线", AGENT, LEAD),
        basis="一键通指南（三）2(1)：3 天内回访，更新老人档案"),
    final("closed", "已归档"),
    # A helper who finds her on the floor must not wait for a state. A missing or lapsed authority asks for a reason;
    # it never disables the button.
    everywhere(
        move("needs_help", "需要救援", "rescue_due", AGENT, LEAD, emphasis="emergency"),
        move("call_120", "拨打 120", "rescuing", AGENT, LEAD, asks=("authority_120",), emphasis="emergency"),
        move("call_110", "拨打 110", "rescuing", AGENT, LEAD, asks=("authority_110",), emphasis="emergency"),
        move("call_119", "拨打 119", "rescuing", AGENT, LEAD, asks=("authority_119",), emphasis="emergency"),
        move("hand_over", "移交他席", SAME, AGENT, LEAD),
        move("ask_b", "请 B 席加入", SAME, AGENT, LEAD),
        move("raised", "更高级报警并入", SAME, CLOCK),
        before="follow_up"),
    conditions={
        "authority_120": "签字授权代拨 120",
        "authority_110": "签字授权代拨 110",
        "authority_119": "签字授权代拨 119",
    },
)  # fmt: skip

ATTEMPT = flow(
    "contact_attempt",
    "联系一位联系人",
    state("turn", "轮到联系", within(seconds=60).then("not_called"),
        move("dialled", "已拨出", "ringing", AGENT, LEAD, CLOCK),
        move("coming", "赶来", "coming", AGENT, LEAD, CLOCK),
        move("coming_with_key", "赶来，带钥匙", "coming", AGENT, LEAD, CLOCK),
        move("cannot", "来不了", "failed", AGENT, LEAD, CLOCK),
        move("no_answer", "无人接听", "failed", AGENT, LEAD, CLOCK),
        move("wrong_number", "号码有误", "failed", AGENT, LEAD),
        move("not_called", "未及拨打", "failed", CLOCK),
        move("called_off", "不再需要", "ended", AGENT, LEAD, CLOCK),
        basis="告知及确认书二.2：逐一联系，每位 60 秒"),
    state("ringing", "正在联系", within(seconds=60).then("no_answer"),
        move("coming", "赶来", "coming", AGENT, LEAD, CLOCK),
        move("coming_with_key", "赶来，带钥匙", "coming", AGENT, LEAD, CLOCK),
        move("cannot", "来不了", "failed", AGENT, LEAD, CLOCK),
        move("answered", "接通", "talking", CLOCK),
        move("no_answer", "无人接听", "failed", AGENT, LEAD, CLOCK),
        move("wrong_number", "号码有误", "failed", AGENT, LEAD),
        move("called_off", "不再需要", "ended", AGENT, LEAD, CLOCK),
        basis="告知及确认书二.2：逐一联系，每位 60 秒"),
    state("talking", "通话中", within(minutes=5).then("hung_up"),
        move("hung_up", "通话结束", "unsaid", CLOCK),
        move("coming", "赶来", "coming", AGENT, LEAD, CLOCK),
        move("coming_with_key", "赶来，带钥匙", "coming", AGENT, LEAD, CLOCK),
        move("cannot", "来不了", "failed", AGENT, LEAD, CLOCK),
        move("no_answer", "不是本人（语音信箱）", "failed", AGENT, LEAD, CLOCK),
        move("wrong_number", "号码有误", "failed", AGENT, LEAD),
        move("called_off", "不再需要", "ended", AGENT, LEAD, CLOCK),
        basis="接通后 60 秒的振铃时限不再计；说什么由坐席登记，机器人电话以按键为准"),
    state("unsaid", "待登记结果", within(seconds=60).then("no_result"),
        move("coming", "赶来", "coming", AGENT, LEAD),
        move("coming_with_key", "赶来，带钥匙", "coming", AGENT, LEAD),
        move("cannot", "来不了", "failed", AGENT, LEAD),
        move("no_answer", "不是本人（语音信箱）", "failed", AGENT, LEAD),
        move("wrong_number", "号码有误", "failed", AGENT, LEAD),
        move("no_result", "接通，没有登记结果", "failed", CLOCK),
        move("called_off", "不再需要", "ended", AGENT, LEAD, CLOCK),
        basis="接通不等于有人来：60 秒内没有登记，按没有结果轮到下一位"),
    state("coming", "正在赶来", within(minutes=15).then("late"),
        move("late", "逾时未到", SAME, CLOCK),
        move("delayed", "改了到达时间", "coming", AGENT, LEAD),
        move("arrived", "到了", "ended", AGENT, LEAD, CLOCK),
        move("cannot", "来不了了", "failed", AGENT, LEAD),
        move("called_off", "不再需要", "ended", AGENT, LEAD, CLOCK),
        basis="一键通指南场景三：每隔一段时间询问是否赶到"),
    final("failed", "未成"),
    final("ended", "已结束"),
)  # fmt: skip

CALL_BACK = flow(
    "elder_call",
    "回拨老人",
    state("due", "待回拨", within(seconds=5).then("dial"),
        move("dial", "拨出", "ringing", CLOCK, AGENT, LEAD),
        move("spoke", "老人应答", "answered", AGENT, LEAD, CLOCK),
        move("no_answer", "无人应答", "failed", AGENT, LEAD),
        move("called_off", "不再需要", "called_off", CLOCK),
        basis="一键通指南（三）2(4)②：无响应回拨 2 次；系统先拨，接到坐席"),
    state("by_hand", "待人工回拨", within(seconds=30).then("remind"),
        move("remind", "催回拨", "by_hand", CLOCK),
        move("spoke", "老人应答", "answered", AGENT, LEAD, CLOCK),
        move("no_answer", "无人应答", "failed", AGENT, LEAD),
        move("called_off", "不再需要", "called_off", CLOCK),
        basis="没有话务引擎或坐席话机不在线：由坐席用旁边的电话回拨，30 秒没有登记再催"),
    state("ringing", "回拨中", within(seconds=60).then("no_answer"),
        move("picked_up", "接通", "listening", CLOCK),
        move("line_busy", "原通话还没挂断，稍等", "due", CLOCK),
        move("cannot_dial", "系统不能拨，由人拨打", "by_hand", CLOCK),
        move("spoke", "老人应答", "answered", AGENT, LEAD, CLOCK),
        move("no_answer", "无人应答", "failed", AGENT, LEAD, CLOCK),
        move("called_off", "不再需要", "called_off", CLOCK),
        basis="振铃 45 秒无人接听，或话务没有回音，按无人应答"),
    state("listening", "接通，听有无回应", within(seconds=60).then("no_answer"),
        move("spoke", "老人应答", "answered", AGENT, LEAD, CLOCK),
        move("no_answer", "仍无人说话", "failed", AGENT, LEAD, CLOCK),
        move("called_off", "不再需要", "called_off", CLOCK),
        basis="语音信箱也会接通：没有人说话或按键，不算应答"),
    final("answered", "已应答"),
    final("failed", "无人应答"),
    final("called_off", "已取消"),
)  # fmt: skip

BELL = flow(
    "bell",
    "提醒席位",
    state("ringing", "待确认", within(seconds=15).then("louder"),
        move("heard", "知道了", "heard", AGENT, LEAD),
        move("louder", "呼值班长", SAME, CLOCK),
        move("lapsed", "不再需要", "heard", CLOCK),
        basis="已有人处置的事件并入更高级报警、请 B 席、席位掉线时，15 秒内须有人确认"),
    final("heard", "已确认"),
)  # fmt: skip
