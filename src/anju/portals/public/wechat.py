"""The door of a WeChat official account (服务器配置, 明文模式): GET proves whose it is, POST brings a message.

Its token is ANJU_WECHAT_TOKEN. Without it the door is shut (404) and the operations page says so. WeChat repeats a frame that was
not answered within five seconds: one message number is one contact.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from anju.kernel import clock, crypto
from anju.kernel.flow.actor import NotAllowed
from anju.supervision.contacts import actions, rules

BIGGEST = 20_000
"""Bytes of a frame."""
THANKS = "您的留言已收到，坐席会尽快答复。答复在这里看：{link}\n急事请直接打电话。"
TOO_MANY = "您发得太频繁，请过十分钟再发。急事请直接打电话。"


@csrf_exempt
@require_http_methods(["GET", "POST"])
def door(request: HttpRequest) -> HttpResponse:
    """403 for a wrong signature; 400 for no frame; 200 with a word for the writer."""
    token = str(getattr(settings, "ANJU_WECHAT_TOKEN", ""))
    if not token:
        return HttpResponse("没有配置微信公众号。", status=404, content_type="text/plain; charset=utf-8")
    asked = {name: request.GET.get(name, "")[:100] for name in ("signature", "timestamp", "nonce", "echostr")}
    now = clock.now().timestamp()
    if not rules.signed(token, asked["timestamp"], asked["nonce"], asked["signature"], now):
        return HttpResponse(status=403)
    if request.method == "GET":
        return HttpResponse(asked["echostr"], content_type="text/plain; charset=utf-8")
    length = request.headers.get("Content-Length", "0")
    return _message(request) if length.isdigit() and int(length) <= BIGGEST else HttpResponse(status=413)


def _message(request: HttpRequest) -> HttpResponse:
    try:
        frame = rules.frame(request.body.decode("utf-8", "replace"))
    except rules.NoFrame:
        return HttpResponse(status=400)
    if frame is None or not frame.text:
        return HttpResponse("success")
    answer = rules.reply(frame, _kept(request, frame), int(clock.now().timestamp()))
    return HttpResponse(answer, content_type="application/xml; charset=utf-8")


def _kept(request: HttpRequest, frame: rules.Frame) -> str:
    """The word for the writer after her message was stored."""
    thread = crypto.blind(frame.sender, "contact.wechat")
    try:
        row = actions.receive(
            channel="wechat", text=frame.text, origin=frame.sender, thread=thread, outer_id=frame.outer_id
        )
    except actions.TooMany:
        return TOO_MANY
    except NotAllowed as refused:
        return str(refused)
    return THANKS.format(link=request.build_absolute_uri(reverse("message_thread", args=[row.thread])))
