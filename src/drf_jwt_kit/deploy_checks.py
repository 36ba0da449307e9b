"""System checks of ``check --deploy``: what is well enough on a desk, and not on a server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import BasePasswordHasher, PBKDF2PasswordHasher, get_hasher
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.middleware.security import SecurityMiddleware

from . import middleware
from .checks import kit_settings, message, sign_in_paths

# What 200 ms (SC-001) leave room for where 1.5 million rounds take 366 ms and more.
_MOST_ROUNDS = 750_000

_SAYS_A_PROXY = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")
_FAILURES = ("LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS", "LOGIN_FAILURES_PER_ADDRESS", "LOGIN_FAILURES_PER_ACCOUNT")

# What comes of a cache that keeps nothing.
UNCOUNTED = (
    "failed sign-ins cannot be counted, and sign-in answers 503, or with THROTTLE_FAILS_OPEN goes on without limits"
)

_RACES = (
    Warning,
    "W023",
    "The default cache misses some of the failed sign-ins that run side by side, and drops counts beyond MAX_ENTRIES.",
    "Use Redis or Valkey.",
)
_CACHES = {
    "DummyCache": (
        Error,
        "E010",
        f"The default cache keeps nothing: {UNCOUNTED}.",
        "Use Redis or Valkey.",
    ),
    "LocMemCache": (
        Warning,
        "W011",
        "Each process counts failed sign-ins in a default cache of its own, which drops counts beyond MAX_ENTRIES.",
        "Use Redis or Valkey where more than one process serves the site.",
    ),
    "DatabaseCache": _RACES,
    "FileBasedCache": _RACES,
}


@register(Tags.security, deploy=True)
def check_cache_counts(**kwargs: Any) -> Iterator[CheckMessage]:
    """E010, W011 and W023 for a cache that does not count failed sign-ins, or not all."""
    backend = settings.CACHES.get("default", {}).get("BACKEND", "").rpartition(".")[2]
    if backend in _CACHES and not counts_nothing():
        yield message(*_CACHES[backend])


@register(Tags.security, deploy=True)
def check_proxies(**kwargs: Any) -> Iterator[CheckMessage]:
    """W015 where settings speak of a proxy that ``TRUSTED_PROXIES`` knows nothing of."""
    told = [name for name in _SAYS_A_PROXY if getattr(settings, name)]
    if told and getattr(kit_settings(), "TRUSTED_PROXIES", None) == 0:
        yield message(
            Warning,
            "W015",
            f"{told[0]} says that a proxy stands in front, and DRF_JWT_KIT['TRUSTED_PROXIES'] is 0: all users share "
            "the proxy's address, and one limit of failed sign-ins.",
            "Set TRUSTED_PROXIES to the number of proxies that append to X-Forwarded-For.",
        )


@register(Tags.security, deploy=True)
def check_limits(**kwargs: Any) -> Iterator[CheckMessage]:
    """W024 where nothing limits how many passwords may be tried."""
    if counts_nothing():
        yield message(
            Warning,
            "W024",
            "All LOGIN_FAILURES_... of DRF_JWT_KIT are None: passwords can be guessed without limit.",
            "Leave them at their defaults, unless something in front of the site counts.",
        )


def counts_nothing() -> bool:
    """Return whether failed sign-ins are not counted: they need no cache then."""
    known = kit_settings()
    return known is not None and all(getattr(known, name) is None for name in _FAILURES)


@register(Tags.security, deploy=True)
def check_redirect(**kwargs: Any) -> Iterator[CheckMessage]:
    """W022 where the way to HTTPS leaves the sign-in out; that there is none at all is Django's to say."""
    if not settings.SECURE_SSL_REDIRECT or not middleware.is_used(SecurityMiddleware):
        return
    for path in sign_in_paths():
        if any(re.search(exempt, path) for exempt in settings.SECURE_REDIRECT_EXEMPT):
            yield message(
                Warning,
                "W022",
                f"SECURE_REDIRECT_EXEMPT leaves {path} out: passwords and tokens go over plain http there.",
                "Let its patterns match no more than they must.",
            )


@register(Tags.security, deploy=True)
def check_open_views(**kwargs: Any) -> Iterator[CheckMessage]:
    """W014 for each endpoint that is open without a word, W025 for each that it could not be told of (law 7)."""
    from . import audit

    if kit_settings() is None or not getattr(settings, "ROOT_URLCONF", None):
        return
    for row in audit.rows():
        where = f"{row.method} {row.route} ({row.view})"
        if row.verdict is audit.Verdict.OPEN:
            fault, hint = f"{where} is open to anyone: {row.why}.", "Protect it, or declare it with @public."
            yield message(Warning, "W014", fault, hint)
        elif row.verdict is audit.Verdict.UNKNOWN:
            fault, hint = f"{where} may be open: {row.why}.", "See what a request without a token gets."
            yield message(Warning, "W025", fault, hint)


@register(Tags.security, deploy=True)
def check_hasher(**kwargs: Any) -> Iterator[CheckMessage]:
    """E021 for a preferred hasher that is none, W020 for one that takes longer than SC-001 allows."""
    hasher = _preferred_hasher()
    if hasher is None:
        return
    if is_digest(hasher):
        yield message(
            Error,
            "E021",
            f"Passwords are hashed by {hasher.algorithm}, which a thief tries billions of times a second.",
            "Put 'drf_jwt_kit.hashers.Argon2idPasswordHasher' first in PASSWORD_HASHERS.",
        )
    elif isinstance(hasher, PBKDF2PasswordHasher) and hasher.iterations > _MOST_ROUNDS:
        yield message(
            Warning,
            "W020",
            f"PBKDF2 with {hasher.iterations:,} rounds lets a sign-in take longer than 200 ms on most machines.",
            "Put 'drf_jwt_kit.hashers.Argon2idPasswordHasher' first in PASSWORD_HASHERS, and keep the others.",
        )


def _preferred_hasher() -> BasePasswordHasher | None:
    """Return the hasher that new passwords get, ``None`` where none can be made: jwt_doctor says why."""
    try:
        return get_hasher()
    except (ImportError, ImproperlyConfigured, IndexError):
        return None


def is_digest(hasher: BasePasswordHasher) -> bool:
    """Return whether a hasher is a plain digest: made to be fast, which helps nobody but a thief."""
    return str(hasher.algorithm).removeprefix("unsalted_") in hashlib.algorithms_available
