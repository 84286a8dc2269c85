"""Every answer of the doors other than 200: its status, what is counted, and the sentence for who reads the sender's log."""

from __future__ import annotations

import json
from http import HTTPStatus


class Refused(Exception):
    """An answer other than 200. `reason` is counted; `text` is for the person who reads the sender's log."""

    def __init__(
        self, status: int, reason: str, text: str, headers: tuple[tuple[str, str], ...] = (), *, last: bool = False
    ) -> None:
        super().__init__(reason)
        self.status, self.reason, self.text, self.headers = status, reason, text, headers
        self.last = last  # the connection can't go on: nobody knows where the next request begins
        self.phrase = HTTPStatus(status).phrase
        self.body = json.dumps({"error": text}, ensure_ascii=False).encode()


NOT_FOUND = Refused(404, "not_found", "没有这个地址。请核对推送地址。")
NO_SECRET = Refused(401, "unauthenticated", "密钥不对或没有密钥。请核对推送地址中的密钥或请求头 X-Anju-Secret。")
BAD_SIGN = Refused(401, "bad_signature", "签名不符。请核对平台上填写的 Token。")
NOT_ALLOWED = Refused(403, "source_address", "来源地址不在允许范围内。请联系平台管理员。")
BAD_METHOD = Refused(405, "bad_method", "此地址只接受 POST。", (("allow", "POST"),))
TOO_LARGE = Refused(413, "too_large", "报文过大。请分批上报。", last=True)
NO_BODY = Refused(400, "empty", "没有收到报文内容。请检查推送配置。")
NOT_HTTP = Refused(400, "not_http", "无法识别的 HTTP 请求。请检查推送配置。", last=True)
TOO_SLOW = Refused(408, "too_slow", "报文接收超时。请检查网络后重发。", last=True)
ENCODED = Refused(415, "encoded", "不接受压缩的报文。请关闭压缩后重发。")
BUSY = Refused(503, "busy", "网关繁忙。请稍后重发。", (("retry-after", "5"),))
NO_SPACE = Refused(
    503, "no_space", "数据库不可用且本地暂存空间不足。请稍后重发，并通知平台管理员。", (("retry-after", "5"),)
)
