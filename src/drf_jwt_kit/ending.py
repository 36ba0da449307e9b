"""The end of sessions: of one, or of all that a user has."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model

from . import adoption, models, rotation, signals, transactions
from .models import TokenSession, TokenSessionQuerySet


def revoke(session: TokenSession, reason: str = rotation.SIGNED_OUT, request: Any = None) -> bool:
    """End ``session``, with all its tokens; return whether it was this call that did.

    Inside a transaction of the caller's it takes effect when that commits, and not if it is rolled
    back.
    """
    ended = rotation.revoke(session, reason)
    if ended:
        _announce([session], reason, request)
    return ended


def end_reused(session: TokenSession, request: Any) -> None:
    """End ``session``, whose refresh token was used twice, before anybody hears of it: a receiver may hang, or fail."""
    transactions.survive_rollback(partial(rotation.revoke, session, rotation.REUSED))
    ended = [session] if rotation.revoke(session, rotation.REUSED) else []
    if not ended and TokenSession.objects.filter(pk=session.pk, revoke_reason=rotation.REUSED).exists():
        return  # found out by another request, which tells of it
    signals.announce(
        signals.refresh_token_reused, "refresh_token_reused", logging.WARNING, session=session, request=request
    )
    _announce(ended, rotation.REUSED, request)


def revoke_all(user: Any, keep: TokenSession | UUID | None = None, request: Any = None) -> int:
    """End all sessions of ``user`` but ``keep``; return how many this call ended.

    Refresh tokens that simplejwt signed for this user before now end with them.
    """
    return end_all(user, rotation.SIGNED_OUT_EVERYWHERE, keep=keep, request=request)


def end_all(user: Any, reason: str, *, keep: TokenSession | UUID | None = None, request: Any = None) -> int:
    """End all sessions of ``user`` but ``keep`` for ``reason``; return how many.

    In a transaction it is done again after the commit: until then, others took the user for what was true before.
    """
    sessions = TokenSession.objects.filter(user=user)
    if keep is not None:
        sessions = sessions.exclude(pk=getattr(keep, "pk", keep))
    overlooked = _overlooked(user, sessions, reason)
    ended = _sweep(user, sessions, reason)
    _announce(ended, reason, request)
    transactions.after_commit(lambda: _end(overlooked(), reason, request))
    return len(ended)


def end_all_of_inactive(user: Any) -> None:
    """End the sessions of a user who is found inactive, so that none revives with the user (law 9)."""
    overlooked = _overlooked(user, TokenSession.objects.filter(user=user), rotation.USER_INACTIVE)
    transactions.survive_rollback(lambda: _sweep(user, overlooked(), rotation.USER_INACTIVE))
    end_all(user, rotation.USER_INACTIVE)


def _overlooked(user: Any, sessions: TokenSessionQuerySet, reason: str) -> Callable[[], TokenSessionQuerySet]:
    """Return what tells, once a transaction is over, which of ``sessions`` are to end as those now.

    After any end somebody may sign in, but for a user who is inactive then.
    """
    older = _older(sessions)
    users = get_user_model()._base_manager.using(models.writing_database()).filter(pk=user.pk)

    def overlooked() -> TokenSessionQuerySet:
        if reason != rotation.USER_INACTIVE or any(stored.is_active for stored in users.all()):
            return older
        return sessions

    return overlooked


def end_left_over(user: Any) -> None:
    """End what the deactivation of ``user`` did not, before the user is active again (law 9).

    It bars no tokens that have no session yet: those may be made for a new user in the same second.
    """
    _end(TokenSession.objects.filter(user=user), rotation.USER_INACTIVE, None)


def _sweep(user: Any, sessions: TokenSessionQuerySet, reason: str) -> list[TokenSession]:
    """End ``sessions``, and bar tokens of ``user`` that have none yet; return what this call ended."""
    adopted_meanwhile = _older(sessions)
    kept_for = adoption.oldest()
    ended = rotation.revoke_all(sessions, reason, kept_for)
    if not ended:
        adoption.bar(user, reason, kept_for)
    if transactions.is_open():  # they come before those that are held now, and are looked at after the commit
        return ended
    return ended + rotation.revoke_all(adopted_meanwhile, reason, kept_for)


def _older(sessions: TokenSessionQuerySet) -> TokenSessionQuerySet:
    """Return those of ``sessions`` that are older than now, whenever they are asked for.

    An adopted one always is: its id sorts before that of any sign-in.
    """
    return sessions.filter(pk__lt=models.time_ordered_uuid(randomness=bytes(10)))


def _end(sessions: TokenSessionQuerySet, reason: str, request: Any) -> None:
    """End what is still alive of ``sessions``."""
    _announce(rotation.revoke_all(sessions, reason, adoption.oldest()), reason, request)


def _announce(ended: list[TokenSession], reason: str, request: Any) -> None:
    """Tell that sessions ended."""
    for session in ended:
        signals.announce(
            signals.session_revoked, "session_revoked", logging.INFO, session=session, request=request, reason=reason
        )
