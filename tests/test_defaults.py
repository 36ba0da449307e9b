"""DRF's defaults in its views."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
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
        monkeypatch.setattr(defaults, "made_of", lambda: paths)
        for name, attribute in defaults.ATTRIBUTES.items():
            made = defaults.rest_framework.perform_import(paths[name], name)
            monkeypatch.setattr(APIView, attribute, (views or {}).get(name, made))
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


def test_what_the_project_named_in_time_it_means(made_of: Any, settings: Any) -> None:
    """Open, if it says so."""
    settings.REST_FRAMEWORK = OPEN
    assert made_of(OPEN) == []
    assert held() == {PERMISSIONS: [AllowAny], AUTHENTICATORS: []}


@pytest.mark.parametrize(("project", "lacked"), [({}, []), (named("IsAdminUser"), [PERMISSIONS])])
def test_a_project_that_opted_out_means_it(
    made_of: Any, settings: Any, project: dict[str, Any], lacked: list[str]
) -> None:
    """``PROTECT_BY_DEFAULT = False``: its own defaults are asked for all the same."""
    settings.DRF_JWT_KIT, settings.REST_FRAMEWORK = {"PROTECT_BY_DEFAULT": False}, project
    assert made_of(OPEN) == lacked


def test_what_a_project_gave_its_views_itself_they_keep(made_of: Any) -> None:
    """The project wins."""
    assert made_of(OPEN, {PERMISSIONS: [AllowAny, IsAdminUser]}) == [AUTHENTICATORS]
    assert held()[PERMISSIONS] == [AllowAny, IsAdminUser]


def test_so_do_views_that_came_later(monkeypatch: Any) -> None:
    """In the ``ready`` of an app before the kit's, say."""
    monkeypatch.setattr(APIView, "permission_classes", [IsAuthenticated, IsAdminUser])
    assert defaults.make_good.__wrapped__() == []
    assert held()[PERMISSIONS] == [IsAuthenticated, IsAdminUser]


def test_functions_are_given_it_too(made_of: Any, settings: Any, rf: Any) -> None:
    """``@api_view`` hands them a copy of DRF's list; it is the same."""
    settings.DRF_JWT_KIT = {"PROTECT_BY_DEFAULT": False}
    made_of(OPEN)

    @api_view(["GET"])
    def early(request: Any) -> Response:
        """Answer anybody."""
        return Response()

    assert early(rf.get("/")).status_code == 200
    settings.DRF_JWT_KIT = {}
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
