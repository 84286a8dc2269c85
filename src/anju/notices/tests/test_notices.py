"""Messages go out once: whatever crashes, whoever asks twice, whatever the receiver answers."""

import http.server
import json
import threading
from datetime import timedelta

import pytest

from anju.kernel import clock
from anju.kernel.testing import run_jobs
from anju.notices import actions, drivers, queries
from anju.notices.actions import To
from anju.notices.drivers import Refused, TryAgain, sign
from anju.notices.models import Notice
from anju.notices.templates import TEMPLATES, UnknownTemplate, render

PLACE = "330199001001"
DATA = {"text": "来源静默"}


class Box:
    """A receiver in memory; `fail` is raised instead of taking, `die` after taking."""

    name = "box"

    def __init__(self, *, dedupes):
        self.dedupes, self.taken, self.fail, self.die = dedupes, [], None, None

    def send(self, letter):
        if self.fail:
            raise self.fail
        if not (self.dedupes and any(t.key == letter.key for t in self.taken)):
            self.taken.append(letter)
        if self.die:
            raise self.die


@pytest.fixture(autouse=True)
def stage(db, everywhere, let_pass):
    yield let_pass
    drivers.use("sms", None)


def sms(key="k1", template="page_trouble", **data):
    return actions.send(
        to=To("顾敏", number="13800002046"),
        template=template,
        data=data or DATA,
        channel="sms",
        key=key,
        place=PLACE,
        ref="r:1",
    )


@pytest.fixture
def box():
    made = Box(dedupes=True)
    drivers.use("sms", made)
    return made


@pytest.mark.req("SYS-10", "INC-02")
def test_the_same_key_is_one_message_and_it_is_carried_out_after_the_commit(box):
    first, again = sms(), sms()
    assert first.pk == again.pk
    assert box.taken == []
    run_jobs()
    assert [(t.key, t.number) for t in box.taken] == [("k1", "13800002046")]
    assert actions.deliver(notice_id=first.pk) == ""
    assert len(box.taken) == 1
    assert queries.of("r:1")[0].state == "sent"


@pytest.mark.req("SYS-10")
def test_without_a_channel_the_message_is_held_and_that_is_said():
    notice = sms()
    assert notice.state == "held"
    assert "没有配置" in notice.error
    assert not queries.reachable("sms")
    assert queries.backlog()["held"] == 1


@pytest.mark.req("SYS-10", "SYS-07")
def test_a_crash_after_sending_repeats_only_where_the_receiver_throws_repeats_away(stage, box):
    box.die = KeyboardInterrupt()
    notice = sms()
    with pytest.raises(KeyboardInterrupt):
        actions.deliver(notice_id=notice.pk)
    assert Notice.objects.get().state == "sending"
    box.die = None
    assert actions.sweep() == 0  # not yet: the other process may still live
    stage(seconds=61)
    actions.sweep()
    stage(seconds=10)
    actions.sweep()
    assert Notice.objects.get().state == "sent"
    assert len(box.taken) == 1  # the second of the same key was thrown away


@pytest.mark.req("SYS-10", "SYS-07")
def test_a_crash_after_sending_to_one_who_keeps_repeats_ends_as_unknown_and_is_not_repeated(stage):
    box = Box(dedupes=False)
    drivers.use("sms", box)
    box.die = KeyboardInterrupt()
    notice = sms()
    with pytest.raises(KeyboardInterrupt):
        actions.deliver(notice_id=notice.pk)
    box.die = None
    for _ in range(4):
        stage(seconds=61)
        actions.sweep()
    assert Notice.objects.get().state == "unknown"
    assert len(box.taken) == 1
    assert actions.deliver(notice_id=notice.pk) == ""


def test_a_crash_before_sending_sends_once(stage, box):
    notice = sms()
    assert actions._claim(notice.pk) is not None  # claimed, then killed
    stage(seconds=61)
    actions.sweep()
    stage(seconds=10)
    actions.sweep()
    assert len(box.taken) == 1
    assert Notice.objects.get().state == "sent"


