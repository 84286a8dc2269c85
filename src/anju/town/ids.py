"""Numbers for invented people and things that can never belong to anybody.

* Identity numbers: area code 330199 is not assigned to any county, so a valid check digit does no harm.
* Mobile numbers: 144 0xxx xxxx. The 1440 segment is for machines and has 13 digits; an 11-digit number in it cannot be dialled.
* Landlines: 0571-0xxx xxxx. No local number begins with 0.
* IMEI: reporting body 00 is the range for test equipment.
"""

from __future__ import annotations

from datetime import date

AREA = "330199"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def identity_number(born: date, order: int, *, woman: bool) -> str:
    """GB 11643: area, birth, an order number that is odd for men, check digit. `order` is 0-499."""
    body = f"{AREA}{born:%Y%m%d}{order % 500 * 2 + (0 if woman else 1):03d}"
    return body + _CHECKS[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def mobile(n: int) -> str:
    """The nth invented mobile number (11 digits, segment 1440)."""
    return f"1440{n * 7919 % 10_000_000:07d}"


def landline(n: int) -> str:
    """The nth invented landline of Hangzhou's prefix."""
    return f"0571-0{n * 7919 % 10_000_000:07d}"


def imei(n: int) -> str:
    """The nth IMEI of the test range, with its Luhn digit."""
    body = f"00440999{n % 1_000_000:06d}"
    total = 0
    for turn, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if turn % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)
