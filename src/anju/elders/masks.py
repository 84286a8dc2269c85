"""What each role sees of a person's data, and what may be uncovered with a reason. Pure; one table.

Three ways: FULL, MASKED (a few characters) and NONE (only whether something is there). Everything not said here is NONE,
so a new role or a new field starts closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from anju.accounts.roles import Role


class View(IntEnum):
    """How much is shown; more is greater."""

    NONE = 0
    MASKED = 1
    FULL = 2


_CARE = frozenset(
    {Role.AGENT, Role.LEAD, Role.STREET, Role.COMMUNITY, Role.GRID_WORKER, Role.DOCTOR, Role.FAMILY, Role.ELDER}
)
_DESK = frozenset({Role.AGENT, Role.LEAD})
_OWN = frozenset({Role.FAMILY, Role.ELDER})
_FORM = frozenset({Role.STREET, Role.COMMUNITY})
_VISIT = frozenset({Role.INSTALLER, Role.DISPATCHER, Role.WORKER})
_OFFICE = frozenset({Role.BUREAU, Role.QUALITY})


def _row(
    full: Iterable[Role] = (), masked: Iterable[Role] = (), uncover: Iterable[Role] = ()
) -> tuple[frozenset[Role], frozenset[Role], frozenset[Role]]:
    return frozenset(full), frozenset(masked), frozenset(uncover)


FIELDS: Mapping[str, tuple[frozenset[Role], frozenset[Role], frozenset[Role]]] = {
    # field: who sees it whole · who sees it masked · who may uncover it, with a reason that is kept
    "name": _row(_CARE | _VISIT | {Role.BUREAU}, {Role.QUALITY, Role.PROVIDER, Role.VOLUNTEER}),
    "phone": _row(
        _OWN, _CARE | _VISIT | _OFFICE, _DESK | _FORM | _VISIT | {Role.GRID_WORKER, Role.DOCTOR, Role.BUREAU}
    ),
    "id_number": _row({Role.ELDER}, _CARE | {Role.BUREAU}, _FORM | {Role.BUREAU, Role.LEAD}),
    "address": _row(_CARE | _VISIT | {Role.BUREAU}, {Role.QUALITY, Role.PROVIDER}, {Role.PROVIDER}),
    "illnesses": _row(_CARE - {Role.GRID_WORKER}, (), {Role.BUREAU, Role.GRID_WORKER}),
    "chronic": _row(_CARE - {Role.GRID_WORKER}, (), {Role.BUREAU, Role.GRID_WORKER}),
    "allergies": _row(_CARE, (), {Role.BUREAU, Role.WORKER}),
    "health_state": _row(_CARE | {Role.BUREAU}),
    "ability": _row(_CARE | _VISIT | {Role.BUREAU, Role.PROVIDER}),
    "meters": _row(_FORM | _OWN, _DESK | {Role.BUREAU}),
    "access_note": _row((), _DESK, _DESK),
    "key_note": _row((), _DESK, _DESK),
    "contact_name": _row(_CARE | {Role.BUREAU}, _VISIT | {Role.QUALITY}),
    "contact_phone": _row(_OWN, _CARE | _VISIT | _OFFICE, _DESK | _FORM | _VISIT | {Role.GRID_WORKER}),
    "contact_address": _row(_FORM | _OWN, _DESK | {Role.GRID_WORKER}, _DESK | {Role.GRID_WORKER}),
    "history": _row(_CARE - {Role.GRID_WORKER}, (), {Role.BUREAU}),
    "life": _row(_CARE | {Role.BUREAU, Role.WORKER}),
}
FIELD_LABELS: Mapping[str, str] = {
    "name": "姓名",
    "phone": "联系电话",
    "id_number": "身份证号",
    "address": "住址",
    "illnesses": "重大疾病史",
    "chronic": "慢病史",
    "allergies": "药物过敏史",
    "health_state": "健康状况",
    "ability": "能力状态",
    "meters": "水电燃气户号",
    "access_note": "进门办法",
    "key_note": "钥匙在哪",
    "contact_name": "联系人姓名",
    "contact_phone": "联系人电话",
    "contact_address": "联系人住址",
    "history": "档案记事",
    "life": "爱好与习惯",
}


def view_of(field: str, roles: Iterable[str]) -> View:
    """The most that any of the roles gives."""
    full, masked, _ = FIELDS.get(field, _row())
    held = set(roles)
    if held & full:
        return View.FULL
    return View.MASKED if held & masked else View.NONE


def may_uncover(field: str, roles: Iterable[str]) -> bool:
    """Whether one of the roles may see the field whole after giving a reason."""
    full, _, uncover = FIELDS.get(field, _row())
    return bool(set(roles) & (full | uncover))


def name(text: str) -> str:
    """周晓岚 → 周**."""
    return text[:1] + "*" * max(len(text) - 1, 1) if text else ""


def phone(text: str) -> str:
    """13800001234 → 138****1234; 057110006110 → 0571****6110; short numbers keep the last two digits."""
    digits, _, extension = text.partition(",")
    if not digits:
        return ""
    head = 4 if digits.startswith("0") else 3
    if len(digits) < head + 6:
        return "*" * max(len(digits) - 2, 1) + digits[-2:] if len(digits) > 3 else "***"
    return f"{digits[:head]}{'*' * (len(digits) - head - 4)}{digits[-4:]}" + ("转***" if extension else "")


def id_number(text: str) -> str:
    """330199194305121024 → 330***********1024: neither birth date nor order."""
    return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}" if len(text) >= 15 else "*" * len(text)


def tail(text: str) -> str:
    """A free text: how it begins, not what it says."""
    return text[:2] + "***" if len(text) > 4 else ("***" if text else "")


def address(text: str) -> str:
    """荷汀苑 3 幢 2 单元 502 室 → 荷汀苑 * 幢 * 单元 *** 室: the estate, no number."""
    return "".join("*" if c.isdigit() or c in "一二三四五六七八九十" else c for c in text)


MASKS = {
    "name": name,
    "phone": phone,
    "id_number": id_number,
    "address": address,
    "contact_name": name,
    "contact_phone": phone,
    "contact_address": address,
}
THERE = "已登记"


def shown(field: str, value: str, roles: Iterable[str]) -> str:
    """The value as these roles see it."""
    view = view_of(field, roles)
    if not value or view is View.FULL:
        return value
    return THERE if view is View.NONE else MASKS.get(field, tail)(value)
