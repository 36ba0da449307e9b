"""Sessions: started at sign-in, continued by refreshing, ended once and for good.

This is the interface for a project's own code: :func:`start`, :func:`rotate`, :func:`revoke` and
:func:`revoke_all`. The kit's views use nothing else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.views.decorators.debug import sensitive_variables

from . import adoption, claims, clients, credentials, issuance, lookup, models, rotation, signals, transactions
from .conf import kit, simple_jwt
from .ending import end_all_of_inactive, end_reused, revoke, revoke_all
from .exceptions import Invalid, PasswordChanged, Refused, Reused, Revoked, UserInactive
from .models import TokenSession
from .tokens import AccessToken, RefreshToken, Token, refresh_class

__all__ = ["TokenPair", "begin", "confirm", "find", "revoke", "revoke_all", "rotate", "row_of", "sign_out", "start"]

# Why a session ends at once that was begun for a user who has changed meanwhile.
_ENDED_BY: Mapping[type[Refused], str] = {
    UserInactive: rotation.USER_INACTIVE,
    PasswordChanged: rotation.OVERTAKEN,
}


@dataclass(frozen=True, slots=True)
class TokenPair:
    """The tokens of one sign-in or refresh, and the session they belong to.

    ``str()`` of a token signs it. ``refresh`` is ``None`` after a refresh where ``ROTATE_REFRESH_TOKENS``
    is off and the client keeps the refresh token that it has.
    """

    access: AccessToken = field(repr=False)
    refresh: RefreshToken | None = field(repr=False)
    session: TokenSession


def start(user: Any, request: Any = None, **extra: Any) -> TokenPair:
    """Start a session for ``user`` and return its first tokens.

    ``request`` tells which device it is. ``extra`` become claims of every token of this session,
    fixed for its whole life (``amr=["otp"]``); they must be JSON and take no name that the kit
    writes itself. ``auth_time`` is now unless it is given. Claims that follow the user's state
    belong into ``get_token`` or ``CLAIMS``.

    Raises a :class:`~drf_jwt_kit.exceptions.Refused` where ``user`` is not, or no longer, what the
    database has: inactive, or with another password.
    """
    return begin(user, request, fixed=extra)


def begin(user: Any, request: Any = None, *, fixed: Mapping[str, Any], source: str = "") -> TokenPair:
    """Start a session whose claims come from the serializer at the dotted path ``source``.

    ``auth_time`` is one of the ``fixed`` ones, in seconds (OpenID Connect Core 2): now, unless it is given.

    Raises a :class:`~drf_jwt_kit.exceptions.Refused` where the user may not sign in any more.
    """
    credentials.ensure_seen(user)
    fixed = {claims.AUTHENTICATION_TIME_CLAIM: int(time.time()), **fixed}
    now = models.now()
    session = TokenSession.of(user, now, claims=fixed, claims_source=source, **clients.metadata(request))
    refresh = issuance.refresh_token(session)
    issuance.ensure_storable(session.claims)
    session.extend(now, refresh.validity)
    session.save(force_insert=True, using=models.writing_database())
    _settle(session)
    transactions.after_commit(partial(_look_again, session.pk, partial(_ensure_active_since, now), request))
    signals.announce(signals.session_started, "session_started", logging.INFO, session=session, request=request)
    return TokenPair(issuance.access_token(session, refresh), refresh, session)


def _settle(session: TokenSession) -> None:
    """Keep a new session only for a user who may have it, and end the oldest beyond ``MAX_SESSIONS_PER_USER``."""
    if kit().MAX_SESSIONS_PER_USER is None:
        _ensure_still_welcome(session, lookup.session_with_user(session.pk))
        return
    newest = _newest(session)
    _ensure_still_welcome(session, next((row for row in newest if row == session), None))
    _end_surplus(newest)


def _ensure_still_welcome(session: TokenSession, stored: TokenSession | None) -> None:
    """End a session whose user was deactivated, or given another password, since ``user`` was read.

    What did that ended the user's sessions before this one was inserted (law 9): so look again, at what
    is ``stored``. A newer sign-in may have ended it already: this one was let in before.
    """
    try:
        if stored is None:
            raise Revoked
        rotation.tie(stored)
        stored.ensure_live(models.now())
    except Refused as refusal:
        if stored is not None and isinstance(refusal, Revoked) and stored.revoke_reason == rotation.TOO_MANY:
            return
        rotation.revoke(session, _ENDED_BY.get(type(refusal), rotation.OVERTAKEN))
        raise


def _newest(session: TokenSession) -> list[TokenSession]:
    """Return ``session`` as it is stored and the user's live ones, the newest first.

    One query, unless another began in what is the future here: by another server's clock, or by one that
    stands still. This one is newer than that, and is made so, unless that one has ended it already.
    """
    mine = TokenSession.objects.filter(user=session.user).select_related("user")
    found = list((mine.live(models.now()) | mine.filter(pk=session.pk)).order_by("-created_at", "-pk"))
    if not found or found[0] == session or found[0].created_at < models.now():
        return found
    later = found[0].created_at + timedelta(microseconds=1)
    moved = mine.filter(pk=session.pk, revoked_at=None).update(created_at=later)
    return _newest(session) if moved else found


def _keep_to_limit(session: TokenSession) -> None:
    """End the user's oldest sessions beyond ``MAX_SESSIONS_PER_USER``, ``session`` among them."""
    if kit().MAX_SESSIONS_PER_USER is not None:
        _end_surplus(_newest(session))


