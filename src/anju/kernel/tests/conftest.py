"""Makes the tables of the samples once, beside those of the platform."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from anju.kernel.flow.guard import guard
from anju.kernel.tests import samples


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker) -> None:  # type: ignore[no-untyped-def]
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            for model in samples.TABLES:
                cursor.execute(f"DROP TABLE IF EXISTS {model._meta.db_table} CASCADE")
        with connection.schema_editor() as editor:
            for model in samples.TABLES:
                editor.create_model(model)
        guard(samples.PARCEL).install(samples.Parcel)


@pytest.fixture
def clean_samples() -> Iterator[None]:
    """For tests that commit: the flush at their end knows nothing of the samples' tables."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE " + ", ".join(m._meta.db_table for m in samples.TABLES))
