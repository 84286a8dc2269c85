"""Search over encrypted files; masking and uncovering with a trace. REG-01, SYS-03, SYS-04."""

import pytest

from anju.accounts import queries as accounts
from anju.accounts.permissions import THE_PLATFORM
from anju.accounts.roles import Role
from anju.accounts.tests.factories import make_user
from anju.elders import actions, queries
from anju.elders.models import Elder
from anju.elders.tests.factories import ContactFactory, ElderFactory, HomeFactory, complete, invented_phone
from anju.kernel.models import AuditLine
from anju.kernel.scope import NoScope, Scope, seen_by
from anju.places.tests.factories import LOTUS, WILLOW, make_district

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _district(everywhere):
    make_district()


@pytest.fixture
def zhou():
    elder = ElderFactory(
        name="周玉珍", phone="14400001234", home=HomeFactory(place=LOTUS, address="荷汀苑 3 幢 2 单元 502 室"), sex="女"
    )
    ContactFactory(elder=elder, turn=1, name="周建国", phone="14400005678")
    from anju.elders.finding import reindex

    reindex(elder)
    ElderFactory(
        name="王秀英", phone="057110006110", home=HomeFactory(place=WILLOW, address="柳塘里 3 幢 1 单元 101 室")
    )
    return elder


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("周玉珍", "name"),
        ("玉珍", "name"),
        ("周", "name"),
        ("zyz", "pinyin"),
        ("ZY", "pinyin"),
        ("144 0000 1234", "phone"),
        ("+86-14400001234", "phone"),
        ("1234", "phone"),
        ("14400005678", "contact_phone"),
        ("荷汀苑3幢", "address"),
        ("3幢2单元", "address"),
        ("５０２", "address"),
    ],
)
@pytest.mark.req("REG-01")
def test_a_file_is_found_by_a_piece(zhou, text, why):
    assert [(f.name, f.why) for f in queries.search(text)] == [("周玉珍", why)]


@pytest.mark.req("REG-01")
def test_a_file_is_found_by_its_numbers(zhou):
    for text in (zhou.id_number, zhou.id_number.lower(), zhou.id_number[-4:], zhou.number):
        assert zhou.pk in [f.elder_id for f in queries.search(text)]
    assert queries.search("3 幢")[0].age is not None
    assert {f.name for f in queries.search("3 幢")} == {"周玉珍", "王秀英"}
    for text in ("", "  ", "珍玉", "赵", "14400009999", "单2元", "0000", "1440000"):
        assert queries.search(text) == [], text
    assert len(queries.search("3 幢", limit=1)) == 1


@pytest.mark.req("REG-01", "SYS-01")
def test_a_search_ends_at_the_scope(zhou):
    with seen_by(Scope(("330199002",))):
        assert queries.search("周玉珍") == []
        assert queries.by_phone("14400001234") == []
        assert [f.name for f in queries.search("3幢")] == ["王秀英"]
        assert queries.page_of({Role.STREET})[1] == 1
    with seen_by(Scope(elders=(zhou.pk,))):
        assert [f.name for f in queries.search("3幢")] == ["周玉珍"]


def test_without_a_scope_there_is_no_answer():
    from contextvars import copy_context

    from anju.kernel import scope

    def ask():
        scope._current.set(None)
        with pytest.raises(NoScope):
            queries.search("周")

    copy_context().run(ask)


def test_a_changed_file_is_found_by_its_new_words_only(zhou):
    by = THE_PLATFORM
    actions.change_elder(elder_id=zhou.pk, name="周玉真", phone="14400002222", by=by)
    assert queries.search("周玉珍") == []
    assert queries.search("14400001234") == []
    assert [f.name for f in queries.search("周玉真")] == ["周玉真"]
    actions.change_home(home_id=zhou.home_id, address="新荷里 9 幢", by=by)
    assert [f.name for f in queries.search("新荷里")] == ["周玉真"]
    assert queries.search("荷汀苑") == []
    contact = queries.contacts_of(zhou.pk)[0]
    actions.change_contact(contact_id=contact.pk, phone=invented_phone(77), by=by)
    assert queries.by_phone(invented_phone(77)) == [(zhou.pk, "contact")]
    assert queries.by_phone("14400005678") == []


