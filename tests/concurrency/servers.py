"""gunicorn on an arena's database, and a client that speaks to it over a socket."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).resolve().parents[2]


class Answer(NamedTuple):
    """A whole response."""

    status: int
    body: Any


class Server:
    """gunicorn with so many workers, on a socket that was listening before it came up."""

    def __init__(self, environ: dict[str, str], *, workers: int) -> None:
        """Start it; whoever connects meanwhile waits in the socket's queue."""
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address: tuple[str, int] = listening.getsockname()
        arguments = ["--bind", f"fd://{listening.fileno()}", "--workers", str(workers), "--preload"]
        command = [sys.executable, "-m", "gunicorn", *arguments, "--log-level", "critical"]
        with listening:
            self.process = subprocess.Popen(
                [*command, "tests.concurrency.wsgi:application"],
                cwd=ROOT,
                env=environ,
                pass_fds=[listening.fileno()],
            )

    def __enter__(self) -> Self:
        """Return the server."""
        return self

    def __exit__(self, *args: object) -> None:
        """Stop it, and with it its connections to the database."""
        self.process.terminate()
        self.process.wait(timeout=60)

    def send(self, method: str, path: str, body: Any = None, access: str = "") -> HTTPConnection:
        """Send a request and return the connection that the response will come through."""
        connection = HTTPConnection(*self.address, timeout=60)
        headers = {"Authorization": f"Bearer {access}"} if access else {}
        connection.request(method, path, json.dumps(body), {"Content-Type": "application/json", **headers})
        return connection

    def call(self, method: str, path: str, body: Any = None, access: str = "") -> Answer:
        """Send a request and return its answer."""
        answer = received(self.send(method, path, body, access))
        assert answer is not None, f"{path} was not answered"
        return answer

    def refresh(self, token: str) -> Answer:
        """Present a refresh token."""
        return self.call("POST", "/api/token/refresh/", {"refresh": token})

    def refresh_and_kill(self, token: str, delay: float) -> Answer | None:
        """Present a refresh token and kill the only worker ``delay`` seconds later; ``None`` if the answer is lost."""
        worker = self.call("GET", "/worker").body
        connection = self.send("POST", "/api/token/refresh/", {"refresh": token})
        select.select([connection.sock], [], [], delay)
        os.kill(worker, signal.SIGKILL)
        return received(connection)


def received(connection: HTTPConnection) -> Answer | None:
    """Return the answer to what was sent, ``None`` where the server went away before it was whole."""
    try:
        response = connection.getresponse()
        return Answer(response.status, json.loads(response.read() or b"null"))
    except (HTTPException, ConnectionError):
        return None
    finally:
        connection.close()
