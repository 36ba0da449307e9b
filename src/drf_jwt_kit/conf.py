"""Settings: the project's over the kit's over simplejwt's, read when code runs.

``DRF_JWT_KIT`` is read through :func:`kit`, ``SIMPLE_JWT`` through :func:`simple_jwt`. Both are
cached and both forget what they read when a setting changes, so ``override_settings`` reaches
every part of the kit and reverts on exit.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string
from rest_framework import settings as rest_framework_settings
from rest_framework_simplejwt import settings as simplejwt_settings

from .rules import problems

ACCESS_TOKEN = "drf_jwt_kit.tokens.AccessToken"  # noqa: S105 - a path
REFRESH_TOKEN = "drf_jwt_kit.tokens.RefreshToken"  # noqa: S105 - a path

SIMPLE_JWT_DEFAULTS: Mapping[str, Any] = {
    "ROTATE_REFRESH_TOKENS": True,
    "USER_AUTHENTICATION_RULE": "drf_jwt_kit.conf.user_authentication_rule",
    "AUTH_TOKEN_CLASSES": (ACCESS_TOKEN,),
    "TOKEN_OBTAIN_SERIALIZER": "drf_jwt_kit.serializers.TokenObtainPairSerializer",
    "TOKEN_REFRESH_SERIALIZER": "drf_jwt_kit.serializers.TokenRefreshSerializer",
    "TOKEN_VERIFY_SERIALIZER": "drf_jwt_kit.serializers.TokenVerifySerializer",
    "TOKEN_BLACKLIST_SERIALIZER": "drf_jwt_kit.serializers.TokenBlacklistSerializer",
}

SERIALIZERS = [key for key in SIMPLE_JWT_DEFAULTS if key.endswith("_SERIALIZER")]

REST_FRAMEWORK_PROTECTION: Mapping[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["drf_jwt_kit.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}

REST_FRAMEWORK_ANSWERS: Mapping[str, Any] = {
    "EXCEPTION_HANDLER": "drf_jwt_kit.exceptions.exception_handler",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The keys of ``DRF_JWT_KIT`` with their defaults; the settings page explains each."""

    ANONYMOUS_STATUS: int = 403
    PROTECT_BY_DEFAULT: bool = True
    PROTECT_EVERY_VIEW: bool = False
    REFRESH_GRACE_PERIOD: timedelta = timedelta(seconds=30)
    SESSION_LIFETIME: timedelta | None = timedelta(days=30)
    MAX_SESSIONS_PER_USER: int | None = None
    RECORD_USER_AGENT: bool = True
    RECORD_IP_ADDRESS: bool = True
    ACCEPT_SESSIONLESS_ACCESS: bool = True
    CLAIMS: str | None = None
    SIGN_IN_GATE: str | None = None
    LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS: str | None = "5/5m"
    LOGIN_FAILURES_PER_ADDRESS: str | None = "100/1h"
    LOGIN_FAILURES_PER_ACCOUNT: str | None = "50/1h"
    TRUSTED_PROXIES: int = 0
    THROTTLE_FAILS_OPEN: bool = False


@lru_cache(maxsize=1)
def kit() -> Settings:
    """Return the project's ``DRF_JWT_KIT`` over its defaults.

    Raises :exc:`~django.core.exceptions.ImproperlyConfigured` for a dict that the system checks
    would refuse: a server that is started past them must not run on half-read settings.
    """
    values = getattr(settings, "DRF_JWT_KIT", {})
    if faults := [problem.fault for problem in problems(values)]:
        raise ImproperlyConfigured(" ".join(faults))
    return Settings(**values)


def asked_for(key: str) -> Any:
    """Return what the project's ``DRF_JWT_KIT`` has for ``key``, ``None`` where it has nothing.

    For what is set up before the system checks have spoken: a dict too broken to read asks for nothing.
    """
    values = getattr(settings, "DRF_JWT_KIT", None)
    return values.get(key) if isinstance(values, Mapping) else None


class SimpleJWTSettings(simplejwt_settings.APISettings):
    """simplejwt's settings object, reading ``SIMPLE_JWT`` alone.

    The parent class falls back to ``REST_FRAMEWORK`` where ``SIMPLE_JWT`` is absent or empty.
    """

    @property
    def user_settings(self) -> Mapping[str, Any]:
        """Return what the project set."""
        return getattr(settings, "SIMPLE_JWT", None) or {}


@lru_cache(maxsize=1)
def simple_jwt() -> SimpleJWTSettings:
    """Return the project's ``SIMPLE_JWT`` over the kit's and simplejwt's defaults."""
    defaults: Any = simplejwt_settings.DEFAULTS
    return SimpleJWTSettings(None, defaults, simplejwt_settings.IMPORT_STRINGS)


