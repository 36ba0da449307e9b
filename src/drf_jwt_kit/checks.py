"""System checks: what would go wrong silently says so before the server starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta, tzinfo
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.middleware.cache import UpdateCacheMiddleware
from django.utils import timezone
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication
from rest_framework.settings import api_settings as drf_settings

from . import conf, defaults, middleware, models, rules
from .conf import Settings, kit

DOCS = "docs/checks.md"


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


# simplejwt's views, on which the kit's and a project's rest: to import them here would be too early.
_SIGN_IN = ("TokenObtainPairView", "TokenObtainSlidingView")
_REFRESH = ("TokenRefreshView", "TokenRefreshSlidingView")


def is_list(value: Any) -> bool:
    """Return whether DRF and simplejwt can go through ``value`` one by one."""
    return isinstance(value, (list, tuple))


def sign_in_paths() -> Iterator[str]:
    """Yield a path of each route to a sign-in: the kit's own, a project's or simplejwt's."""
    return _paths_to(*_SIGN_IN)


def issuing_paths() -> Iterator[str]:
    """Yield a path of each route where tokens are made: by a sign-in, or by a refresh."""
    return _paths_to(*_SIGN_IN, *_REFRESH)


def _paths_to(*names: str) -> Iterator[str]:
    """Yield a path of each route to a view of simplejwt's of these names, or one that rests on it."""
    from rest_framework_simplejwt import views

    from . import routes

    if not getattr(settings, "ROOT_URLCONF", None):
        return
    wanted = tuple(getattr(views, name) for name in names)
    with routes.in_served_language():
        for route in routes.walk():
            if issubclass(route.view_class or object, wanted):
                yield (route.example() or route.placeholder()).path


@register(Tags.security)
def check_kit_settings(**kwargs: Any) -> Iterator[CheckMessage]:
    """E001 for each fault in ``DRF_JWT_KIT``."""
    for problem in rules.problems(getattr(settings, "DRF_JWT_KIT", {})):
        yield message(Error, "E001", problem.fault, problem.hint or "")


@register(Tags.security)
def check_authenticator(**kwargs: Any) -> Iterator[CheckMessage]:
    """W008 when the default authenticators cannot read a token at all."""
    from .authentication import JWTAuthentication

    authenticators = _authenticators()
    if authenticators is None or any(issubclass(known, JWTAuthentication) for known in authenticators):
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

    authenticators = _authenticators() or []
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


def _authenticators() -> list[Any] | None:
    """Return the classes among the default authenticators, ``None`` where E031 says that they are no list."""
    named: Any = drf_settings.DEFAULT_AUTHENTICATION_CLASSES
    return [known for known in named if isinstance(known, type)] if is_list(named) else None


@register(Tags.security)
def check_protection_arrived(**kwargs: Any) -> Iterator[CheckMessage]:
    """E009 when views were made without the defaults that they should have, or lost the kit's (law 7)."""
    from rest_framework.views import APIView

    project = getattr(settings, "REST_FRAMEWORK", {})
    kits = {name: paths for name, paths in conf.protection().items() if name not in project}
    for name, attribute in defaults.ATTRIBUTES.items():
        lost = name in kits and [*getattr(APIView, attribute)] != [import_string(path) for path in kits[name]]
        if lost or name in defaults.make_good():
            yield message(
                Error,
                "E009",
                "Django REST framework was imported before the settings were complete and drf_jwt_kit was set up: "
                f"views were made without their {name}.",
                "Do not import its views before that: in settings, in manage.py, in an AppConfig's module or in a "
                "package's __init__.",
            )


@register(Tags.security)
def check_autocommit(**kwargs: Any) -> Iterator[CheckMessage]:
    """E028 where nothing is committed unless the project does: sessions would neither begin nor end (law 4)."""
    alias = models.writing_database()
    if not connections[alias].settings_dict["AUTOCOMMIT"]:
        fault = (
            f"DATABASES[{alias!r}]['AUTOCOMMIT'] is False: who signs out stays signed in until something is committed."
        )
        yield message(Error, "E028", fault, "Leave it on: Django's atomic() has its transactions all the same.")


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
def check_site_cache(**kwargs: Any) -> Iterator[CheckMessage]:
    """E030 where Django's cache of the whole site cannot tell users apart: it does so by ``Authorization`` alone."""
    name = conf.simple_jwt().AUTH_HEADER_NAME
    if name == "HTTP_AUTHORIZATION" or not middleware.is_used(UpdateCacheMiddleware):
        return
    yield message(
        Error,
        "E030",
        f"Tokens come in {name}, and a middleware caches the whole site: what one user is answered, all others are.",
        "Send tokens in Authorization, or cache single views that are the same for everybody.",
    )


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
