"""Deletion of a person's data reaches every table: a word is planted in every text of every model and looked for afterwards.

A new model or a new column is planted by itself; whoever adds one empties it (`kernel.forgetting`) or says here why it stays.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from anju.accounts.roles import Role
from anju.calls.models import Call
from anju.elders import rights
from anju.elders.models import Elder, Home
from anju.elders.tests.stage import bureau
from anju.incidents.models import Incident
from anju.kernel import audit, clock
from anju.kernel.crypto import EncryptedJSONField
from anju.kernel.flow import registry
from anju.kernel.flow.subject import FlowSubject
from anju.kernel.models import AuditLine, Movement
from anju.places.tests.factories import make_district

WORD = "遽槃"
PLACE = "330199001001"
OURS = sorted((m for m in apps.get_models() if m.__module__.startswith("anju.")), key=lambda m: m._meta.label)

NOT_OF_A_PERSON: dict[str, str] = {
    "campaigns.Campaign": "what is said to many, of nobody",
    "campaigns.DoNotCall": "a keyed hash of a number: her wish not to be rung outlives her data, and tells nothing of her",
    "accounts.ApiToken": "of a machine",
    "accounts.PasswordTrace": "hashes of a user's old passwords",
    "call_scripts.Menu": "the centre's own announcements",
    "call_scripts.MenuKey": "the centre's own announcements",
    "calls.News": "facts on their way to the platform, encrypted, gone within a day of the call",
    "calls.Queue": "set-up of the centre",
    "calls.SeatLog": "states of a colleague's seat",
    "calls.SeatState": "states of a colleague's seat",
    "calls.Skill": "set-up of the centre",
    "calls.SkillGroup": "set-up of the centre",
    "calls.Switchboard": "one row about a process",
    "contacts.WechatAccount": "set-up of the centre",
    "devices.Device": "a thing that goes to the next home; while it hangs in hers the deletion is refused",
    "devices.Product": "a maker's model",
    "devices.UnknownDevice": "a thing that nobody has registered",
    "devices.Vitals": "a thing's battery and signal",
    "kernel.DayNumber": "a counter",
    "kernel.Due": "running deadlines: a deletion waits until nothing of hers runs",
    "levels.LevelRule": "set-up of the centre",
    "levels.Proposal": "moves of seats",
    "lines.AccessNumber": "set-up of the centre",
    "lines.NumberPrompt": "the announcement of one of the centre's numbers",
    "lines.OneKeyPhone": "the line of a device, which is taken out of the home first",
    "lines.Prompt": "the centre's own announcements",
    "lines.RescueNumber": "public numbers",
    "lines.SeatPhone": "a colleague's telephone",
    "lines.Trunk": "set-up of the centre",
    "places.Place": "names of public places",
    "places.PolicyProfile": "durations of a district",
    "signals.Cursor": "the router's place in the log",
    "signals.Lane": "the gateway's place in the log",
    "signals.Message": "what a device sent: its number, never a name; goes with its day's partition",
    "signals.Signal": "what a device sent: its number, never a name; goes with its day's partition",
    "signals.Source": "an operator's platform",
    "sop.Edition": "what the centre's agents say",
    "staff.Duty": "the roster",
    "staff.Expert": "a doctor or lawyer, not a client",
    "supervision.Plan": "a drawing of calls by seat",
    "supervision.ScoreForm": "a form of the centre",
    "alarms.PlacementPrior": "counts of many homes together, by position of a sensor",
    "alarms.Pulse": "how often an operator's platform speaks",
    "alarms.Trouble": "troubles of the platform itself",
    "alarms.Storm": "an outage of a place",
    "desk.Press": "a key against pressing twice, gone within days",
    "desk.Presence": "who has a desk open",
    "desk.Telephone": "which page holds a colleague's telephone",
    "open_api.Done": "a key against asking twice",
}
"""Models that hold nobody's name, number or words."""

