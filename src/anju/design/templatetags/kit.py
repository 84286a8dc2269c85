"""The kit in templates: small tags that always give colour + icon + word together.

Built in (settings.TEMPLATES builtins): no `{% load %}` needed. No domain words here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, Select, SelectMultiple, Textarea
from django.template.context import Context
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from anju.design import navigation
from anju.design import when as whens

register = template.Library()

_CIRCLES = mark_safe(
    '<svg viewBox="0 0 40 40" aria-hidden="true"><circle cx="20" cy="20" r="17" pathLength="100"/>'
    '<circle cx="20" cy="20" r="17" pathLength="100"/></svg>'
)
_EMPTY_HOUSE = mark_safe(
    '<svg viewBox="0 0 120 88" aria-hidden="true"><path d="M8 80h104M20 80V38l40-26 40 26v42M60 6v6"/>'
    '<rect x="48" y="44" width="24" height="20" rx="1.5"/><path d="M60 44v20M48 54h24"/>'
    '<path d="M34 80V66M86 80V66" stroke-opacity=".6"/></svg>'
)


def _attrs(**values: object) -> SafeString:
    """Attributes for those that have a value; `data_kind` becomes `data-kind`."""
    given = ((name.replace("_", "-"), value) for name, value in values.items() if value not in ("", None))
    return mark_safe("".join(f' {name}="{escape(value)}"' for name, value in given))  # noqa: S308 - escaped here


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """`{% icon "sos" %}`, sizes "", "l", "xl". Never alone: a word stands beside it."""
    return format_html('<svg class="icon"{} aria-hidden="true"><use href="#i-{}"/></svg>', _attrs(data_size=size), name)


@register.simple_tag
def tag(kind: str, icon_name: str, word: str, look: str = "", title: str = "") -> SafeString:
    """`{% tag "warn" "clock" "久静" %}`: a status. Kinds: emergency warn deaf maint ok work mute. look: "", "plain", "drill"."""
    mark = icon(icon_name) if icon_name else ""
    return format_html(
        '<span class="tag"{}>{}{}</span>', _attrs(data_kind=kind, data_look=look, title=title), mark, word
    )


@register.simple_tag
def ring(percent: float, text: str = "", kind: str = "", size: str = "") -> SafeString:
    """A still countdown ring: `percent` of the time that is left."""
    word = format_html("<b>{}</b>", text) if text else ""
    return format_html(
        '<span class="ring"{} style="--p:{}">{}{}</span>',
        _attrs(data_kind=kind, data_size=size),
        round(percent),
        _CIRCLES,
        word,
    )


@register.simple_tag(takes_context=True)
def countdown(
    context: Context | dict[str, datetime],
    due: datetime | None,
    total: float = 0,
    kind: str = "",
    size: str = "",
    *,
    bare: bool = False,
) -> SafeString:
    """A living ring to the moment `due`; `total` is the whole term in seconds (for the share that is left).

    The island ticks it by the server's clock. The first picture uses `now` of the context when there is one.
    kind "emergency" makes it red in its last third, otherwise it turns amber there. `bare` leaves out the figure.
    """
    if due is None:
        return SafeString("")
    now = context.get("now")
    text, share = (time_left(due, now), _share(due, now, total)) if isinstance(now, datetime) else ("", 100)
    attrs = _attrs(data_kind=kind, data_size=size, due=round(due.timestamp() * 1000), total=round(total) or "")
    word = "" if bare else f"<b>{text}</b>"
    return mark_safe(f'<count-down class="ring"{attrs} style="--p:{share}">{_CIRCLES}{word}</count-down>')  # noqa: S308 - figures only


@register.simple_tag(takes_context=True)
def left(context: Context, due: datetime | None) -> SafeString:
    """The time left as a living figure without a ring: 2:27."""
    if due is None:
        return SafeString("")
    now = context.get("now")
    text = time_left(due, now) if isinstance(now, datetime) else ""
    return format_html('<count-down due="{}"><b>{}</b></count-down>', round(due.timestamp() * 1000), text)


@register.simple_tag(takes_context=True)
def elapsed(context: Context, since: datetime | None) -> SafeString:
    """Time gone by since a moment, living: 04:46. Only once on a page, big."""
    if since is None:
        return SafeString("")
    now = context.get("now")
    text = _clock(max(now - since, timedelta())) if isinstance(now, datetime) else ""
    return format_html('<time-since since="{}">{}</time-since>', round(since.timestamp() * 1000), text)


def time_left(due: datetime, now: datetime) -> str:
    """2:27 · 18分 · 今日 · 明日 · 3天; past: 超0:12 · 超5分 · 超2时 · 超1天. The island speaks the same."""
    seconds = int((due - now).total_seconds())
    if seconds < 0:
        return "超" + _rough(-seconds)
    if seconds < 3600:
        return _rough(seconds)
    days = (timezone.localtime(due).date() - timezone.localtime(now).date()).days
    return {0: "今日", 1: "明日"}.get(days, f"{days}天")


def _rough(seconds: int) -> str:
    if seconds < 600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    if seconds < 3600:
        return f"{seconds // 60}分"
    return f"{seconds // 3600}时" if seconds < 86400 else f"{seconds // 86400}天"


def _clock(gone: timedelta) -> str:
    seconds = int(gone.total_seconds())
    hours, rest = divmod(seconds, 3600)
    clock = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{clock}" if hours < 24 and hours else clock if not hours else f"{hours // 24} 天 {hours % 24} 时"


def _share(due: datetime, now: datetime, total: float) -> int:
    if total <= 0:
        return 100
    return round(min(max((due - now).total_seconds() / total, 0), 1) * 100)


@register.simple_tag
def empty_state(title: str, note: str = "", proof: str = "") -> SafeString:
    """Nothing here. `proof` says that we are listening all the same (最近信号 1 秒前)."""
    lines = format_html("<p>{}</p>", note) if note else ""
    heard = format_html('<p class="sub live">{}</p>', proof) if proof else ""
    return format_html('<div class="empty">{}<b>{}</b>{}{}</div>', _EMPTY_HOUSE, title, lines, heard)


@register.simple_tag
def notice(kind: str, icon_name: str, text: str) -> SafeString:
    """A banner in the page. Errors are `warn`: red is for people in danger."""
    role = "alert" if kind in {"emergency", "warn"} else "status"
    return format_html(
        '<div class="notice" data-kind="{}" role="{}">{}<span>{}</span></div>', kind, role, icon(icon_name), text
    )


@register.simple_tag
def stat(name: str, value: object, unit: str = "", note: str = "", meaning: str = "", kind: str = "") -> SafeString:
    """A figure with its name, unit, its target or last month (`note`) and its definition behind ⓘ (`meaning`)."""
    info = (
        format_html('<span title="{}">{}<span class="vh">{}</span></span>', meaning, icon("info"), meaning)
        if meaning
        else ""
    )
    return format_html(
        '<div class="stat"><span class="stat__name">{}{}</span><span class="stat__value"{}>{}{}</span>'
        '<span class="stat__note">{}</span></div>',
        name,
        info,
        _attrs(data_kind=kind),
        value,
        format_html("<small>{}</small>", unit) if unit else "",
        note,
    )


@register.simple_tag
def field(bound: BoundField, *, stack: bool = False, wide: bool = False) -> SafeString:
    """A form field of Django in the look of the kit: label, input, and the error that says what to do next (amber)."""
    widget = bound.field.widget
    looks: dict[type, str] = {
        Select: "select",
        SelectMultiple: "textarea",
        Textarea: "textarea",
        CheckboxInput: "",
        CheckboxSelectMultiple: "checks",
    }
    look = looks.get(type(widget), "input")
    wrong = bool(bound.errors)
    attrs: dict[str, Any] = {"class": f"{widget.attrs.get('class', '')} {look}".strip()}
    if wrong:
        attrs |= {"aria-invalid": "true", "aria-describedby": f"{bound.id_for_label}-note"}
    note = "；".join(str(e) for e in bound.errors) or str(bound.help_text)
    if isinstance(widget, CheckboxInput):  # the whole row is the target
        return format_html(
            '<div class="field"{}{}{}><label class="tick" for="{}">{}<span>{}</span></label>{}</div>',
            mark_safe(" data-stack") if stack else "",
            mark_safe(" data-wide") if wide else "",
            mark_safe(' data-state="wrong"') if wrong else "",
            bound.id_for_label,
            bound.as_widget(attrs=attrs),
            bound.label,
            format_html('<p class="field__note" id="{}-note">{}</p>', bound.id_for_label, note) if note else "",
        )
    return format_html(
        '<div class="field"{}{}{}><label for="{}">{}{}</label>{}{}</div>',
        mark_safe(" data-stack") if stack else "",
        mark_safe(" data-wide") if wide else "",
        mark_safe(' data-state="wrong"') if wrong else "",
        bound.id_for_label,
        bound.label,
        mark_safe('<span class="field__must" aria-hidden="true">*</span>') if bound.field.required else "",
        bound.as_widget(attrs=attrs),
        format_html('<p class="field__note" id="{}-note">{}</p>', bound.id_for_label, note) if note else "",
    )


@register.simple_tag
def when(
    name: str,
    value: object = "",
    kind: str = "date",
    say: str = "",
    *,
    must: bool = False,
    least: object = "",
    most: object = "",
) -> SafeString:
    """`{% when "day" day say="到哪一天" %}`: a day (kind date), a moment (datetime) or a time of day (time) in a plain form.

    `say` names the field for those who hear it, where no label stands around it; `least`, `most`: the bounds of its picker.
    """
    given = _attrs(
        type=whens.SHAPES[kind].type, name=name, value=whens.written(kind, value), required="required" if must else "",
        min=whens.written(kind, least), max=whens.written(kind, most), aria_label=say,
    )  # fmt: skip
    return whens.framed(kind, format_html('<input class="input"{}>', given))


@register.inclusion_tag("design/pager.html", takes_context=True)
def pager(context: Context, page: Page[Any]) -> dict[str, Any]:
    """`{% pager page %}` under a table: a page of Django's Paginator; the other filters of the address stay."""
    return {"page": page, "request": context.get("request")}


@register.inclusion_tag("design/nav.html", takes_context=True)
def rail(context: Context, frame: str) -> dict[str, Any]:
    """The rail of a frame ("desk" or "office"), built from what the portals registered and the user may open."""
    items = navigation.items_for(frame, (str(role) for role in context.get("roles") or ()))
    request = context.get("request")
    here = navigation.current(items, request.path) if request is not None else None
    counts = context.get("nav_counts") or {}
    return {
        "groups": list(navigation.grouped(items)),
        "here": here,
        "counts": counts,
        "csrf_token": context.get("csrf_token"),
    }


@register.filter
def item(mapping: dict[Any, Any], key: object) -> object:
    """`mapping|item:key`: a value of a dictionary by a key that is a variable."""
    return mapping.get(key, "")


@register.filter
def epoch_ms(moment: datetime) -> int:
    """A moment as the islands read it: milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


@register.filter
def make_list_of_words(text: str) -> list[str]:
    """`"a b c"|make_list_of_words`: for short loops in templates."""
    return text.split()
