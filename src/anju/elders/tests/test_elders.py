import pytest

from anju.elders import queries
from anju.elders.tests.factories import ElderFactory, complete
from anju.kernel import clock
from anju.places.tests.factories import make_district

pytestmark = pytest.mark.django_db


def test_a_file_is_frozen(everywhere):
    make_district()
    elder = complete(ElderFactory())
    plan = queries.freeze(elder.home_id, elder.pk, clock.now())
    assert plan["elder"]["name"] == elder.name
    assert [c["kind"] for c in plan["contacts"]][:4] == ["guardian", "guardian", "grid", "grid"]
    assert plan["authority"]["covers"] == [110, 120, 119]
