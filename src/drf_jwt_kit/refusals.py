"""Refusals: what an exception means that ends a sign-in."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Container
from itertools import pairwise
from typing import Any

from django.contrib.auth import authenticate, get_backends
from django.db import Error
from django.dispatch import Signal
from django.views.decorators.debug import sensitive_variables
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework_simplejwt.exceptions import TokenError

from . import models
from .exceptions import SecondFactorRequired, in_drfs_words
from .hashers import is_refused


def is_answer(error: Exception) -> bool:
    """Return whether a backend raised what it wants the client to be told."""
    return isinstance(error, APIException) and not status.is_server_error(error.status_code)


def is_guess(request: Any, refusal: Exception, *, denied: bool | None, declared: Callable[[], Container[str]]) -> bool:
    """Return whether a sign-in was refused for what was tried, not for how it was written.

    What Django ``denied`` is a guess, whatever it is answered with, and so is any refusal after a success but a 5xx, a
    429, and one that asks for a second factor: none was tried. Where Django was not asked (``None``) the refusal has to
    tell: DRF's own token view, and projects that took after it, say 400 to a wrong password, an error of none of the
    ``declared`` fields.
    """
    comes_early = getattr(refusal, "status_code", None) == status.HTTP_429_TOO_MANY_REQUESTS
    if denied or comes_early or isinstance(refusal, SecondFactorRequired):
        return bool(denied)
    if isinstance(refusal, ValidationError) and denied is None:
        fields = declared()
        of_no_field = isinstance(refusal.detail, list) or any(name not in fields for name in refusal.detail)
        return isinstance(_body(request), dict) and of_no_field
    return isinstance(refusal, TokenError) or is_answer(in_drfs_words(refusal)) or _tells_of_denial(refusal)


def _body(request: Any) -> Any:
    """Return what was sent, as far as ``request`` tells; where a serializer came to be asked, it was an object."""
    return getattr(request, "data", {})


def _tells_of_denial(error: BaseException | None) -> bool:
    """Return whether an error, or what led to it, is that of a receiver whom Django told of a denial."""
    if error is None:
        return False
    modules = [frame.f_globals.get("__name__") for frame, _line in traceback.walk_tb(error.__traceback__)]
    told = (authenticate.__module__, Signal.__module__)
    return told in pairwise(modules) or _tells_of_denial(error.__cause__)


def speaks(refusal: Exception) -> bool:
    """Return whether an exception tells by itself what it is answered with."""
    return isinstance(in_drfs_words(refusal), (APIException, TokenError))


def may_deny(refusal: Exception | None) -> bool:
    """Return whether an exception of a project's own may be how it denies."""
    return refusal is not None and not speaks(refusal) and not isinstance(refusal, Error)


@sensitive_variables()
def is_about_credentials(error: Exception, name: str, password: str) -> bool:
    """Return whether a backend stumbled over a name that nobody can have, or a password, and not over anything else."""
    if isinstance(error, models.STUMBLES) and not models.can_be_user_name(name):
        return True
    return isinstance(error, ValueError) and is_refused(password)


def is_about_settings() -> bool:
    """Return whether the backends cannot even be made: what is said of that has nothing of a request's."""
    try:
        get_backends()
    except Exception:  # noqa: BLE001 - a project's classes raise what they like
        return True
    return False
