"""Where tokens are sent, and what a request looks like to a WSGI server."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from io import BytesIO
from typing import Any

# Door: path, name of the field.
BODY_DOORS = {
    "refresh": ("/api/token/refresh/", "refresh"),
    "verify": ("/api/token/verify/", "token"),
    "blacklist": ("/api/token/blacklist/", "refresh"),
    "revoke": ("/api/token/revoke/", "token"),
}


def on_the_wire(text: str) -> str:
    """Return a header as a WSGI server hands it on: bytes read as Latin-1."""
    return text.encode("utf-8", "surrogatepass").decode("iso-8859-1")


def environ(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> dict[str, Any]:
    """Return the WSGI environ of a request (PEP 3333)."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **headers,
    }
