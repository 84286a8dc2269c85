"""What WeChat's platform is asked for: the media of a message (developers.weixin.qq.com: stable_token, media/get).

`POST cgi-bin/stable_token` gives the access token of AppID and AppSecret, the same as long as it holds, so two workers do not
throw each other out; `GET cgi-bin/media/get` gives the file, or JSON with `errcode`. Media are kept there for three days.
"""

from __future__ import annotations

import json
from typing import Protocol

import httpx

HOST = "https://api.weixin.qq.com"
LARGEST = 10 * 1024 * 1024
"""Bytes of one file: WeChat's own limit of a picture; voices are below 2 MB."""
TIMEOUT = httpx.Timeout(20.0, connect=5.0)


class Later(Exception):
    """Not now; the words (Chinese) say why and what somebody can do."""


class Never(Exception):
    """It will never be had; why, in Chinese."""


class Source(Protocol):
    """Where media come from."""

    def media(self, media_id: str) -> bytes:
        """The file with this number; Later or Never otherwise."""


_NEVER = {40007: "微信说没有这个文件：可能已过三天保留期", 40004: "微信说文件类型不对"}
_MEND = {
    40013: "后台“微信公众号”里的 AppID 微信不认",
    40125: "后台“微信公众号”里的 AppSecret 不对",
    41004: "后台“微信公众号”里没有填 AppSecret",
    40164: "本机出口地址不在公众号的 IP 白名单里，请在公众号后台添加",
    48001: "公众号没有取文件的接口权限（需要认证）",
    45009: "今天向微信取文件的次数用完了",
}


class Wechat:
    """The platform itself. Nothing is followed that an answer names: only this host is ever asked."""

    def __init__(self, app_id: str, secret: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._app_id, self._secret, self._transport = app_id, secret, transport

    def media(self, media_id: str) -> bytes:
        """See Source."""
        try:
            with httpx.Client(
                base_url=HOST, timeout=TIMEOUT, follow_redirects=False, transport=self._transport
            ) as http:
                return self._file(http, self._token(http), media_id)
        except httpx.HTTPError as error:  # its words would hold the token
            raise Later(f"连不上微信（{type(error).__name__}），会再试") from None

    def _token(self, http: httpx.Client) -> str:
        asked = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
        answer = http.post("/cgi-bin/stable_token", json=asked)
        said = _json(answer.content) if answer.is_success else {}
        if not isinstance(token := said.get("access_token"), str) or not token:
            raise _refusal(said, answer.status_code)
        return token

    def _file(self, http: httpx.Client, token: str, media_id: str) -> bytes:
        asked = {"access_token": token, "media_id": media_id}
        body = bytearray()
        with http.stream("GET", "/cgi-bin/media/get", params=asked) as answer:
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise Never(f"文件超过 {LARGEST // 1024 // 1024} MB，不取")
        said = _json(bytes(body))
        if not answer.is_success or "errcode" in said:
            raise _refusal(said, answer.status_code)
        return bytes(body)


def _json(body: bytes) -> dict[str, object]:
    """The object that it says; {} for a file."""
    if not body.lstrip().startswith(b"{") or len(body) > 4096:
        return {}
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _refusal(said: dict[str, object], status: int) -> Later | Never:
    code = said.get("errcode")
    if not isinstance(code, int):
        return Later(f"微信没有给出文件（HTTP {status}），会再试")
    if code in _NEVER:
        return Never(_NEVER[code])
    return Later(f"{_MEND.get(code, '微信暂时不给文件')}（{code}），会再试")