def test_what_fails_is_tried_again_with_growing_pauses_and_then_given_up(stage, box):
    box.fail = TryAgain("HTTP 503")
    notice = sms()
    run_jobs()
    assert actions.sweep() == 0
    tries = []
    for _ in range(len(actions.BACKOFF) + 1):
        stage(hours=1)
        actions.sweep()
        tries.append(Notice.objects.get().tries)
    assert tries[-1] == len(actions.BACKOFF) + 1
    assert Notice.objects.get().state == "failed"
    box.fail = Refused("HTTP 400")
    other = sms("k2")
    run_jobs()
    assert Notice.objects.get(pk=other.pk).state == "failed"
    assert Notice.objects.get(pk=notice.pk).error == "HTTP 503"


@pytest.mark.req("SYS-10")
def test_receipts_move_a_message_forward_and_never_back(box):
    notice = sms()
    assert not actions.receipt(token=notice.token, status="delivered")  # it was not even sent
    run_jobs()
    assert actions.receipt(token=notice.token, status="delivered")
    assert actions.receipt(token=notice.token, status="read")
    assert not actions.receipt(token=notice.token, status="delivered")
    assert not actions.receipt(token="guess", status="read")
    assert not actions.receipt(token=notice.token, status="burnt")
    assert Notice.objects.get().state == "read"


def test_pages_to_a_user_stand_in_her_inbox_until_she_reads_them():
    notice = actions.send(
        to=To("林佳", user_id=5), template="page_trouble", data=DATA, channel="platform", key="p", place=PLACE
    )
    assert [n.text for n in queries.inbox(5)] == ["来源静默"]
    assert queries.inbox(6) == []
    actions.read(notice_id=notice.pk, user_id=6)
    assert queries.inbox(5)
    actions.read(notice_id=notice.pk, user_id=5)
    assert queries.inbox(5) == []
    assert queries.inbox(5, unread=False)[0].read


def test_every_template_is_plain_and_misses_are_errors():
    for template in TEMPLATES.values():
        assert len(template.text) <= 90
        assert "您好" not in template.text
        assert "！" not in template.text
    with pytest.raises(UnknownTemplate):
        render("page_duty", {})
    with pytest.raises(UnknownTemplate):
        render("no_such", {})


@pytest.mark.req("SYS-10")
def test_the_webhook_signs_names_the_key_and_understands_the_answers(settings):
    got = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        answer = 200

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), body))
            self.send_response(type(self).answer)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        settings.ANJU_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/in"
        settings.ANJU_WEBHOOK_SECRET = "s3cret"
        sms()
        run_jobs()
        headers, body = got[0]
        assert headers["Idempotency-Key"] == "k1"
        assert headers["X-Anju-Signature"] == sign("s3cret", headers["X-Anju-Time"], body)
        assert headers["X-Anju-Signature"] != sign("other", headers["X-Anju-Time"], body)
        told = json.loads(body)
        assert (told["number"], told["text"]) == ("13800002046", "来源静默")
        assert told["receipt"].startswith("/receipts/")
        for answer, state in ((409, "sent"), (500, "waiting"), (404, "failed")):
            Receiver.answer = answer
            notice = sms(f"k{answer}")
            run_jobs()
            assert Notice.objects.get(pk=notice.pk).state == state, answer
    finally:
        server.shutdown()
        server.server_close()
    gone = sms("k-gone")
    run_jobs()
    assert Notice.objects.get(pk=gone.pk).state == "waiting"
    assert Notice.objects.get(pk=gone.pk).next_at > clock.now()


@pytest.mark.req("SYS-10", "SYS-07")
def test_a_receiver_that_does_not_answer_holds_up_the_housekeeping_only_for_a_moment(stage, monkeypatch):
    """Each try lasts until its time-out; the auditor and the dead-man heartbeat run in the same thread."""
    slow = Box(dedupes=True)
    drivers.use("sms", slow)
    for n in range(10):
        sms(f"k{n}")
    late = sms("urgent")
    Notice.objects.filter(pk=late.pk).update(urgent=True)
    Notice.objects.exclude(pk=late.pk).update(urgent=False)
    asked = []

    def send(letter):
        asked.append(letter.key)
        past[0] += timedelta(seconds=8)
        raise TryAgain("ReadTimeout")

    past = [timedelta()]
    real = clock.now
    monkeypatch.setattr(actions.clock, "now", lambda: real() + past[0])
    monkeypatch.setattr(slow, "send", send)
    actions.sweep()
    assert asked == ["urgent"]
    actions.sweep()
    assert len(asked) == 2, "the next round goes on"
