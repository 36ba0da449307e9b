"""Revocation of a token, whatever token somebody holds: RFC 7009."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.views.decorators.debug import sensitive_variables
from rest_framework_simplejwt.exceptions import TokenError

from . import adoption, introspection, rotation, sessions
from .conf import leeway
from .models import TokenSession
from .tokens import RevocableToken, Token, refresh_class


@sensitive_variables()
def revoke_token(raw: str, request: Any = None) -> None:
    """End the session of a token, whatever kind and however old it is (RFC 7009 2.2).

    A token that is not ours, or whose session is unknown, has nothing to end: that is no error. A
    refresh token of simplejwt's leaves a dead row, so that it stays dead.
    """
    with suppress(TokenError, introspection.NoneFitsError):
        token = introspection.read(raw, RevocableToken)
        session = _session_to_end(token)
        if session is not None:
            sessions.revoke(session, rotation.SIGNED_OUT, request)


def _session_to_end(token: Any) -> TokenSession | None:
    """Return the session that revoking ``token`` ends, ``None`` where it ends none, as a sliding one does."""
    if not isinstance(token, Token) or (token.sid is None and token.kind != refresh_class().token_type):
        return None
    session = sessions.row_of(token, hidden_too=True)
    if session is None and token.sid is None and token.seconds_left + leeway().total_seconds() > 0:
        return adoption.adopt(adoption.candidate(token, hidden_too=True), None, hidden_too=True)
    return session
