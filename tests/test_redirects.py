"""Redirects: away to the sign-in page, or somewhere else."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from drf_jwt_kit.redirects import leads_to_sign_in

LOGIN, SSO = "/accounts/login/", "https://sso.example/"


def leads_there(login_url: str, settings: Any, *, status: int = 302, view: Any = None, **headers: str) -> bool:
    """Return what is said of an answer to a request for ``/open/``."""
    settings.LOGIN_URL = login_url
    request = RequestFactory().get("/open/", secure=True)
    return leads_to_sign_in(HttpResponse(status=status, headers=headers), view, request)


@pytest.mark.parametrize(
    ("login_url", "location"),
    [
        (LOGIN, LOGIN),
        (LOGIN, f"{LOGIN}?next=/open/"),
        (LOGIN, f"//testserver{LOGIN}"),
        (LOGIN, f"https://TestServer:443{LOGIN}?next=/open/"),
        (LOGIN, f"http://testserver{LOGIN}"),
        (LOGIN, f"..{LOGIN}"),
        (SSO, SSO),
        (SSO, "https://sso.example:443/?next=%2F"),
        ("https://sso.example:8443/", "https://sso.example:8443/"),
    ],
)
def test_the_sign_in_page_is_known_however_it_is_spelled(settings: Any, login_url: str, location: str) -> None:
    """As some middlewares and decorators spell it."""
    assert leads_there(login_url, settings, Location=location)


@pytest.mark.parametrize(
    ("login_url", "location"),
    [
        (LOGIN, "/"),
        (LOGIN, f"/elsewhere/?next={LOGIN}"),
        (LOGIN, LOGIN.removeprefix("/")),
        (LOGIN, f"https://sso.example{LOGIN}"),
        (LOGIN, f"//sso.example{LOGIN}"),
        (LOGIN, f"https://testserver@sso.example{LOGIN}"),
        (LOGIN, f"https://testserver:8443{LOGIN}"),
        (LOGIN, "https://["),
        ("/", SSO),
        (SSO, "/"),
        (SSO, "https://sso.example.evil.example/"),
        (SSO, "https://sso.example:8443/"),
        ("no-such-name", "/no-such-name/"),
    ],
)
def test_another_page_is_another(settings: Any, login_url: str, location: str) -> None:
    """Whatever it shares with the sign-in page: its path, the end of it, or the beginning of its host."""
    assert not leads_there(login_url, settings, Location=location)


@pytest.mark.parametrize("status", [200, 304, 401])
def test_nothing_else_leads_anywhere(settings: Any, status: int) -> None:
    """No redirect, or one without a target, not even at the sign-in page's own address."""
    assert not leads_there("/open/", settings, status=status)
    assert leads_there("/open/", settings, Location="/open/")


def test_a_view_may_have_a_page_of_its_own(settings: Any) -> None:
    """By the name that Django's mixins give it; then the project's is another."""
    view = type("View", (), {"login_url": "/staff/"})
    assert leads_there(LOGIN, settings, view=view, Location="/staff/")
    assert not leads_there(LOGIN, settings, view=view, Location=LOGIN)
