"""What holds of every process, whatever its table says."""

from __future__ import annotations

import importlib
from io import StringIO

import pytest
from django.core.management import call_command

from anju.kernel.flow import checks, registry
from anju.kernel.flow.guard import guard
from anju.kernel.flow.table import Flow
from anju.kernel.tests.machine import try_everything

FLOWS = registry.flows()
pytestmark = pytest.mark.req("INC-01")


def subjects_of(flow: Flow) -> None:
    """Import the `tests/subjects.py` of the module that owns this flow, which tells how to begin one."""
    module = registry.running(flow.name).model.__module__.rpartition(".models")[0]
    importlib.import_module(f"{module}.tests.subjects")


@pytest.mark.parametrize("flow", FLOWS, ids=lambda f: f.name)
def test_the_table_is_a_sound_process(flow: Flow) -> None:
    assert checks.faults(flow) == []
    assert registry.missing_conditions(flow) == []


@pytest.mark.parametrize("flow", FLOWS, ids=lambda f: f.name)
def test_the_database_guards_the_process(flow: Flow) -> None:
    model = registry.running(flow.name).model
    wanted = guard(flow)
    present = {t.name: t for t in getattr(model._meta, "triggers", [])}
    assert wanted.name in present, f"add `triggers = [guard({flow.name.upper()})]` to the Meta of {model.__name__}"
    assert present[wanted.name].func == wanted.func


def test_the_pages_of_the_processes_are_fresh() -> None:
    call_command("flows", "--check", stdout=StringIO())


@pytest.mark.timeout(300)
@pytest.mark.django_db
@pytest.mark.parametrize("flow", FLOWS, ids=lambda f: f.name)
def test_anyone_does_anything_at_any_time(flow: Flow) -> None:
    """Allowed is exactly what is listed, exactly the right clocks run, and the story has no gap."""
    subjects_of(flow)
    try_everything(flow)