STAYS: dict[str, str] = {
    "kernel.AuditLine.*": "the audit is append-only and chained (SYS-03); it names files by number, reasons are encrypted",
    "kernel.Movement.*": "names of moves and states: lower-case codes of the process table (who and what was said are looked at)",
    "accounts.User.seat_number": "a number of the centre",
    "*.place": "a code of a public place",
    "*.area": "a code of a public place",
    "*.state": "a code of the process table",
    "*.number": "the number of a file, case, order or sheet, drawn by the platform",
    "*.kind": "a code of a list",
    "*.kind_label": "the word of that code",
    "*.made_by": "a colleague",
    "*.opened_by": "a colleague",
    "*.called_by": "a colleague",
    "*.closed_by": "a colleague",
    "*.heard_by": "a colleague",
    "*.by": "a colleague (who is no user is emptied: incidents' lines and moves are looked at)",
    "*.agent_name": "a colleague",
    "*.judge_name": "a colleague",
    "*.said_by": "a colleague; the row goes with the last person of the home",
    "*.seat": "a number of the centre",
    "*.exchange": "the name of a telephone engine",
    "*.call_id": "the number of a call",
    "elders.Consent.document": "the number of the signed paper, which lies in the archive",
    "elders.Consent.scope": "codes of what was agreed to",
    "elders.ConsentScan.sha256": "a digest: shows that a paper in the archive is the one that was recorded, tells nothing of it",
    "notices.Notice.key": "made of the case's number and codes, so that nothing is sent twice",
    "notices.Notice.channel": "a code",
    "notices.Notice.template": "a code",
    "notices.Notice.token": "random",
    "alarms.Alarm.dty": "a code of SCAIP",
    "alarms.Alarm.stc": "a code of SCAIP",
    "alarms.Alarm.lco": "a code of SCAIP",
    "alarms.Alarm.label": "the word of that code",
    "alarms.Alarm.where": "the word of a position code: 床头, 客厅",
    "alarms.Alarm.source": "an operator's platform",
    "fieldwork.RepairOrder.cause": "a code",
    "fieldwork.RepairOrder.cause_label": "the word of that code",
    "fieldwork.RepairOrder.where": "where a device hung: 床头, 客厅",
    "incidents.Attempt.channel": "a code",
    "incidents.Attempt.result": "a code",
    "incidents.Bell.reason": "a code",
    "incidents.Entry.source": "a code",
    "incidents.Incident.scenes": "codes of the scenes",
    "calls.Call.called": "a number of the centre",
    "calls.Call.access": "a code",
    "calls.Call.script": "a code",
    "calls.Call.result": "a code",
    "calls.Call.cause": "a code",
    "calls.Call.keys": "digits that were pressed",
    "calls.Call.ref": "kind and number of the case",
    "calls.Leg.leg_id": "the engine's number of a channel",
    "calls.Leg.endpoint": "a code of the engine",
    "calls.Leg.cause": "a code",
    "calls.Leg.result": "a code",
    "calls.CallBack.endpoint": "a code of the engine",
    "calls.Command.verb": "a code",
    "calls.Command.result": "a code",
    "calls.Command.error": "a sentence of the switchboard's own list",
    "contacts.Contact.urgent": "a word of the list of words of distress",
    "contacts.Contact.thread": "random, drawn anew when she is forgotten",
    "contacts.Contact.taken_by": "a colleague",
    "contacts.Contact.became": "kind and number of the case",
    "contacts.Enclosure.form": "a code of the file's format",
    "contacts.Enclosure.sha256": "a digest: says which file was looked at, tells nothing of it",
    "planned_calls.PlannedCall.ref": "kind and number of the case",
    "planned_calls.CallPlan.ended_by": "a colleague",
    "call_scripts.Survey.ref": "kind and number of the case",
    "recordings.Recording.*": "evidence under the number of the call, sealed, kept 36 months (SH ⑦), then deleted",
    "recordings.Gap.*": "that a call has no recording, and who settled it",
    "recordings.Strange.*": "a file that belongs to no call",
    "supervision.Review.fatal": "codes of the form",
    "staff.Booking.call_id": "the number of a call",
}  # fmt: skip
"""Columns that keep what they hold, and why: "app.Model.field", a whole model, or a column of that name anywhere."""


def excused(model: type[models.Model], field: str) -> str:
    """Which line of STAYS speaks of this column."""
    label = model._meta.label
    return next((key for key in (f"{label}.{field}", f"{label}.*", f"*.{field}") if key in STAYS), "")


def holds_words(field: models.Field) -> bool:
    """Whether the column can hold what somebody wrote."""
    words = models.CharField | models.TextField | models.JSONField | EncryptedJSONField | ArrayField
    return isinstance(field, words) and not field.choices


