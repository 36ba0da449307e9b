"""DRF's defaults in its views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.decorators import api_view
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from drf_jwt_kit import defaults
from drf_jwt_kit.authentication import JWTAuthentication

PERMISSIONS, AUTHENTICATORS = "DEFAULT_PERMISSION_CLASSES", "DEFAULT_AUTHENTICATION_CLASSES"
ADMINS = {PERMISSIONS: ["rest_framework.permissions.IsAdminUser"]}


@pytest.fixture
def frozen(monkeypatch: Any) -> Iterator[dict[str, list[Any]]]:
    """What an early import leaves on DRF's base view: its own defaults."""
    lists = {"permission_classes": [AllowAny], "authentication_classes": []}
    for attribute, classes in lists.items():
        monkeypatch.setattr(APIView, attribute, classes)
    return lists


def test_views_that_came_later_lack_nothing() -> None:
    """They were made with the kit's."""
    assert defaults.lacking({}) == {}


@pytest.mark.parametrize(
    ("named", "lacked"),
    [
        ({}, {PERMISSIONS: [IsAuthenticated], AUTHENTICATORS: [JWTAuthentication]}),
        ({"PAGE_SIZE": 3}, {PERMISSIONS: [IsAuthenticated], AUTHENTICATORS: [JWTAuthentication]}),
        (ADMINS, {PERMISSIONS: [IsAdminUser], AUTHENTICATORS: [JWTAuthentication]}),
        ({PERMISSIONS: ("rest_framework.permissions.IsAdminUser",), AUTHENTICATORS: ()}, {PERMISSIONS: [IsAdminUser]}),
        ({PERMISSIONS: ["rest_framework.permissions.AllowAny"], AUTHENTICATORS: None}, {}),
    ],
    ids=["the kit's", "other keys", "the project's", "tuples", "the same, and no list"],
)
@pytest.mark.usefixtures("frozen")
def test_views_that_came_first_lack_what_counts(named: dict[str, Any], lacked: dict[str, list[Any]]) -> None:
    """Law 7: the kit's, but what the project names. Of what is no list E031 tells."""
    assert defaults.lacking(named) == lacked


@pytest.mark.parametrize(("named", "lacked"), [({}, {}), (ADMINS, {PERMISSIONS: [IsAdminUser]})])
@pytest.mark.usefixtures("frozen")
def test_a_project_that_opted_out_means_it(settings: Any, named: dict[str, Any], lacked: dict[str, list[Any]]) -> None:
    """``PROTECT_BY_DEFAULT = False``: its own defaults are asked for all the same."""
    settings.DRF_JWT_KIT = {"PROTECT_BY_DEFAULT": False}
    assert defaults.lacking(named) == lacked


@pytest.mark.usefixtures("frozen")
def test_what_leads_nowhere_is_an_error() -> None:
    """As it is DRF's where views come later: no view is open for it."""
    with pytest.raises(ImportError, match="NoSuchPermission"):
        defaults.lacking({PERMISSIONS: ["rest_framework.permissions.NoSuchPermission"]})


def test_views_are_given_what_they_lack(frozen: dict[str, list[Any]], rf: Any) -> None:
    """Law 7: functions too, which have a copy of their own."""

    @api_view(["GET"])
    def early(request: Any) -> Response:
        """Answer anybody."""
        return Response()

    assert early(rf.get("/")).status_code == 200
    defaults.give(defaults.lacking({}))
    assert early(rf.get("/")).status_code == 403
    assert APIView.permission_classes is frozen["permission_classes"]
    assert defaults.lacking({}) == {}


def test_what_was_no_list_is_replaced(monkeypatch: Any) -> None:
    """DRF had read something else of the settings."""
    monkeypatch.setattr(APIView, "permission_classes", None)
    defaults.give({PERMISSIONS: [IsAuthenticated]})
    assert APIView.permission_classes == [IsAuthenticated]
