"""The database is gone: law 8."""

from __future__ import annotations

import socket
from typing import Any

import pytest

pytestmark = pytest.mark.processes

ASK_EVERYTHING = """
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

client = APIClient(raise_request_exception=False)
token = AccessToken()
token["user_id"] = "1"
refresh = RefreshToken()
refresh["user_id"] = "1"
sent = {"HTTP_AUTHORIZATION": "Bearer " + str(token)}
asked = [
    client.post("/api/token/", {"username": "a", "password": "b"}, format="json"),
    client.post("/api/token/refresh/", {"refresh": str(refresh)}, format="json"),
    client.post("/api/token/verify/", {"token": str(token)}, format="json"),
    client.post("/api/token/revoke/", {"token": str(refresh)}, format="json"),
    client.post("/api/token/blacklist/", {"refresh": str(refresh)}, format="json"),
    client.get("/api/sessions/", **sent),
    client.delete("/api/sessions/", **sent),
    client.delete("/api/sessions/others/", **sent),
    client.delete("/api/sessions/01960000-0000-7000-8000-000000000000/", **sent),
    client.get("/class/", **sent),
    client.get("/function/", **sent),
]
tell(
    statuses=sorted({answer.status_code for answer in asked}),
    codes=sorted({answer.json()["code"] for answer in asked}),
    types=sorted({answer["Content-Type"] for answer in asked}),
    retry=sorted({answer.headers.get("Retry-After", "missing") for answer in asked}),
    stored=sorted({answer.headers.get("Cache-Control", "missing") for answer in asked[:9]}),
    anonymous=[client.get(path).status_code for path in ("/class/", "/api/sessions/")],
    garbage=client.post("/api/token/refresh/", {"refresh": "x"}, format="json").status_code,
)
"""

UNAVAILABLE = {
    "statuses": [503],
    "codes": ["service_unavailable"],
    "types": ["application/json"],
    "retry": ["5"],
    "stored": ["no-store"],
    "anonymous": [403, 403],
    "garbage": 401,
}


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_a_database_that_does_not_answer_is_a_503(project: Any, engine: str) -> None:
    """Law 8: 503 JSON, never a 200 and never a page; what needs no database is answered as ever."""
    project.set(
        f"""
        import pymysql
        pymysql.install_as_MySQLdb()
        DATABASES = {{
            "default": {{
                "ENGINE": "django.db.backends.{engine}",
                "HOST": "127.0.0.1",
                "PORT": "{closed_port()}",
                "NAME": "nowhere",
                "USER": "nobody",
            }}
        }}
        """
    )
    assert project.run(ASK_EVERYTHING) == UNAVAILABLE


def test_a_database_without_tables_is_a_503(project: Any) -> None:
    """Law 8: ``migrate`` was forgotten, or the tables are gone."""
    assert project.run(ASK_EVERYTHING) == UNAVAILABLE


@pytest.mark.parametrize("middleware", ["atomic", "plain"])
def test_under_atomic_requests_too(project: Any, middleware: str) -> None:
    """Law 8: the kit's own endpoints do not open the transaction that could not be opened."""
    atomic = middleware == "atomic"
    project.set(
        f"""
        DATABASES = {{
            "default": {{
                "ENGINE": "django.db.backends.postgresql",
                "HOST": "127.0.0.1",
                "PORT": "{closed_port()}",
                "ATOMIC_REQUESTS": {atomic},
            }}
        }}
        """
    )
    script = """
    from rest_framework.test import APIClient
    client = APIClient(raise_request_exception=False)
    answer = client.post("/api/token/", {"username": "a", "password": "b"}, format="json")
    tell(status=answer.status_code, code=answer.json()["code"])
    """
    assert project.run(script) == {"status": 503, "code": "service_unavailable"}
