"""What the kit does when a user, or simplejwt's blacklist, is saved."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hasher, identify_hasher
from django.db import connections
from django.db.models import Case, F, Model, QuerySet, Value, When
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, post_save, pre_save
from django.db.models.sql import UpdateQuery
from django.dispatch import receiver

from . import adoption, credentials, ending, models, revocation, rotation, transactions
from .conf import simple_jwt

# On a user: the password as it was read or written last, whether one was set and is not written yet, what is being
# hashed anew, and what saves of it are about to write over.
_KNOWN, _SET = "_drf_jwt_kit_known_password", "_drf_jwt_kit_set_password"
_REHASH, _STORED = "_drf_jwt_kit_rehash", "_drf_jwt_kit_stored"


class _Rehash(str):
    """A password's new hash, which an ``UPDATE`` writes in the place of the ``checked`` one and of no other.

    To everybody but that query this is the hash.
    """

    __slots__ = ("checked",)
    checked: str | None

    def resolve_expression(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what a query makes of it."""
        if not isinstance(query, UpdateQuery) or not issubclass(get_user_model(), query.model or Model):
            return Value(str(self)).resolve_expression(query, *args, **kwargs)
        field: Any = query.get_meta().get_field("password")
        new = Value(str(self), field)
        renewed = Case(When(password=self.checked, then=new), default=F("password"))
        return renewed.resolve_expression(query, *args, **kwargs)


def remember_password(*, instance: Model, **kwargs: Any) -> None:
    """Note the password that a user was read with: a re-hash, which comes when it was found right, is one of that."""
    vars(instance)[_KNOWN] = vars(instance).get("password") or None


def _is_read_here(instance: Model, using: str) -> bool:
    """Return whether what is saved is a user, and not a copy in another database than sessions are in."""
    return isinstance(instance, get_user_model()) and using == models.writing_database()


def _writes(update_fields: frozenset[str] | None, name: str) -> bool:
    """Return whether a save writes the field ``name``."""
    return update_fields is None or name in update_fields


def _writes_activity(user: Any, update_fields: frozenset[str] | None) -> bool:
    """Return whether a save may change who is active: where no column is written for that, any column may."""
    if not simple_jwt().CHECK_USER_IS_ACTIVE:
        return False
    if _is_alike(user):
        return "is_active" in vars(user)
    column = _activity(user)
    return column is None or column.generated or _writes(update_fields, "is_active")


def _is_alike(user: Any) -> bool:
    """Return whether a user model takes all for active, or nobody, but where somebody is told apart."""
    return isinstance(getattr(type(user), "is_active", None), bool)


def _activity(user: Any) -> Any:
    """Return the field that says who is active, ``None`` where something else does."""
    column = getattr(type(user), "is_active", None)
    return column.field if isinstance(column, DeferredAttribute) else None


def _is_inactive(user: Any, using: str) -> bool:
    """Return whether a save has left a user inactive.

    A column takes more than booleans: what it made of a text or an expression, it has to tell. What a property says
    may come of fields that were not written.
    """
    column, is_active = _activity(user), user.is_active
    told_by_column = column is not None and type(is_active) is bool and not column.generated
    if told_by_column or (column is None and (is_active or _is_alike(user))):
        return not is_active
    return any(not stored.is_active for stored in type(user)._base_manager.using(using).filter(pk=user.pk))


@receiver(pre_save)
def compare_with_what_is_stored(
    *, instance: Model, raw: bool, update_fields: frozenset[str] | None, using: str, **kwargs: Any
) -> None:
    """Look at a user's row before it is written over: for whether the user was active, and for the password."""
    if raw or not _is_read_here(instance, using):
        return
    _take_note(instance)
    writes_password = _writes(update_fields, "password")
    writes_activity = _writes_activity(instance, update_fields)
    if not (writes_password or writes_activity) or instance.pk is None:
        return
    if is_rehash := writes_password and _is_rehash(instance):
        _hold(instance, using)
    stored: Any = type(instance)._base_manager.using(using).filter(pk=instance.pk).first()
    if stored is None:
        return
    if writes_activity and not stored.is_active:
        _hold(instance, using)
        ending.end_left_over(instance)
    if is_rehash:
        _prepare_rehash(instance, stored)
    elif writes_password:
        _note_overwritten(instance, stored)


def _take_note(user: Any) -> None:
    """Forget another re-hash, and keep a password that was set: any save forgets that, and may leave it unwritten."""
    vars(user).pop(_REHASH, None)
    if vars(user).get("_password") is not None:
        setattr(user, _SET, True)


def _note_overwritten(user: Any, stored: Any) -> None:
    """Note what a save is about to write over, and with what: the last note is that of the innermost save."""
    notes: dict[tuple[str, str], Any] = vars(user).setdefault(_STORED, {})
    notes[stored.password, user.password] = stored


