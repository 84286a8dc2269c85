"""Numbers without gaps, and a clock that only history may set."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import connection, transaction

from anju.kernel import clock
from anju.kernel.numbers import next_number

DAY = date(2026, 11, 20)


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gap_even_when_many_ask_and_some_fail():
    def ask(n: int) -> str | None:
        try:
            with transaction.atomic():
                number = next_number("EM", DAY)
                return number if n % 3 else 1 / 0
        except ZeroDivisionError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        given = sorted(filter(None, pool.map(ask, range(24))))
    assert given == [f"EM-1120-{n:04d}" for n in range(1, 17)]
    assert next_number("WX", DAY) == "WX-1120-0001"
    assert next_number("EM", date(2026, 11, 21)) == "EM-1121-0001"


def test_the_clock_may_be_set_for_history_but_never_in_production(settings):
    then = datetime(2026, 11, 13, 17, tzinfo=UTC)
    with clock.pretend(then):
        assert (clock.now(), clock.today()) == (then, date(2026, 11, 14)), "a day in China"
    assert clock.now() > then
    with pytest.raises(ValueError, match="time zone"), clock.pretend(then.replace(tzinfo=None)):
        pass
    settings.ANJU_MODE = "production"
    with pytest.raises(RuntimeError, match="never set"), clock.at(then):
        pass
