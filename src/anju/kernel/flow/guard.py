"""The database's own word on a process: a trigger made from the table refuses a change that is not listed."""

from __future__ import annotations

import pgtrigger

from anju.kernel.flow.table import Flow


def guard(flow: Flow) -> pgtrigger.Trigger:
    """For `class Meta: triggers = [guard(MY_FLOW)]`. A changed table makes `makemigrations --check` ask for a migration.

    Staying in a state is always allowed; a new row must be in a state in which the process begins.
    """
    pairs = ", ".join(f"('{was}', '{to}')" for was, to in flow.transitions()) or "('', '')"
    wrong = f"<> '{flow.start.name}'"
    if flow.also_begins:
        wrong = "NOT IN (" + ", ".join(f"'{s}'" for s in flow.starts) + ")"
    return pgtrigger.Trigger(
        name=f"guard_{flow.name}"[:43],
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),  # type: ignore[no-untyped-call]
        func=f"""
            IF TG_OP = 'INSERT' THEN
                IF NEW.state {wrong} THEN
                    RAISE EXCEPTION 'flow {flow.name} begins in {" or ".join(flow.starts)}, not in %', NEW.state;
                END IF;
            ELSIF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN ({pairs}) THEN
                RAISE EXCEPTION 'flow {flow.name}: % to % is not listed', OLD.state, NEW.state;
            END IF;
            RETURN NEW;
        """,
    )