@pytest.mark.req("CALL-03")
def test_a_number_that_calls_finds_its_elder(zhou):
    assert queries.by_phone("+8614400001234") == [(zhou.pk, "elder")]
    assert queries.by_phone("14400005678") == [(zhou.pk, "contact")]
    assert queries.by_phone("Anonymous") == []


def test_the_index_holds_no_plain_text(zhou):
    zhou.refresh_from_db()
    assert len(zhou.tokens) > 20
    assert not any("周" in t or t in {"1234", "zyz"} for t in zhou.tokens)


@pytest.mark.req("SYS-04")
def test_lists_show_masked_numbers_and_uncovering_leaves_a_trace(zhou):
    agent = accounts.actor_of(make_user(Role.AGENT))
    row = queries.masked(zhou, agent.roles)
    assert (row.name, row.phone) == ("周玉珍", "144****1234")
    assert row.id_number.startswith("330*****")
    assert row.key_note == "备用***"
    assert "phone" in row.uncover
    assert "id_number" not in row.uncover
    assert queries.masked_contacts(zhou.pk, agent.roles)[0].phone == "144****5678"

    assert actions.reveal(elder_id=zhou.pk, field="phone", by=agent, reason="回拨") == "14400001234"
    assert actions.reveal(elder_id=zhou.pk, field="key_note", by=agent, reason="叫人开门") == "备用钥匙在对门 302"
    contact = queries.contacts_of(zhou.pk)[0]
    shown = actions.reveal(elder_id=zhou.pk, field="contact_phone", contact_id=contact.pk, by=agent, reason="联系")
    assert shown == "14400005678"
    with pytest.raises(actions.NotAccepted, match="不能看身份证号"):
        actions.reveal(elder_id=zhou.pk, field="id_number", by=agent, reason="好奇")
    with pytest.raises(actions.NotAccepted, match="原因"):
        actions.reveal(elder_id=zhou.pk, field="phone", by=agent, reason=" ")
    actions.note_opened(elder_id=zhou.pk, why="核实老人")
    seen = [(look.action, look.field, look.reason, look.result) for look in queries.lookers(zhou.pk)]
    assert set(seen) == {
        ("elder.open", "", "核实老人", "ok"),
        ("elder.reveal", "联系电话", "回拨", "ok"),
        ("elder.reveal", "钥匙在哪", "叫人开门", "ok"),
        ("elder.reveal", "联系人电话", "联系", "ok"),
        ("elder.reveal", "身份证号", "好奇", "denied"),
    }
    assert "14400001234" not in str(list(AuditLine.objects.values()))


@pytest.mark.req("SYS-04")
def test_search_results_are_masked_for_those_who_may_not_see(zhou):
    quality = queries.search("周玉珍", roles={Role.QUALITY})[0]
    assert (quality.name, quality.address) == ("周**", "荷汀苑 * 幢 * 单元 *** 室")
    nobody = queries.search("周玉珍", roles={Role.SYSTEM_ADMIN})[0]
    assert (nobody.name, nobody.address) == ("已登记", "已登记")


def test_the_list_counts_filters_and_knows_the_authority(zhou, django_assert_max_num_queries):
    for _ in range(6):
        complete(ElderFactory(home=HomeFactory(place=LOTUS)))
    ElderFactory(status="draft", home=HomeFactory(place=LOTUS))
    with django_assert_max_num_queries(6):
        rows, total = queries.page_of({Role.STREET}, place="330199001000", size=5)
    assert (len(rows), total) == (5, 8)
    rows, total = queries.page_of({Role.STREET}, status="approved", place=LOTUS)
    assert sorted(r.authority for r in rows) == [False] + [True] * 6
    assert queries.page_of({Role.STREET}, text="周玉珍")[1] == 1
    assert Elder.objects.count() == 9
