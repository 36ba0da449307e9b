"""The query budget of DESIGN.md 5: statements a request may cost, ``BEGIN`` and ``COMMIT`` included."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from drf_jwt_kit.tokens import AccessToken
from tests.conftest import PASSWORD, bearer

# Outside of the suite's own transaction, so that every statement is one of the request's.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cost(client: Any) -> Any:
    """A function that sends a request and returns its answer and what it cost."""

    def cost(method: str, path: str, body: Any = None, **headers: str) -> tuple[Any, list[str]]:
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(client, method)(f"/api/{path}", body, format="json", **headers)
        return answer, [query["sql"] for query in queries]

    return cost


@pytest.fixture(params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def anyhow(request: Any, monkeypatch: Any) -> None:
    """With and without a transaction around the project's views."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", request.param)


def test_an_authenticated_request_costs_one(cost: Any, tokens: Any) -> None:
    """Session and user together."""
    answer, statements = cost("get", "me/", **bearer(tokens.access))
    assert (answer.status_code, len(statements)) == (200, 1), statements


def test_an_access_token_without_session_costs_one(cost: Any, user: Any) -> None:
    """The user alone."""
    answer, statements = cost("get", "me/", **bearer(str(AccessToken.for_user(user))))
    assert (answer.status_code, len(statements)) == (200, 1), statements


@pytest.mark.usefixtures("anyhow")
@pytest.mark.parametrize("most", [None, 5])
def test_signing_in_costs_four(cost: Any, user: Any, settings: Any, most: int | None) -> None:
    """The user, the session's row, a second look at both, ``last_login``."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": most}
    answer, statements = cost("post", "token/", {"username": "alice", "password": PASSWORD})
    assert answer.status_code == 200
    assert len(statements) <= 4, statements


@pytest.mark.usefixtures("anyhow")
def test_refreshing_costs_four(cost: Any, tokens: Any) -> None:
    """The row, and the one UPDATE; a retry within grace reads only."""
    answer, statements = cost("post", "token/refresh/", {"refresh": tokens.refresh})
    assert answer.status_code == 200
    assert len(statements) <= 4, statements
    answer, statements = cost("post", "token/refresh/", {"refresh": tokens.refresh})
    assert (answer.status_code, len(statements)) == (200, 1), statements


@pytest.mark.usefixtures("anyhow")
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_verifying_costs_one(cost: Any, tokens: Any, kind: str) -> None:
    """The same query as authenticating."""
    answer, statements = cost("post", "token/verify/", {"token": getattr(tokens, kind)})
    assert (answer.status_code, len(statements)) == (200, 1), statements


@pytest.mark.usefixtures("anyhow")
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_revoking_costs_two(cost: Any, tokens: Any, kind: str) -> None:
    """The row, and the end of it."""
    answer, statements = cost("post", "token/revoke/", {"token": getattr(tokens, kind)})
    assert (answer.status_code, len(statements)) == (200, 2), statements


@pytest.mark.parametrize("body", [{"refresh": "a.b.c"}, {"refresh": "x" * 9000}, {"refresh": ""}, {}, []], ids=str)
def test_what_is_no_token_costs_nothing(cost: Any, user: Any, body: Any) -> None:
    """Garbage is refused before any query."""
    answer, statements = cost("post", "token/refresh/", body)
    assert answer.status_code in (400, 401)
    assert statements == []


def test_a_request_without_a_token_costs_nothing(cost: Any, user: Any) -> None:
    """Nor does an anonymous one."""
    answer, statements = cost("get", "me/")
    assert (answer.status_code, statements) == (403, [])