class Planter:
    """One row of every model, all of one person, the word in every text of it."""

    def __init__(self) -> None:
        self.made: dict[type[models.Model], models.Model] = {}
        self.nth = itertools.count(1)

    def row(self, model: type[models.Model]) -> models.Model:
        """The row of this model; its relations first."""
        if model not in self.made:
            made = model(
                **{f.attname: v for f in model._meta.concrete_fields if (v := self.value(model, f)) is not ...}
            )
            made.save_base(force_insert=True, raw=True)
            self.made[model] = made
        return self.made[model]

    def value(self, model: type[models.Model], field: Any) -> Any:
        """What to put into the column; `...` leaves its default."""
        if (special := self.special(model, field)) is not ...:
            return special
        if field.is_relation:
            nobody = field.null and (field.related_model is model or field.related_model._meta.label in NOT_OF_A_PERSON)
            return None if nobody else self.row(field.related_model).pk
        if field.choices:
            return field.default if field.has_default() else field.choices[0][0]
        if isinstance(field, EncryptedJSONField | models.JSONField | ArrayField):
            empty = field.get_default() if field.has_default() else {}
            return [WORD] if isinstance(empty, list) or isinstance(field, ArrayField) else {WORD: WORD, "a": [WORD]}
        if isinstance(field, models.CharField | models.TextField):
            return f"{WORD}{next(self.nth)}"[: field.max_length] if field.unique else WORD
        return self.plain(field)

    def plain(self, field: models.Field) -> Any:
        """Something for a column that holds no words."""
        if isinstance(field, models.AutoField) or (field.has_default() and not field.null):
            return ...
        for kind, make in self.PLAIN:
            if isinstance(field, kind):
                return make()
        return None if field.null else False if isinstance(field, models.BooleanField) else 3

    PLAIN = (
        (models.DateTimeField, clock.now),  # before DateField, which it is too
        (models.DateField, clock.today),
        (models.TimeField, lambda: clock.now().time()),
        (models.UUIDField, uuid.uuid4),
        (models.BinaryField, WORD.encode),
    )

    def special(self, model: type[models.Model], field: Any) -> Any:
        """Columns that lead to the person without being relations, and codes that the database checks."""
        name = field.name
        if name == "state" and issubclass(model, FlowSubject):
            return next(s.name for s in model.flow.states if s.is_final)
        if name in {"place", "area", "code"} and isinstance(field, models.CharField):
            return PLACE if name != "area" else f"{PLACE}07"
        if not field.is_relation and name in {"elder_id", "home_id"}:
            return self.row(Elder if name == "elder_id" else Home).pk
        if name == "call_id" and model is not Call and not field.is_relation:
            call_id = self.row(Call).call_id
            return call_id if isinstance(field, models.UUIDField) else str(call_id)
        if (model._meta.label, name) == ("notices.Notice", "ref"):
            return f"incident:{self.row(Incident).pk}"
        return {
            ("elders.Elder", "status"): "ended",
            ("elders.Elder", "id_blind"): WORD,
            ("accounts.User", "username"): f"{WORD}{next(self.nth)}",
            ("accounts.Posting", "role"): Role.FAMILY.value,
            ("incidents.Entry", "source"): "elder",
            ("staff.HandOver", "facts"): {"open": [f"{WORD}家还在处置"]},
            ("staff.HandOver", "text"): f"{WORD}夜里要再打一个电话",
        }.get((model._meta.label, name), ...)

    def stories(self) -> None:
        """What happened to each of her objects that runs through a process: said by a colleague, and by her."""
        for flow in registry.flows():
            model = registry.running(flow.name).model
            subject = self.made.get(model)
            if subject is None or model._meta.label in NOT_OF_A_PERSON:
                continue
            for nth, user in ((901, 7), (902, None)):
                Movement.objects.create(
                    flow=flow.name, subject_id=subject.pk, nth=nth, move="note", now="closed", at=clock.now(), note=WORD,
                    data={"class": "mis_press", "said": WORD, WORD: 1, "seconds": 3}, by="周晓岚" if user else WORD, by_user=user,
                )  # fmt: skip


def left(model: type[models.Model]) -> Iterator[str]:
    """Columns in which the word still stands and need not."""
    manager = getattr(model, "unscoped", model._base_manager)
    for row in manager.all():
        for field in model._meta.concrete_fields:
            value = getattr(row, field.attname)
            text = bytes(value).decode(errors="ignore") if isinstance(value, bytes | memoryview) else str(value)
            if WORD in text and not excused(model, field.name):
                yield f"{model._meta.label}.{field.name}"


def planted() -> list[type[models.Model]]:
    """Models that get a row."""
    return [m for m in OURS if m._meta.label not in NOT_OF_A_PERSON and m not in {Movement, AuditLine}]


@pytest.mark.req("SYS-04", "SYS-03")
def test_a_word_of_hers_is_in_no_table_after_the_deletion(db: None, everywhere: None) -> None:
    """Every text of every model that can be hers; what happened to her cases; the chain of the audit still holds."""
    make_district()
    planter, by = Planter(), bureau()
    with pgtrigger.ignore():
        for model in planted():
            planter.row(model)
        planter.stories()
    elder = planter.row(Elder)
    before = {name for model in planted() for name in left(model)}
    assert {"elders.Elder.name", "notices.Notice.text", "supervision.Complaint.content", "calls.Call.whom"} <= before
    rights.erase(elder_id=elder.pk, reason="本人要求删除", by=by)
    assert sorted({name for model in planted() for name in left(model)}) == []
    moves = Movement.objects.filter(nth__gt=900)
    assert moves.count() >= 2 * 9
    said = json.dumps(list(moves.values_list("note", "data", "by")), ensure_ascii=False)
    assert sorted({m.flow for m in moves if WORD in json.dumps([m.note, m.data, m.by], ensure_ascii=False)}) == []
    assert '"mis_press"' in said
    assert "周晓岚" in said
    audit.seal()
    assert audit.verify() == []


def test_every_exception_still_excuses_something() -> None:
    """A line about a model or a column that is gone, or without a reason, is a line to delete."""
    labels = {m._meta.label for m in OURS}
    fields = {f"{m._meta.label}.{f.name}" for m in OURS for f in m._meta.concrete_fields}
    names = {f.name for m in OURS for f in m._meta.concrete_fields if holds_words(f)}
    assert sorted(set(NOT_OF_A_PERSON) - labels) == []
    stale = [
        key
        for key in STAYS
        if key not in fields
        and not (key.endswith(".*") and key[:-2] in labels)
        and not (key[:2] == "*." and key[2:] in names)
    ]
    assert stale == []
    assert [key for key, why in (NOT_OF_A_PERSON | STAYS).items() if len(why) < 6] == []
