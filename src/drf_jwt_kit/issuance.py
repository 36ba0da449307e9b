"""Issuing: the tokens of a session's current generation, with the user's claims as they are now."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from inspect import getattr_static
from pkgutil import resolve_name
from types import FunctionType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework_simplejwt.serializers import TokenObtainSerializer
from rest_framework_simplejwt.utils import datetime_to_epoch

from . import claims, models
from .conf import REFRESH_TOKEN, SIMPLE_JWT_DEFAULTS, kit, named_class, onto_kit, simple_jwt, ungrafted
from .exceptions import Revoked
from .models import TokenSession
from .tokens import AccessToken, RefreshToken, Token

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it, and not a backslash before these letters
_SURROGATE = re.compile("[\ud800-\udfff]")

# What Python keeps on a class for annotations (PEP 649 too), type parameters (PEP 560, PEP 695) and abstract methods.
_OF_ANNOTATIONS = {"__annotations__", "__annotations_cache__"}
_OF_GENERICS = {"__orig_bases__", "__parameters__", "__type_params__"}
_OF_PYTHON = {*_OF_ANNOTATIONS, *_OF_GENERICS, "__abstractmethods__", "_abc_impl"}

logger = logging.getLogger("drf_jwt_kit")


def refresh_token(session: TokenSession) -> RefreshToken:
    """Return a refresh token with the user's claims as they are now (law 11), for ``session``.

    They come from the serializer's ``get_token``, then from ``CLAIMS``, then from what was fixed at
    sign-in. Raises what signing them would, before anything is written for tokens that cannot be made, and
    :class:`~drf_jwt_kit.exceptions.Revoked` where the serializer is gone.
    """
    made: Token = _source(session).get_token(session.user)
    token_class = onto_kit(made.__class__, REFRESH_TOKEN)
    token = token_class() if issubclass(token_class, RefreshToken) else RefreshToken()
    token.payload |= {**made.payload, "iat": datetime_to_epoch(made.current_time)}
    token.payload.pop(simple_jwt().REVOKE_TOKEN_CLAIM, None)  # the session knows the credentials
    token.payload[simple_jwt().TOKEN_TYPE_CLAIM] = token.token_type
    token.payload[simple_jwt().USER_ID_CLAIM] = models.user_id(session.user)
    hook = kit().CLAIMS
    _add(token, import_string(hook)(session.user, session) if hook else {})
    _add(token, session.claims)
    token.belong_to(session.pk, session.generation + 1)
    token.get_token_backend().encode(token.payload)
    return token


def ensure_storable(fixed: Mapping[str, Any]) -> None:
    """Raise :exc:`~django.core.exceptions.ImproperlyConfigured` for claims that not every database can hold.

    JSON may have them (RFC 8259 8.2), PostgreSQL and MariaDB do not.
    """
    text = json.dumps(fixed, ensure_ascii=False)
    if _NUL.search(text) or _SURROGATE.search(text):
        raise ImproperlyConfigured("A claim that is fixed at sign-in has a NUL or a lone surrogate in it.")


def source_of(serializer_class: type[Any]) -> str:
    """Return the dotted path at which a refresh finds ``get_token`` again, empty where the settings name it.

    A class that was made inside a function cannot be found: what it is made of can, if nothing that its claims may
    depend on is its own. Where none makes tokens, the kit's does. Raises
    :exc:`~django.core.exceptions.ImproperlyConfigured` for claims that cannot be made again, or of an instance.
    """
    if isinstance(getattr_static(serializer_class, "get_token", None), FunctionType):
        sentence = "get_token has to be a classmethod: a refresh has no instance."
        raise ImproperlyConfigured(f"{serializer_class.__module__}.{serializer_class.__qualname__}.{sentence}")
    named = ungrafted(named_class("TOKEN_OBTAIN_SERIALIZER"))
    if ungrafted(serializer_class) is named:
        return ""
    unfound: dict[str, Any] = {}
    for cls in serializer_class.__mro__:
        path, makes_tokens = f"{cls.__module__}.{cls.__qualname__}", _makes_tokens(cls)
        if makes_tokens and _is_found(cls, path):
            _ensure_claims_rest_on(cls, unfound)
            return path if ungrafted(cls) is not named else ""
        if makes_tokens and "get_token" in vars(cls):
            raise ImproperlyConfigured(f"{path} has a get_token that no refresh could find: define it in a module.")
        unfound = {**vars(cls), **unfound}
    return str(SIMPLE_JWT_DEFAULTS["TOKEN_OBTAIN_SERIALIZER"])


def _ensure_claims_rest_on(cls: Any, unfound: Mapping[str, Any]) -> None:
    """Raise if ``get_token`` of ``cls`` may say something else with what a refresh will not find.

    What it takes from an instance, from ``Meta`` or by chance is not known: methods are the validation's.
    """
    of_validation = {*dir(Serializer), "username_field", "Meta", "_spectacular_annotation"}
    names = sorted(unfound.keys() & set(dir(cls)) - of_validation - _OF_PYTHON)
    if lost := [name for name in names if _says_otherwise(unfound[name], getattr_static(cls, name))]:
        found = f"{', '.join(lost)} of {cls}"
        raise ImproperlyConfigured(f"No refresh could find what stands for {found}: define it in a module.")


def _says_otherwise(value: Any, found: Any) -> bool:
    """Return whether a class attribute may lead to other claims than the one that is found."""
    if isinstance(value, FunctionType | property):
        return False
    one, other = (onto_kit(it, REFRESH_TOKEN) if isinstance(it, type) else it for it in (value, found))
    return bool(one != other)


def _makes_tokens(cls: Any) -> bool:
    """Return whether a serializer's ``get_token`` can make any: simplejwt's own needs to be told of what class."""
    is_theirs = getattr_static(cls, "get_token", None) is vars(TokenObtainSerializer)["get_token"]
    return hasattr(cls, "get_token") and not (is_theirs and cls.token_class is None)


def _is_found(cls: type[Any], path: str) -> bool:
    """Return whether a serializer, or the project's that it was made of, is at the path that it says."""
    try:
        found = resolve_name(path)
    except (ImportError, AttributeError, ValueError):
        return False
    return issubclass(cls, BaseSerializer) and found is ungrafted(cls)


