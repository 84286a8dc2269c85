"""The only writers of devices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection, transaction

from anju.devices.facts import DevicePlaced
from anju.devices.models import POSITIONS, RECEIVING_DISTRICT, Device, Product, UnknownDevice, Vitals
from anju.devices.profile import Profile, shipped
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.facts import announce
from anju.kernel.scope import EVERYWHERE, OutOfScope, current, seen_by


class DeviceError(ValueError):
    """What was asked for is not possible; the Chinese message says why and what to do."""


def load_products(profiles: Iterable[dict[str, object]] | None = None) -> int:
    """Put profiles (default: those shipped) into the catalogue; answers how many. A profile that can't be read stops all."""
    with transaction.atomic():
        count = 0
        for data in shipped() if profiles is None else profiles:
            Profile.of(data)
            Product.objects.update_or_create(
                code=data["code"],
                defaults={k: data[k] for k in ("name", "maker", "kind", "source", "product_id")} | {"profile": data},
            )
            count += 1
    return count


def register(
    *, imei: str, product_code: str, operator_id: str = "", sn: str = "", place: str = RECEIVING_DISTRICT
) -> Device:
    """Take a device into stock. If it has talked to us before, its quarantine ends here."""
    product = Product.objects.filter(code=product_code).first()
    if product is None:
        raise DeviceError(f"没有型号 {product_code}。请先在产品型号中添加。")
    if Device.objects.filter(imei=imei).exists():
        raise DeviceError(f"设备 {imei} 已经登记。请在设备列表中查找。")
    with transaction.atomic():
        device = Device.objects.create(imei=imei, product=product, operator_id=operator_id, sn=sn, place=place)
        Vitals.objects.create(device=device)
        with seen_by(EVERYWHERE):  # the quarantine stands at the receiving district, whoever registers
            UnknownDevice.objects.filter(key__in=[k for k in (imei, operator_id) if k]).update(
                registered=device, registered_at=clock.now()
            )
        audit.record("device.register", subject="device", subject_id=str(device.pk), place=place)
        changed("device", device.pk, place)
    return device


def install(
    *, device_id: int, home_id: int, place: str, position: str, lco: str = "", at: datetime | None = None
) -> Device:
    """Put a device into a home. `position` as people say it (卫生间); its SCAIP code follows from it unless given."""
    with transaction.atomic():
        device = Device.objects.select_for_update().get(pk=device_id)
        if device.status == Device.Status.INSTALLED and device.home_id != home_id:
            raise DeviceError("该设备正在另一户使用。请先在那一户拆除。")
        device.home_id, device.place, device.position = home_id, place, position
        device.lco = lco or POSITIONS.get(position, "")
        device.status, device.installed_at, device.removed_at = Device.Status.INSTALLED, at or clock.now(), None
        device.save()
        audit.record(
            "device.install", subject="device", subject_id=str(device_id), place=place, detail={"home": home_id}
        )
        changed("device", device_id, place)
        changed("home", home_id, place)
        announce(DevicePlaced(device_id, home_id))
    return device


def remove(*, device_id: int, reason: str) -> Device:
    """Take a device out of its home, back to the stock of the place. Its past stays the home's."""
    with transaction.atomic():
        device = Device.objects.select_for_update().get(pk=device_id)
        home_id, device.home_id = device.home_id, None
        device.status, device.removed_at, device.test_until = Device.Status.REMOVED, clock.now(), None
        device.save()
        audit.record("device.remove", subject="device", subject_id=str(device_id), place=device.place, reason=reason,
                     detail={"home": home_id})  # fmt: skip
        changed("device", device_id, device.place)
        if home_id is not None:
            announce(DevicePlaced(device_id, home_id))
    return device


def set_test_mode(*, device_id: int, minutes: int, reason: str = "") -> Device:
    """For so long its alarms are a drill: recorded, no rescue. 0 ends it. At most 2 hours: a forgotten test mode is a
    deaf button.
    """
    if not 0 <= minutes <= 120:
        raise DeviceError("测试时间须在 0 至 120 分钟之间。请分次设置。")
    with transaction.atomic():
        device = Device.objects.select_for_update().get(pk=device_id)
        now = clock.now()
        if minutes:
            device.test_from, device.test_until = now, now + timedelta(minutes=minutes)
        elif device.test_until is not None and device.test_until > now:
            device.test_until = now
        device.save(update_fields=["test_from", "test_until"])
        audit.record("device.test_mode", subject="device", subject_id=str(device_id), place=device.place, reason=reason,
                     detail={"minutes": minutes})  # fmt: skip
        changed("device", device_id, device.place)
    return device


@dataclass(frozen=True, slots=True)
class VitalsNote:
    """What one message told about its device. None = it said nothing about that."""

    device_id: int
    heard_at: datetime  # when we received it: a late batch still proves that the device lives
    event_at: datetime | None = None  # when something happened in the home (motion, door), by the device's time
    battery: int | None = None
    rsrp: int | None = None
    snr: int | None = None
    cell_id: int | None = None
    tamper: bool | None = None
    online: bool | None = None
    seq: int | None = None
    firmware: str | None = None


