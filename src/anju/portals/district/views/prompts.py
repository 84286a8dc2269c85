"""What the telephone says: which sentences are still read by the synthetic voice, and who replaced the others, when."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from anju.calls.lines import actions, queries
from anju.calls.lines.sound import UnusableSound
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
            "rows": rows, "left": sum(not p.own for p in rows),
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
    by, file = actor(request), request.FILES.get("recording")
    text = request.POST.get("text", "").replace("\0", "").strip()[:300]
    try:
        if request.POST.get("restore"):
            actions.restore_prompt(code=code, by=by)
            messages.success(request, "已换回占位音。")
        elif file is None or (file.size or 0) > LARGEST:
            messages.warning(request, "请选一个录音文件，不超过 20 MB。")
        else:
            actions.upload_prompt(code=code, content=file.read(), text=text, by=by)
            messages.success(request, "已换成真人录音，一会儿来电就听到。")
    except UnusableSound as error:
        messages.warning(request, str(error))
    return redirect("district:prompts")
