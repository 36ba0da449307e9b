"""THREATS "Headers and bodies", byte by byte over a socket: what a real server makes of it reaches the kit as well."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.concurrency.servers import Server
from tests.conftest import PASSWORD
from tests.outages import migrated

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("raw requests")]

JSON = b"Content-Type: application/json\r\n"


class Answer(NamedTuple):
    """A response as it came."""

    status: int
    kind: str | None
    body: bytes

    @property
    def code(self) -> Any:
        """Return the code in the body."""
        return json.loads(self.body)["code"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gunicorn on a database that knows alice."""
    file: Path = tmp_path_factory.mktemp("raw") / "db.sqlite3"
    environ = {**os.environ, "ARENA_DATABASE": "sqlite", "ARENA_NAME": str(file)}
    migrated(environ, "alice", PASSWORD)
    with Server(environ, workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def tokens(server: Server) -> dict[str, str]:
    """The tokens of a sign-in."""
    answer = server.call("POST", "/api/token/", {"username": "alice", "password": PASSWORD})
    assert answer.status == 200
    found: dict[str, str] = answer.body
    return found


def send(server: Server, line: bytes, headers: bytes = b"", body: bytes = b"", *, hang_up: bool = False) -> Answer:
    """Send the bytes of one request; with ``hang_up`` say that nothing more comes."""
    with socket.create_connection(server.address, timeout=60) as connection:
        connection.sendall(line + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers + b"\r\n" + body)
        if hang_up:
            connection.shutdown(socket.SHUT_WR)
        with HTTPResponse(connection) as response:
            response.begin()
            return Answer(response.status, response.getheader("Content-Type"), response.read())


HEADERS: dict[str, tuple[bytes, int]] = {
    "one header": (b"Authorization: Bearer %b\r\n", 200),
    "no case": (b"aUTHORIZATION: bEARER %b\r\n", 200),
    "space around": (b"Authorization: \t Bearer  %b \t\r\n", 200),
    "two headers": (b"Authorization: Bearer %b\r\nAuthorization: Bearer %b\r\n", 401),
    "two headers, the first bad": (b"Authorization: Bearer x\r\nAuthorization: Bearer %b\r\n", 401),
    "two headers, the second bad": (b"Authorization: Bearer %b\r\nAuthorization: Bearer x\r\n", 401),
    "two headers, the second empty": (b"Authorization: Bearer %b\r\nAuthorization:\r\n", 401),
    "two schemes": (b"Authorization: Basic eDp5\r\nAuthorization: Bearer %b\r\n", 403),
    "scheme alone": (b"Authorization: Bearer\r\n", 401),
    "raw 0xff": (b"Authorization: \xff\r\n", 401),
    "raw 0xff behind the scheme": (b"Authorization: Bearer \xff\r\n", 401),
    "raw 0xff behind the token": (b"Authorization: Bearer %b\xff\r\n", 401),
    "UTF-8": ("Authorization: Bearer \u00e9\U0001f3ab\r\n".encode(), 401),
    "token of 8 KB": (b"Authorization: Bearer " + b"a" * 8100 + b"\r\n", 401),
    "underscore": (b"Authorization_: Bearer %b\r\n", 403),
    "another header": (b"X-Authorization: Bearer %b\r\n", 403),
    "empty": (b"Authorization:\r\n", 403),
}


@pytest.mark.parametrize(("headers", "status"), HEADERS.values(), ids=HEADERS)
def test_headers_as_they_arrive(server: Server, tokens: dict[str, str], headers: bytes, status: int) -> None:
    """THREATS: two Authorization headers, raw 0xff, 8 KB: through a server they mean what they mean without."""
    answer = send(server, b"GET /api/me/", headers.replace(b"%b", tokens["access"].encode()))
    assert (answer.status, answer.kind) == (status, "application/json")
    if status != 200:
        assert answer.code in {"bad_authorization_header", "token_not_valid", "not_authenticated"}


BODIES: dict[str, tuple[bytes, bytes, int]] = {
    "none": (JSON, b"", 400),
    "less than was said": (JSON + b"Content-Length: 100\r\n", b'{"refresh": "x"', 400),
    "less than was said, in UTF-8": (JSON + b"Content-Length: 16\r\n", b'{"refresh": "\xc3', 400),
    "in chunks": (JSON + b"Transfer-Encoding: chunked\r\n", b'10\r\n{"refresh": "x"}\r\n0\r\n\r\n', 400),
    "in chunks that break off": (JSON + b"Transfer-Encoding: chunked\r\n", b'20\r\n{"refresh": "x"', 400),
    "compressed, it says": (JSON + b"Content-Encoding: gzip\r\nContent-Length: 16\r\n", b'{"refresh": "x"}', 401),
    "NUL": (JSON + b"Content-Length: 3\r\n", b"\0\0\0", 400),
    "of no type": (b"Content-Length: 16\r\n", b'{"refresh": "x"}', 415),
}


@pytest.mark.parametrize(("headers", "body", "status"), BODIES.values(), ids=BODIES)
def test_bodies_as_they_arrive(server: Server, headers: bytes, body: bytes, status: int) -> None:
    """THREATS: a body that breaks off, comes in chunks (which WSGI reads as none) or is none: JSON, no server error."""
    answer = send(server, b"POST /api/token/refresh/", headers, body, hang_up=True)
    assert (answer.status, answer.kind) == (status, "application/json")


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT", b"OPTIONS", b"PROPFIND", b"GET", b"PUT", b"DELETE"])
def test_methods_as_they_arrive(server: Server, tokens: dict[str, str], method: bytes) -> None:
    """THREATS: TRACE echoes no token, OPTIONS tells of no docstring, and none has an effect."""
    authorization = b"Authorization: Bearer %b\r\n" % tokens["access"].encode()
    answer = send(server, method + b" /api/token/refresh/", authorization)
    assert (answer.status, answer.kind) == (405, "application/json")
    assert json.loads(answer.body).keys() == {"detail", "code"}
    assert tokens["access"].encode() not in answer.body
    assert send(server, b"GET /api/me/", authorization).status == 200
