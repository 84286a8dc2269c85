"""A page draws what it is given; it does not decide who may do what."""

from __future__ import annotations

import re

from anju.accounts.roles import Role
from tests.contracts.tree import SOURCE

TAGS = re.compile(r"{[{%](.*?)[}%]}", re.DOTALL)
WORDS = re.compile(r"""["']([a-z_]+)["']""")
NAMES = {str(role) for role in Role}


def role_names(template: str) -> list[str]:
    """Names of roles inside template tags: `{% if "lead" in roles %}`. A CSS class of the same name is no matter."""
    found = []
    for tag in TAGS.findall(template):
        if re.match(r"\s*(if|elif|with|ifequal)\b", tag):
            found += [w for w in WORDS.findall(tag) if w in NAMES and re.search(r"\brole", tag)]
            found += re.findall(r"\b(?:is_superuser|is_staff|perms\.\w+)", tag)
    return found


def test_role_names_are_recognised() -> None:
    assert role_names('{% if "lead" in roles %}x{% endif %}') == ["lead"]
    assert role_names("{% if user.role == 'agent' %}{% endif %}") == ["agent"]
    assert role_names("{% if user.is_superuser %}") == ["is_superuser"]
    assert role_names('{% for m in moves %}<b class="lead">{{ m.label }}</b>{% endfor %}{% if kind == "elder" %}') == []


def test_no_template_asks_for_a_role() -> None:
    found = {
        path.relative_to(SOURCE).as_posix(): names
        for path in sorted(SOURCE.rglob("*.html"))
        if (names := role_names(path.read_text(encoding="utf-8")))
    }
    assert found == {}
