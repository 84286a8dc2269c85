"""What appointments and complaints forget of a person whose data are deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from anju.elders import actions as elders
from anju.elders import rights
from anju.elders.checks import NotAccepted
from anju.elders.tests.factories import ElderFactory, complete
from anju.elders.tests.stage import bureau
from anju.kernel import clock
from anju.places.tests.factories import LOTUS, make_district
from anju.staff import actions as staff
from anju.staff.models import Booking
from anju.supervision import actions
from anju.supervision.models import Complaint

DISTRICT = "330199000000"


@pytest.mark.django_db
@pytest.mark.req("SYS-04")
def test_her_words_and_numbers_leave_appointments_and_complaints_and_open_ones_refuse(everywhere, let_pass, an_actor):
    make_district()
    elder, agent, lead = (
        complete(ElderFactory(name="沈玉芬")),
        an_actor("agent", user_id=7),
        an_actor("lead", user_id=8),
    )
    everyday = {str(day): [["09:00", "17:00"]] for day in range(7)}
    doctor = staff.save_expert(by=lead, place=DISTRICT, name="沈医生", field="doctor", hours=everyday)
    noon = clock.local(clock.now()).replace(hour=14, minute=0, second=0, microsecond=0) + timedelta(days=1)
    booking = staff.book(
        by=agent, expert_id=doctor.pk, at=noon, phone="14400000001", about="血压", caller="沈玉芬", elder_id=elder.pk
    )
    said = actions.complain(
        by=agent, source="phone", about="fee", content="沈玉芬说贵", place=LOTUS, name="沈玉芬", contact="14400000001",
        elder_id=elder.pk,
    )  # fmt: skip
    by = bureau()
    elders.end(elder_id=elder.pk, reason="迁往外省", by=by)
    with pytest.raises(NotAccepted, match="专家预约"):
        rights.erase(elder_id=elder.pk, reason="本人要求", by=by)
    staff.move_booking(by=agent, booking_id=booking.pk, move="cancelled", note="不来了")
    with pytest.raises(NotAccepted, match="投诉"):
        rights.erase(elder_id=elder.pk, reason="本人要求", by=by)
    actions.complaint_move(complaint_id=said.pk, move="talked_out", by=agent, note="已解释")
    rights.erase(elder_id=elder.pk, reason="本人要求", by=by)
    left, kept = Booking.objects.get(), Complaint.objects.get()
    assert (left.caller, left.phone, left.about, left.elder_id, left.state) == ("", "", "", None, "cancelled")
    assert (kept.name, kept.contact, kept.content, kept.elder_id, kept.state) == ("", "", "", None, "settled")
