"""Adoption: a refresh token that simplejwt signed becomes a session, once."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, OperationalError
from django.db.models import F
from rest_framework_simplejwt.utils import get_md5_hash_password

from . import claims, clients, lookup, models, rotation
from .conf import kit, simple_jwt
from .exceptions import Expired, PasswordChanged, Revoked, UserNotFound
from .models import TokenSession
from .tokens import Token

BLACKLIST_APP = "rest_framework_simplejwt.token_blacklist"
BLACKLISTED = "token_blacklist.BlacklistedToken"

_A_YEAR = timedelta(days=365)  # for sessions without end


def session_id(token: Token) -> UUID:
    """Return the id of the session that a token without ``sid`` becomes: always the same one."""
    return models.adopted_id(claims.text(token.payload, simple_jwt().JTI_CLAIM))


def oldest() -> timedelta:
    """Return how long after its ``iat`` a token may become a session, whatever its ``exp``.

    What bars a user's tokens is kept as long: no longer than sessions last, which have an end (law 11).
    """
    refresh: timedelta = simple_jwt().REFRESH_TOKEN_LIFETIME
    return max(refresh, kit().SESSION_LIFETIME or _A_YEAR)


def candidate(token: Token, *, hidden_too: bool = False) -> TokenSession:
    """Return the session that a token of simplejwt's would become, not saved.

    It is kept until that token expires, however soon it ends itself: the row is what makes the
    second use of the token a replay. Raises a :class:`~drf_jwt_kit.exceptions.Refused`; of a user whom the model's
    manager hides, too, unless it is to be ended, ``hidden_too``.
    """
    user = models.user_with_id(claims.user_id(token.payload), hidden_too=hidden_too)
    now, expires_at = models.now(), _moment(token.payload["exp"])
    if now - _issued_at(token) > oldest():
        raise Expired
    return TokenSession.of(
        user, now, id=session_id(token), rotated_at=now, expires_at=expires_at, kept_until=expires_at
    )


def _issued_at(token: Token) -> datetime:
    """Return when a token was issued, as far as it says."""
    return _moment(token.payload.get("iat", 0))


def _moment(epoch: float) -> datetime:
    """Return seconds since the epoch as the kind of time that models use."""
    moment = datetime.fromtimestamp(int(epoch), UTC)
    # Naive times are the process's, as those of `timezone.now` are: its zone may be another than TIME_ZONE.
    return moment if settings.USE_TZ else moment.astimezone().replace(tzinfo=None)


def ensure_not_disowned(token: Token, user: Any) -> None:
    """Refuse a token that simplejwt's blacklist knows, or that was swept up with a user's sessions."""
    ensure_same_password(token, user)
    if TokenSession.objects.swept(user, rotation.SWEEPING_REASONS, _issued_at(token)).exists():
        raise Revoked
    if apps.is_installed(BLACKLIST_APP):
        blacklisted: Any = apps.get_model(BLACKLISTED)
        if blacklisted.objects.filter(token__jti=token.payload[simple_jwt().JTI_CLAIM]).exists():
            raise Revoked


def ensure_same_password(token: Token, user: Any) -> None:
    """Refuse a token that ``CHECK_REVOKE_TOKEN`` tied to another password, or to none although it is on."""
    tied_to = token.payload.get(simple_jwt().REVOKE_TOKEN_CLAIM)
    if tied_to is None and not simple_jwt().CHECK_REVOKE_TOKEN:
        return
    if tied_to != get_md5_hash_password(user.password):
        raise PasswordChanged


def adopt(session: TokenSession, request: Any, *, hidden_too: bool = False) -> TokenSession:
    """Save a candidate, or return the row that another caller saved first.

    The user's password may have been hashed anew meanwhile. Raises :exc:`~django.db.OperationalError` where that
    row is not to be seen yet.
    """
    for name, value in clients.metadata(request).items():
        setattr(session, name, value)
    try:
        TokenSession.objects.bulk_create([session], ignore_conflicts=True)
    except IntegrityError:  # the user was deleted meanwhile, which MariaDB ignores as well
        raise UserNotFound from None
    stored = lookup.session_with_user(session.pk, hidden_too=hidden_too)
    if stored is None:
        models.user_with_id(models.user_id(session.user), hidden_too=hidden_too)  # deleted meanwhile
        # A caller's own transaction that cannot see who was first (REPEATABLE READ).
        raise OperationalError("The session began in another transaction.")
    rotation.tie(stored)
    return stored


def bar(user: Any, reason: str, kept_for: timedelta) -> None:
    """Bar tokens that ``user`` got from simplejwt before now, where no ended session does already.

    The one row that this takes for a user is a session that was never live; two who begin with it at once write two.
    With an id that both know, one would wait for the other's row, and the other for the user whom it refers to.
    """
    now = models.now()
    ended: dict[str, Any] = {"revoked_at": now, "revoke_reason": reason}
    until = now + kept_for
    never_live = TokenSession.objects.filter(user=user, expires_at=F("created_at")).order_by("pk")
    barrier = TokenSession.objects.filter(pk__in=[*never_live.values_list("pk", flat=True)[:1]])
    if not barrier.update(**ended, kept_until=models.kept_until_at_least(until)):
        row = TokenSession.of(user, now, rotated_at=now, expires_at=now, kept_until=until, **ended)
        with suppress(IntegrityError):  # the user was deleted meanwhile, and the tokens with it
            TokenSession.objects.bulk_create([row], ignore_conflicts=True)
