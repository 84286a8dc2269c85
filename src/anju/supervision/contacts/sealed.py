"""WeChat's 安全模式: what is in an encrypted frame, and an encrypted answer. Pure.

AES-256-CBC; the key is EncodingAESKey in base64, its first half the initial vector; padded to 32 bytes. Inside lie 16 random bytes,
the length of the text in four bytes, the text, and the AppID that it is for (developers.weixin.qq.com, 消息加解密说明).
"""

from __future__ import annotations

import base64
import hmac
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from anju.supervision.contacts.rules import signature_of

BLOCK, LUCK, LENGTH = 32, 16, 4
"""Bytes: the padding's block, the random head, the length of the text."""


class Unreadable(ValueError):
    """It cannot be decrypted with this key, or it is for another account."""


def key_of(encoding_aes_key: str) -> bytes:
    """32 bytes of the 43 letters that stand in the account's settings; ValueError for anything else."""
    if not re.fullmatch(r"[A-Za-z0-9]{43}", encoding_aes_key):
        raise ValueError("EncodingAESKey 应为 43 位字母或数字")
    return base64.b64decode(encoding_aes_key + "=")


def opened(sealed: str, key: bytes, app_id: str) -> str:
    """The text in the encrypted part. Unreadable when the key does not fit, the padding is wrong, or it is for another AppID."""
    try:
        body = base64.b64decode(sealed, validate=True)
    except ValueError as error:
        raise Unreadable("no base64") from error
    if not body or len(body) % (BLOCK // 2):
        raise Unreadable("no whole blocks")
    box = Cipher(algorithms.AES(key), modes.CBC(key[:LUCK])).decryptor()
    plain = box.update(body) + box.finalize()
    pad = plain[-1]
    if not 1 <= pad <= BLOCK or plain[-pad:] != bytes([pad]) * pad or len(plain) < pad + LUCK + LENGTH:
        raise Unreadable("wrong key")
    plain = plain[LUCK:-pad]
    end = LENGTH + int.from_bytes(plain[:LENGTH])
    if not hmac.compare_digest(plain[end:], app_id.encode()):
        raise Unreadable("for another account")
    try:
        return plain[LENGTH:end].decode()
    except UnicodeDecodeError as error:
        raise Unreadable("no UTF-8") from error


def shut(text: str, key: bytes, app_id: str, luck: bytes) -> str:
    """The same the other way; `luck` are 16 random bytes."""
    said = text.encode()
    plain = luck + len(said).to_bytes(LENGTH) + said + app_id.encode()
    pad = BLOCK - len(plain) % BLOCK
    box = Cipher(algorithms.AES(key), modes.CBC(key[:LUCK])).encryptor()
    return base64.b64encode(box.update(plain + bytes([pad]) * pad) + box.finalize()).decode()


def answer(sealed: str, *, token: str, at: int, nonce: str) -> str:
    """The frame around an encrypted answer; `at` in seconds since 1970."""
    signature = signature_of(token, str(at), nonce, sealed)
    return (
        f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt><MsgSignature><![CDATA[{signature}]]></MsgSignature>"
        f"<TimeStamp>{at}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )
