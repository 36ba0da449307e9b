"""System checks: what would go wrong silently says so before the server starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta, tzinfo
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication
from rest_framework.settings import api_settings as drf_settings
from rest_framework_simplejwt import settings as simplejwt_settings

from . import backends, claims, conf, keys
from .conf import Settings, kit, simple_jwt

DOCS = "docs/checks.md"

# RFC 7518 3.2: an HMAC key is at least as long as the hash it is used with.
HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}

_NOTHING_LEFT_TO_DO = {
    "BLACKLIST_AFTER_ROTATION": "a rotated refresh token is never accepted again in any case",
    "CHECK_REVOKE_TOKEN": "a session ends when the password changes in any case",
    "UPDATE_LAST_LOGIN": "signing in sends user_logged_in, which updates last_login",
}


def message(kind: Callable[..., CheckMessage], number: str, fault: str, hint: str = "") -> CheckMessage:
    """Return a message whose hint ends with the place where the docs say more."""
    hint = f"{hint} See {DOCS}#{number.lower()}.".strip()
    return kind(fault, hint=hint, id=f"drf_jwt_kit.{number}")


def kit_settings() -> Settings | None:
    """Return the kit's settings, ``None`` where E001 says that the dict is broken."""
    try:
        return kit()
    except ImproperlyConfigured:
        return None


@register(Tags.security)
def check_kit_settings(**kwargs: Any) -> Iterator[CheckMessage]:
    """E001 for each fault in ``DRF_JWT_KIT``."""
    for problem in conf.problems(getattr(settings, "DRF_JWT_KIT", {})):
        yield message(Error, "E001", problem.fault, problem.hint or "")


@register(Tags.security)
def check_kit_paths(**kwargs: Any) -> Iterator[CheckMessage]:
    """E002 for a dotted path in ``DRF_JWT_KIT`` that leads nowhere."""
    for key in ("CLAIMS", "SIGN_IN_GATE"):
        path = getattr(kit_settings(), key, None)
        if path is not None and not _callable(path):
            yield message(Error, "E002", f"DRF_JWT_KIT[{key!r}] names {path!r}, which cannot be imported and called.")


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
            yield message(Warning, "W003", f"SIMPLE_JWT has no key {key!r}.", hint or "")


@register(Tags.security)
def check_lifetimes(**kwargs: Any) -> Iterator[CheckMessage]:
    """E004 for what is no lifetime, E005 for a refresh token that ends first."""
    names = ("ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME")
    access, refresh = (getattr(simple_jwt(), name) for name in names)
    sound = True
    for name, value in zip(names, (access, refresh), strict=True):
        if not conf.is_lifetime(value):
            sound = False
            fault = f"SIMPLE_JWT[{name!r}] must be a timedelta longer than 0 and up to 100 years, not {value!r}."
            yield message(Error, "E004", fault)
    if sound and refresh <= access:
        fault = "SIMPLE_JWT['REFRESH_TOKEN_LIFETIME'] is not longer than 'ACCESS_TOKEN_LIFETIME'."
        yield message(Error, "E005", fault, "A refresh token that ends first can never be used.")


@register(Tags.security)
def check_leeway(**kwargs: Any) -> Iterator[CheckMessage]:
    """E018 for a ``LEEWAY`` that is no time to allow for, W019 for one that outlasts an access token."""
    allowed, lifetime = _leeway(), simple_jwt().ACCESS_TOKEN_LIFETIME
    if allowed is None:
        fault = f"SIMPLE_JWT['LEEWAY'] must be seconds or a timedelta, and not negative: not {simple_jwt().LEEWAY!r}."
        yield message(Error, "E018", fault)
    elif isinstance(lifetime, timedelta) and allowed >= lifetime > timedelta(0):
        yield message(
            Warning,
            "W019",
            f"With SIMPLE_JWT['LEEWAY'] = {simple_jwt().LEEWAY!r} an access token is accepted for at least twice as "
            "long as ACCESS_TOKEN_LIFETIME says.",
            "A minute is plenty for clocks that are set by NTP.",
        )


def _leeway() -> timedelta | None:
    """Return how far clocks may differ, ``None`` where the setting is no such time."""
    value: Any = simple_jwt().LEEWAY
    if value is not None and type(value) not in (int, float, timedelta):
        return None
    try:
        allowed = conf.leeway()
    except (ValueError, OverflowError):  # no number, or more than a timedelta can hold
        return None
    return allowed if timedelta(0) <= allowed <= conf.LONGEST else None


@register(Tags.security)
def check_user_id(**kwargs: Any) -> Iterator[CheckMessage]:
    """E026 for a ``USER_ID_FIELD`` by which no user, or more than one, can be found."""
    users, name = get_user_model(), simple_jwt().USER_ID_FIELD
    unique = {field.name for field in users._meta.fields if field.unique}
    unique |= {rule.fields[0] for rule in users._meta.total_unique_constraints if len(rule.fields) == 1}
    if name not in {"pk", *unique}:
        fault = f"SIMPLE_JWT['USER_ID_FIELD'] is {name!r}, which is no unique field of {users.__name__}."
        yield message(Error, "E026", fault, "Name one, or 'pk'.")


@register(Tags.security)
def check_idle_settings(**kwargs: Any) -> Iterator[CheckMessage]:
    """W006 for settings of simplejwt's that the kit leaves nothing to do for."""
    for key, why in _NOTHING_LEFT_TO_DO.items():
        if simple_jwt().user_settings.get(key):
            fault = f"SIMPLE_JWT[{key!r}] does nothing with drf_jwt_kit: {why}."
            yield message(Warning, "W006", fault, "Remove it.")


