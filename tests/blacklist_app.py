"""Projects that have simplejwt's blacklist app: run with ``--ds=tests.settings.blacklist``, by test_adoption."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db.models.signals import post_save
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.tokens import BlacklistMixin, RefreshToken

from drf_jwt_kit import sessions
from drf_jwt_kit.exceptions import Refused, Revoked
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken as KitAccessToken
from drf_jwt_kit.tokens import RefreshToken as KitRefreshToken

pytestmark = pytest.mark.django_db


class Barred(RefreshToken):
    """A project's token that asks another list."""

    def check_blacklist(self) -> None:
        """Bar it."""
        raise TokenError("Barred.")


class BarredRefreshes(TokenRefreshSerializer):
    """The serializer that refreshes by it."""

    token_class = Barred


class BarredAccess(BlacklistMixin["BarredAccess"], KitAccessToken):
    """An access token that is on the list as well."""


def counts() -> tuple[int, ...]:
    """Return how many rows simplejwt's two tables have."""
    names = ("OutstandingToken", "BlacklistedToken")
    return tuple(apps.get_model("token_blacklist", name).objects.count() for name in names)


def test_a_token_blacklisted_before_the_upgrade_is_refused(user: Any) -> None:
    """Law 4: what simplejwt had ended stays ended."""
    token = RefreshToken.for_user(user)
    token.blacklist()
    TokenSession.objects.all().delete()
    with pytest.raises(Revoked):
        sessions.rotate(str(token))
    assert not TokenSession.objects.exists()


def test_an_outstanding_token_is_adopted(user: Any) -> None:
    """A token that simplejwt knows and did not blacklist signs nobody out."""
    assert sessions.rotate(str(RefreshToken.for_user(user))).session.generation == 1


@pytest.mark.parametrize("with_session", [True, False])
def test_a_projects_own_list_counts(user: Any, post: Any, settings: Any, with_session: bool) -> None:
    """2.4: simplejwt's ``verify`` asks it."""
    token = sessions.start(user).refresh if with_session else RefreshToken.for_user(user)
    assert post("token/verify/", token=str(token)).status_code == 200
    settings.SIMPLE_JWT = {"TOKEN_REFRESH_SERIALIZER": f"{__name__}.BarredRefreshes"}
    assert post("token/refresh/", refresh=str(token)).json()["detail"] == "Barred."
    assert post("token/verify/", token=str(token)).json()["detail"] == "Barred."


def test_an_access_token_may_be_on_the_list(user: Any) -> None:
    """2.4: where a project says so."""
    access = BarredAccess(str(sessions.start(user).access))
    access.blacklist()
    with pytest.raises(TokenError, match="blacklisted"):
        BarredAccess(str(access))


def test_the_kit_adds_no_rows_to_simplejwts_tables(user: Any, post: Any, sign_in: Any) -> None:
    """Law 6: signing in, refreshing and signing out leave them as they are."""
    refresh = post("token/refresh/", refresh=sign_in().refresh).data["refresh"]
    assert post("token/blacklist/", refresh=refresh).status_code == 200
    assert counts() == (0, 0)


@pytest.mark.parametrize("token_class", [RefreshToken, KitRefreshToken], ids=["simplejwt", "kit"])
def test_blacklisting_in_a_projects_code_ends_the_session(user: Any, token_class: Any, client: Any) -> None:
    """``RefreshToken(raw).blacklist()``, simplejwt's way to sign out, keeps working (law 4)."""
    pair = sessions.start(user)
    token_class(str(pair.refresh)).blacklist()
    with pytest.raises(Revoked):
        sessions.rotate(str(pair.refresh))
    with pytest.raises(Refused):
        sessions.find(pair.access)


def test_blacklisting_an_old_token_bars_it(user: Any) -> None:
    """A token without a session is barred by simplejwt's own row."""
    token = RefreshToken.for_user(user)
    token.blacklist()
    for _ in range(2):
        with pytest.raises(Revoked):
            sessions.rotate(str(token))


def test_loading_a_fixture_ends_nothing(user: Any) -> None:
    """``loaddata`` restores rows; it signs nobody out by itself."""
    model = apps.get_model("token_blacklist", "BlacklistedToken")
    outstanding = apps.get_model("token_blacklist", "OutstandingToken")
    pair = sessions.start(user)
    known = outstanding(user=user, jti=pair.refresh["jti"], token=str(pair.refresh))
    post_save.send(
        sender=model, instance=model(token=known), created=True, raw=True, update_fields=None, using="default"
    )
    assert sessions.rotate(str(pair.refresh)).session.generation == 1


def test_blacklisting_an_adopted_token_ends_its_session_whatever_its_iat(user: Any) -> None:
    """Law 4: simplejwt knows a token by its ``jti`` alone, and keeps it as it was before a project changed it."""
    token = RefreshToken.for_user(user)
    token.set_iat(at_time=token.current_time - timedelta(seconds=90))
    pair = sessions.rotate(str(token))
    RefreshToken(str(token)).blacklist()
    with pytest.raises(Revoked):
        sessions.find(pair.access)
    assert TokenSession.objects.get().revoked_at is not None
