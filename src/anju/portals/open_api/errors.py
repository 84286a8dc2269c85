"""Errors as problem JSON in Chinese: every one says what to do next, none is a page."""

from __future__ import annotations

import json

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from anju.kernel.flow.actor import NotAllowed
from anju.places.queries import BadCode
from anju.portals.open_api.cursors import BadCursor

TITLES = {
    400: "请求有误",
    401: "未认证",
    403: "不允许",
    404: "没有找到",
    405: "方法不对",
    409: "现在不能这样做",
    413: "太大",
    416: "范围有误",
    422: "参数有误",
}


def problem(status: int, detail: str, code: str = "") -> HttpResponse:
    """An answer of type application/problem+json."""
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "出错"),
        "status": status,
        "detail": detail,
        "code": code,
    }
    answer = HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type="application/problem+json")
    if status == 401:
        answer["WWW-Authenticate"] = 'Bearer realm="anju"'
    return answer


def install(api: NinjaAPI) -> None:
    """Hand every expected kind of refusal its answer."""

    @api.exception_handler(ValidationError)
    def _invalid(_: HttpRequest, error: ValidationError) -> HttpResponse:
        where = "、".join(
            dict.fromkeys(".".join(str(p) for p in e["loc"][1:]) or str(e["loc"][0]) for e in error.errors)
        )
        return problem(422, f"这些参数不合要求：{where}。请对照 /api/openapi.json 改正。", "invalid")

    @api.exception_handler(AuthenticationError)
    def _unknown(_: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        return problem(401, "请在 Authorization 头里写 Bearer 和有效的令牌；令牌由安全管理员签发。", "token")

    @api.exception_handler(BadCursor)
    def _cursor(_: HttpRequest, _error: BadCursor) -> HttpResponse:
        return problem(400, "cursor 不是本接口给出的值，请从第一页重新取。", "cursor")

    @api.exception_handler(BadCode)
    def _place(_: HttpRequest, error: BadCode) -> HttpResponse:
        return problem(422, str(error), "place")

    @api.exception_handler(NotAllowed)
    def _not_allowed(_: HttpRequest, error: NotAllowed) -> HttpResponse:
        return problem(409, str(error), error.code)

    @api.exception_handler(PermissionDenied)
    def _denied(_: HttpRequest, error: PermissionDenied) -> HttpResponse:
        return problem(403, str(error) or "令牌的岗位不能做这件事，请换一个账号的令牌。", "denied")

    @api.exception_handler(ObjectDoesNotExist)
    @api.exception_handler(Http404)
    def _gone(_: HttpRequest, _error: Exception) -> HttpResponse:
        return problem(404, "没有这一条，或不在令牌的辖区内。请核对编号。", "missing")

    @api.exception_handler(RequestDataTooBig)
    def _too_big(_: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
        return problem(413, "请求体过大，请缩短后重发。", "size")

    @api.exception_handler(HttpError)
    def _http(_: HttpRequest, error: HttpError) -> HttpResponse:
        said = {400: "请求体不是有效的 JSON，请检查括号、引号与编码。"}.get(error.status_code, str(error))
        return problem(error.status_code, said, "http")
