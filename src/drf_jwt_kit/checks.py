"""System checks: what would go wrong silently says so before the server starts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from rest_framework.settings import api_settings as drf_settings
from rest_framework_simplejwt import settings as simplejwt_settings

from . import backends, claims, conf, keys
from .conf import kit, simple_jwt

DOCS = "docs/checks.md"

# RFC 7518 3.2: an HMAC key is at least as long as the hash it is used with.
_HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}

_NOTHING_LEFT_TO_DO = {
    "BLACKLIST_AFTER_ROTATION": "a rotated refresh token is never accepted again in any case",
    "CHECK_REVOKE_TOKEN": "a session ends when the password changes in any case",
    "UPDATE_LAST_LOGIN": "signing in sends user_logged_in, which updates last_login",
}


def _hint(text: str) -> str:
    """Return a hint with the place where the docs say more."""
    return f"{text} See {DOCS}.".strip()


@register(Tags.security)
def check_kit_settings(**kwargs: Any) -> Iterator[CheckMessage]:
    """E001 for each fault in ``DRF_JWT_KIT``."""
    for problem in conf.problems(getattr(settings, "DRF_JWT_KIT", {})):
        yield Error(problem.fault, hint=_hint(problem.hint or ""), id="drf_jwt_kit.E001")


@register(Tags.security)
def check_kit_paths(**kwargs: Any) -> Iterator[CheckMessage]:
    """E002 for a dotted path in ``DRF_JWT_KIT`` that leads nowhere."""
    for key in ("CLAIMS", "SIGN_IN_GATE"):
        path = _kit_value(key)
        if path is not None and not _callable(path):
            fault = f"DRF_JWT_KIT[{key!r}] names {path!r}, which cannot be imported and called."
            yield Error(fault, hint=_hint(""), id="drf_jwt_kit.E002")


def _kit_value(key: str) -> Any:
    """Return one kit setting, ``None`` where E001 says that the dict is broken."""
    try:
        return getattr(kit(), key)
    except ImproperlyConfigured:
        return None


def _callable(path: str) -> bool:
    """Return whether ``path`` leads to something that can be called."""
    try:
        return callable(import_string(path))
    except (ImportError, ValueError, TypeError):
        return False


@register(Tags.security)
def check_simple_jwt_keys(**kwargs: Any) -> Iterator[CheckMessage]:
    """W003 for a key in ``SIMPLE_JWT`` that nothing reads."""
    for key in simple_jwt().user_settings:
        if key not in simplejwt_settings.DEFAULTS:
            hint = conf.did_you_mean(key, simplejwt_settings.DEFAULTS)
            yield Warning(f"SIMPLE_JWT has no key {key!r}.", hint=_hint(hint or ""), id="drf_jwt_kit.W003")


@register(Tags.security)
def check_lifetimes(**kwargs: Any) -> Iterator[CheckMessage]:
    """E004 for lifetimes that are no ``timedelta``, E005 for a refresh token that ends first."""
    names = ("ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME")
    access, refresh = (getattr(simple_jwt(), name) for name in names)
    sound = True
    for name, value in zip(names, (access, refresh), strict=True):
        if not isinstance(value, timedelta) or value <= timedelta(0):
            sound = False
            fault = f"SIMPLE_JWT[{name!r}] must be a timedelta longer than 0, not {value!r}."
            yield Error(fault, hint=_hint(""), id="drf_jwt_kit.E004")
    if sound and refresh <= access:
        yield Error(
            "SIMPLE_JWT['REFRESH_TOKEN_LIFETIME'] is not longer than 'ACCESS_TOKEN_LIFETIME'.",
            hint=_hint("A refresh token that ends first can never be used."),
            id="drf_jwt_kit.E005",
        )


@register(Tags.security)
def check_idle_settings(**kwargs: Any) -> Iterator[CheckMessage]:
    """W006 for settings of simplejwt's that the kit leaves nothing to do for."""
    for key, why in _NOTHING_LEFT_TO_DO.items():
        if simple_jwt().user_settings.get(key):
            fault = f"SIMPLE_JWT[{key!r}] does nothing with drf_jwt_kit: {why}."
            yield Warning(fault, hint=_hint("Remove it."), id="drf_jwt_kit.W006")