def _end_surplus(newest: list[TokenSession]) -> None:
    """End those beyond ``MAX_SESSIONS_PER_USER``.

    All sign-ins side by side count in the same order, so none ends a newer one: not even its own is kept
    then.
    """
    alive = [session for session in newest if session.revoked_at is None]
    for surplus in sorted(alive[kit().MAX_SESSIONS_PER_USER :], key=lambda session: session.pk):  # as who ends all
        revoke(surplus, rotation.TOO_MANY)


@sensitive_variables()
def rotate(refresh: RefreshToken | str, request: Any = None) -> TokenPair:
    """Exchange a refresh token for the next pair.

    Of all callers with the same token one moves the session on; within ``REFRESH_GRACE_PERIOD``
    the others get the same successor. A replay ends the session: RFC 9700 4.14.2.

    Raises a :class:`~drf_jwt_kit.exceptions.Refused`.
    """
    token = refresh if isinstance(refresh, RefreshToken) else refresh_class()(str(refresh))
    session = find(token)
    if session._state.adding:
        session = _adopt(session, token, request)
        _keep_to_limit(session)
    with _replay_ends(session, request):
        rotation.confirm(session, token.generation)
    successor = issuance.refresh_token(session)
    if simple_jwt().ROTATE_REFRESH_TOKENS:
        with _replay_ends(session, request):
            session = rotation.rotate(session, token.generation, successor.validity)
    signals.announce(signals.token_refreshed, "token_refreshed", logging.INFO, session=session, request=request)
    access = issuance.access_token(session, successor)
    return TokenPair(access, successor if simple_jwt().ROTATE_REFRESH_TOKENS else None, session)


def confirm(refresh: RefreshToken, request: Any, since: datetime | None) -> None:
    """Raise a :class:`~drf_jwt_kit.exceptions.Refused` where :func:`rotate` would have, and rotate nothing.

    It may have done so ``since``: that is no replay.
    """
    session = find(refresh)
    if since is not None and session.rotated_at >= since and session.generation == refresh.generation + 1:
        return
    with _replay_ends(session, request):
        rotation.confirm(session, refresh.generation)
    issuance.ensure_source(session)


def sign_out(refresh: RefreshToken, request: Any = None) -> None:
    """End the session of a refresh token that is still good.

    Raises a :class:`~drf_jwt_kit.exceptions.Refused`; :func:`.revocation.revoke_token` takes any token.
    """
    session = find(refresh)
    if session._state.adding:
        session = _adopt(session, refresh, request)
    with _replay_ends(session, request):
        rotation.confirm(session, refresh.generation)
    revoke(session, rotation.SIGNED_OUT, request)


@contextmanager
def _replay_ends(session: TokenSession, request: Any) -> Iterator[None]:
    """End ``session`` if what is done shows that its refresh token was used twice (law 3)."""
    try:
        yield
    except Reused:
        end_reused(session, request)
        raise


def _adopt(session: TokenSession, token: RefreshToken, request: Any) -> TokenSession:
    """Return the row that a candidate became.

    All of the user's sessions may have been ended between the look for that and the INSERT, which
    that UPDATE then overlooked: so look again.
    """
    session, ensure = adoption.adopt(session, request), partial(adoption.ensure_not_disowned, token)
    _ensure_not_overtaken(session, ensure, request)
    transactions.after_commit(partial(_look_again, session.pk, ensure, request))
    return session


def _ensure_not_overtaken(session: TokenSession, ensure: Callable[[Any], None], request: Any) -> None:
    """End ``session``, and raise why, if what ends all of its user's sessions has overlooked it.

    ``ensure`` raises a refusal of the user where that shows in something else than the row.
    """
    try:
        session.ensure_live(models.now())
        ensure(session.user)
    except Refused as refusal:
        revoke(session, _ENDED_BY.get(type(refusal), rotation.SIGNED_OUT_EVERYWHERE), request)
        raise


def _look_again(sid: UUID, ensure: Callable[[Any], None], request: Any) -> None:
    """Do for a session that began in a caller's transaction what could not be done before others saw it (law 9)."""
    session = lookup.session_with_user(sid)
    if session is None:
        return
    rotation.tie(session)
    with suppress(Refused):
        _ensure_not_overtaken(session, ensure, request)
        _keep_to_limit(session)


def _ensure_active_since(moment: datetime, user: Any) -> None:
    """Raise where ``user`` was deactivated after ``moment``, though perhaps not for long."""
    if TokenSession.objects.swept(user, (rotation.USER_INACTIVE,), moment).exists():
        raise UserInactive


def find(token: Token) -> TokenSession:
    """Return the session of ``token``, with its user, if the token would be accepted by it now.

    One query. A refresh token that simplejwt signed gets a session that is not saved yet, unless it
    was adopted before. Raises a :class:`~drf_jwt_kit.exceptions.Refused`.
    """
    session = row_of(token)
    if session is None:
        if claims.SESSION_CLAIM in token.payload:
            models.unknown(claims.user_id(token.payload))
        session = adoption.candidate(token)
    try:
        session.ensure_live(models.now())
    except UserInactive:
        if session.revoked_at is None:
            end_all_of_inactive(session.user)
        raise
    if session._state.adding:
        adoption.ensure_not_disowned(token, session.user)
    if isinstance(token, RefreshToken) and not simple_jwt().USER_AUTHENTICATION_RULE(session.user):
        raise UserInactive
    return session


def row_of(token: Token, *, hidden_too: bool = False) -> TokenSession | None:
    """Return the row of the token's session; raise if it is another user's."""
    has_session = claims.SESSION_CLAIM in token.payload
    sid = claims.session_id(token.payload) if has_session else adoption.session_id(token)
    session = lookup.session_with_user(sid, hidden_too=hidden_too)
    if session is not None and models.user_id(session.user) != claims.user_id(token.payload):
        raise Invalid
    return session
