"""Every scenario of the guide has its script, and the right one is offered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anju.knowledge.sop import queries, rules
from anju.knowledge.sop.rules import Field, Known

pytestmark = pytest.mark.req("CALL-11")

GUIDE = {
    "紧急救助": """代拨120(用户有响应) 用户需要叫110或119(用户有响应) 用户需要联系紧急联系人(求助)(用户有响应)
        用户呻吟或倒地(用户无响应) 用户无声音反馈(用户无响应)""",
    "主动关爱": "定期关怀(生日问候) 定期关怀(主动关爱)",
    "信息咨询": "信息咨询(生活信息咨询) 信息咨询(法律咨询、医疗咨询、心理健康咨询)",
    "生活服务": """生活服务(代叫出租车) 生活服务(找保姆或钟点工) 生活服务(搬家或者搬家具) 生活服务(晨叫设置)
        生活服务(电话及有线报修) 生活服务(家电维修) 生活服务(水电煤维修) 生活服务(厨卫维修) 生活服务(家具维修)
        生活服务(开锁修锁) 生活服务(物业维修) 生活服务(催促代办) 生活服务(联系紧急联系人) 医疗服务(预约挂号)
        医疗服务(预约体检) 医疗服务(陪医就医) 医疗服务(电话医生)""",
    "其他": """投诉表扬(来电表扬或投诉) 投诉表扬(来信表扬或投诉) 投诉表扬(合理化建议) 业务办理(停机) 业务办理(退机)
        业务办理(初装确认) 业务办理(资料变更) 试机(用户试机) 试机(回访试机) 试机(维修试机) 故障报修(设备报修)
        催促(催促各类增值服务) 催促(催促各类售后服务) 业务回访(临时任务回访) 其他(无人应答) 其他(误碰或小孩玩耍)""",
}
"""The headings of SH 六(五), copied from the guide in their order."""


def plain(title: str) -> str:
    """A heading without blanks and with brackets of one kind."""
    return title.replace("（", "(").replace("）", ")").replace(" ", "")


def test_every_scenario_of_the_guide_has_its_script_in_the_guide_s_order() -> None:
    ours: dict[str, list[str]] = {}
    for script in queries.delivered().values():
        ours.setdefault(script.group, []).append(plain(script.title))
    assert ours == {group: titles.split() for group, titles in GUIDE.items()}
    assert sum(map(len, ours.values())) == 42
    clauses = [s.clause for s in queries.delivered().values()]
    assert len(set(clauses)) == 42
    assert clauses[0] == "一键通指南 六(五)1 场景一"
    assert clauses[-1] == "一键通指南 六(五)5 场景十六"


@pytest.mark.parametrize("code", list(queries.delivered()))
def test_every_script_can_be_used_as_it_is(code: str) -> None:
    script = queries.delivered()[code]
    assert rules.faults(script, queries.delivered()) == []
    assert any(f.must for f in script.ask), "something must be asked"
    assert all(len(line) <= 60 for line in script.say), "short enough to be read aloud"
    assert script.applies.words or script.applies.purposes
    raw = rules.raw_script(script)
    assert rules.script_of(raw, group=script.group, clause=script.clause) == script


def test_words_of_the_guide_that_must_not_be_lost() -> None:
    for code, words in {
        "rescue_120": ("5–10 分钟", "2 分钟", "现金和医保卡", "现场监听", "3 天内", "不是服务对象"),
        "rescue_110_119": ("每 15 分钟",),
        "rescue_silent": ("110 上门", "居委", "撤警", "民警为主"),
        "advice_life": ("1 个工作日",),
        "advice_expert": ("12348", "12320", "预约"),
        "life_wake": ("24 小时制", "电话畅通"),
        "life_utility": ("962777", "962740", "95598", "独户"),
        "med_register": ("95169", "专家门诊还是特需门诊"),
        "biz_return": ("挽留", "收据"),
        "biz_first": ("工号", "紧急联系人"),
    }.items():
        text = queries.delivered()[code].text
        assert [w for w in words if w not in text] == [], code


@pytest.mark.parametrize(
    ("known", "first"),
    [
        (Known(kind="sos", queue="emergency", words="胸闷，喘不上气"), "rescue_120"),
        (Known(kind="sos", queue="emergency", scenes=frozenset({"fallen"})), "rescue_moan"),
        (Known(kind="sos", queue="emergency", scenes=frozenset({"silent"}), silent=True), "rescue_silent"),
        (Known(kind="gas", queue="emergency", direction="in"), "rescue_110_119"),
        (Known(queue="service", direction="in", words="要退机"), "biz_return"),
        (Known(direction="out", purpose="follow_up", words="满意"), "visit_task"),
        (Known(kind="inactivity", direction="out", purpose="care"), "care_periodic"),
    ],
)
def test_the_script_that_fits_is_offered_first(known: Known, first: str) -> None:
    offered = [s.code for s in rules.ranked(queries.delivered().values(), known)]
    assert offered[0] == first
    assert len(offered) <= 5


def test_nothing_known_offers_nothing_and_a_wrong_direction_never() -> None:
    assert rules.ranked(queries.delivered().values(), Known()) == []
    outgoing = rules.ranked(queries.delivered().values(), Known(direction="out", words="退机 生日"), 50)
    assert "care_birthday" in {s.code for s in outgoing}
    assert "biz_return" not in {s.code for s in outgoing}


def test_every_word_of_a_search_must_stand_in_the_script() -> None:
    assert next(s.code for s in rules.searched(queries.delivered().values(), "晨叫")) == "life_wake"
    assert {s.code for s in rules.searched(queries.delivered().values(), "退机 收据")} == {"biz_return"}
    assert rules.searched(queries.delivered().values(), "没有这样的词") == []
    assert len(rules.searched(queries.delivered().values(), " ")) == 42


@pytest.mark.parametrize(
    ("kind", "said", "kept", "wrong"),
    [
        ("text", " 胸闷 ", "胸闷", ""),
        ("text", "  ", None, ""),
        ("number", "12", 12, ""),
        ("number", "-1", None, "数字"),
        ("number", "十二", None, "数字"),
        ("yes_no", "no", False, ""),
        ("yes_no", "也许", None, "是或否"),
        ("date", "2026-12-01", "2026-12-01", ""),
        ("date", "12-01", None, "日期"),
        ("time", "15:05", "15:05", ""),
        ("time", "25:00", None, "钟点"),
        ("phone", "0571-88001234", "0571-88001234", ""),
        ("phone", "没有", None, "电话"),
        ("choice", "甲", "甲", ""),
        ("choice", "丙", None, "选"),
    ],
)
def test_an_answer_is_kept_as_its_kind(kind: str, said: str, kept: object, wrong: str) -> None:
    value, problem = rules.typed(Field("x", "某项", kind, options=("甲", "乙")), said)
    assert value == kept
    assert type(value) is type(kept)
    assert (wrong in problem) if wrong else problem == ""


def test_no_is_an_answer_and_other_wants_words() -> None:
    fields = [Field("a", "甲", "yes_no", must=True), Field("b", "乙", must=True), Field("c", "丙")]
    assert [f.name for f in rules.missing(fields, {"a": False, "b": ""})] == ["b"]
    assert rules.reason_given("对方挂断", "")
    assert not rules.reason_given("其他", "  ")
    assert rules.reason_given("其他", "电话串线")
    assert not rules.reason_given("", "随便写")


def test_what_cannot_be_used_is_said() -> None:
    good = queries.delivered()["life_taxi"]
    for broken, said in (
        (replace(good, title=" "), "名称"),
        (replace(good, say=()), "要说的话"),
        (replace(good, wrap=()), "整理结果"),
        (replace(good, ask=()), "问题"),
        (replace(good, ask=(Field("a", "甲", "choice", options=("一",)),)), "两个选项"),
        (replace(good, ask=(Field("a", "甲"), Field("a", "乙"))), "重复"),
        (replace(good, ask=(Field("A B", "甲"),)), "小写字母"),
        (replace(good, branch=(rules.Branch("若", "则", "nowhere"),)), "nowhere"),
    ):
        assert any(said in fault for fault in rules.faults(broken, queries.delivered())), said
