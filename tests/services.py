"""Which services are within reach: tests that need one say so by a marker of its name."""

from __future__ import annotations

import os
import shutil
import socket
from functools import cache
from urllib.parse import urlsplit

REQUIRED = bool(os.environ.get("REQUIRE_SERVICES"))


def _listens(host: str, port: str | int) -> bool:
    """Return whether something accepts connections there."""
    try:
        with socket.create_connection((host, int(port)), timeout=2):
            return True
    except OSError:
        return False


@cache
def missing(name: str) -> str | None:
    """Return why the service ``name`` cannot be used, ``None`` if it can."""
    environ = os.environ
    redis = urlsplit(environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"))
    found = {
        "postgresql": lambda: _listens(environ.get("PGHOST", "127.0.0.1"), environ.get("PGPORT", "5432")),
        "mariadb": lambda: _listens(environ.get("MYSQL_HOST", "127.0.0.1"), environ.get("MYSQL_PORT", "3306")),
        "redis": lambda: _listens(redis.hostname or "127.0.0.1", redis.port or 6379),
        "curl": lambda: bool(shutil.which("curl")),
        "chromium": lambda: bool(shutil.which("chromium") or shutil.which("chromium-browser")),
    }[name]()
    return None if found else f"{name} was not found on this machine"


SERVICES = ("postgresql", "mariadb", "redis", "curl", "chromium")
