"""System checks of ``SIMPLE_JWT``: whether tokens can be made, read and told apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from rest_framework_simplejwt import settings as simplejwt_settings

from . import backends, claims, conf, keys, rules
from .checks import issuing_paths, message
from .conf import simple_jwt

# RFC 7518 3.2: an HMAC key is at least as long as the hash it is used with.
HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}

_NOTHING_LEFT_TO_DO = {
    "BLACKLIST_AFTER_ROTATION": "a rotated refresh token is never accepted again in any case",
    "CHECK_REVOKE_TOKEN": "a session ends when the password changes in any case",
    "UPDATE_LAST_LOGIN": "signing in sends user_logged_in, which updates last_login",
}

# PEP 3333 has the name of a header in capitals and without hyphens; RFC 9110 11.1 has the spelling of a scheme.
_META_NAME = re.compile(r"HTTP_[^a-z\s-]+")
_SCHEME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# As in simplejwt, `None` does without these.
_MAY_BE_OFF = {"JTI_CLAIM", "TOKEN_TYPE_CLAIM"}


@register(Tags.security)
def check_simple_jwt_keys(**kwargs: Any) -> Iterator[CheckMessage]:
    """W003 for a key in ``SIMPLE_JWT`` that nothing reads."""
    for key in simple_jwt().user_settings:
        if key not in simplejwt_settings.DEFAULTS:
            hint = rules.did_you_mean(str(key), simplejwt_settings.DEFAULTS)
            yield message(Warning, "W003", f"SIMPLE_JWT has no key {key!r}.", hint or "")


@register(Tags.security)
def check_lifetimes(**kwargs: Any) -> Iterator[CheckMessage]:
    """E004 for what is no lifetime, E005 for a refresh token that ends first."""
    names = ("ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME")
    access, refresh = (getattr(simple_jwt(), name) for name in names)
    sound = True
    for name, value in zip(names, (access, refresh), strict=True):
        if not rules.is_lifetime(value):
            sound = False
            fault = f"SIMPLE_JWT[{name!r}] must be a timedelta of a second to 100 years, not {value!r}."
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
    return allowed if timedelta(0) <= allowed <= rules.LONGEST else None


@register(Tags.security)
def check_user_id(**kwargs: Any) -> Iterator[CheckMessage]:
    """E026 for a ``USER_ID_FIELD`` by which no user, or more than one, can be found or named."""
    users, name = get_user_model(), str(simple_jwt().USER_ID_FIELD)
    alone = {rule.fields[0] for rule in users._meta.total_unique_constraints if len(rule.fields) == 1}
    unique = [field for field in users._meta.fields if field.unique or field.name in alone]
    if name not in {"pk", *(field.attname for field in unique if not field.null)}:
        fault = (
            f"SIMPLE_JWT['USER_ID_FIELD'] is {name!r}, which is no unique field of {users.__name__}, or may be null."
        )
        yield message(Error, "E026", fault, "Name one, or 'pk'.")


@register(Tags.security)
def check_user_model(**kwargs: Any) -> Iterator[CheckMessage]:
    """E029 for a user model without what a token's user is found and known by."""
    users: Any = get_user_model()
    for name in ("objects", "get_session_auth_hash", "get_session_auth_fallback_hash"):
        if not hasattr(users, name):
            fault = f"{users.__name__} has no {name!r}: nobody could sign in."
            yield message(Error, "E029", fault, "Subclass AbstractBaseUser, and name the manager 'objects'.")