@register(Tags.security)
def check_keys(**kwargs: Any) -> Iterator[CheckMessage]:
    """E007 for an HMAC key that is shorter than its hash, E012 for a ring that cannot sign and verify."""
    ring = keys.ring()
    least = _HMAC_BYTES.get(ring.algorithm, 0)
    weak = [key for key in (ring.signing, *ring.fallbacks) if least and _length(key) < least]
    for _key in weak:
        yield Error(
            f"A key for {ring.algorithm} has fewer than {least} bytes: its signatures can be guessed offline.",
            hint=_hint("Set a SECRET_KEY, or SIMPLE_JWT['SIGNING_KEY'], of at least that length."),
            id="drf_jwt_kit.E007",
        )
    if not weak and (fault := _self_test()):
        yield Error(
            f"SIMPLE_JWT's ALGORITHM and keys cannot sign and verify a token ({fault}).",
            hint=_hint("ALGORITHM, SIGNING_KEY and VERIFYING_KEY must belong together."),
            id="drf_jwt_kit.E012",
        )


def _length(key: Any) -> int:
    """Return the length of an HMAC key in bytes; what is no key has none."""
    return len(key.encode()) if isinstance(key, str) else len(key or b"")


def _self_test() -> str | None:
    """Sign a token and verify it; return the name of the error where that fails.

    Where the keys are at a JWKS URL there is nothing to try: checks send no requests.
    """
    if simple_jwt().JWK_URL:
        return None
    names = (simple_jwt().JTI_CLAIM, simple_jwt().TOKEN_TYPE_CLAIM)
    try:
        backend = backends.current()
        backend.decode(backend.encode({"exp": claims.LATEST_TIME, **dict.fromkeys(filter(None, names), "self-test")}))
    except Exception as error:  # noqa: BLE001 - PyJWT and cryptography raise what they like
        return type(error).__name__
    return None


@register(Tags.security)
def check_authenticator(**kwargs: Any) -> Iterator[CheckMessage]:
    """W008 when the default authenticators cannot read a token at all."""
    from .authentication import JWTAuthentication

    authenticators: Any = drf_settings.DEFAULT_AUTHENTICATION_CLASSES
    if any(issubclass(known, JWTAuthentication) for known in authenticators):
        return
    yield Warning(
        "REST_FRAMEWORK['DEFAULT_AUTHENTICATION_CLASSES'] has no JWT authenticator of drf_jwt_kit.",
        hint=_hint(
            "Add 'drf_jwt_kit.authentication.JWTAuthentication', or name it in the views that take tokens: "
            "simplejwt's own does not know which sessions were ended."
        ),
        id="drf_jwt_kit.W008",
    )


@register(Tags.security)
def check_protection_arrived(**kwargs: Any) -> Iterator[CheckMessage]:
    """E009 when DRF's views were imported too early to be protected by default (law 7)."""
    from rest_framework.views import APIView

    if _kit_value("PROTECT_BY_DEFAULT") is False:
        return
    project = getattr(settings, "REST_FRAMEWORK", {})
    attributes = {
        "DEFAULT_PERMISSION_CLASSES": APIView.permission_classes,
        "DEFAULT_AUTHENTICATION_CLASSES": APIView.authentication_classes,
    }
    for name, frozen in attributes.items():
        wanted = [import_string(path) for path in conf.REST_FRAMEWORK_PROTECTION[name]]
        if name not in project and list(frozen) != wanted:
            yield Error(
                f"rest_framework.views was imported before drf_jwt_kit was set up: views lack its {name}.",
                hint=_hint(
                    "Do not import DRF's views in settings, in an AppConfig's module or in a package's __init__; "
                    f"or set REST_FRAMEWORK[{name!r}] yourself."
                ),
                id="drf_jwt_kit.E009",
            )


@register(Tags.security, deploy=True)
def check_cache_counts(**kwargs: Any) -> Iterator[CheckMessage]:
    """E010 for a cache that cannot count failed sign-ins, W011 for one that each process has alone."""
    backend = settings.CACHES.get("default", {}).get("BACKEND", "").rpartition(".")[2]
    if backend == "DummyCache":
        yield Error(
            "The default cache keeps nothing: failed sign-ins cannot be counted, and sign-in answers 503.",
            hint=_hint("Use Redis or Valkey."),
            id="drf_jwt_kit.E010",
        )
    elif backend == "LocMemCache":
        yield Warning(
            "The default cache is local to each process: each counts failed sign-ins on its own.",
            hint=_hint("Use Redis or Valkey where more than one process serves the site."),
            id="drf_jwt_kit.W011",
        )
