"""The project's middleware: whether one of Django's is among it."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string


def is_used(djangos: type) -> bool:
    """Return whether a middleware is one of Django's, or rests on it."""
    return any(_rests_on(djangos, path) for path in settings.MIDDLEWARE)


def _rests_on(djangos: type, path: str) -> bool:
    """Return whether one middleware is Django's, or a subclass of it."""
    try:
        cls = import_string(path)
    except Exception:  # noqa: BLE001 - no server starts then, and says so
        return False
    return isinstance(cls, type) and issubclass(cls, djangos)
