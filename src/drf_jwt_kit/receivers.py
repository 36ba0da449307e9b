"""What the kit does when a user, or simplejwt's blacklist, is saved."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hasher, identify_hasher
from django.db.models import Model
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver

from . import adoption, credentials, ending, revocation, rotation
from .conf import simple_jwt

# On a user: what was hashed anew (nothing, where another re-hash was quicker), whether another password is about
# to be written, and whether this instance has written one before.
_BEFORE_REHASH, _CHANGES = "_drf_jwt_kit_before_rehash", "_drf_jwt_kit_changes_password"
_HAS_WRITTEN = "_drf_jwt_kit_has_written_password"


def _writes(update_fields: frozenset[str] | None, name: str) -> bool:
    """Return whether a save writes the field ``name``."""
    return update_fields is None or name in update_fields


def _is_deactivated(user: Any, update_fields: frozenset[str] | None, using: str) -> bool:
    """Return whether a save leaves a user inactive: where no column says who is active, any column may.

    A column takes more than booleans: what it made of a text or an expression, it has to tell.
    """
    if not isinstance(getattr(type(user), "is_active", None), DeferredAttribute):
        return not user.is_active
    if not _writes(update_fields, "is_active"):
        return False
    if type(user.is_active) is bool:
        return not user.is_active
    return bool(type(user)._base_manager.using(using).filter(pk=user.pk, is_active=False).exists())


@receiver(pre_save)
def compare_with_what_is_stored(
    *, instance: Model, raw: bool, update_fields: frozenset[str] | None, using: str, **kwargs: Any
) -> None:
    """Look at a user's row before it is written over: for whether the user was active, and for the password."""
    if raw or not isinstance(instance, get_user_model()):
        return
    for note in (_BEFORE_REHASH, _CHANGES):
        vars(instance).pop(note, None)
    # A password that was set is still remembered when it is saved.
    writes_password = _writes(update_fields, "password") and vars(instance).get("_password") is None
    writes_activity = _writes(update_fields, "is_active") and simple_jwt().CHECK_USER_IS_ACTIVE
    if not (writes_password or writes_activity) or instance.pk is None:
        return
    stored: Any = type(instance)._base_manager.using(using).filter(pk=instance.pk).first()
    if stored is None:
        return
    if writes_activity and not stored.is_active:
        ending.end_left_over(instance)
    if writes_password:
        _remember_credentials(instance, stored, update_fields, using)


def _remember_credentials(user: Any, stored: Any, update_fields: frozenset[str] | None, using: str) -> None:
    """Note what becomes of the ``stored`` password: changed, hashed anew, or nothing.

    One that was only assigned, or made unusable, differs from what is stored.
    """
    outdated = _outdated(stored.password)
    if _may_be_a_rehash(user, update_fields) and (outdated or not hasattr(user, _HAS_WRITTEN)):
        setattr(user, _BEFORE_REHASH, _renew(user, stored, using) if outdated else _yield_to(user, stored))
    else:
        setattr(user, _CHANGES, _is_another(user, stored))


def _may_be_a_rehash(user: Any, update_fields: frozenset[str] | None) -> bool:
    """Return whether ``check_password`` may be saving the same password, hashed anew.

    That is what it does when the hasher or its cost has changed: it sets the raw password, forgets it at
    once and saves the one field. A password that somebody *assigned* was never set on this instance.
    """
    return set(update_fields or ()) == {"password"} and "_password" in vars(user)


def _renew(user: Any, stored: Any, using: str) -> list[str]:
    """Write a re-hash in the place of what is ``stored``, and nothing else's; return what that hashed to.

    The save that follows writes it once more. Without this the last of several sign-ins at once would overwrite
    what the others' sessions are tied to already.
    """
    before = credentials.hashes(stored)
    _carry_over(user, before)  # requests in flight may meet either hash until this is through
    rows = type(user)._base_manager.using(using).filter(pk=user.pk)
    if rows.filter(password=stored.password).update(password=user.password):
        return before
    return _yield_to(user, rows.first() or stored)


def _yield_to(user: Any, stored: Any) -> list[str]:
    """Keep what is ``stored`` by somebody who was quicker: a re-hash beside this one, or a change.

    Of another password nobody knows yet whether it would have been right.
    """
    user.password, hashes = stored.password, credentials.hashes(stored)
    if rotation.same_password(user, hashes) == set(hashes):
        setattr(user, credentials.UNSEEN, stored.password)
    return []


def _is_another(user: Any, stored: Any) -> bool:
    """Return whether ``user`` has another password than what is ``stored``, and not another hash of the same."""
    if user.password == stored.password:
        return False
    tied = rotation.same_password(user, credentials.hashes(stored))
    return tied.isdisjoint(credentials.hashes(user))


def _carry_over(user: Any, before: list[str]) -> None:
    """Let the user's sessions follow a re-hash of what hashed to ``before``."""
    rotation.carry_over(user, before, credentials.hashes(user)[0])
    setattr(user, credentials.RENEWED, (before[:1], user.password))


def _outdated(encoded: str) -> bool:
    """Return whether Django would hash this password anew once it has seen it right."""
    try:
        hasher = identify_hasher(encoded)
    except ValueError:
        return False
    preferred = get_hasher()
    return hasher.algorithm != preferred.algorithm or preferred.must_update(encoded)


@receiver(post_save)
def follow_user(
    *, instance: Model, created: bool, raw: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    """End a user's sessions when the user is deactivated or the password changes (law 9)."""
    if raw or not isinstance(instance, get_user_model()):
        return
    if _writes(update_fields, "password"):
        setattr(instance, _HAS_WRITTEN, True)
    if created:
        return
    if simple_jwt().CHECK_USER_IS_ACTIVE and _is_deactivated(instance, update_fields, kwargs["using"]):
        ending.end_all(instance, rotation.USER_INACTIVE)
    elif _writes(update_fields, "password"):
        _follow_password(instance)


def _follow_password(user: Any) -> None:
    """Carry sessions over a re-hash; end them after a change."""
    before: list[str] | None = vars(user).pop(_BEFORE_REHASH, None)
    if before:
        # Once more: a session may have begun since, under what this save has overwritten.
        _carry_over(user, before)
    elif before is None and (user._password is not None or vars(user).get(_CHANGES)):
        ending.end_all(user, rotation.PASSWORD_CHANGED)


def follow_blacklist(*, instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:
    """End the session of a token that a project's own code put on simplejwt's blacklist."""
    if created and not raw:
        revocation.revoke_token(instance.token.token)


if apps.is_installed(adoption.BLACKLIST_APP):
    post_save.connect(follow_blacklist, sender=apps.get_model(adoption.BLACKLISTED))
