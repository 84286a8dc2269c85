"""The second storage: a folder and an S3-compatible store, broken lines, rotten copies, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from anju.alarms import queries as alarms
from anju.calls.recordings import actions, queries, signing, stores, sweep
from anju.calls.recordings import places as folders
from anju.calls.recordings.models import Recording
from anju.calls.recordings.s3 import S3Store, StoreRefused
from anju.calls.recordings.stores import CopyFailed, FolderStore, sha256_of, store_at
from anju.calls.recordings.tests import fake_s3
from anju.calls.recordings.tests.made import a_call, caller_leg, put, tone, wav_of

pytestmark = pytest.mark.req("CALL-04", "SYS-05")
NAME = "2026/11/20/1763.12 é+.mixed.anjr"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(bytes(n % 253 for n in range(100_000)))
    return path


@pytest.fixture
def cloud():
    with fake_s3.running() as server:
        yield server


def s3(cloud, **given) -> S3Store:
    options = {
        "bucket": "anju",
        "prefix": "rec",
        "key": fake_s3.KEY,
        "secret": fake_s3.SECRET,
        "region": "cn-east-1",
        "part": 10_000,
    }
    return S3Store(host=cloud.address, tls=False, **(options | given))


def test_signatures_are_those_of_the_published_examples():
    """Examples of "Authenticating Requests (AWS Signature Version 4)": GET object, PUT object, GET bucket lifecycle."""
    key, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    at, host = datetime(2013, 5, 24, tzinfo=UTC), "examplebucket.s3.amazonaws.com"
    base = {"Host": host, "x-amz-date": "20130524T000000Z"}

    def sign(method, path, query, payload, **extra):
        said = signing.authorization(
            method=method, path=path, query=query, headers={**base, "x-amz-content-sha256": payload, **extra}, payload=payload, at=at,
            key=key, secret=secret, region="us-east-1",
        )  # fmt: skip
        return said.partition("Signature=")[2]

    assert sign("GET", "/test.txt", [], signing.EMPTY, Range="bytes=0-9") == (
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
    assert sign("GET", "/", [("lifecycle", "")], signing.EMPTY) == (
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    )
    body = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    extra = {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    assert sign("PUT", "/test$file.text", [], body, **extra) == (
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


@pytest.mark.parametrize("part", [10_000, 1_000_000])
def test_a_file_goes_there_whole_and_comes_back(cloud, source, tmp_path, part):
    store = s3(cloud, part=part)
    marks: list[str] = []
    store.put(NAME, source, sha256_of(source), "", marks.append)
    assert cloud.objects[f"/anju/rec/{NAME}"] == source.read_bytes()
    assert marks == ([] if part > 100_000 else ["up-1", ""])
    before = len(cloud.asked)
    store.put(NAME, source, sha256_of(source), "", marks.append)
    assert [a.split()[0] for a in cloud.asked[before:]] == ["HEAD", "GET"], "what is there is only verified"
    store.get(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    store.remove(NAME)
    store.remove(NAME)
    assert cloud.objects == {}


def test_a_cut_line_goes_on_with_the_part_that_is_missing(cloud, source):
    store, marks = s3(cloud), []
    cloud.cut_after = 5
    with pytest.raises(StoreRefused, match="中断"):
        store.put(NAME, source, sha256_of(source), "", marks.append)
    assert cloud.objects == {}
    sent, cloud.asked[:] = [a for a in cloud.asked if a.startswith("PUT")], []
    store.put(NAME, source, sha256_of(source), marks[-1], marks.append)
    assert len(sent) + sum(a.startswith("PUT") for a in cloud.asked) == 10 + 1, "only the part that broke is sent twice"
    assert cloud.objects[f"/anju/rec/{NAME}"] == source.read_bytes()


def test_a_forgotten_upload_begins_anew_and_errors_are_told(cloud, source):
    store, marks = s3(cloud), []
    store.put(NAME, source, sha256_of(source), "up-of-last-year", marks.append)
    assert cloud.objects[f"/anju/rec/{NAME}"] == source.read_bytes()
    cloud.objects.clear()
    cloud.fail_next = [503]
    with pytest.raises(StoreRefused, match="503"):
        store.put(NAME, source, sha256_of(source), "", marks.append)
    cloud.fail_complete = True
    with pytest.raises(StoreRefused, match="InternalError"):
        store.put(NAME, source, sha256_of(source), "", marks.append)
    with pytest.raises(StoreRefused, match="SignatureDoesNotMatch"):
        s3(cloud, secret="wrong").get(NAME, source.with_name("x"))
    with pytest.raises(StoreRefused, match="连不上"):
        S3Store(host="127.0.0.1:9", bucket="b", prefix="", key="k", secret="s", region="r", tls=False).remove("x")


@pytest.mark.parametrize("part", [10_000, 1_000_000])
def test_a_rotten_copy_is_found_by_reading_it_back(cloud, source, part):
    cloud.rot = True
    with pytest.raises(StoreRefused, match="校验不符"):
        s3(cloud, part=part).put(NAME, source, sha256_of(source), "", lambda _: None)
    assert cloud.objects == {}


def test_a_folder_goes_on_where_it_stopped_and_is_not_an_absent_mount(tmp_path, source, monkeypatch):
    store = FolderStore(tmp_path / "copies")
    with pytest.raises(CopyFailed, match="没有挂载"):
        store.put(NAME, source, sha256_of(source), "", lambda _: None)
    assert not (tmp_path / "copies").exists()
    store.prepare()
    monkeypatch.setattr(stores, "BLOCK", 30_000)
    target = tmp_path / "copies" / NAME
    target.parent.mkdir(parents=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(source.read_bytes()[:60_000])
    store.put(NAME, source, sha256_of(source), "", lambda _: None)
    assert (target.read_bytes(), part.exists(), target.stat().st_mode & 0o077) == (source.read_bytes(), False, 0)
    part.write_bytes(b"something else that was begun" * 9000)
    target.unlink()
    store.put(NAME, source, sha256_of(source), "", lambda _: None)
    assert target.read_bytes() == source.read_bytes()
    with pytest.raises(CopyFailed, match="校验不符"):
        store.put("other", source, "0" * 64, "", lambda _: None)
    assert not (tmp_path / "copies" / "other").exists()
    store.get(NAME, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


def test_the_setting_names_the_store():
    assert store_at("") is None
    assert store_at("/mnt/copies").label == "目录 /mnt/copies"
    one = store_at(f"s3://AK:{quote('s/+', safe='')}@oss.example.cn:9000/bucket/a/b?region=cn-north-1&tls=0")
    assert (one.label, one.prefix, one.region) == ("对象存储 oss.example.cn:9000/bucket", "a/b", "cn-north-1")
    assert one.secret == "s/+"
    with pytest.raises(ValueError, match="写法"):
        store_at("s3://nobody/bucket")


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_recordings_are_copied_and_what_is_lost_here_comes_back(folder, cloud, settings, let_pass):
    settings.ANJU_RECORDINGS_COPY = (
        f"s3://{fake_s3.KEY}:{quote(fake_s3.SECRET, safe='')}@{cloud.address}/anju?region=cn-east-1&tls=0"
    )
    call, plain = a_call(talk=1), wav_of(tone(1))
    put(folder, f"{caller_leg(call)}.wav", plain)
    sweep.sweep()
    cloud.fail_next = [500]
    assert sweep.copy_some() == 0
    assert "500" in Recording.objects.get().copy_problem
    assert sweep.copy_some() == 1
    row = Recording.objects.get()
    assert (row.copied_at is not None, row.copy_problem, row.copied_to) == (True, "", f"对象存储 {cloud.address}/anju")
    assert plain[44:100] not in next(iter(cloud.objects.values())), "it leaves sealed"
    assert sweep.copy_some() == 0
    path: Path = folders.kept() / row.file
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert sweep.verify(row) == "damaged"
    assert sweep.check_some() == 0, "brought back from the copy"
    sound = queries.sound(row)
    assert b"".join(sound.read(0, sound.length)) == plain
    path.unlink()
    cloud.objects.clear()
    assert sweep.check_some() == 1
    assert Recording.objects.get().state == "gone"
    assert "校验不符或文件不见" in alarms.troubles()[0].text


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_a_late_copy_pages_and_a_deleted_recording_leaves_the_copy_too(folder, tmp_path, settings, let_pass):
    settings.ANJU_RECORDINGS_COPY = str(tmp_path / "copies")
    call = a_call(talk=1)
    put(folder, f"{caller_leg(call)}.wav", wav_of(tone(1)))
    sweep.sweep()
    sweep.copy_some()
    assert alarms.troubles() == []
    let_pass(hours=7)
    sweep.copy_some()
    assert alarms.troubles()[0].kind == "copy_late"
    assert "没有挂载" in alarms.troubles()[0].text
    FolderStore(tmp_path / "copies").prepare()
    assert sweep.copy_some() == 1
    assert alarms.troubles() == []
    copy = tmp_path / "copies" / Recording.objects.get().file
    assert copy.exists()
    let_pass(timedelta(days=1100))
    assert sweep.expire() == 1
    assert not copy.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_one_spoilt_file_does_not_keep_the_others_from_the_second_storage(folder, tmp_path, settings):
    settings.ANJU_RECORDINGS_COPY = str(tmp_path / "copies")
    FolderStore(tmp_path / "copies").prepare()
    for _ in range(4):
        put(folder, f"{caller_leg(a_call(talk=1))}.wav", wav_of(tone(1)))
    sweep.sweep()
    gone, rotten, resealed, sound = Recording.objects.order_by("pk")
    (folders.kept() / gone.file).unlink()
    path = folders.kept() / rotten.file
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    Recording.objects.filter(pk=resealed.pk).update(sealed_sha256="0" * 64)
    assert sweep.copy_some() == 1
    assert Recording.objects.get(pk=sound.pk).copied_at
    assert [Recording.objects.get(pk=r.pk).state for r in (gone, rotten, resealed)] == ["gone", "damaged", "kept"]
    assert sweep.copy_some() == 1, "what says the same under another seal goes the next time"
    (tmp_path / "copies" / FolderStore.MARK).unlink()
    Recording.objects.update(copied_at=None)
    assert sweep.copy_some() == 0
    assert set(Recording.objects.values_list("state", flat=True)) == {"gone", "damaged", "kept"}, (
        "an absent mount accuses no file"
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("everywhere")
def test_what_is_deleted_by_hand_leaves_the_second_storage_too(folder, tmp_path, settings, let_pass, an_actor):
    settings.ANJU_RECORDINGS_COPY = str(tmp_path / "copies")
    FolderStore(tmp_path / "copies").prepare()
    put(folder, f"{caller_leg(a_call(talk=1))}.wav", wav_of(tone(1)))
    sweep.sweep()
    assert sweep.copy_some() == 1
    row = Recording.objects.get()
    let_pass(timedelta(days=1100))
    actions.delete(recording_id=row.pk, by=an_actor("lead"), reason="到期")
    copy = tmp_path / "copies" / row.file
    assert copy.exists()
    assert sweep.expire() == 0
    assert not copy.exists()


@pytest.mark.django_db
def test_the_command_says_what_it_did_and_fails_when_a_file_is_wrong(folder, tmp_path, settings, everywhere):
    from io import StringIO

    from django.core.management import CommandError, call_command

    def run(what: str) -> str:
        out = StringIO()
        call_command("recordings", what, stdout=out)
        return out.getvalue()

    put(folder, f"{caller_leg(a_call(talk=1))}.wav", wav_of(tone(1)))
    assert "入库 1 个录音" in run("sweep")
    with pytest.raises(CommandError, match="没有设第二存储"):
        run("copy")
    settings.ANJU_RECORDINGS_COPY = str(tmp_path / "copies")
    run("prepare")
    assert "备份 1 个录音" in run("copy")
    assert "1 个录音都与入库时一致" in run("verify")
    row = Recording.objects.get()
    (folder / "kept" / row.file).unlink()
    (tmp_path / "copies" / row.file).unlink()
    with pytest.raises(CommandError, match="1 个校验不符"):
        run("verify")
    assert "在存 0" in run("status")
