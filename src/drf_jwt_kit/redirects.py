"""Redirects: which of them turn a client away to the sign-in page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch

_DEFAULT_PORT = re.compile(":(80|443)?$")


def leads_to_sign_in(answer: Any, view: Any, request: Any) -> bool:
    """Return whether an answer sends to the sign-in page, the view's own or the project's: others may lead back.

    Both are read as a browser does that sent ``request`` (RFC 9110 10.2.2).
    """
    location = answer.headers.get("Location")
    if location is None or not 300 <= answer.status_code < 400:
        return False
    here = f"//{request.META.get('HTTP_HOST', request.META['SERVER_NAME'])}{request.path}"
    try:
        sign_in = resolve_url(getattr(view, "login_url", None) or settings.LOGIN_URL)
        return _page(here, location) == _page(here, sign_in)
    except (ValueError, NoReverseMatch):  # no URL, so no page either
        return False


def _page(here: str, url: str) -> tuple[str, str]:
    """Return the host of a URL, with its port where that is no default, and its path."""
    target = urlsplit(urljoin(here, url))
    return _DEFAULT_PORT.sub("", target.netloc.lower()), target.path