@register(Tags.security)
def check_claim_names(**kwargs: Any) -> Iterator[CheckMessage]:
    """E027 for a claim without a name, or with one that is something else's."""
    taken = {*claims.REGISTERED, "null"}  # what JSON makes of `None`
    for key in ("REVOKE_TOKEN_CLAIM", "JTI_CLAIM", "TOKEN_TYPE_CLAIM", "USER_ID_CLAIM"):
        name: Any = getattr(simple_jwt(), key)
        if name is None and key in _MAY_BE_OFF:
            continue
        if not isinstance(name, str) or not name or name in taken:
            fault = f"SIMPLE_JWT[{key!r}] is {name!r}, which is no name, or that of another claim."
            yield message(Error, "E027", fault, "Tokens would be refused wherever they are sent.")
        taken |= {name} if isinstance(name, str) else set()
    if all(getattr(simple_jwt(), key) is None for key in _MAY_BE_OFF):
        fault = (
            "SIMPLE_JWT['JTI_CLAIM'] and ['TOKEN_TYPE_CLAIM'] are both None: a token does not say what it is good for."
        )
        yield message(Error, "E027", fault, "Keep one of them.")


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
    known = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
    return len(known) if isinstance(known, bytes) else 0


def only_verifies() -> bool:
    """Return whether there are only keys that verify, and no view makes tokens: a service that takes another's.

    A view of a project's own that signs in is not known for one.
    """
    names = simple_jwt()
    has_key = keys.ring().algorithm in HMAC_BYTES or names.user_settings.get("SIGNING_KEY")
    return bool(names.JWK_URL or names.VERIFYING_KEY) and not has_key and not any(issuing_paths())


def self_test() -> str | None:
    """Try the keys, as far as they are needed; return the name of the error where that fails.

    There is nothing to try where E018 says that no token can be verified.
    """
    if _leeway() is None:
        return None
    return _fault_of(_prepare_to_verify if only_verifies() else _sign_and_verify)


def signing_fault() -> str | None:
    """Sign a token; return the name of the error where that fails."""
    return _fault_of(_sign)


def _fault_of(trial: Callable[[backends.TokenBackend], object]) -> str | None:
    """Try the keys; return the name of the error where that fails."""
    try:
        trial(backends.current())
    except Exception as error:  # noqa: BLE001 - PyJWT and cryptography raise what they like
        return type(error).__name__
    return None


def _prepare_to_verify(backend: backends.TokenBackend) -> None:
    """Read the key that verifies. Those behind a JWKS URL are not asked for: checks send no requests."""
    if not backend.jwks_client:
        _key = backend.prepared_verifying_key


def _sign(backend: backends.TokenBackend) -> str:
    """Sign a token that is good for ever, and for nothing."""
    names = (simple_jwt().JTI_CLAIM, simple_jwt().TOKEN_TYPE_CLAIM)
    return backend.encode({"exp": claims.LATEST_TIME, **dict.fromkeys(filter(None, names), "self-test")})


def _sign_and_verify(backend: backends.TokenBackend) -> None:
    """Sign a token and verify it. With a JWKS URL it is only signed: checks send no requests."""
    token = _sign(backend)
    if not backend.jwks_client:
        backend.decode(token)


@register(Tags.security)
def check_header_name(**kwargs: Any) -> Iterator[CheckMessage]:
    """W032 for an ``AUTH_HEADER_NAME`` that no header has in ``request.META``."""
    name: Any = simple_jwt().AUTH_HEADER_NAME
    if not isinstance(name, str) or not _META_NAME.fullmatch(name):
        fault = f"SIMPLE_JWT['AUTH_HEADER_NAME'] is {name!r}, and a header is never called that in request.META."
        hint = "'HTTP_X_ACCESS_TOKEN' is the header X-Access-Token, and 'HTTP_AUTHORIZATION' is Authorization."
        yield message(Warning, "W032", fault, hint)


@register(Tags.security)
def check_schemes(**kwargs: Any) -> Iterator[CheckMessage]:
    """E033 for ``AUTH_HEADER_TYPES`` without a scheme, or with what is none (RFC 9110 11.1)."""
    known: Any = conf.schemes()
    if not known or not all(isinstance(name, str) and _SCHEME.fullmatch(name) for name in known):
        fault = f"SIMPLE_JWT['AUTH_HEADER_TYPES'] must name schemes, as 'Bearer' is one, not {known!r}."
        yield message(Error, "E033", fault, "A request without a token could not be answered either.")
