"""What the telephone says, to all or to the callers of one number: what the machine still reads, and who recorded the rest."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from anju.calls.lines import actions, queries
from anju.calls.lines.sound import UnusableSound
from anju.calls.scripts.queries import menus_of_numbers
from anju.portals.district.access import actor, allowed, missing, opens

LARGEST = 20 * 1024 * 1024
"""Bytes of an uploaded recording: 90 s of 96 kHz stereo are less."""


@never_cache
@opens("prompts")
def listing(request: HttpRequest) -> HttpResponse:
    """Every fixed sentence, the placeholders first."""
    rows = sorted(queries.prompts(), key=lambda p: p.own)
    return render(
        request, "district/calls/prompts.html",
        {
            "rows": rows, "left": sum(not p.own for p in rows), "numbers": queries.number_prompts(), "menus": menus_of_numbers(),
            "may_change": allowed(actor(request), "dictionary.change")["dictionary_change"],
        },
    )  # fmt: skip


@require_GET
@opens("prompts")
def audio(request: HttpRequest, code: str) -> HttpResponse:
    """The sentence as callers hear it."""
    sound = queries.prompt_sound(code)
    if sound is None:
        return missing(request, "这条提示音")
    return HttpResponse(sound, content_type="audio/wav")


@require_POST
@opens("prompts")
def replace(request: HttpRequest, code: str) -> HttpResponse:
    """A person's recording instead of the synthetic voice, or back to it. The action asks who may."""
    by = actor(request)
    return _change(
        request, lambda: actions.restore_prompt(code=code, by=by), "已换回占位音。",
        lambda content, text: actions.upload_prompt(code=code, content=content, text=text, by=by), "已换成真人录音，一会儿来电就听到。",
    )  # fmt: skip


@require_GET
@opens("prompts")
def number_audio(request: HttpRequest, number_id: int) -> HttpResponse:
    """What callers of this number alone hear."""
    sound = queries.number_sound(number_id)
    if sound is None:
        return missing(request, "这条录音")
    return HttpResponse(sound, content_type="audio/wav")


@require_POST
@opens("prompts")
def number_replace(request: HttpRequest, number_id: int) -> HttpResponse:
    """A recording for the callers of one number, or back to the common prompt. The action asks who may."""
    by = actor(request)
    return _change(
        request, lambda: actions.drop_number_prompt(number_id=number_id, by=by), "已去掉专用录音，改播通用提示音。",
        lambda content, text: actions.upload_number_prompt(number_id=number_id, content=content, text=text, by=by),
        "已换上专用录音，一会儿打这个号码就听到。",
    )  # fmt: skip


def _change(
    request: HttpRequest, back: Callable[[], object], went_back: str, put: Callable[[bytes, str], object], done: str
) -> HttpResponse:
    file = request.FILES.get("recording")
    text = request.POST.get("text", "").replace("\0", "").strip()[:300]
    try:
        if request.POST.get("restore"):
            back()
            messages.success(request, went_back)
        elif file is None or (file.size or 0) > LARGEST:
            messages.warning(request, "请选一个录音文件，不超过 20 MB。")
        else:
            put(file.read(), text)
            messages.success(request, done)
    except UnusableSound as error:
        messages.warning(request, str(error))
    return redirect("district:prompts")
