"""DRF's defaults in its views: DRF copies them there once, and may have done so before they were known (law 7)."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from django.conf import settings
from rest_framework import settings as rest_framework

from .conf import REST_FRAMEWORK_PROTECTION, protection

ATTRIBUTES = {
    "DEFAULT_PERMISSION_CLASSES": "permission_classes",
    "DEFAULT_AUTHENTICATION_CLASSES": "authentication_classes",
}


@cache
def made_of() -> dict[str, Any]:
    """Return what views are made of, by setting: what DRF has read of ``REST_FRAMEWORK``, on what lies beneath it.

    To be called first before the kit's defaults are put there: views that exist by then were made without.
    """
    kits = {} if "rest_framework.views" in sys.modules else protection()
    read = getattr(rest_framework.api_settings, "_user_settings", getattr(settings, "REST_FRAMEWORK", {}))
    return {name: {**rest_framework.DEFAULTS, **kits, **read}[name] for name in ATTRIBUTES}


@cache
def make_good() -> list[str]:
    """Give views the defaults that they were made without, and return the settings of these.

    Once a process: what a test overrides is nothing that views lack. Views keep what a project gave them itself.
    """
    from rest_framework.views import APIView

    lacked = []
    wanted = {**made_of(), **protection(), **getattr(settings, "REST_FRAMEWORK", {})}
    for name, attribute in ATTRIBUTES.items():
        made, frozen = made_of()[name], getattr(APIView, attribute)
        if made != wanted[name] and frozen == rest_framework.perform_import(made, name):
            _give(APIView, attribute, _classes(name, wanted[name]))
            lacked.append(name)
    return lacked


def _classes(name: str, paths: Any) -> list[Any]:
    """Return the classes that a setting names, or the kit's where there are none: views are not to stay open."""
    perform_import: Any = rest_framework.perform_import
    try:
        return [*perform_import(list(paths), name)]
    except (ImportError, TypeError):
        return [*perform_import(REST_FRAMEWORK_PROTECTION[name], name)]


def _give(view: Any, attribute: str, classes: list[Any]) -> None:
    """Give a view its default, and whatever else DRF has handed the same list to: functions, say."""
    frozen = getattr(view, attribute)
    if isinstance(frozen, list):
        frozen[:] = classes
    else:
        setattr(view, attribute, classes)
