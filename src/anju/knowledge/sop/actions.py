"""What may be done with scripts: change one, begin a sheet, answer, close. The only writers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction

from anju.accounts.roles import Role
from anju.kernel import audit, clock
from anju.kernel.changes import changed
from anju.kernel.flow.actor import Actor, NotAllowed
from anju.kernel.scope import EVERYWHERE, Scope, current, seen_by
from anju.knowledge.sop import queries, rules
from anju.knowledge.sop.models import Edition, Sheet
from anju.knowledge.sop.rules import Branch, Field

EDITORS = frozenset({Role.LEAD, Role.QUALITY, Role.SYSTEM_ADMIN})
"""Who may change what agents say."""
SEATED = frozenset({Role.AGENT, Role.LEAD})


@transaction.atomic
def put_script(
    *, by: Actor, code: str, based_on: int, title: str, when: str, say: Sequence[str], ask: Sequence[Field],
    branch: Sequence[Branch], do: Sequence[str], wrap: Sequence[str], words: Sequence[str],
) -> int:  # fmt: skip
    """A new version of a script; its number. Sheets that were begun keep the questions that they had."""
    if not EDITORS & by.roles:
        raise NotAllowed("话术由值班长、质检或系统管理员来改。", code="not_you")
    now = queries.script(code)
    if now is None:
        raise NotAllowed("没有这个场景。", code="not_here")
    if now.version != based_on:
        raise NotAllowed("别人刚改过这份话术，请重新打开，在新的一版上改。", code="stale")
    new = replace(
        now, title=title.strip()[:60], when=when.strip()[:120], say=tuple(say), ask=tuple(ask), branch=tuple(branch),
        do=tuple(do), wrap=tuple(wrap), applies=replace(now.applies, words=tuple(words)),
    )  # fmt: skip
    if wrong := rules.faults(new, queries.delivered()):
        raise NotAllowed("话术不能用：" + "；".join(wrong), code="needs")
    if rules.raw_script(new) == rules.raw_script(now):
        raise NotAllowed("没有改动，不用另存一版。", code="needs")
    try:
        with transaction.atomic():
            row = Edition.objects.create(
                code=code,
                version=now.version + 1,
                body=rules.raw_script(new),
                made_by=by.name[:60],
                made_at=clock.now(),
            )
    except IntegrityError:
        raise NotAllowed("别人刚改过这份话术，请重新打开，在新的一版上改。", code="stale") from None
    audit.record("sop.edition", subject="sop", subject_id=row.pk, detail={"code": code, "version": row.version})
    return row.version


@transaction.atomic
def begin(
    *, by: Actor, code: str, place: str, call_id: str = "", incident_id: int | None = None, elder_id: int | None = None,
    home_id: int | None = None,
) -> int:  # fmt: skip
    """The sheet of this script in this call (or case); the one that is there, if it was begun. Its id.

    Who may see the call or the case was asked by whoever calls this: a seat's own call is hers wherever the caller lives.
    """
    script = queries.script(code)
    if script is None:
        raise NotAllowed("没有这个场景。", code="not_here")
    if by.user_id is None or not SEATED & by.roles:
        raise NotAllowed("话术由坐席和值班长来填。", code="not_you")
    if not call_id and incident_id is None:
        raise NotAllowed("没有通话，也没有事件。", code="not_here")
    where: dict[str, Any] = {"call_id": call_id} if call_id else {"call_id": None, "incident_id": incident_id}
    with seen_by(EVERYWHERE):
        row, made = Sheet.objects.get_or_create(
            **where, code=code,
            defaults={
                "place": place, "version": script.version, "fields": [rules.raw_field(f) for f in script.ask], "user_id": by.user_id,
                "made_by": by.name[:60], "begun_at": clock.now(), "incident_id": incident_id, "elder_id": elder_id, "home_id": home_id,
            },
        )  # fmt: skip
    if made:
        changed("sop", row.pk, place)
    return int(row.pk)


@transaction.atomic
def answer(*, by: Actor, sheet_id: int, said: Mapping[str, str], outcome: str | None = None) -> list[str]:
    """Keep what was answered, each as its kind; what is wrong is said and not kept. "" empties an answer."""
    reach = current()
    with seen_by(EVERYWHERE):
        row = Sheet.objects.select_for_update().get(pk=sheet_id)
        _hers(by, row, reach)
        fields = {f.name: f for f in map(rules.field_of, row.fields)}
        answers, wrong = dict(row.answers or {}), []
        for name, text in said.items():
            if name not in fields:
                continue
            value, problem = rules.typed(fields[name], text)
            if problem:
                wrong.append(problem)
            else:
                answers[name] = value
        row.answers = answers
        if outcome is not None:
            script = queries.script(row.code)
            row.outcome = outcome if script is not None and outcome in script.wrap else ""
        row.save(update_fields=["answers", "outcome"])
        return wrong


def _hers(by: Actor, row: Sheet, reach: Scope) -> None:
    """Her own sheet wherever the caller lives; of others those of her places: in a case every seat's, of a call a lead's."""
    shared = reach.covers(row.place) and (row.incident_id is not None or Role.LEAD in by.roles)
    if by.user_id != row.user_id and not (shared and SEATED & by.roles):
        raise NotAllowed("这份话术记录由接电话的坐席填写。", code="not_you")


@transaction.atomic
def drop(*, by: Actor, sheet_id: int) -> None:
    """The wrong script was chosen and nothing was answered yet; what was answered stays."""
    reach = current()
    with seen_by(EVERYWHERE):
        row = Sheet.objects.select_for_update().get(pk=sheet_id)
        _hers(by, row, reach)
        if any(value is not None for value in (row.answers or {}).values()):
            raise NotAllowed("已经记了回答，不能撤下；用不着的项留空，整理时写明原因。", code="needs")
        row.delete()


@transaction.atomic
def close(*, by: Actor, call_id: str, lacks: str = "", words: str = "") -> int:
    """The call is written up: the sheets that this person began in it are closed; how many.

    Refused while a required answer is missing, unless a reason is given (it is kept). This holds up the form only, never the
    seat: when the time for writing up is over the seat is ready again, an urgent call rings it before, and a sheet that was
    not closed waits among the agent's open matters.
    """
    with seen_by(EVERYWHERE):
        rows = list(Sheet.objects.select_for_update().filter(call_id=call_id, user_id=by.user_id or 0, closed_at=None))
        left = [(row, rules.missing(map(rules.field_of, row.fields), row.answers or {})) for row in rows]
        short = [f.label for _, fields in left for f in fields]
        if short and not rules.reason_given(lacks, words):
            raise NotAllowed(f"话术还有必填没填：{'、'.join(short)}。填好，或选一个缺项原因。", code="needs")
        for row, fields in left:
            row.closed_at = clock.now()
            row.lacks, row.lacks_words = (lacks, words.strip()[:200]) if fields else ("", "")
            row.save(update_fields=["closed_at", "lacks", "lacks_words"])
    if rows:
        audit.record(
            "sop.closed", subject="call", subject_id=call_id, detail={"sheets": len(rows), "lacks": bool(short), "by": by.user_id}
        )  # fmt: skip
    return len(rows)


@transaction.atomic
def forget(*, elder_id: int, home_id: int, home_empty: bool) -> int:
    """A person's data are deleted: what she answered goes, that she was asked stays; how many sheets."""
    with seen_by(EVERYWHERE):
        rows = Sheet.objects.filter(elder_id=elder_id)
        if home_empty:
            rows = rows | Sheet.objects.filter(home_id=home_id)
        ids = list(rows.values_list("pk", flat=True))
        return Sheet.objects.filter(pk__in=ids).update(
            answers={}, lacks_words="", lacks="", outcome="", fields=[], elder_id=None
        )
