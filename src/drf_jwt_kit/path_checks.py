"""System checks of what settings name: classes and functions that are looked for only when a request needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string
from rest_framework.serializers import BaseSerializer

from .checks import is_list, kit_settings, message
from .conf import SERIALIZERS, named_class

_CALLED: Mapping[str, list[str]] = {
    "DRF_JWT_KIT": ["CLAIMS", "SIGN_IN_GATE"],
    "SIMPLE_JWT": ["TOKEN_USER_CLASS", "USER_AUTHENTICATION_RULE", *SERIALIZERS],
    "REST_FRAMEWORK": ["EXCEPTION_HANDLER"],
}
_MAY_BE_NONE = {"CLAIMS", "SIGN_IN_GATE"}

_LISTS: Mapping[str, list[str]] = {
    "SIMPLE_JWT": ["AUTH_TOKEN_CLASSES"],
    "REST_FRAMEWORK": ["DEFAULT_AUTHENTICATION_CLASSES", "DEFAULT_PERMISSION_CLASSES"],
}
_MAY_BE_EMPTY = {"DEFAULT_AUTHENTICATION_CLASSES", "DEFAULT_PERMISSION_CLASSES"}


@register(Tags.security)
def check_paths(**kwargs: Any) -> Iterator[CheckMessage]:
    """E002 for what leads nowhere, to what cannot be called, or to a class of another kind than is asked for."""
    for setting, key, value in _named():
        if not _leads_somewhere(key, value):
            yield message(
                Error, "E002", f"{setting} names {value!r}, which leads nowhere, or to nothing that can be used there."
            )


@register(Tags.security)
def check_lists(**kwargs: Any) -> Iterator[CheckMessage]:
    """E031 for what should be a list of classes and is none."""
    for setting, key, value in _set_by_project(_LISTS):
        if not is_list(value) or not (value or key in _MAY_BE_EMPTY):
            yield message(Error, "E031", f"{setting} must be a list of classes, not {value!r}.")


def _named() -> Iterator[tuple[str, str, Any]]:
    """Yield what names something to call: the setting, its key, and the name."""
    for setting, key, value in _set_by_project(_CALLED):
        if value is not None or key not in _MAY_BE_NONE:
            yield setting, key, value
    for setting, key, value in _set_by_project({"SIMPLE_JWT": _LISTS["SIMPLE_JWT"]}):
        yield from ((setting, key, named) for named in (value if is_list(value) else ()))


def _set_by_project(keys: Mapping[str, list[str]]) -> Iterator[tuple[str, str, Any]]:
    """Yield those of ``keys`` that the project set, and what to; none of a dict that E001 says is broken."""
    for dictionary, names in keys.items():
        values = getattr(settings, dictionary, None) or {}
        if dictionary != "DRF_JWT_KIT" or kit_settings() is not None:
            yield from ((f"{dictionary}[{name!r}]", name, values[name]) for name in names if name in values)


def _leads_somewhere(key: str, value: Any) -> bool:
    """Return whether what a setting names can be called, and answers at once.

    Alone it may be a class, in simplejwt's list a path.
    """
    try:
        if key in SERIALIZERS:
            return issubclass(named_class(key), BaseSerializer)
        if key in _LISTS["SIMPLE_JWT"]:
            token_class = import_string(value)
            return isinstance(token_class, type) and hasattr(token_class, "token_type")
        found = import_string(value) if isinstance(value, str) else value
        return callable(found) and not any(map(iscoroutinefunction, (found, type(found).__call__)))
    except (ImportError, ValueError, TypeError, AttributeError):
        return False
