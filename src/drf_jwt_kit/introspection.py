"""Whether a token would be accepted right now."""

from __future__ import annotations

from typing import Any

from django.views.decorators.debug import sensitive_variables

from . import adoption, claims, ending, models, rotation, sessions
from .conf import kit, simple_jwt
from .exceptions import Invalid, UserInactive, WrongType
from .tokens import AccessToken, RefreshToken, Token, UntypedToken


def user_of(token: Token) -> Any:
    """Return the user that an access token speaks for, and note its session on the token.

    One query. Raises a :class:`~drf_jwt_kit.exceptions.Refused`.
    """
    if claims.SESSION_CLAIM not in token.payload:
        return _user_without_session(token)
    token.session = sessions.find(token)
    return token.session.user


def _user_without_session(token: Token) -> Any:
    """Return the user of an access token that was made outside of any session."""
    if not kit().ACCEPT_SESSIONLESS_ACCESS:
        raise Invalid
    user = models.user_with_id(claims.user_id(token.payload))
    if simple_jwt().CHECK_USER_IS_ACTIVE and not user.is_active:
        ending.end_all_of_inactive(user)
        raise UserInactive
    adoption.ensure_same_password(token, user)
    return user


@sensitive_variables("raw")
def ensure_acceptable(raw: str) -> None:
    """Raise why a token of either kind would not be accepted right now. Nothing is changed."""
    kind = UntypedToken(raw).kind
    if kind == AccessToken.token_type:
        user_of(AccessToken(raw))
    elif kind == RefreshToken.token_type:
        refresh = RefreshToken(raw)
        rotation.confirm(sessions.find(refresh), refresh.generation)
    else:
        raise WrongType
