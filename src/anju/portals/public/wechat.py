"""The door of the WeChat official account (服务器配置): GET proves whose it is, POST brings a message.

Its token and key stand in the back office (微信公众号). Without an account the door is shut (404); with a key only encrypted frames
are taken (安全模式, 兼容模式) and answers are encrypted with the key that opened the frame. The operations page says how it stands.
WeChat repeats a frame that was not answered within five seconds: one message number is one contact. What WeChat signed and we
cannot read is refused with 400: WeChat then tells the writer that the account is out of order, and the leads are paged.
"""

from __future__ import annotations

import secrets

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from anju.kernel import clock, crypto
from anju.kernel.flow.actor import NotAllowed
from anju.supervision.contacts import actions, queries, rules, sealed

BIGGEST = 20_000
"""Bytes of a frame."""
THANKS = "您的留言已收到，坐席会尽快答复。答复在这里看：{link}\n急事请直接打电话。"
TOO_MANY = "您发得太频繁，请过十分钟再发。急事请直接打电话。"
WRONG_KEY = "收到的加密留言解不开：请核对后台“微信公众号”里的密钥（EncodingAESKey）和 AppID"
NO_KEY = "公众号选了安全模式，但后台“微信公众号”里没有填密钥（EncodingAESKey），留言读不出来"


@csrf_exempt
@require_http_methods(["GET", "POST"])
def door(request: HttpRequest) -> HttpResponse:
    """403 for a wrong signature; 400 for what cannot be read; 200 with a word for the writer."""
    account = queries.account()
    if account is None:
        return HttpResponse("没有配置微信公众号。", status=404, content_type="text/plain; charset=utf-8")
    if request.method == "GET":
        if not _signed(request, account, "signature"):
            return HttpResponse(status=403)
        return HttpResponse(request.GET.get("echostr", "")[:100], content_type="text/plain; charset=utf-8")
    length = request.headers.get("Content-Length", "0")
    if not length.isdigit() or int(length) > BIGGEST:
        return HttpResponse(status=413)
    body = request.body.decode("utf-8", "replace")
    return _sealed(request, account, body) if account.keys else _plain(request, account, body)


def _signed(request: HttpRequest, account: queries.Account, name: str, part: str = "") -> bool:
    timestamp, nonce, signature = (request.GET.get(n, "")[:100] for n in ("timestamp", "nonce", name))
    return rules.signed(account.token, timestamp, nonce, signature, clock.now().timestamp(), part)


def _plain(request: HttpRequest, account: queries.Account, body: str) -> HttpResponse:
    if not _signed(request, account, "signature"):
        return HttpResponse(status=403)
    try:
        frame = rules.frame(body)
    except rules.NoFrame:
        if rules.sealed_part(body):
            actions.wechat_unread(text=NO_KEY)
        return HttpResponse(status=400)
    said = _answer(request, account, frame)
    return HttpResponse(said or "success", content_type="application/xml; charset=utf-8" if said else None)


def _sealed(request: HttpRequest, account: queries.Account, body: str) -> HttpResponse:
    part = rules.sealed_part(body)
    if not part or not _signed(request, account, "msg_signature", part):
        return HttpResponse(status=403)
    for key in account.keys:
        try:
            frame = rules.frame(sealed.opened(part, key, account.app_id))
        except (sealed.Unreadable, rules.NoFrame):
            continue
        said = _answer(request, account, frame)
        if not said:
            return HttpResponse("success")
        hidden = sealed.shut(said, key, account.app_id, secrets.token_bytes(sealed.LUCK))
        answer = sealed.answer(hidden, token=account.token, at=_now(), nonce=secrets.token_hex(8))
        return HttpResponse(answer, content_type="application/xml; charset=utf-8")
    actions.wechat_unread(text=WRONG_KEY)
    return HttpResponse(status=400)


def _answer(request: HttpRequest, account: queries.Account, frame: rules.Frame | None) -> str:
    """Keep what was written; the word for the writer, "" where none is wanted."""
    actions.wechat_heard(account_id=account.id)
    if frame is None or not frame.text:
        return ""
    return rules.reply(frame, _kept(request, frame), _now())


def _now() -> int:
    return int(clock.now().timestamp())


def _kept(request: HttpRequest, frame: rules.Frame) -> str:
    """The word for the writer after her message was stored."""
    thread = crypto.blind(frame.sender, "contact.wechat")
    try:
        row = actions.receive(
            channel="wechat", text=frame.text, origin=frame.sender, thread=thread, outer_id=frame.outer_id, kind=frame.kind,
            said=frame.said, media=frame.media,
        )  # fmt: skip
    except actions.TooMany:
        return TOO_MANY
    except NotAllowed as refused:
        return str(refused)
    return THANKS.format(link=request.build_absolute_uri(reverse("message_thread", args=[row.thread])))
