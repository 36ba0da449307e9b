"""DRF's defaults in its views."""

from __future__ import annotations

import sys
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from rest_framework import settings as rest_framework
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.decorators import api_view
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from drf_jwt_kit import defaults
from drf_jwt_kit.authentication import JWTAuthentication

PERMISSIONS, AUTHENTICATORS = "DEFAULT_PERMISSION_CLASSES", "DEFAULT_AUTHENTICATION_CLASSES"
STAFF = (IsAdminUser,)
OPEN: dict[str, Any] = {PERMISSIONS: ["rest_framework.permissions.AllowAny"], AUTHENTICATORS: []}
KITS = {PERMISSIONS: [IsAuthenticated], AUTHENTICATORS: [JWTAuthentication]}


def held() -> dict[str, Any]:
    """Return what views have by default."""
    return {name: getattr(APIView, attribute) for name, attribute in defaults.ATTRIBUTES.items()}


@pytest.fixture
def made_of(monkeypatch: Any) -> Any:
    """A function that lets views be made too early, and makes that good."""

    def made_of(views: dict[str, Any], drfs: dict[str, Any] | None = None) -> list[str]:
        known = SimpleNamespace(**(views if drfs is None else drfs), reload=rest_framework.api_settings.reload)
        monkeypatch.setattr(rest_framework, "api_settings", known)
        monkeypatch.setattr(defaults, "made_early", cache(defaults.made_early.__wrapped__))
        for name, attribute in defaults.ATTRIBUTES.items():
            monkeypatch.setattr(APIView, attribute, views[name])
        return defaults.make_good.__wrapped__()

    return made_of


def drfs_own() -> dict[str, list[Any]]:
    """Return what DRF makes views of by itself."""
    return {PERMISSIONS: [AllowAny], AUTHENTICATORS: [SessionAuthentication, BasicAuthentication]}


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
        ({PERMISSIONS: [IsAdminUser]}, KITS),
        ({PERMISSIONS: f"{__name__}.STAFF"}, {**KITS, PERMISSIONS: [IsAdminUser]}),
    ],
    ids=["the kit's", "other keys", "the project's", "a tuple", "nowhere", "no list", "no path", "a tuple by path"],
)
def test_views_that_came_first_are_given_what_they_lack(
    made_of: Any, settings: Any, project: dict[str, Any], has: dict[str, Any]
) -> None:
    """Law 7: the kit's, but what the project names, if that can be used."""
    settings.REST_FRAMEWORK = project
    assert made_of(drfs_own()) == [PERMISSIONS, AUTHENTICATORS]
    assert held() == has


def test_what_the_project_named_in_time_it_means(made_of: Any, settings: Any) -> None:
    """Open, if it says so."""
    settings.REST_FRAMEWORK = OPEN
    assert made_of({PERMISSIONS: [AllowAny], AUTHENTICATORS: []}) == []
    assert held() == {PERMISSIONS: [AllowAny], AUTHENTICATORS: []}


@pytest.mark.parametrize(
    ("views", "lacked", "has"),
    [
        ([AllowAny, IsAdminUser], [PERMISSIONS], [IsAuthenticated, IsAdminUser]),
        ([IsAdminUser], [PERMISSIONS], [IsAuthenticated, IsAdminUser]),
        ((IsAdminUser,), [PERMISSIONS], [IsAuthenticated, IsAdminUser]),
        ([IsAdminUser, IsAuthenticated], [], [IsAdminUser, IsAuthenticated]),
        (None, [PERMISSIONS], [IsAuthenticated]),
    ],
    ids=["added", "instead", "a tuple", "before", "nothing"],
)
def test_views_stay_closed_that_a_project_has_closed_further(
    made_of: Any, views: Any, lacked: list[str], has: list[Any]
) -> None:
    """By what its code has put into DRF's list, or in the place of it; permissions are all asked."""
    assert made_of({**KITS, PERMISSIONS: views}) == lacked
    assert held()[PERMISSIONS] == has


@pytest.mark.parametrize("views", [[JWTAuthentication, BasicAuthentication], [BasicAuthentication, JWTAuthentication]])
def test_nobody_is_let_in_by_an_authenticator_that_is_not_named(made_of: Any, views: list[Any]) -> None:
    """Half of the settings may have named it; any one of them lets in, and the first says how."""
    assert made_of({**KITS, AUTHENTICATORS: views}) == [AUTHENTICATORS]
    assert held() == KITS


def test_it_is_so_where_the_kit_protects_nothing(made_of: Any, settings: Any) -> None:
    """Nothing is opened for what the settings name."""
    settings.REST_FRAMEWORK = OPEN
    assert made_of({PERMISSIONS: [AllowAny, IsAdminUser], AUTHENTICATORS: []}) == []
    assert held()[PERMISSIONS] == [AllowAny, IsAdminUser]


def test_what_drf_hands_out_further_is_completed_too(made_of: Any) -> None:
    """A class that takes DRF's list, where APIView was given another."""
    drfs = drfs_own()
    assert made_of(KITS, drfs) == []
    assert drfs == KITS


def test_drf_may_have_forgotten_what_it_made(made_of: Any) -> None:
    """``api_settings.reload()``, which a test's override calls."""
    assert made_of(drfs_own(), {}) == [PERMISSIONS, AUTHENTICATORS]
    assert held() == KITS


@pytest.mark.parametrize("read", [OPEN, {}])
def test_views_are_given_what_half_of_the_settings_did_not_say(
    monkeypatch: Any, settings: Any, read: dict[str, Any]
) -> None:
    """DRF had read them before they were complete, and made nothing of them yet."""
    settings.REST_FRAMEWORK = named("IsAdminUser")
    monkeypatch.setattr(
        rest_framework, "api_settings", SimpleNamespace(_user_settings=read, reload=rest_framework.api_settings.reload)
    )
    monkeypatch.delitem(sys.modules, "rest_framework.views")
    assert PERMISSIONS in defaults.made_early.__wrapped__()


def test_nothing_is_early_of_what_was_read_whole(monkeypatch: Any, settings: Any) -> None:
    """Views come later."""
    settings.REST_FRAMEWORK = named("IsAdminUser")
    read = SimpleNamespace(_user_settings=named("IsAdminUser"), reload=rest_framework.api_settings.reload)
    monkeypatch.setattr(rest_framework, "api_settings", read)
    monkeypatch.delitem(sys.modules, "rest_framework.views")
    assert defaults.made_early.__wrapped__() == []


def test_functions_are_given_it_too(made_of: Any, settings: Any, rf: Any) -> None:
    """``@api_view`` hands them DRF's list; it is the same one."""
    settings.REST_FRAMEWORK = OPEN
    assert made_of({PERMISSIONS: [AllowAny], AUTHENTICATORS: []}) == []

    @api_view(["GET"])
    def early(request: Any) -> Response:
        """Answer anybody."""
        return Response()

    assert early(rf.get("/")).status_code == 200
    settings.REST_FRAMEWORK = {}
    assert defaults.make_good.__wrapped__() == [PERMISSIONS, AUTHENTICATORS]
    assert early(rf.get("/")).status_code == 403


def test_it_is_done_once_a_process(settings: Any, monkeypatch: Any) -> None:
    """Django makes apps ready again where a test overrides ``INSTALLED_APPS``."""
    settings.REST_FRAMEWORK = OPEN
    apps.get_app_config("drf_jwt_kit").ready()
    assert held() == KITS
