"""DRF's defaults in its views: DRF makes them once, and may have done so before they were known (law 7)."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from typing import Any

from django.conf import settings
from rest_framework import settings as rest_framework
from rest_framework.permissions import AllowAny

from .conf import REST_FRAMEWORK_PROTECTION

ATTRIBUTES = {
    "DEFAULT_PERMISSION_CLASSES": "permission_classes",
    "DEFAULT_AUTHENTICATION_CLASSES": "authentication_classes",
}


@cache
def made_early() -> list[str]:
    """Return the settings of the defaults that DRF has made, or will make of settings that it has read by half.

    To be called first when the app is made.
    """
    known, complete = vars(rest_framework.api_settings), getattr(settings, "REST_FRAMEWORK", {})
    read, views = known.get("_user_settings", complete), "rest_framework.views" in sys.modules
    return [name for name in ATTRIBUTES if views or name in known or read.get(name) != complete.get(name)]


@cache
def make_good() -> list[str]:
    """Give views the defaults that they were made without, and return the settings of these.

    Once a process: what a test overrides is nothing that views lack. Views that a project has closed further stay so.
    """
    from rest_framework.views import APIView

    lacked = []
    for name in made_early():
        held, shared = getattr(APIView, ATTRIBUTES[name]), vars(rest_framework.api_settings).get(name)
        completed = _completed(name, held)
        if _classes(held) != completed:
            lacked.append(name)
            setattr(APIView, ATTRIBUTES[name], _in_its_place(held, completed))
        if shared is not held:  # a project gave its views another list; DRF goes on handing out its own
            _in_its_place(shared, _completed(name, shared))
    return lacked


def _completed(name: str, held: Any) -> list[Any]:
    """Return what a setting names and, of permissions, what a project's code has put there: all of them are asked.

    Of authenticators any one lets in, so there are no others.
    """
    wanted = _wanted(name)
    if name == "DEFAULT_AUTHENTICATION_CLASSES":
        return wanted
    kept = [one for one in _classes(held) if one in wanted or one is not AllowAny]
    return [*(one for one in wanted if one not in kept), *kept]


def _wanted(name: str) -> list[Any]:
    """Return what a setting names, or the kit's where that cannot be used: views are not to stay open."""
    with suppress(ImportError, AttributeError, TypeError):
        return [*_import(name, getattr(settings, "REST_FRAMEWORK", {}))]
    return [*_import(name, REST_FRAMEWORK_PROTECTION)]


def _import(name: str, project: Any) -> Any:
    """Return what DRF makes of a ``REST_FRAMEWORK``."""
    return rest_framework.perform_import({**rest_framework.DEFAULTS, **project}[name], name)


def _classes(held: Any) -> list[Any]:
    """Return the classes among defaults, none where settings that were read by half named something else."""
    return [*held] if isinstance(held, list | tuple) else []


def _in_its_place(held: Any, completed: list[Any]) -> list[Any]:
    """Return a default that has been completed: the same list, if it is one, as others have it too, functions say."""
    if isinstance(held, list):
        held[:] = completed
        return held
    return completed