def _merge(old: VitalsNote, new: VitalsNote) -> VitalsNote:
    first, last = (old, new) if old.heard_at <= new.heard_at else (new, old)
    fields = ("battery", "rsrp", "snr", "cell_id", "tamper", "online", "seq", "firmware")
    events = [n.event_at for n in (first, last) if n.event_at is not None]
    known = {f: getattr(last, f) if getattr(last, f) is not None else getattr(first, f) for f in fields}
    return replace(last, event_at=max(events, default=None), **known)


_NEW = """
INSERT INTO devices_vitals (device_id, tamper, online, firmware)
SELECT d.id, false, false, '' FROM devices_device d LEFT JOIN devices_vitals v ON v.device_id = d.id
WHERE d.id = ANY(%s::bigint[]) AND v.device_id IS NULL ON CONFLICT DO NOTHING
"""
_NOTE = """
WITH n AS (
  SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::smallint[], %s::smallint[], %s::smallint[],
                       %s::bigint[], %s::boolean[], %s::boolean[], %s::bigint[], %s::text[])
           AS t(device_id, heard_at, event_at, battery, rsrp, snr, cell_id, tamper, online, seq, firmware)
), locked AS MATERIALIZED (
  SELECT v.device_id, n.heard_at >= coalesce(v.last_heard_at, '-infinity') AS newer
  FROM devices_vitals v JOIN n USING (device_id) ORDER BY v.device_id FOR UPDATE OF v
)
UPDATE devices_vitals v SET
  last_heard_at = greatest(v.last_heard_at, n.heard_at),
  last_event_at = greatest(v.last_event_at, n.event_at),
  battery = CASE WHEN newer THEN coalesce(n.battery, v.battery) ELSE coalesce(v.battery, n.battery) END,
  rsrp = CASE WHEN newer THEN coalesce(n.rsrp, v.rsrp) ELSE coalesce(v.rsrp, n.rsrp) END,
  snr = CASE WHEN newer THEN coalesce(n.snr, v.snr) ELSE coalesce(v.snr, n.snr) END,
  cell_id = CASE WHEN newer THEN coalesce(n.cell_id, v.cell_id) ELSE coalesce(v.cell_id, n.cell_id) END,
  last_seq = CASE WHEN newer THEN coalesce(n.seq, v.last_seq) ELSE coalesce(v.last_seq, n.seq) END,
  tamper = CASE WHEN newer THEN coalesce(n.tamper, v.tamper) ELSE v.tamper END,
  online = CASE WHEN newer THEN coalesce(n.online, true) ELSE v.online END,
  firmware = CASE WHEN newer THEN coalesce(n.firmware, v.firmware) ELSE coalesce(nullif(v.firmware, ''), n.firmware, '') END,
  silent_since = CASE WHEN n.heard_at >= v.silent_since THEN NULL ELSE v.silent_since END
FROM n JOIN locked USING (device_id) WHERE v.device_id = n.device_id
"""


def note_vitals(notes: Iterable[VitalsNote]) -> None:
    """Write down how devices are doing: one statement for a whole batch, rows in the order of device ids (no deadlock
    with another writer). What arrives late never overwrites something newer.
    """
    if not current().is_everything:
        raise OutOfScope("设备状态只由平台写入。")
    merged: dict[int, VitalsNote] = {}
    for note in notes:
        merged[note.device_id] = _merge(merged[note.device_id], note) if note.device_id in merged else note
    if not merged:
        return
    rows = [merged[k] for k in sorted(merged)]
    columns = [[getattr(n, f) for n in rows] for f in VitalsNote.__slots__]
    with connection.cursor() as cursor:
        cursor.execute(_NEW, [columns[0]])
        cursor.execute(_NOTE, columns)


@dataclass(frozen=True, slots=True)
class UnknownNote:
    """A message of a device that nobody registered."""

    key: str
    operator_id: str
    source: str
    product_id: str
    heard_at: datetime
    kinds: tuple[str, ...]


def note_unknown(notes: Iterable[UnknownNote]) -> None:
    """List devices that talk without being registered, counted; `register` takes one out of the list."""
    merged: dict[str, tuple[UnknownNote, int]] = {}
    for note in notes:
        key = note.key or note.operator_id
        if key:
            merged[key] = (note, merged.get(key, (note, 0))[1] + 1)
    with connection.cursor() as cursor:
        for key in sorted(merged):
            note, count = merged[key]
            cursor.execute(
                """INSERT INTO devices_unknowndevice AS u
                     (key, operator_id, source, product_id, place, first_heard_at, last_heard_at, messages, last_kinds)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
                   ON CONFLICT (key) DO UPDATE SET last_heard_at = greatest(u.last_heard_at, excluded.last_heard_at),
                     messages = u.messages + excluded.messages, last_kinds = excluded.last_kinds,
                     operator_id = excluded.operator_id, product_id = excluded.product_id""",
                [key, note.operator_id, note.source, note.product_id, RECEIVING_DISTRICT, note.heard_at, note.heard_at, count,
                 "、".join(note.kinds)[:120]],
            )  # fmt: skip


def mark_silent(*, device_ids: Iterable[int], at: datetime) -> None:
    """Remember that the silence of these devices was announced, so that it is announced once."""
    Vitals.objects.filter(device_id__in=list(device_ids), silent_since=None).update(silent_since=at, online=False)
