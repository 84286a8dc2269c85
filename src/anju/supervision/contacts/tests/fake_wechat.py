"""WeChat's other end as documented: an access token for AppID and AppSecret, files by their number, errors as JSON with 200."""

from __future__ import annotations

import json

import httpx

SECRET = "0123456789abcdef0123456789abcdef"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x11" * 200 + b"\xff\xd9"
AMR = b"#!AMR\n" + b"\x3c" * 320


class FakeWechat(httpx.BaseTransport):
    """`files`: number → what it gives out (bytes, or an error code). `down`: nobody is there."""

    def __init__(self, app_id: str) -> None:
        self.app_id = app_id
        self.files: dict[str, bytes | int] = {}
        self.down = False
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert (request.url.scheme, request.url.host) == ("https", "api.weixin.qq.com")
        self.asked.append(request.url.path)
        if self.down:
            raise httpx.ConnectError("no route to host", request=request)
        if (request.method, request.url.path) == ("POST", "/cgi-bin/stable_token"):
            return self._token(json.loads(request.read()))
        if (request.method, request.url.path) == ("GET", "/cgi-bin/media/get"):
            return self._file(dict(request.url.params))
        return httpx.Response(404)

    def _token(self, said: dict[str, str]) -> httpx.Response:
        if (said["grant_type"], said["appid"]) != ("client_credential", self.app_id):
            return httpx.Response(200, json={"errcode": 40013, "errmsg": "invalid appid"})
        if said["secret"] != SECRET:
            return httpx.Response(200, json={"errcode": 40125, "errmsg": "invalid appsecret"})
        return httpx.Response(200, json={"access_token": "a-token", "expires_in": 7200})

    def _file(self, asked: dict[str, str]) -> httpx.Response:
        if asked["access_token"] != "a-token":
            return httpx.Response(200, json={"errcode": 40001, "errmsg": "invalid credential"})
        found = self.files.get(asked["media_id"], 40007)
        if isinstance(found, int):
            return httpx.Response(200, json={"errcode": found, "errmsg": "as the code says"})
        headers = {"Content-Type": "image/jpeg", "Content-Disposition": 'attachment; filename="m.jpg"'}
        return httpx.Response(200, content=found, headers=headers)
