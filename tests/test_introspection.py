"""Whether a token would be accepted right now, and by whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework_simplejwt.tokens import RefreshToken as PlainRefreshToken
from rest_framework_simplejwt.tokens import SlidingToken

from drf_jwt_kit import introspection, sessions
from drf_jwt_kit.exceptions import (
    Expired,
    Invalid,
    PasswordChanged,
    Refused,
    Reused,
    Revoked,
    UserInactive,
    UserNotFound,
    WrongType,
)
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken, RefreshToken

pytestmark = pytest.mark.django_db


def nobody(user: Any) -> bool:
    """Let nobody in."""
    return False


@pytest.fixture
def pair(user: Any, clock: Any) -> sessions.TokenPair:
    """The tokens of a session that was just started."""
    return sessions.start(user)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_both_tokens_of_a_live_session_are_acceptable(pair: Any, kind: str) -> None:
    """Verification says what the token's own endpoint would say."""
    introspection.ensure_acceptable(str(getattr(pair, kind)))


def test_kinds_are_told_apart_where_tokens_do_not_say(pair: Any, clock: Any, settings: Any) -> None:
    """``TOKEN_TYPE_CLAIM = None``: by ``gen``, which refresh tokens alone have; a used one is none that is accepted."""
    settings.SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": None}
    later = sessions.rotate(str(pair.refresh))
    for token in (pair.access, pair.refresh, later.access, later.refresh):
        introspection.ensure_acceptable(str(token))
        for named in (None, "token_type"):  # by which simplejwt says it all the same, or said it before
            token.payload.pop(named, None)
        introspection.ensure_acceptable(str(token))
    clock.shift(timedelta(minutes=1))
    introspection.ensure_acceptable(str(later.refresh))
    with pytest.raises(Reused):
        introspection.ensure_acceptable(str(pair.refresh))


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        (lambda pair, clock: clock.shift(timedelta(days=2)), Expired),
        (lambda pair, clock: sessions.revoke(pair.session), Revoked),
        (lambda pair, clock: TokenSession.objects.all().delete(), Revoked),
        (lambda pair, clock: get_user_model().objects.update(is_active=False), UserInactive),
        (lambda pair, clock: get_user_model().objects.update(password="another"), PasswordChanged),
        (lambda pair, clock: get_user_model().objects.all().delete(), UserNotFound),
    ],
    ids=["expired", "revoked", "pruned", "inactive", "password changed", "deleted"],
)
def test_what_happened_since_counts(pair: Any, clock: Any, kind: str, event: Any, refusal: type[Refused]) -> None:
    """Laws 4 and 9: the state of this moment, for both kinds of token."""
    event(pair, clock)
    with pytest.raises(refusal):
        introspection.ensure_acceptable(str(getattr(pair, kind)))


def test_verifying_changes_nothing(pair: Any, clock: Any) -> None:
    """A replayed token is refused here, but only presenting it at refresh ends the session."""
    sessions.rotate(str(pair.refresh))
    introspection.ensure_acceptable(str(pair.refresh))
    clock.shift(timedelta(seconds=31))
    with pytest.raises(Reused):
        introspection.ensure_acceptable(str(pair.refresh))
    session = TokenSession.objects.get()
    assert (session.generation, session.revoked_at) == (1, None)


def test_verifying_adopts_nothing(user: Any) -> None:
    """Law 6: a token that simplejwt signed gets its row when it is refreshed, not when it is looked at."""
    introspection.ensure_acceptable(str(PlainRefreshToken.for_user(user)))
    assert not TokenSession.objects.exists()


@pytest.mark.parametrize("made", [SlidingToken, None], ids=["sliding", "unknown"])
def test_another_kind_of_token_is_refused(user: Any, made: Any) -> None:
    """Nothing of the kit's accepts it, so it is not acceptable."""
    token = made() if made else AccessToken.for_user(user)
    token["token_type"] = token["token_type"] if made else "elevator"
    with pytest.raises(WrongType):
        introspection.ensure_acceptable(str(token))


def test_a_refresh_token_that_the_projects_rule_refuses_is_not_acceptable(pair: Any, settings: Any) -> None:
    """DESIGN.md 2.1: 200 only if it would be accepted right now, and refresh asks that rule."""
    settings.SIMPLE_JWT = {"USER_AUTHENTICATION_RULE": f"{__name__}.nobody"}
    with pytest.raises(UserInactive):
        sessions.rotate(str(pair.refresh))
    with pytest.raises(UserInactive):
        introspection.ensure_acceptable(str(pair.refresh))


# -- Access tokens without a session ---------------------------------------------------------------


def test_an_access_token_without_a_session_speaks_for_its_user(user: Any, django_assert_num_queries: Any) -> None:
    """``AccessToken.for_user`` in a project's code or tests works, for one query."""
    token = AccessToken(str(AccessToken.for_user(user)))
    with django_assert_num_queries(1):
        assert introspection.user_of(token) == user
    assert token.session is None


def test_a_setting_refuses_them(user: Any, settings: Any) -> None:
    """``ACCEPT_SESSIONLESS_ACCESS = False``: whatever is accepted can be revoked."""
    settings.DRF_JWT_KIT = {"ACCEPT_SESSIONLESS_ACCESS": False}
    with pytest.raises(Invalid):
        introspection.ensure_acceptable(str(AccessToken.for_user(user)))
    introspection.ensure_acceptable(str(sessions.start(user).access))


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        (lambda user: get_user_model().objects.update(is_active=False), UserInactive),
        (lambda user: user.delete(), UserNotFound),
    ],
    ids=["inactive", "deleted"],
)
def test_the_users_state_counts_without_a_session_too(user: Any, event: Any, refusal: type[Refused]) -> None:
    """Law 9: as long as the user is good."""
    token = str(AccessToken.for_user(user))
    event(user)
    with pytest.raises(refusal):
        introspection.ensure_acceptable(token)


def test_inactive_users_are_let_in_where_the_project_says_so(user: Any, settings: Any) -> None:
    """``CHECK_USER_IS_ACTIVE = False`` keeps its meaning, with and without a session."""
    settings.SIMPLE_JWT = {"CHECK_USER_IS_ACTIVE": False}
    tokens = [AccessToken.for_user(user), sessions.start(user).access, RefreshToken.for_user(user)]
    get_user_model().objects.update(is_active=False)
    for token in tokens:
        introspection.ensure_acceptable(str(token))


@pytest.mark.parametrize("value", [None, 0, False, True, "", [], {}, 1.5, " 1", "abc", "1\0", "9" * 5000, 10**30])
def test_a_strange_user_id_finds_nobody(user: Any, value: Any) -> None:
    """Law 8: neither accepted as somebody nor an error of the database's."""
    token = AccessToken.for_user(user)
    token["user_id"] = value
    with pytest.raises((Invalid, UserNotFound)):
        introspection.ensure_acceptable(str(token))