def _overwritten(user: Any) -> Iterator[list[str]]:
    """Yield the hashes of the credentials that were written over with another password than the user has now.

    A save inside of another one finds written what that one wrote, and one that failed wrote nothing: so of others
    than the last only those count that were to write what is there now. That one a receiver may have changed since.
    """
    notes = vars(user).pop(_STORED, {})
    last = next(reversed(notes), None)
    for (before, after), stored in notes.items():
        if before != user.password and ((before, after) == last or after == user.password):
            yield credentials.hashes(stored)


def _hold(user: Model, using: str) -> None:
    """Hold a user's row where a transaction is open: sessions come next, and whoever ends them holds it, too."""
    connection = connections[using]
    if connection.in_atomic_block:
        # By no manager of the model's: joins that it makes could not be held.
        row: QuerySet[Any] = QuerySet(type(user), using=using).filter(pk=user.pk)
        list(row.select_for_update(no_key=connection.features.has_select_for_no_key_update).values_list("pk"))


def _is_rehash(user: Any) -> bool:
    """Return whether ``check_password`` saves the same password, hashed anew.

    That is what it does when the hasher or its cost has changed: it sets the raw password, forgets it at
    once and saves the one field, to which a model's own ``save`` may add. A password that somebody *assigned* was
    never set on this instance, and while one that was set is not saved, whatever is saved is a change.
    """
    noted = vars(user)
    known = noted.get(_KNOWN)
    was_set_and_forgotten = noted.get("_password", "") is None and _SET not in noted
    return was_set_and_forgotten and (known is None or _outdated(known))


def _prepare_rehash(user: Any, stored: Any) -> None:
    """Let the save write a re-hash only in the place of the hash that was checked.

    Otherwise the last of several sign-ins at once would overwrite what the others' sessions are tied to already, and
    one with the old password a change.
    """
    checked = vars(user).get(_KNOWN)
    if checked is None and _outdated(stored.password):  # it was deferred: what is stored has most likely been checked
        checked = stored.password
    user.password = rehash = _Rehash(user.password)
    setattr(user, _REHASH, rehash)
    rehash.checked = checked
    if checked is not None:
        _carry_over(user, rehash, stored)  # requests in flight may meet either hash until this is through


def _is_another(user: Any, before: list[str]) -> bool:
    """Return whether ``user`` has another password than that of ``before``, and not another hash of the same."""
    return rotation.same_password(user, before).isdisjoint(credentials.hashes(user))


def _carry_over(user: Any, rehash: _Rehash, stored: Any) -> None:
    """Let the user's sessions follow a re-hash, as far as the row is ``stored``: other fields may count as well."""
    before, after = (_hashes(stored, password) for password in (rehash.checked, str(rehash)))
    rotation.carry_over(user, before, after[0])
    setattr(user, credentials.RENEWED, (before[:1], str(rehash)))


def _hashes(stored: Any, password: str | None) -> list[str]:
    """Return what a row's credentials hash to with another password."""
    stored.password = password
    return credentials.hashes(stored)


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
    *,
    instance: Model,
    created: bool,
    raw: bool,
    update_fields: frozenset[str] | None,
    using: str,
    **kwargs: Any,
) -> None:
    """End a user's sessions when the user is deactivated or the password changes (law 9)."""
    if raw or not _is_read_here(instance, using):
        return
    user: Any = instance
    rehash: _Rehash | None = vars(user).pop(_REHASH, None)
    if rehash is not None:
        _finish_rehash(user, rehash, using)
    overwritten: list[list[str]] = []
    if _writes(update_fields, "password"):
        vars(user).pop(_SET, None)
        remember_password(instance=user)
        overwritten = list(_overwritten(user))
    if created:
        return
    if _writes_activity(user, update_fields) and _is_inactive(user, using):
        ending.end_all(user, rotation.USER_INACTIVE)
    elif any(_is_another(user, before) for before in overwritten):
        ending.end_all(user, rotation.PASSWORD_CHANGED)
    else:
        for before in overwritten:  # another hash of the same password, which was brought back
            rotation.carry_over(user, before, credentials.hashes(user)[0])


def _finish_rehash(user: Any, rehash: _Rehash, using: str) -> None:
    """Carry sessions over a re-hash that was written, or keep what somebody stored who was quicker.

    That was a re-hash beside this one, or a change: of another password nobody knows yet whether it would have been
    right.
    """
    stored: Any = type(user)._base_manager.using(using).filter(pk=user.pk).first()
    if stored is None:  # deleted meanwhile
        return
    user.password, hashes = stored.password, credentials.hashes(stored)
    if stored.password == rehash:
        # Once more: a session may have begun since, under what this save has overwritten.
        transactions.last(partial(_carry_over, user, rehash, stored))
    elif rotation.same_password(user, hashes) == set(hashes):
        setattr(user, credentials.UNSEEN, stored.password)


def follow_blacklist(*, instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:
    """End the session of a token that a project's own code put on simplejwt's blacklist."""
    if created and not raw:
        revocation.revoke_token(instance.token.token)


for _model in apps.get_models():
    if issubclass(_model, get_user_model()):
        post_init.connect(remember_password, sender=_model)

if apps.is_installed(adoption.BLACKLIST_APP):
    post_save.connect(follow_blacklist, sender=apps.get_model(adoption.BLACKLISTED))
