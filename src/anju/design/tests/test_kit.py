"""The kit in templates: colour + icon + word, living clocks, escaped texts, the rail by roles, the page that shows it all."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils import timezone

from anju.design import navigation
from anju.design.navigation import NavItem
from anju.design.templatetags.kit import time_left

NOW = datetime(2026, 11, 20, 1, 46, 38, tzinfo=UTC)
HERE = Path(__file__).parents[1]


def draw(source: str, **context: object) -> str:
    """A template as text."""
    return Template(source).render(Context({"now": NOW, **context}))


def test_a_status_is_colour_icon_and_word_and_escapes_what_people_typed() -> None:
    """No colour stands alone; a name with markup stays text."""
    html = draw('{% tag "warn" "clock" word %}', word="<b>久静</b>")
    assert 'data-kind="warn"' in html
    assert "#i-clock" in html
    assert "&lt;b&gt;久静" in html


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (147, "2:27"),
        (1080, "18分"),
        (7200, "今日"),
        (86_400, "明日"),
        (3 * 86_400, "3天"),
        (-12, "超0:12"),
        (-700, "超11分"),
        (-90_000, "超1天"),
    ],
)
def test_time_left_reads_as_people_say_it(seconds: int, text: str) -> None:
    """2:27, not 02:33 used."""
    assert time_left(NOW + timedelta(seconds=seconds), NOW) == text


def test_a_countdown_carries_the_due_time_for_the_island() -> None:
    """The server's first picture and what the island needs to go on."""
    html = draw("{% countdown due total=300 %}", due=NOW + timedelta(seconds=150))
    assert f'due="{round((NOW.timestamp() + 150) * 1000)}"' in html
    assert "--p:50" in html
    assert draw("{% countdown due %}", due=None) == ""


def test_the_rail_shows_what_the_roles_may_open() -> None:
    """Data, not templates, say who sees which entry; the longest fitting address is the current one."""
    items = [NavItem("/x/", "总", "home"), NavItem("/x/a/", "甲", "user", roles=frozenset({"lead"}), order=2)]
    assert [i.label for i in items if i.seen_with({"agent"})] == ["总"]
    here = navigation.current(items, "/x/a/7")
    assert here is not None
    assert here.label == "甲"


def test_every_icon_that_a_template_names_exists() -> None:
    """A missing icon would be an empty square."""
    known = set(re.findall(r'id="i-([a-z-]+)"', (HERE / "templates/design/icons.html").read_text(encoding="utf-8")))
    used: set[str] = set()
    for file in HERE.parent.rglob("templates/**/*.html"):
        text = file.read_text(encoding="utf-8")
        used |= set(re.findall(r'{% icon "([a-z-]+)"', text))
        used |= set(re.findall(r'{% tag "[a-z]+" "([a-z-]+)"', text))
        used |= set(re.findall(r'{% notice "[a-z]+" "([a-z-]+)"', text))
    assert used <= known, used - known


def test_the_page_of_the_kit_holds_every_component_and_no_english() -> None:
    """All twenty, each once; kinds and icon names are the only Latin words."""
    html = render_to_string("design/kit/frames.html", {"due": NOW, "now": NOW}) + render_to_string(
        "design/kit/parts.html", {"due": NOW, "now": NOW}
    )
    html += render_to_string("design/kit/figures.html")
    for n in (1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20):
        assert f'id="c{n}"' in html, n


def test_no_role_stands_in_a_template() -> None:
    """Buttons come from moves and permissions, never from the name of a post."""
    for file in HERE.parent.rglob("templates/**/*.html"):
        assert not re.search(r"roles\s*==|in roles|Role\.", file.read_text(encoding="utf-8")), file


def test_days_and_times_are_written_one_way_and_go_back_as_they_came() -> None:
    """Whatever was given, the field holds what `fromisoformat` reads; without scripts it is the browser's own field."""
    html = draw(
        '{% when "day" day say="到哪一天" most=day %}{% when "at" moment "datetime" must=True %}{% when "t" "05:30" "time" %}'
        '{% when "none" %}',
        day=date(2026, 11, 2),
        moment=NOW,
    )
    local = timezone.localtime(NOW)
    assert (
        '<when-field kind="date"><input class="input" type="date" name="day" value="2026-11-02" max="2026-11-02"'
        in html
    )
    assert f'type="datetime-local" name="at" value="{local:%Y-%m-%dT%H:%M}" required="required"' in html
    assert datetime.fromisoformat(f"{local:%Y-%m-%dT%H:%M}") == local.replace(second=0, microsecond=0, tzinfo=None)
    assert 'kind="time"><input class="input" type="time" name="t" value="05:30">' in html
    assert 'name="none">' in html
    bare = [
        file.name
        for file in HERE.parent.rglob("templates/**/*.html")
        for found in re.findall(r'(.{0,90})type="(?:date|time|datetime-local)"', file.read_text(encoding="utf-8"))
        if "kind ==" not in found
    ]
    assert not bare, f"use {{% when %}}: {bare}"


def test_a_box_to_tick_is_one_row_with_its_words() -> None:
    """The whole row is the target, not the box of 13 px."""

    class Asked(forms.Form):
        key = forms.BooleanField(label="有钥匙", required=False)

    html = draw("{% field form.key %}", form=Asked())
    assert re.search(r'<label class="tick" for="id_key"><input type="checkbox"[^>]*><span>有钥匙</span></label>', html)
