"""DRF's defaults in its views: DRF makes them once, and may have done so before they were known (law 7)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.conf import settings
from rest_framework import settings as rest_framework

from .conf import REST_FRAMEWORK_PROTECTION

ATTRIBUTES = {
    "DEFAULT_PERMISSION_CLASSES": "permission_classes",
    "DEFAULT_AUTHENTICATION_CLASSES": "authentication_classes",
}


@cache
def made_early() -> dict[str, Callable[[], Any]]:
    """Return what makes again, by setting, the defaults that DRF has made, or will make of settings read by half.

    To be called first when the app is made, before the kit's defaults are put beneath the project's.
    """
    early: dict[str, Callable[[], Any]] = {}
    known, complete = vars(rest_framework.api_settings), getattr(settings, "REST_FRAMEWORK", {})
    read = known.get("_user_settings", complete)
    for name in ATTRIBUTES:
        if name in known:
            early[name] = partial(_copy, _copy(known[name]))
        elif read.get(name) != complete.get(name):
            early[name] = partial(_import, name, read)
    return early


@cache
def make_good() -> list[str]:
    """Give views the defaults that they were made without, and return the settings of these.

    Once a process: what a test overrides is nothing that views lack. Views keep what a project gave them itself.
    """
    from rest_framework.views import APIView

    lacked = []
    for name, made in made_early().items():
        frozen, wanted = getattr(APIView, ATTRIBUTES[name]), _wanted(name)
        if frozen == made() and frozen != wanted:
            _give(APIView, ATTRIBUTES[name], wanted)
            lacked.append(name)
    return lacked


def _copy(classes: Any) -> Any:
    """Return what DRF has made as it is now: others may append to it."""
    return [*classes] if isinstance(classes, list) else classes


def _import(name: str, project: Any) -> Any:
    """Return what DRF makes of a project's ``REST_FRAMEWORK``."""
    return rest_framework.perform_import({**rest_framework.DEFAULTS, **project}[name], name)


def _wanted(name: str) -> Any:
    """Return what a setting names, or the kit's where that cannot be used: views are not to stay open."""
    try:
        found = _import(name, getattr(settings, "REST_FRAMEWORK", {}))
    except ImportError:
        found = None
    return found if isinstance(found, list) else _import(name, REST_FRAMEWORK_PROTECTION)


def _give(view: Any, attribute: str, classes: list[Any]) -> None:
    """Give a view its default, and whatever else DRF has handed the same list to: functions, say."""
    frozen = getattr(view, attribute)
    if isinstance(frozen, list):
        frozen[:] = classes
    else:
        setattr(view, attribute, classes)
