"""Does a process work? One that has an address is asked over HTTP, the others must beat."""

from __future__ import annotations

import http.client
import ssl

from anju.ops import heartbeat
from anju.ops.home import Home


def http_answers(host: str, port: int, *, https: bool, name: str = "", seconds: float = 2.0) -> bool:
    """`GET /healthz` gives 200. `name` is the Host header that the server accepts; no certificate is judged."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - to compare with, not to bind
    connection: http.client.HTTPConnection
    if https:
        blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(address, port, timeout=seconds, context=blind)
    else:
        connection = http.client.HTTPConnection(address, port, timeout=seconds)
    try:
        connection.request("GET", "/healthz", headers={"Host": name} if name else {})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def beats(name: str, home: Home) -> bool:
    """The process touched its file a moment ago."""
    seconds = heartbeat.age(name, home)
    return seconds is not None and seconds < heartbeat.FRESH_SECONDS
