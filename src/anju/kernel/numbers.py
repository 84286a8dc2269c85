"""Numbers that people say on the phone: gapless for each prefix and day, "EM-1120-0037"."""

from __future__ import annotations

from datetime import date

from django.db import connection


def next_number(prefix: str, day: date) -> str:
    """The next number of that day; unique within the day's year.

    The counter's row stays locked until the transaction ends (a rolled back number is given again): ask for the number
    late in the transaction, and never for two prefixes in different orders.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_daynumber (prefix, day, last) VALUES (%s, %s, 1) "
            "ON CONFLICT (prefix, day) DO UPDATE SET last = kernel_daynumber.last + 1 RETURNING last",
            [prefix, day],
        )
        row = cursor.fetchone()
    return f"{prefix}-{day:%m%d}-{row[0]:04d}"
