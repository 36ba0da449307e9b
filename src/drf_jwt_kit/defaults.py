"""DRF's defaults in its views: DRF copies them there once, and may have done so before they were known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.settings import perform_import
from rest_framework.views import APIView

from .conf import REST_FRAMEWORK_PROTECTION, asked_for

_ATTRIBUTES = {
    "DEFAULT_PERMISSION_CLASSES": "permission_classes",
    "DEFAULT_AUTHENTICATION_CLASSES": "authentication_classes",
}


def lacking(named: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the classes, by setting, that views should have by default and were made without (law 7).

    ``named`` is the project's ``REST_FRAMEWORK``, which wins over the kit's protection. Raises :exc:`ImportError` for
    a path that leads nowhere, as DRF does.
    """
    kits = REST_FRAMEWORK_PROTECTION if asked_for("PROTECT_BY_DEFAULT") is not False else {}
    wanted = {name: value for name, value in {**kits, **named}.items() if isinstance(value, list | tuple)}
    classes: dict[str, Any] = {name: perform_import(wanted[name], name) for name in _ATTRIBUTES if name in wanted}
    return {name: found for name, found in classes.items() if getattr(APIView, _ATTRIBUTES[name]) != found}


def give(classes: Mapping[str, list[Any]]) -> None:
    """Give views what they lack, and with them whatever DRF has handed the same list to: functions, say."""
    for name, wanted in classes.items():
        frozen: Any = getattr(APIView, _ATTRIBUTES[name])
        if isinstance(frozen, list):
            frozen[:] = wanted
        else:
            setattr(APIView, _ATTRIBUTES[name], wanted)
