"""DRF's defaults in its views."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from rest_framework import settings as rest_framework
from rest_framework.decorators import api_view
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from drf_jwt_kit import defaults
from drf_jwt_kit.authentication import JWTAuthentication

PERMISSIONS, AUTHENTICATORS = "DEFAULT_PERMISSION_CLASSES", "DEFAULT_AUTHENTICATION_CLASSES"
OPEN: dict[str, Any] = {PERMISSIONS: ["rest_framework.permissions.AllowAny"], AUTHENTICATORS: []}
KITS = {PERMISSIONS: [IsAuthenticated], AUTHENTICATORS: [JWTAuthentication]}


def held() -> dict[str, Any]:
    """Return what views have by default."""
    return {name: getattr(APIView, attribute) for name, attribute in defaults.ATTRIBUTES.items()}


@pytest.fixture
def made_of(monkeypatch: Any) -> Any:
    """A function that lets views be made too early, of other defaults than the kit's, and makes that good."""

    def made_of(paths: dict[str, Any], views: dict[str, Any] | None = None) -> list[str]:
        made = {name: rest_framework.perform_import(paths[name], name) for name in paths}
        monkeypatch.setattr(rest_framework, "api_settings", SimpleNamespace(**made, reload=list))
        monkeypatch.setattr(defaults, "made_early", cache(defaults.made_early.__wrapped__))
        defaults.made_early()
        for name, attribute in defaults.ATTRIBUTES.items():
            monkeypatch.setattr(APIView, attribute, (views or {}).get(name, made[name]))
        return defaults.make_good.__wrapped__()

    return made_of


def named(name: str) -> dict[str, Any]:
    """Return a project's ``REST_FRAMEWORK`` with another permission."""
    return {PERMISSIONS: [f"rest_framework.permissions.{name}"]}


def test_views_that_came_later_lack_nothing() -> None:
    """They were made with the kit's."""
    assert defaults.make_good() == defaults.make_good.__wrapped__() == []
    assert held() == KITS


@pytest.mark.parametrize(
    ("project", "has"),
    [
        ({}, KITS),
        ({"PAGE_SIZE": 3}, KITS),
        (named("IsAdminUser"), {**KITS, PERMISSIONS: [IsAdminUser]}),
        ({PERMISSIONS: ("rest_framework.permissions.IsAdminUser",)}, {**KITS, PERMISSIONS: [IsAdminUser]}),
        (named("NoSuchPermission"), KITS),
        ({PERMISSIONS: None}, KITS),
    ],
    ids=["the kit's", "other keys", "the project's", "a tuple", "nowhere", "no list"],
)
def test_views_that_came_first_are_given_what_they_lack(
    made_of: Any, settings: Any, project: dict[str, Any], has: dict[str, Any]
) -> None:
    """Law 7: the kit's, but what the project names, if that can be used."""
    settings.REST_FRAMEWORK = project
    assert made_of(OPEN) == [PERMISSIONS, AUTHENTICATORS]
    assert held() == has


@pytest.mark.parametrize(("read", "lacked"), [(OPEN, [PERMISSIONS]), (named("IsAdminUser"), []), ({}, [])])
def test_views_are_given_what_half_of_the_settings_did_not_say(
    monkeypatch: Any, settings: Any, read: dict[str, Any], lacked: list[str]
) -> None:
    """DRF had read them before they were complete, and made nothing of them yet."""
    settings.REST_FRAMEWORK = {**named("IsAdminUser"), AUTHENTICATORS: []}
    monkeypatch.setattr(rest_framework, "api_settings", SimpleNamespace(_user_settings=read, reload=list))
    monkeypatch.setattr(defaults, "made_early", cache(defaults.made_early.__wrapped__))
    monkeypatch.setattr(APIView, "permission_classes", [AllowAny])
    monkeypatch.setattr(APIView, "authentication_classes", [])
    assert defaults.make_good.__wrapped__() == lacked
    assert held()[PERMISSIONS] == ([IsAdminUser] if lacked else [AllowAny])


def test_what_the_project_named_in_time_it_means(made_of: Any, settings: Any) -> None:
    """Open, if it says so."""
    settings.REST_FRAMEWORK = OPEN
    assert made_of(OPEN) == []
    assert held() == {PERMISSIONS: [AllowAny], AUTHENTICATORS: []}


def test_what_a_project_gave_its_views_itself_they_keep(made_of: Any) -> None:
    """The project wins."""
    assert made_of(OPEN, {PERMISSIONS: [AllowAny, IsAdminUser]}) == [AUTHENTICATORS]
    assert held()[PERMISSIONS] == [AllowAny, IsAdminUser]


def test_what_is_added_once_the_app_is_made_views_keep(made_of: Any, monkeypatch: Any) -> None:
    """In the ``ready`` of an app before the kit's, say, to DRF's own list."""
    made_of(OPEN)
    APIView.permission_classes[:] = [AllowAny]
    APIView.permission_classes.append(IsAdminUser)
    assert defaults.make_good.__wrapped__() == []
    assert held()[PERMISSIONS] == [AllowAny, IsAdminUser]


def test_so_do_views_that_came_later(monkeypatch: Any) -> None:
    """In the ``ready`` of an app before the kit's, say."""
    monkeypatch.setattr(APIView, "permission_classes", [IsAuthenticated, IsAdminUser])
    assert defaults.make_good.__wrapped__() == []
    assert held()[PERMISSIONS] == [IsAuthenticated, IsAdminUser]


def test_functions_are_given_it_too(made_of: Any, settings: Any, rf: Any) -> None:
    """``@api_view`` hands them a copy of DRF's list; it is the same."""
    settings.REST_FRAMEWORK = OPEN
    assert made_of(OPEN) == []

    @api_view(["GET"])
    def early(request: Any) -> Response:
        """Answer anybody."""
        return Response()

    assert early(rf.get("/")).status_code == 200
    settings.REST_FRAMEWORK = {}
    assert defaults.make_good.__wrapped__() == [PERMISSIONS, AUTHENTICATORS]
    assert early(rf.get("/")).status_code == 403


def test_what_was_no_list_is_replaced(made_of: Any) -> None:
    """DRF had read something else of the settings."""
    assert made_of({**OPEN, PERMISSIONS: None}) == [PERMISSIONS, AUTHENTICATORS]
    assert held() == KITS


def test_it_is_done_once_a_process(settings: Any, monkeypatch: Any) -> None:
    """Django makes apps ready again where a test overrides ``INSTALLED_APPS``."""
    settings.REST_FRAMEWORK = OPEN
    apps.get_app_config("drf_jwt_kit").ready()
    assert held() == KITS
