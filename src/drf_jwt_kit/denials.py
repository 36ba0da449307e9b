"""Sign-ins that are denied although no authentication backend says so, or before one is asked."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_backends
from django.contrib.auth.hashers import check_password
from django.views.decorators.debug import sensitive_variables

from . import models
from .throttling import Attempt


@sensitive_variables("password")
def comes_unseen(name: str, password: str) -> bool:
    """Return whether an attempt is too many for the account that its name finds; spend what it would have cost.

    Its password is not tried: were the right one hashed anew, the next answers would tell.
    """
    attempt = Attempt.under_way()
    if attempt is None or not attempt.may_be_too_many or (named := models.user_named(name)) is None:
        return False
    attempt.means(str(named.get_username()))
    if attempt.is_too_many:
        check_password(password, named.password)
    return attempt.is_too_many


def comes_late(name: str, user: Any) -> bool:
    """Return whether a right password comes too late for the account, whichever spelling of its name found it.

    An address that a backend knows a user by is no spelling of the name.
    """
    attempt, account = Attempt.under_way(), str(user.get_username())
    if attempt is None:
        return False
    attempt.means(account if attempt.names(account) or models.user_named(name) == user else name)
    return attempt.is_too_many


def may_precede() -> None:
    """Note, where a backend failed, that another one may have said no before it."""
    attempt = Attempt.under_way()
    if attempt is not None and len(settings.AUTHENTICATION_BACKENDS) > 1:
        attempt.was_denied = True


def is_about_name(error: Exception, name: str) -> bool:
    """Return whether a backend stumbled over a name that nobody can have, and not over anything else."""
    return isinstance(error, models.STUMBLES) and not models.can_be_user_name(name)


def is_about_settings() -> bool:
    """Return whether the backends cannot even be made: what is said of that has nothing of a request's."""
    try:
        get_backends()
    except Exception:  # noqa: BLE001 - a project's classes raise what they like
        return True
    return False
