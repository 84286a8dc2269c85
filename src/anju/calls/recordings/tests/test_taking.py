"""From the engine's folder to a sealed row, through every crash in between."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, transaction

from anju.alarms import queries as alarms
from anju.calls.models import Call, Leg
from anju.calls.recordings import actions, queries, rules, sweep, taking, vault
from anju.calls.recordings.models import Gap, Recording, Strange
from anju.calls.recordings.tests.made import PLACE, a_call, caller_leg, put, tone, unfinished, wav_of
from anju.kernel import clock
from anju.kernel.flow.actor import NotAllowed
from anju.kernel.models import AuditLine
from anju.places import actions as places

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everywhere"), pytest.mark.req("CALL-04")]


def said(row: Recording, **given) -> bytes:
    sound = queries.sound(row, **given)
    return b"".join(sound.read(0, sound.length))


def test_a_finished_file_becomes_a_sealed_row_and_the_plain_one_goes(folder):
    call = a_call()
    leg, plain = caller_leg(call), wav_of(tone(2))
    for name in (f"{leg}.wav", f"{leg}-in.wav", f"{leg}-out.wav"):
        put(folder, name, plain)
    assert sweep.sweep() == 3
    row = Recording.objects.get(track="mixed")
    assert (row.call, row.leg_id, row.place, row.seconds, row.fault, row.silent) == (call, leg, PLACE, 2.0, "", False)
    assert row.digest == hashlib.new("sm3", plain).hexdigest()
    assert said(row) == plain
    assert {r.track for r in Recording.objects.all()} == {"mixed", "in", "out"}
    assert list(folder.glob("*.wav")) == []
    sealed = folder / "kept" / row.file
    assert plain[44:144] not in sealed.read_bytes()
    assert sealed.stat().st_mode & 0o077 == 0
    assert row.keep_until == clock.local(call.planned_at).date() + timedelta(days=1096), "36 calendar months at least"
    assert sweep.sweep() == 0


def test_a_running_call_is_never_touched_and_a_fresh_file_waits(folder):
    running = a_call(over=False)
    put(folder, f"{caller_leg(running)}.wav", unfinished(tone(1)), age=timedelta(hours=3))
    call = a_call()
    put(folder, f"{caller_leg(call)}.wav", wav_of(tone(1)), age=timedelta(seconds=3))
    put(folder, f"{caller_leg(call)}-in.wav", unfinished(tone(1)), age=timedelta(minutes=5))
    assert sweep.sweep() == 0
    put(folder, f"{caller_leg(call)}-in.wav", unfinished(tone(1)), age=timedelta(minutes=11))
    put(folder, f"{caller_leg(call)}.wav", wav_of(tone(1)), age=timedelta(seconds=16))
    assert sweep.sweep() == 2


def test_what_a_crash_left_is_mended_and_nothing_of_it_is_lost(folder):
    call, samples = a_call(), tone(3)
    put(folder, f"{caller_leg(call)}.wav", unfinished(samples), age=timedelta(minutes=11))
    assert sweep.sweep() == 1
    row = Recording.objects.get()
    assert (row.fault, row.seconds, said(row)) == ("unfinished", 3.0, wav_of(samples))
    assert queries.page(only="repaired")[0].fault_label == "写入中断，已修复"


@pytest.mark.parametrize("moment", ["sealed", "read back", "stored"])
def test_killed_at_any_moment_it_is_simply_done_again(folder, monkeypatch, moment):
    call, plain = a_call(), wav_of(tone(1))
    path = put(folder, f"{caller_leg(call)}.wav", plain)

    def dies(*_, **__):
        raise SystemExit("kill -9")

    with monkeypatch.context() as patch:
        if moment == "sealed":
            patch.setattr(vault, "seal", dies)
        elif moment == "read back":
            patch.setattr(taking, "_read_back", dies)
        else:
            patch.setattr(type(path), "unlink", dies)
        with pytest.raises(SystemExit):
            sweep.sweep()
    assert path.exists()
    sweep.sweep()
    assert not path.exists()
    assert said(Recording.objects.get()) == plain


def test_an_answered_call_without_recording_is_named_until_it_is_found_or_explained(folder, let_pass, an_actor):
    lead = an_actor("lead", name="林佳")
    silent, found = a_call(), a_call(talk=1)
    a_call(wait=None)
    a_call(exchange="simulator")
    a_call(by_hand=True)
    assert sweep.reconcile() == 2
    trouble = alarms.troubles()[0]
    assert (trouble.kind, trouble.text[:13]) == ("no_recording", "2 通已接通的电话没有录音")
    put(folder, f"{caller_leg(found)}.wav", wav_of(tone(1)))
    sweep.sweep()
    assert Gap.objects.get(call=found).reason == "录音已找到"
    gap = Gap.objects.get(call=silent)
    with pytest.raises(NotAllowed, match="为什么"):
        actions.settle_gap(gap_id=gap.pk, by=lead, reason=" ")
    with pytest.raises(NotAllowed, match="值班长"):
        actions.settle_gap(gap_id=gap.pk, by=an_actor("agent"), reason="不知道")
    actions.settle_gap(gap_id=gap.pk, by=lead, reason="引擎重启，已电话复核")
    assert sweep.reconcile() == 0
    assert alarms.troubles() == []
    assert Gap.objects.count() == 2


def test_one_file_that_can_not_be_taken_in_hides_neither_the_others_nor_the_missing_ones(folder, monkeypatch):
    """The oldest file meets a full disk: the younger one is taken in, and a call without recording is named all the same."""
    first, second = a_call(talk=1), a_call(talk=1)
    a_call()
    put(folder, f"{caller_leg(first)}.wav", wav_of(tone(1)), age=timedelta(minutes=9))
    put(folder, f"{caller_leg(second)}.wav", wav_of(tone(1)))
    seals = vault.seal

    def full(blocks, length, path, keys):
        if caller_leg(first) in path.name:
            raise OSError(28, "No space left on device")
        seals(blocks, length, path, keys)

    with monkeypatch.context() as patch:
        patch.setattr(vault, "seal", full)
        assert sweep.sweep() == 1
    assert Recording.objects.get().call == second
    assert {(t.kind, t.text[:4]) for t in alarms.troubles()} == {
        ("recording_bad", "1 个录"),
        ("no_recording", "2 通已"),
    }
    assert any("No space left" in t.text for t in alarms.troubles())
    assert sweep.sweep() == 1
    assert {t.kind for t in alarms.troubles()} == {"no_recording"}


@pytest.mark.req("CALL-05")
def test_a_recording_much_shorter_than_its_call_is_named_until_the_rest_is_found(folder):
    """A file that a full disk or a crash cut off is there, plays, and hides what is missing."""
    cut, whole = a_call(talk=60), a_call(talk=60)
    broken = a_call(talk=600)
    Call.objects.filter(pk=broken.pk).update(result="lost")  # nobody knows when it ended
    put(folder, f"{caller_leg(cut)}.wav", wav_of(tone(20)))
    put(folder, f"{caller_leg(whole)}.wav", wav_of(tone(56)))
    put(folder, f"{caller_leg(broken)}.wav", wav_of(tone(2)))
    sweep.sweep()
    assert [g.call for g in Gap.objects.all()] == [cut]
    assert "录音比通话短" in alarms.troubles()[0].text
    rest = caller_leg(cut)
    Leg.objects.create(call=cut, leg_id=f"{rest}9", role="contact", endpoint="number", planned_at=cut.planned_at)
    put(folder, f"{rest}9.wav", wav_of(tone(35)))
    sweep.sweep()
    assert Gap.objects.get().reason == "录音已找到"
    assert alarms.troubles() == []


def test_an_empty_file_or_one_voice_alone_is_no_recording_of_the_call(folder):
    """A disk that was full leaves headers without a sound: the call counts as not recorded until somebody says why."""
    empty, half = a_call(), a_call()
    put(folder, f"{caller_leg(empty)}.wav", wav_of(b""), age=timedelta(minutes=11))
    put(folder, f"{caller_leg(half)}-in.wav", wav_of(tone(1)))
    assert sweep.sweep() == 2
    assert {g.call for g in Gap.objects.filter(settled_at=None)} == {empty, half}
    put(folder, f"{caller_leg(half)}-out.wav", wav_of(tone(1)))
    sweep.sweep()
    assert Gap.objects.get(call=half).settled_at is None, "one voice more is not the recording of record"
    put(folder, f"{caller_leg(half)}.wav", wav_of(tone(1)))
    sweep.sweep()
    assert {g.call for g in Gap.objects.filter(settled_at=None)} == {empty}


def test_an_agent_hears_what_she_spoke_and_not_what_only_rang_at_her_seat(folder, an_actor):
    call = a_call(user_id=7)
    Leg.objects.create(
        call=call, leg_id="rang", role="agent", endpoint="seat:1023", user_id=8, planned_at=call.planned_at
    )
    put(folder, f"{caller_leg(call)}.wav", wav_of(tone(1)))
    sweep.sweep()
    row = Recording.objects.get()
    assert actions.listen(recording_id=row.pk, by=an_actor("agent", user_id=7), reason="复核")
    with pytest.raises(NotAllowed, match="只听自己接的"):
        actions.listen(recording_id=row.pk, by=an_actor("agent", user_id=8), reason="好奇")


def test_a_round_that_still_runs_is_not_overtaken(folder):
    import psycopg
    from django.db import connection

    put(folder, f"{caller_leg(a_call())}.wav", wav_of(tone(1)))
    other = psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}, autocommit=True)
    with other:
        other.execute("SELECT pg_advisory_lock(hashtext('recordings.sweep'))")
        assert sweep.sweep() == 0
        other.execute("SELECT pg_advisory_unlock(hashtext('recordings.sweep'))")  # a session that ends lets go later
    assert sweep.sweep() == 1


def test_a_call_is_not_accused_while_its_recording_may_still_come(folder):
    a_call(at=clock.now() - timedelta(seconds=100), wait=2, talk=30)
    assert sweep.reconcile() == 0


def test_a_recording_of_the_time_without_a_switchboard_finds_its_call_later(folder):
    put(folder, "1763771234.12.wav", wav_of(tone(1)), age=timedelta(minutes=12))
    assert sweep.sweep() == 1
    assert queries.page(only="unclaimed")[0].call_id is None
    call = a_call()
    call.legs.filter(role="caller").update(leg_id="1763771234.12")
    sweep.sweep()
    assert Recording.objects.get().call == call


def test_a_file_that_is_none_is_left_where_it_is_and_named(folder, an_actor):
    path = put(folder, "hello.wav", b"#!AMR\n" + bytes(range(1, 200)), age=timedelta(hours=1))
    sweep.sweep()
    sweep.sweep()
    assert path.exists()
    assert (Strange.objects.count(), alarms.troubles()[0].kind) == (1, "recording_bad")
    actions.dismiss(strange_id=Strange.objects.get().pk, by=an_actor("quality"), reason="测试文件，已移走")
    path.unlink()
    sweep.sweep()
    assert alarms.troubles() == []


def test_the_same_name_with_another_content_is_never_overwritten(folder):
    call, first = a_call(), wav_of(tone(1))
    put(folder, f"{caller_leg(call)}.wav", first)
    sweep.sweep()
    path = put(folder, f"{caller_leg(call)}.wav", wav_of(tone(2, hertz=660)))
    sweep.sweep()
    assert path.exists()
    assert "内容不同" in Strange.objects.get().problem
    assert said(Recording.objects.get()) == first


def test_a_silent_recording_is_told_apart(folder):
    call = a_call()
    put(folder, f"{caller_leg(call)}.wav", wav_of(bytes(16000)))
    sweep.sweep()
    assert Recording.objects.get().silent
    assert len(queries.page(only="silent")) == 1


def test_the_night_after_the_last_day_deletes_by_the_day_of_the_centre(folder, let_pass):
    """At 3:10 here it is still yesterday in UTC: the guard of the database took that for the last day."""
    call = a_call()
    put(folder, f"{caller_leg(call)}.wav", wav_of(tone(1)))
    sweep.sweep()
    row = Recording.objects.get()
    night = datetime.combine(row.keep_until, time(3, 10), tzinfo=clock.local(clock.now()).tzinfo)
    let_pass(seconds=(night - clock.now()).total_seconds())
    assert sweep.expire() == 0, "the last day counts"
    let_pass(days=1)
    assert sweep.expire() == 1


def test_nothing_is_deleted_before_its_time_or_while_it_is_held(folder, let_pass, an_actor):
    lead, call = an_actor("lead", name="林佳"), a_call()
    put(folder, f"{caller_leg(call)}.wav", wav_of(tone(1)))
    sweep.sweep()
    row = Recording.objects.get()
    path = folder / "kept" / row.file
    with pytest.raises(NotAllowed, match="到期前不能删除"):
        actions.delete(recording_id=row.pk, by=lead, reason="占地方")
    with pytest.raises(DatabaseError, match="not deleted before"), transaction.atomic():
        Recording.objects.filter(pk=row.pk).update(state="deleted", deleted_at=clock.now(), deleted_why="手工")
    with pytest.raises(DatabaseError, match="keeps its"), transaction.atomic():
        Recording.objects.filter(pk=row.pk).update(keep_until=date(2026, 12, 1))
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()
    let_pass(days=1096)
    assert sweep.expire() == 0, "the last day counts"
    actions.hold(recording_id=row.pk, by=lead, reason="投诉 TS-12 未结")
    let_pass(days=2)
    assert sweep.expire() == 0
    assert path.exists()
    actions.hold(recording_id=row.pk, by=lead, reason="")
    assert sweep.expire() == 1
    row.refresh_from_db()
    assert (row.state, path.exists(), row.deleted_why[:4]) == ("deleted", False, "保存期满")
    assert AuditLine.objects.filter(action="recording.expire", subject_id=str(row.pk)).exists()
    with pytest.raises(NotAllowed, match="已过保存期"):
        actions.listen(recording_id=row.pk, by=lead, reason="投诉核实")


def test_a_district_may_keep_longer_and_the_inner_place_never_shorter(folder):
    from anju.accounts.permissions import THE_PLATFORM
    from anju.places import queries as place_queries
    from anju.places.rules import combine, looser

    day = 86400
    assert combine({rules.KEEP: 1500 * day}, [{rules.KEEP: 1200 * day}])[rules.KEEP] == 1500 * day
    assert rules.KEEP in looser({rules.KEEP: 100 * day})
    assert looser({rules.KEEP: 1500 * day}) == {}
    places.put_place(code="330199000000", name="望潮区", by=THE_PLATFORM)
    places.set_policy(place="330199000000", data={rules.KEEP: 1500 * day}, reason="区里要求", by=THE_PLATFORM)
    assert place_queries.policy_for(PLACE).seconds[rules.KEEP] == 1500 * day
    call = a_call()
    put(folder, f"{caller_leg(call)}.wav", wav_of(tone(1)))
    sweep.sweep()
    assert (Recording.objects.get().keep_until - clock.local(call.planned_at).date()).days == 1500


def test_the_disk_is_watched(folder, monkeypatch):
    monkeypatch.setattr(
        sweep.shutil, "disk_usage", lambda _: sweep.shutil._ntuple_diskusage(100 * 2**30, 95 * 2**30, 5 * 2**30)
    )
    assert sweep.watch_disk().low
    assert "5.0 GB" in alarms.troubles()[0].text
    monkeypatch.setattr(
        sweep.shutil, "disk_usage", lambda _: sweep.shutil._ntuple_diskusage(100 * 2**30, 0, 100 * 2**30)
    )
    assert not sweep.watch_disk().low
    assert alarms.troubles() == []
    assert rules.days_left(12 * 2**30, 2**30, 2 * 2**30) == 10
    assert rules.days_left(12 * 2**30, 0, 0) is None
