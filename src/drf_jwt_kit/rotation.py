"""Rotation and revocation: every write to a session that exists, each one conditional UPDATE.

Nothing here knows of requests or tokens. Nothing locks a row, and nothing needs a transaction:
each statement decides by itself who won.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import chain
from typing import Any

from django.db import IntegrityError, OperationalError
from django.db.models import Case, F, TextField, Value, When
from django.db.models.functions import Concat, Right

from . import credentials, lookup, models, transactions
from .conf import kit, leeway
from .exceptions import Expired, Reused, Revoked
from .models import TokenSession, TokenSessionQuerySet

# Why sessions end.
SIGNED_OUT = "signed_out"
SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
REUSED = "reused"
TOO_MANY = "too_many_sessions"
PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a password
USER_INACTIVE = "user_inactive"
OVERTAKEN = "overtaken"  # the user changed while it began
DENIED = "denied"  # a project's serializer refused after it began

# How long what is beginning may look for what its password was hashed to before.
_IN_FLIGHT = timedelta(hours=1)

# What ends all sessions of a user also ends tokens that have no row yet: see adoption.
SWEEPING_REASONS = (SIGNED_OUT_EVERYWHERE, PASSWORD_CHANGED, USER_INACTIVE)


class Verdict(Enum):
    """What presenting a refresh token of some generation means."""

    ROTATE = auto()
    RETRY = auto()
    REPLAY = auto()


def judge(session: TokenSession, generation: int, now: datetime) -> Verdict:
    """Return what it means that a refresh token of ``generation`` is presented at ``now``.

    The current one is rotated. The one right before it is a retry within the grace period: a second
    tab, or a client whose answer was lost. Everything else is a replay (RFC 9700 4.14.2).
    """
    if generation == session.generation:
        return Verdict.ROTATE
    grace = kit().REFRESH_GRACE_PERIOD
    ahead = max(grace, leeway())  # how far another server's clock may be, which set `rotated_at`
    within_grace = grace > timedelta(0) and -ahead <= now - session.rotated_at <= grace
    if generation == session.generation - 1 and within_grace:
        return Verdict.RETRY
    return Verdict.REPLAY


def confirm(session: TokenSession, generation: int) -> None:
    """Raise :class:`~drf_jwt_kit.exceptions.Reused` where presenting ``generation`` is a replay."""
    if judge(session, generation, models.now()) is Verdict.REPLAY:
        raise Reused


def rotate(session: TokenSession, generation: int, validity: timedelta) -> TokenSession:
    """Return the session as it stands after ``generation`` was exchanged for the next.

    Of all callers with the same generation one rotates (law 1); within the grace period the others
    get the row it left (law 2). ``validity`` is how long the next refresh token lasts.

    Raises :class:`~drf_jwt_kit.exceptions.Reused` for a replay, which the caller answers by ending
    the session, and :class:`~drf_jwt_kit.exceptions.Refused` where the session died meanwhile.
    """
    now = models.now()
    verdict = judge(session, generation, now)
    if verdict is Verdict.ROTATE and not _advance(session, now, validity):
        session = _reread(session)
        verdict = judge(session, generation, now)
        if verdict is Verdict.ROTATE:
            # A caller's own transaction that cannot see the winner's commit (REPEATABLE READ).
            raise OperationalError("The session changed in another transaction.")
    if verdict is Verdict.REPLAY:
        raise Reused
    return session


def _advance(session: TokenSession, now: datetime, validity: timedelta) -> bool:
    """Move the session on by one generation; return whether it was this call that did."""
    generation = session.generation
    session.extend(now, validity)
    won = TokenSession.objects.filter(
        pk=session.pk, generation=generation, revoked_at=None, expires_at__gt=now - leeway()
    ).update(
        generation=generation + 1,
        rotated_at=session.rotated_at,
        expires_at=session.expires_at,
        **_under_todays_key(session),
    )
    session.generation = generation + 1
    return won == 1


def _under_todays_key(session: TokenSession) -> dict[str, Any]:
    """Return the change that adds the credentials' hash under today's key, before the old one is retired.

    It compares before it sets: a re-hash of the password may have changed the row meanwhile.
    """
    stored, (todays, *older) = session.credential_hash, credentials.hashes(session.user)
    known = stored.split()
    if todays in known or not set(known) & set(older):
        return {}
    both = Value(credentials.joined(*known, todays), TextField())
    return {"credential_hash": Case(When(credential_hash=stored, then=both), default=F("credential_hash"))}


def _reread(session: TokenSession) -> TokenSession:
    """Return the row as the winner left it; raise if it has no life left."""
    now = models.now()
    current = lookup.session_with_user(session.pk)
    if current is None:
        raise Revoked
    current.ensure_live(now)
    if current.expires_at <= now - leeway():
        raise Expired
    return current


def revoke(session: TokenSession, reason: str) -> bool:
    """End one session; return whether it was this call that did.

    Raises :exc:`ValueError` for a reason that is too long to be kept, which some databases would cut off.
    """
    if len(reason) > models.MAX_REASON:
        raise ValueError(f"A reason has up to {models.MAX_REASON} characters.")
    now = models.now()
    ended = TokenSession.objects.filter(pk=session.pk, revoked_at=None).update(revoked_at=now, revoke_reason=reason)
    if ended:
        session.revoked_at, session.revoke_reason = now, reason
    return ended == 1


def revoke_all(sessions: TokenSessionQuerySet, reason: str, kept_for: timedelta) -> list[TokenSession]:
    """End all of ``sessions``; return those that this call ended.

    The rows stay for ``kept_for``, or longer where they had to, to bar what has no row yet: tokens that
    simplejwt signed.
    """
    now = models.now()
    end = {"revoked_at": now, "revoke_reason": reason}
    until = models.kept_until_at_least(now + kept_for)

    def revoke_batch(batch: TokenSessionQuerySet) -> list[TokenSession]:
        batch.filter(revoked_at=None).update(**end, kept_until=until)
        return list(batch.filter(**end))  # some may have ended in between, by themselves

    return [*chain.from_iterable(transactions.in_batches(sessions.filter(revoked_at=None), revoke_batch))]


def carry_over(user: Any, old: list[str], new: str) -> None:
    """Let live sessions of the credentials ``old`` go on under ``new`` as well: the same password, hashed anew.

    The old ones stay: another re-hash of that password may be under way, and look for them. Where no session
    tells that both are of one password, a dead row does for a while, for those that are just beginning.
    """
    if _add_hash(user, old, new):
        return
    now = models.now()
    dead = {"revoked_at": now, "revoke_reason": models.HASHED_ANEW, "expires_at": now + _IN_FLIGHT}
    row = TokenSession(user_id=user.pk, credential_hash=credentials.joined(*old), **dead)
    with suppress(IntegrityError):  # the user was deleted meanwhile
        TokenSession.objects.bulk_create([row], ignore_conflicts=True)
    _add_hash(user, old, new)


def _add_hash(user: Any, old: list[str], new: str) -> bool:
    """Add ``new`` to the rows that know one of ``old``; return whether there is any."""
    rows = TokenSession.objects.filter(user=user).telling()
    knowing = [*rows.of_credentials({new}).values_list("pk", flat=True)]
    lacking = rows.of_credentials(same_password(user, old)).exclude(pk__in=knowing)
    told = transactions.in_batches(lacking, lambda batch: batch.update(credential_hash=_with(new)))
    return any(told) or bool(knowing)


def _with(known: str) -> Right:
    """Return what a row's hashes become with another one, the oldest left out where there are too many."""
    more = Concat(F("credential_hash"), Value(f" {known}"), output_field=TextField())
    return Right(more, credentials.MAX_HASHES)


def tie(session: TokenSession) -> None:
    """Let a session that just began go on under its user's credentials of now, if those were hashed anew since."""
    if session.knows_credentials():
        return
    before, (now_known, *_older) = session.credential_hash.split(), credentials.hashes(session.user)
    if now_known in same_password(session.user, before):
        TokenSession.objects.filter(pk=session.pk).update(credential_hash=_with(now_known))
        session.credential_hash = credentials.joined(*before, now_known)


def same_password(user: Any, known: list[str]) -> set[str]:
    """Return the hashes that a user's rows tie to those ``known``, directly or through each other.

    Only a re-hash ties two in one row. What a changed password hashes to stands alone.
    """
    hashes = set(known)
    rows = TokenSession.objects.filter(user=user).telling().values_list("credential_hash", flat=True)
    sets = [set(row.split()) for row in rows]
    while tied := {one for row in sets if row & hashes for one in row} - hashes:
        hashes |= tied
    return hashes
