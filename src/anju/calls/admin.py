"""Back office of queues and skills."""

from __future__ import annotations

from django.contrib import admin

from anju.accounts.backoffice import DictionaryAdmin
from anju.calls.models import Queue, Skill, SkillGroup


@admin.register(Queue)
class QueueAdmin(DictionaryAdmin):
    """Where callers wait, how long a seat rings, when it overflows."""

    list_display = (
        "name",
        "code",
        "priority",
        "emergency",
        "ring_seconds",
        "overflow_seconds",
        "wrap_up_seconds",
        "survey",
    )
    filter_horizontal = ("skills",)


@admin.register(SkillGroup)
class SkillGroupAdmin(DictionaryAdmin):
    """What some agents can do."""

    list_display = ("name", "code")


@admin.register(Skill)
class SkillAdmin(DictionaryAdmin):
    """Who can do it, and how well."""

    list_display = ("user", "group", "level")
    list_filter = ("group",)
