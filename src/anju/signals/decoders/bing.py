"""The binary frame of the example maker 丙 (product sos-bin1): 20 bytes, big endian.

| offset | size | meaning |
|---|---|---|
| 0 | 2 | 0xB1 0x9E |
| 2 | 1 | version, 1 |
| 3 | 1 | what: bit 0 SOS, bit 1 reset, bit 2 tamper, bit 3 tamper cleared, bit 4 motion, bit 5 test; 0 = heartbeat |
| 4 | 2 | number of the report, from 0 to 65535 and round again |
| 6 | 4 | time, seconds since 1970; 0 = the clock is not set |
| 10 | 1 | battery, percent; 255 = unknown |
| 11 | 2 | RSRP, dBm, signed |
| 13 | 1 | SNR, dB, signed |
| 14 | 4 | cell |
| 18 | 2 | CRC-16 (Modbus) of the bytes 0-17 |

A wrong checksum is noted and does not silence an SOS: a false alarm costs a call, a lost one a life.
"""

from __future__ import annotations

import struct

from anju.devices.profile import Profile
from anju.signals.decoders.base import Report, moment, whole

MAGIC = b"\xb1\x9e"
SIZE = 20
_FRAME = struct.Struct(">2sBBHIBhbI")
_BITS = ((1, "sos"), (2, "sos_reset"), (4, "tamper"), (8, "tamper_clear"), (16, "motion"), (32, "test"))


def crc16(data: bytes) -> int:
    """CRC-16 as Modbus has it."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def encode(
    kinds: tuple[str, ...] = (), *, seq: int = 0, at_ms: int = 0, battery: int = 255, rsrp: int = -95, snr: int = 12, cell: int = 0,
) -> bytes:  # fmt: skip
    """A frame as the device sends it (tests, the virtual town)."""
    flags = sum(bit for bit, kind in _BITS if kind in kinds)
    head = _FRAME.pack(
        MAGIC, 1, flags, seq & 0xFFFF, (at_ms // 1000) & 0xFFFFFFFF, battery & 0xFF, max(-32768, min(rsrp, 32767)),
        max(-128, min(snr, 127)), cell & 0xFFFFFFFF,
    )  # fmt: skip
    return head + struct.pack(">H", crc16(head))


def read(report: Report, profile: Profile, data: bytes, now_ms: int) -> None:
    """Read a frame into the report."""
    if data[:2] != MAGIC or len(data) < 4:
        report.notes.append("二进制帧头不符")
        return
    flags = data[3]
    at = None
    if len(data) >= SIZE - 2:
        _, _, flags, seq, seconds, battery, rsrp, snr, cell = _FRAME.unpack_from(data)
        at = moment(seconds, now_ms) if seconds else None
        if battery <= 100:
            report.vitals["battery"] = battery
        report.vitals |= {"seq": seq, "rsrp": whole(rsrp, -200, 50), "snr": snr, "cell_id": cell}
        report.vitals = {k: v for k, v in report.vitals.items() if v is not None}
    else:
        report.notes.append("二进制帧不完整")
    if len(data) < SIZE or crc16(data[: SIZE - 2]) != int.from_bytes(data[SIZE - 2 : SIZE], "big"):
        report.notes.append("二进制帧校验不符")
    for bit, kind in _BITS:
        if flags & bit:
            report.add(profile, kind, at)
            if kind.startswith("tamper"):
                report.vitals["tamper"] = kind == "tamper"