@register(Tags.security)
def check_keys(**kwargs: Any) -> Iterator[CheckMessage]:
    """E007 for an HMAC key that is shorter than its hash, E012 for a ring that cannot sign and verify."""
    ring = keys.ring()
    least = HMAC_BYTES.get(ring.algorithm, 0)
    weak = [key for key in (ring.signing, *ring.fallbacks) if least and key_length(key) < least]
    for _key in weak:
        yield message(
            Error,
            "E007",
            f"A key for {ring.algorithm} has fewer than {least} bytes: its signatures can be guessed offline.",
            "Set a SECRET_KEY, or SIMPLE_JWT['SIGNING_KEY'], of at least that length.",
        )
    if not weak and (fault := self_test()):
        yield message(
            Error,
            "E012",
            f"SIMPLE_JWT's ALGORITHM and keys cannot sign and verify a token ({fault}).",
            "ALGORITHM, SIGNING_KEY and VERIFYING_KEY must belong together.",
        )


def key_length(key: Any) -> int:
    """Return the length of an HMAC key in bytes; what is no key has none."""
    known = key.encode() if isinstance(key, str) else key
    return len(known) if isinstance(known, bytes) else 0


def self_test() -> str | None:
    """Sign a token and verify it; return the name of the error where that fails.

    Where the keys are at a JWKS URL there is nothing to try: checks send no requests. Nor is there
    where E018 says that no token can be verified.
    """
    if simple_jwt().JWK_URL or _leeway() is None:
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
    yield message(
        Warning,
        "W008",
        "REST_FRAMEWORK['DEFAULT_AUTHENTICATION_CLASSES'] has no JWT authenticator of drf_jwt_kit.",
        "Add 'drf_jwt_kit.authentication.JWTAuthentication', or name it in the views that take tokens: "
        "simplejwt's own does not know which sessions were ended.",
    )


@register(Tags.security)
def check_authenticator_order(**kwargs: Any) -> Iterator[CheckMessage]:
    """W013 for an authenticator without a challenge, a session's say, that is asked before the kit's."""
    from .authentication import JWTAuthentication

    authenticators: Any = drf_settings.DEFAULT_AUTHENTICATION_CLASSES
    kits = next((index for index, known in enumerate(authenticators) if issubclass(known, JWTAuthentication)), 0)
    for known in authenticators[:kits]:
        if known.authenticate_header is BaseAuthentication.authenticate_header:
            yield message(
                Warning,
                "W013",
                f"{known.__name__} stands before the kit's authenticator in "
                "REST_FRAMEWORK['DEFAULT_AUTHENTICATION_CLASSES']: whoever it finds in a request is the user, whatever "
                "token the request brings.",
                "Put 'drf_jwt_kit.authentication.JWTAuthentication' first.",
            )


@register(Tags.security)
def check_protection_arrived(**kwargs: Any) -> Iterator[CheckMessage]:
    """E009 when DRF's views were imported too early to be protected by default (law 7)."""
    from rest_framework.views import APIView

    if getattr(kit_settings(), "PROTECT_BY_DEFAULT", True) is False:
        return
    project = getattr(settings, "REST_FRAMEWORK", {})
    attributes = {
        "DEFAULT_PERMISSION_CLASSES": APIView.permission_classes,
        "DEFAULT_AUTHENTICATION_CLASSES": APIView.authentication_classes,
    }
    for name, frozen in attributes.items():
        wanted = [import_string(path) for path in conf.REST_FRAMEWORK_PROTECTION[name]]
        if name not in project and list(frozen) != wanted:
            yield message(
                Error,
                "E009",
                f"rest_framework.views was imported before drf_jwt_kit was set up: views lack its {name}.",
                "Do not import DRF's views in settings, in an AppConfig's module or in a package's __init__; "
                f"or set REST_FRAMEWORK[{name!r}] yourself.",
            )


@register(Tags.security)
def check_origins(**kwargs: Any) -> Iterator[CheckMessage]:
    """E016 where django-cors-headers lets the pages of any site read answers with a user's cookies."""
    if not apps.is_installed("corsheaders"):
        return
    from corsheaders.conf import conf as cors

    if cors.CORS_ALLOW_CREDENTIALS and (cors.CORS_ALLOW_ALL_ORIGINS or _any_matches(cors.CORS_ALLOWED_ORIGIN_REGEXES)):
        yield message(
            Error,
            "E016",
            "CORS_ALLOW_CREDENTIALS with every origin allowed: a page of any site can use the API with its visitors' "
            "cookies, and read the answers.",
            "Name your own pages in CORS_ALLOWED_ORIGINS. A token in the Authorization header needs no "
            "CORS_ALLOW_CREDENTIALS.",
        )


def _any_matches(patterns: Iterable[str | re.Pattern[str]]) -> bool:
    """Return whether some pattern takes an origin that is nobody's: RFC 6761 6.4."""
    return any(re.match(pattern, f"{scheme}://nobody.invalid") for pattern in patterns for scheme in ("https", "http"))


@register(Tags.security)
def check_time_zone(**kwargs: Any) -> Iterator[CheckMessage]:
    """W017 for naive times in a zone that puts its clocks back: an hour of them comes twice."""
    if settings.USE_TZ or not _changes_its_clocks(timezone.get_default_timezone()):
        return
    yield message(
        Warning,
        "W017",
        f"USE_TZ is False, and {settings.TIME_ZONE} puts its clocks back once a year: sessions of that night end up to "
        "an hour early or late, and the grace period can last an hour longer.",
        "Set USE_TZ = True, or TIME_ZONE = 'UTC'.",
    )


def _changes_its_clocks(zone: tzinfo) -> bool:
    """Return whether the zone's distance to UTC changes within a year from now."""
    today = timezone.now().replace(tzinfo=None)
    return len({zone.utcoffset(today + timedelta(days=day)) for day in range(366)}) > 1
