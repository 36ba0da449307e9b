"""Names and paths are the contract."""

from __future__ import annotations

import pytest
from django.urls import resolve, reverse

from drf_jwt_kit import urls, views

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
