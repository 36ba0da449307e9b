"""Revocation of a token, whatever token somebody holds: RFC 7009."""

from __future__ import annotations

from typing import Any

from django.views.decorators.debug import sensitive_variables

from . import adoption, rotation, sessions
from .conf import leeway
from .exceptions import Refused
from .models import TokenSession
from .tokens import RefreshToken, RevocableToken


@sensitive_variables("raw", "token")
def revoke_token(raw: str, request: Any = None) -> None:
    """End the session of a token, whatever kind and however old it is (RFC 7009 2.2).

    A token that is not ours, or whose session is unknown, has nothing to end: that is no error. A
    refresh token of simplejwt's leaves a dead row, so that it stays dead.
    """
    try:
        token = RevocableToken(raw)
        session = _session_to_end(token)
    except Refused:
        return
    if session is not None:
        sessions.revoke(session, rotation.SIGNED_OUT, request)


def _session_to_end(token: RevocableToken) -> TokenSession | None:
    """Return the session that revoking ``token`` ends, ``None`` where it ends none."""
    if token.sid is None and token.kind != RefreshToken.token_type:
        return None
    session = sessions.row_of(token, hidden_too=True)
    if session is None and token.sid is None and token.seconds_left + leeway().total_seconds() > 0:
        return adoption.adopt(adoption.candidate(token, hidden_too=True), None, hidden_too=True)
    return session