def ensure_source(session: TokenSession) -> None:
    """Raise :class:`~drf_jwt_kit.exceptions.Revoked` where the serializer of a session's sign-in is gone."""
    _source(session)


def _source(session: TokenSession) -> Any:
    """Return the serializer class that ``session`` was signed in with.

    None takes the place of one that is gone: it may grant more. Raises :class:`~drf_jwt_kit.exceptions.Revoked`.
    """
    if not session.claims_source:
        named = named_class("TOKEN_OBTAIN_SERIALIZER")
        return named if _makes_tokens(named) else import_string(SIMPLE_JWT_DEFAULTS["TOKEN_OBTAIN_SERIALIZER"])
    with suppress(ImportError, AttributeError, ValueError):
        found = resolve_name(session.claims_source)
        found = onto_kit(found, SIMPLE_JWT_DEFAULTS["TOKEN_OBTAIN_SERIALIZER"]) if isinstance(found, type) else None
        if _makes_tokens(found):
            return found
    logger.warning("%s is gone: who signed in with it has to sign in again.", session.claims_source)
    raise Revoked


def _add(token: RefreshToken, added: Mapping[str, Any]) -> None:
    """Put a project's claims on the token, under names that are not the kit's."""
    if taken := added.keys() & claims.reserved():
        raise ImproperlyConfigured(f"These claims are written by drf-jwt-kit alone: {', '.join(sorted(taken))}.")
    token.payload.update(added)


def access_token(session: TokenSession, refresh: RefreshToken) -> AccessToken:
    """Make ``refresh`` the token of the session's current generation, and return its access token."""
    refresh.stamp(session.pk, session.generation, session.rotated_at, session.expires_at)
    access = refresh.access_token
    access.end_by(session.absolute_expires_at)
    access.session = refresh.session = session
    return access