def leeway() -> timedelta:
    """Return how far clocks may differ: ``SIMPLE_JWT["LEEWAY"]``, in seconds or as a ``timedelta``."""
    value: Any = simple_jwt().LEEWAY
    return value if isinstance(value, timedelta) else timedelta(seconds=value or 0)


def schemes() -> tuple[str, ...]:
    """Return the authentication schemes that carry a token: ``SIMPLE_JWT["AUTH_HEADER_TYPES"]``."""
    types = simple_jwt().AUTH_HEADER_TYPES
    return tuple(types) if isinstance(types, (list, tuple)) else (types,)


@receiver(setting_changed)
def forget(*, setting: str, **kwargs: Any) -> None:
    """Forget what was read when one of the two dicts changes."""
    if setting == "DRF_JWT_KIT":
        kit.cache_clear()
    elif setting == "SIMPLE_JWT":
        simple_jwt.cache_clear()


def put_defaults_beneath() -> None:
    """Put the kit's defaults beneath the project's own, in simplejwt's and in DRF's settings.

    Called once, while the app registry makes the app: before the models and views that freeze
    these defaults in their class bodies. Whatever the project set wins, as it always does over
    ``DEFAULTS``. With a dict too broken to read, views stay closed and the system checks get to
    speak.
    """
    rest_framework: Any = rest_framework_settings.DEFAULTS
    simplejwt_settings.DEFAULTS.update(SIMPLE_JWT_DEFAULTS)
    rest_framework.update(REST_FRAMEWORK_ANSWERS)
    rest_framework.update(protection())


def protection() -> Mapping[str, Any]:
    """Return what ``REST_FRAMEWORK`` is to have where the project says nothing else: nothing if it opted out."""
    return REST_FRAMEWORK_PROTECTION if asked_for("PROTECT_BY_DEFAULT") is not False else {}


def user_authentication_rule(user: Any) -> bool:
    """Return whether ``user`` may sign in and refresh; ``SIMPLE_JWT`` may name another rule."""
    return user is not None and (not simple_jwt().CHECK_USER_IS_ACTIVE or user.is_active)


def named_class(setting: str) -> Any:
    """Return the class that ``SIMPLE_JWT[setting]`` names, resting on the kit's own.

    Raises :exc:`ImportError` when the path leads nowhere.
    """
    return onto_kit(import_string(getattr(simple_jwt(), setting)), SIMPLE_JWT_DEFAULTS[setting])


def onto_kit(cls: Any, path: str) -> Any:
    """Return the class ``cls`` resting on the kit's class at ``path`` instead of on simplejwt's.

    A project that subclassed simplejwt's class keeps every override: the kit's class is put
    between the two, where ``super()`` finds it. simplejwt's class itself becomes the kit's; a
    class that does not rest on the same class of simplejwt's is left as it is.
    """
    return _grafted(cls, path)


class _Graft:
    """What is still the project's class, and no subclass that the project wrote."""

    def __init_subclass__(cls) -> None:
        """Tell the project's own ``__init_subclass__`` nothing: it may ask for what only a project can say."""


def ungrafted(cls: Any) -> Any:
    """Return the project's class in one that rests on the kit's."""
    return cls.__bases__[1] if _Graft in cls.__bases__ else cls


@lru_cache(maxsize=256)
def _grafted(cls: Any, path: str) -> Any:
    """Return what :func:`onto_kit` does, the same class each time."""
    base = import_string(path)
    if issubclass(cls, base):
        return cls
    if issubclass(base, cls):
        return base
    replaced = [parent for parent in base.__bases__ if parent.__module__.startswith("rest_framework_simplejwt.")]
    if not issubclass(cls, tuple(replaced)):
        return cls
    body = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    body |= _fields(cls, base, replaced)
    return types.new_class(cls.__name__, (_Graft, cls, base), exec_body=lambda namespace: namespace.update(body))


def _fields(cls: Any, base: Any, replaced: list[Any]) -> dict[str, Any]:
    """Return the kit's fields where a serializer has simplejwt's, ``None`` where it does without.

    DRF hands fields down by name, and ``refresh = None`` takes one away.
    """
    inherited = [getattr(parent, "_declared_fields", {}) for parent in replaced]
    own = getattr(cls, "_declared_fields", {})
    return {
        name: field if name in own else None
        for name, field in getattr(base, "_declared_fields", {}).items()
        if any(name in fields and own.get(name) in (fields[name], None) for fields in inherited)
    }
