"""Names and paths are the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.urls import include, path, re_path, resolve, reverse

from drf_jwt_kit import sessions, urls, views
from tests.conftest import PASSWORD, bearer

SID = "01960000-0000-7000-8000-000000000000"

CONTRACT = [
    ("token_obtain_pair", [], "token/", views.TokenObtainPairView),
    ("token_refresh", [], "token/refresh/", views.TokenRefreshView),
    ("token_verify", [], "token/verify/", views.TokenVerifyView),
    ("token_revoke", [], "token/revoke/", views.TokenRevokeView),
    ("token_blacklist", [], "token/blacklist/", views.TokenBlacklistView),
    ("session_list", [], "sessions/", views.SessionListView),
    ("session_others", [], "sessions/others/", views.OtherSessionsView),
    ("session_detail", [SID], f"sessions/{SID}/", views.SessionDetailView),
]


@pytest.mark.parametrize(("name", "arguments", "path", "view"), CONTRACT)
def test_a_name_has_its_path_and_view(name: str, arguments: list[str], path: str, view: type) -> None:
    """DESIGN 2.1."""
    assert reverse(f"drf_jwt_kit:{name}", args=arguments) == f"/api/{path}"
    assert resolve(f"/api/{path}").func.cls is view


def test_there_is_nothing_else() -> None:
    """DESIGN 2.1: no endpoint that the contract does not name."""
    assert urls.app_name == "drf_jwt_kit"
    assert [pattern.name for pattern in urls.urlpatterns] == [name for name, *_ in CONTRACT]


CAPTURING = {
    "a version": re_path(r"^(?P<version>v\d)/api/", include(urls)),
    "a tenant": path("v1/api/", include(urls), {"tenant": "acme"}),
    "what the kit has a name for": path("<slug:pk>/api/", include(urls)),
    "without a name": re_path(r"^(v\d)/api/", include(urls)),
}


@pytest.mark.parametrize("entry", CAPTURING.values(), ids=CAPTURING)
def test_every_endpoint_is_at_home_beneath_a_path_with_parameters(
    client: Any, user: Any, settings: Any, entry: Any
) -> None:
    """2.2: a project that captures a version or a tenant there got HTML and 500 from its list of devices."""
    settings.ROOT_URLCONF = type("URLs", (), {"urlpatterns": [entry]})

    def ask(method: str, path: str, body: Any = None, **headers: Any) -> int:
        answer = client.generic(method, f"/v1/api/{path}", json.dumps(body), "application/json", **headers)
        assert answer.headers["Cache-Control"] == "no-store"
        return int(answer.status_code)

    first, other = (sessions.start(user) for _ in range(2))
    refresh, access, signed_in = str(first.refresh), str(first.access), bearer(str(first.access))
    assert ask("POST", "token/", {"username": "alice", "password": PASSWORD}) == 200
    assert ask("POST", "token/refresh/", {"refresh": refresh}) == 200
    assert ask("POST", "token/verify/", {"token": access}) == 200
    assert ask("GET", "sessions/") == 403
    assert ask("GET", "sessions/", **signed_in) == 200
    assert ask("DELETE", f"sessions/{other.session.pk}/", **signed_in) == 204
    assert ask("DELETE", "sessions/others/", **signed_in) == 204
    assert ask("DELETE", "sessions/", **signed_in) == 204
    assert ask("POST", "token/revoke/", {"token": access}) == 200
    assert ask("POST", "token/blacklist/", {"refresh": str(sessions.start(user).refresh)}) == 200
