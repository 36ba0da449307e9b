"""The doors that a token can be tried at, and what is tried there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.db import connection

from drf_jwt_kit.models import TokenSession
from tests.attacks import forge
from tests.attacks.wire import BODY_DOORS, on_the_wire
from tests.conftest import PASSWORD, Tokens, bearer

Make = Callable[[dict[str, Any]], str]

CODES = {"token_not_valid", "bad_authorization_header", "user_not_found"}
HEADER_DOORS = ("/api/me/", "/api/sessions/")


@pytest.fixture(autouse=True)
def _standing_clock(clock: Any) -> None:
    """Let time stand still, so that nothing expires by the way."""


def is_json(answer: Any) -> bool:
    """Return whether the answer is JSON, as every answer of the kit's must be."""
    return answer["Content-Type"] == "application/json" and answer.json() is not None


def _is_no_text(token: str) -> bool:
    """Return whether a body's field refuses the text before anything reads it as a token."""
    return not token or "\0" in token or any("\ud800" <= character <= "\udfff" for character in token)


class Doors:
    """Every way in."""

    def __init__(self, client: Any) -> None:
        """Use ``client``."""
        self.client = client

    def header(self, path: str, token: str) -> Any:
        """Knock with an ``Authorization`` header."""
        return self.client.get(path, HTTP_AUTHORIZATION=on_the_wire(f"Bearer {token}"))

    def body(self, door: str, token: str) -> Any:
        """Knock with a JSON body."""
        path, field = BODY_DOORS[door]
        return self.client.post(path, json.dumps({field: token}), content_type="application/json")

    def refuse_in_header(self, token: str) -> None:
        """Assert that a protected endpoint does not let the token in."""
        answer = self.header("/api/me/", token)
        assert answer.status_code == 401, answer.content
        assert is_json(answer)
        assert answer.json()["code"] in CODES, answer.json()
        assert answer["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_token"')

    def refuse_in_body(self, token: str) -> None:
        """Assert that no endpoint takes the token for good."""
        refused, ignored = (400, 400) if _is_no_text(token) else (401, 200)
        for door in BODY_DOORS:
            answer = self.body(door, token)
            assert answer.status_code == (ignored if door == "revoke" else refused), (door, answer.content)
            assert is_json(answer)
            if answer.status_code == 401:
                assert answer.json()["code"] == "token_not_valid", (door, answer.json())
                assert answer["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_token"')

    def refuse(self, token: str) -> None:
        """Assert that no door opens."""
        self.refuse_in_header(token)
        self.refuse_in_body(token)

    def admit(self, access: str, refresh: str) -> Tokens:
        """Assert that every door opens for good tokens; return the next ones."""
        for path in HEADER_DOORS:
            assert self.header(path, access).status_code == 200, path
        for token in (access, refresh):
            assert self.body("verify", token).status_code == 200
        answer = self.body("refresh", refresh)
        assert answer.status_code == 200, answer.content
        return Tokens(answer.json()["access"], answer.json()["refresh"])


@pytest.fixture
def doors(client: Any) -> Doors:
    """All doors, tried with the test's client."""
    return Doors(client)


@pytest.fixture
def kinds(tokens: Tokens) -> dict[str, dict[str, Any]]:
    """The claims of good tokens of each kind: of a session, and as simplejwt alone makes them."""
    access, refresh = (forge.payload_of(token) for token in tokens)
    return {
        "access": access,
        "refresh": refresh,
        "access without session": forge.without_session(access),
        "refresh without session": forge.without_session(refresh),
    }


@pytest.fixture
def refuse_each(doors: Doors, tokens: Tokens, kinds: dict[str, dict[str, Any]]) -> Any:
    """A function that tries a forgery of each kind of token at every door, and that nothing came of it."""

    def refuse_each(make: Make, names: tuple[str, ...] = ("access", "refresh")) -> None:
        before = list(TokenSession.objects.values())
        for name in names:
            doors.refuse(make(kinds[name]))
        assert list(TokenSession.objects.values()) == before
        doors.admit(*tokens)

    return refuse_each


def another_user(django_user_model: Any, name: str = "mallory", **values: Any) -> Any:
    """Return one more user."""
    return django_user_model.objects.create_user(name, password=PASSWORD, **values)


def signed_in(client: Any, name: str, password: str = PASSWORD) -> Tokens:
    """Return the tokens of a user's sign-in."""
    answer = client.post("/api/token/", {"username": name, "password": password}, format="json")
    assert answer.status_code == 200, answer.content
    return Tokens(answer.json()["access"], answer.json()["refresh"])


def headers(access: str | None) -> Mapping[str, str]:
    """Return the headers of a request with or without a token."""
    return bearer(access) if access else {}


@pytest.fixture
def break_database(transactional_db: None) -> Iterator[Any]:
    """A function that takes the table of sessions out of reach until the test is over.

    MariaDB commits before it renames: the test cannot run in a transaction that is rolled back.
    """
    broken = []

    def rename(old: str, new: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")

    def break_it() -> None:
        rename(TokenSession._meta.db_table, "out_of_reach")
        broken.append(True)

    yield break_it
    if broken:
        rename("out_of_reach", TokenSession._meta.db_table)
