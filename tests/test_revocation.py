"""Revoking by a token: any that we signed ends its session, and nothing else ends anything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework_simplejwt.tokens import RefreshToken as PlainRefreshToken

from drf_jwt_kit import revocation, sessions
from drf_jwt_kit.exceptions import Revoked
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken
from tests.test_models import hiding

pytestmark = pytest.mark.django_db


@pytest.fixture
def device(user: Any, clock: Any) -> sessions.TokenPair:
    """A session of alice's."""
    return sessions.start(user)


def reason(session: TokenSession) -> str:
    """Return why the session ended, nothing where it lives."""
    return TokenSession.objects.get(pk=session.pk).revoke_reason


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=1), timedelta(days=400)], ids=str)
def test_any_token_of_a_session_ends_it(device: sessions.TokenPair, clock: Any, kind: str, age: timedelta) -> None:
    """RFC 7009 2.2: of either kind, and however old."""
    clock.shift(age)
    revocation.revoke_token(str(getattr(device, kind)))
    assert reason(device.session) == "signed_out"


def test_a_rotated_refresh_token_ends_its_session(device: sessions.TokenPair) -> None:
    """Signing out is no replay: whichever of its tokens a client still has will do."""
    sessions.rotate(str(device.refresh))
    revocation.revoke_token(str(device.refresh))
    assert reason(device.session) == "signed_out"


def test_what_has_no_session_ends_nothing(device: sessions.TokenPair, user: Any) -> None:
    """RFC 7009 2.2: that is no error, and leaves no row (law 6)."""
    header, payload, _signature = str(device.access).split(".")
    forged = f"{header}.{payload}.{'A' * 43}"
    for raw in ("", "garbage", "a.b.c", forged, str(AccessToken.for_user(user)), str(AccessToken())):
        revocation.revoke_token(raw)
    assert reason(device.session) == ""
    assert TokenSession.objects.count() == 1


@pytest.mark.parametrize(
    ("age", "rows"), [(timedelta(0), 1), (timedelta(hours=23), 1), (timedelta(days=2), 0)], ids=str
)
def test_an_old_refresh_token_of_simplejwts_leaves_a_dead_row(user: Any, clock: Any, age: timedelta, rows: int) -> None:
    """Laws 4 and 6: so that it stays dead, and none where it is dead already."""
    legacy = str(PlainRefreshToken.for_user(user))
    clock.shift(age)
    revocation.revoke_token(legacy)
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["signed_out"] * rows


def test_an_old_token_whose_type_has_no_name_leaves_a_dead_row(user: Any, settings: Any) -> None:
    """Law 4: ``TOKEN_TYPE_CLAIM = None`` becomes the claim "null"."""
    settings.SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": None}
    legacy = PlainRefreshToken.for_user(user)
    legacy.payload["null"] = legacy.payload.pop("token_type")
    revocation.revoke_token(str(legacy))
    with pytest.raises(Revoked):
        sessions.rotate(str(legacy))


def test_an_old_access_token_of_simplejwts_leaves_nothing(user: Any) -> None:
    """There is no session that it could end."""
    revocation.revoke_token(str(PlainRefreshToken.for_user(user).access_token))
    assert not TokenSession.objects.exists()


def test_who_is_hidden_is_signed_out_too(user: Any, device: sessions.TokenPair, monkeypatch: Any) -> None:
    """RFC 7009 2: a user who was deleted softly may come back, and the token that was handed in stays dead."""
    monkeypatch.setattr(get_user_model(), "objects", hiding(get_user_model()))
    get_user_model()._base_manager.filter(pk=user.pk).update(first_name="deleted")
    legacy = str(PlainRefreshToken.for_user(user))
    for token in (str(device.refresh), legacy):
        revocation.revoke_token(token)
    assert reason(device.session) == "signed_out"
    get_user_model()._base_manager.filter(pk=user.pk).update(first_name="")
    with pytest.raises(Revoked):
        sessions.rotate(legacy)
