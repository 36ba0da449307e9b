"""``manage.py jwt_revoke``."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from rest_framework_simplejwt.tokens import RefreshToken

from drf_jwt_kit import introspection, sessions
from drf_jwt_kit.exceptions import Reused, Revoked
from drf_jwt_kit.models import TokenSession
from tests.test_models import hiding

pytestmark = pytest.mark.django_db


def revoke(*arguments: str) -> str:
    """Run the command as from a shell and return what it said."""
    said = StringIO()
    call_command("jwt_revoke", *arguments, stdout=said)
    return said.getvalue()


@pytest.fixture
def pairs(user: Any) -> list[sessions.TokenPair]:
    """Two sessions of alice's and one of bob's."""
    bob = get_user_model().objects.create_user("bob")
    return [sessions.start(owner) for owner in (user, user, bob)]


def alive(pairs: list[sessions.TokenPair]) -> list[bool]:
    """Return which of the sessions still live."""
    return [not TokenSession.objects.exclude(revoked_at=None).filter(pk=pair.session.pk).exists() for pair in pairs]


def test_one_session(pairs: list[sessions.TokenPair]) -> None:
    """``--session``, by the id that the log and the admin show."""
    assert revoke("--session", str(pairs[0].session.pk)).startswith("1 ")
    assert alive(pairs) == [False, True, True]
    assert revoke("--session", str(pairs[0].session.pk)).startswith("0 ")
    assert TokenSession.objects.get(pk=pairs[0].session.pk).revoke_reason == "ended_by_command"


def test_all_of_one_user(pairs: list[sessions.TokenPair]) -> None:
    """``--user``, by name."""
    assert revoke("--user", "alice").startswith("2 ")
    assert alive(pairs) == [False, False, True]


def test_everybody(pairs: list[sessions.TokenPair]) -> None:
    """``--all``; a second time there is nobody left."""
    assert revoke("--all").startswith("3 ")
    assert alive(pairs) == [False, False, False]
    assert revoke("--all").startswith("0 ")
    with pytest.raises(Revoked):
        sessions.rotate(str(pairs[2].refresh))
    assert set(TokenSession.objects.values_list("revoke_reason", flat=True)) == {"signed_out_everywhere"}


def test_what_a_backup_brought_back_is_ended(user: Any) -> None:
    """The row is as it was before somebody signed out: tokens of a generation that it has not come to are replays."""
    thiefs, again = sessions.start(user), sessions.start(user)
    backup = list(TokenSession.objects.values())
    later = sessions.start(user)
    newer = sessions.rotate(str(again.refresh))
    sessions.revoke_all(user)
    TokenSession.objects.all().delete()
    TokenSession.objects.bulk_create(TokenSession(**row) for row in backup)

    introspection.ensure_acceptable(str(thiefs.access))
    with pytest.raises(Reused):
        sessions.rotate(str(newer.refresh))
    with pytest.raises(Revoked):
        sessions.rotate(str(later.refresh))
    assert revoke("--all").startswith("1 ")
    with pytest.raises(Revoked):
        introspection.ensure_acceptable(str(thiefs.access))


def test_everybody_is_everybody_who_has_a_session(user: Any) -> None:
    """``--all`` bars tokens from before as ``--user`` does, and looks for nobody else: that is the signing key's."""
    absent = get_user_model().objects.create_user("absent")
    sessions.start(user)
    barred, left = (str(RefreshToken.for_user(owner)) for owner in (user, absent))
    revoke("--all")
    with pytest.raises(Revoked):
        sessions.rotate(barred)
    assert sessions.rotate(left).session.user_id == absent.pk


def test_everybody_includes_who_is_within_leeway(user: Any, clock: Any, settings: Any) -> None:
    """Law 4: a token that would still be accepted is ended with the others."""
    settings.SIMPLE_JWT = {"LEEWAY": 60}
    refresh = str(sessions.start(user).refresh)
    clock.shift(timedelta(days=1, seconds=30))
    revoke("--all")
    with pytest.raises(Revoked):
        sessions.rotate(refresh)


NOBODYS = "0198f3a0-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--session", ""),
        ("--session", "not-an-id"),
        ("--session", NOBODYS),
        ("--session", "\0"),
        ("--user", ""),
        ("--user", "mallory"),
        ("--user", "alice", "--all"),
        ("--all", "--session", NOBODYS),
        ("alice",),
    ],
    ids=lambda arguments: " ".join(arguments)[:20] or "nothing",
)
def test_what_names_nobody_ends_nothing(pairs: list[sessions.TokenPair], arguments: tuple[str, ...]) -> None:
    """An empty shell variable or a typing error is refused in words: it signs nobody out, least of all everybody."""
    with pytest.raises(CommandError):
        revoke(*arguments)
    assert alive(pairs) == [True, True, True]


@pytest.fixture
def hidden(user: Any, monkeypatch: Any) -> Any:
    """A session of alice's, whom her model's manager does not show any more."""
    session = sessions.start(user).session
    monkeypatch.setattr(get_user_model(), "objects", hiding(get_user_model()))
    type(user)._base_manager.filter(pk=user.pk).update(first_name="deleted")
    monkeypatch.setattr(get_user_model()._meta, "default_manager", get_user_model().objects)
    return session


@pytest.mark.parametrize("arguments", [["--all"], ["--user", "alice"]], ids=str)
def test_users_whom_their_manager_hides_are_signed_out_too(hidden: TokenSession, arguments: list[str]) -> None:
    """Law 4: who was deleted softly may come back, and no token from before with them."""
    assert revoke(*arguments) == "1 sessions were ended.\n"
    assert TokenSession.objects.get(pk=hidden.pk).revoked_at is not None


class Replicas:
    """A router that reads from a copy."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """Read elsewhere."""
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """Write here."""
        return "default"


def test_everybody_is_looked_for_where_sessions_are_written(pairs: list[sessions.TokenPair], settings: Any) -> None:
    """DESIGN 11: a project with a primary database and replicas."""
    settings.DATABASE_ROUTERS = [f"{__name__}.Replicas"]
    assert revoke("--all") == "3 sessions were ended.\n"


def test_a_name_that_nobody_can_have_is_an_error(pairs: list[sessions.TokenPair], monkeypatch: Any) -> None:
    """Where users are known by a number."""
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "id")
    with pytest.raises(CommandError, match="There is no user 'alice'"):
        revoke("--user", "alice")
