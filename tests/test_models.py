"""The table, its ids and its queries."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import UserManager
from django.db import connection
from django.db.models import DurationField, Field, GenericIPAddressField, Manager

from drf_jwt_kit import credentials, introspection, lookup, models, sessions
from drf_jwt_kit.exceptions import Expired, Invalid, PasswordChanged, Refused, Revoked, UserInactive, UserNotFound
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken, RefreshToken

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


class ReadsFromReplica:
    """A router of a project whose replica lags so far that it is not there: reading from it fails."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """Return the replica."""
        return "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        """Return the primary."""
        return "default"


def test_an_id_is_a_version_7_uuid() -> None:
    """RFC 9562 A.6: the published example, bit for bit."""
    randomness = bytes.fromhex("0cc318c4dc0c0c07398f")
    example = models.time_ordered_uuid(0x017F22E279B0, randomness)
    assert example == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    assert (example.version, example.variant) == (7, "specified in RFC 4122")


def test_ids_sort_by_the_time_they_were_made(clock: Any) -> None:
    """Law 6: new rows go to the end of the index, however many there are."""
    made = []
    for _ in range(50):
        made.append(models.time_ordered_uuid())
        clock.shift(timedelta(milliseconds=1))
    assert made == sorted(made)
    assert len({models.time_ordered_uuid() for _ in range(1000)}) == 1000


def test_an_adopted_id_follows_from_the_token() -> None:
    """The second use of a token finds the row of the first, and no other token's."""
    one = models.adopted_id("a")
    assert one == models.adopted_id("a") != models.adopted_id("b")
    assert one.version == 7
    assert one < models.time_ordered_uuid()


@pytest.mark.parametrize("text", ["0", "-1", "999999999"])
def test_an_id_that_nobody_has_is_not_found(user: Any, text: str) -> None:
    """Law 9: a well-formed id without a user says so."""
    with pytest.raises(UserNotFound):
        models.user_with_id(text)


@pytest.mark.parametrize("name", ["Alice", "ALICE", "alice ", "alicé"])
def test_a_spelling_that_only_the_database_takes_for_the_user_is_nobodys(user: Any, settings: Any, name: str) -> None:
    """Law 3: a token with it would be adopted, and then be no token of that session's."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username"}
    with pytest.raises(UserNotFound):
        models.user_with_id(name)


def test_a_spelling_that_only_the_field_takes_for_the_user_is_nobodys(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 3: nor may a project's field tidy what it looks for."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username"}
    monkeypatch.setattr(get_user_model()._meta.get_field("username"), "get_prep_value", str.lower)
    with pytest.raises(UserNotFound):
        models.user_with_id("Alice")


@pytest.mark.parametrize("text", ["", " 1", "1 ", "01", "+1", "1.0", "1e3", "abc", "1\0", "٣", "9" * 5000, str(2**63)])
def test_an_id_that_the_field_would_not_write_is_invalid(user: Any, text: str) -> None:
    """Nothing strange reaches the database, and no user has two spellings."""
    with pytest.raises(Refused) as refused:
        models.user_with_id(text)
    assert isinstance(refused.value, (Invalid, UserNotFound))
    assert not isinstance(refused.value, UserNotFound) or text == str(2**63)


@pytest.mark.parametrize(
    ("kind", "step", "text"),
    [
        (DurationField(), "to_python", "999999999999 days"),
        (DurationField(), "to_python", "abc"),
        (GenericIPAddressField(), "get_db_prep_value", "abc"),
        (GenericIPAddressField(), "get_db_prep_value", "None"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Field) else value,
)
def test_a_field_that_stumbles_over_an_id_has_none_like_it(
    user: Any, settings: Any, monkeypatch: Any, kind: Any, step: str, text: str
) -> None:
    """2.2: such a ``USER_ID_FIELD`` was a 500 at every endpoint."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username"}
    if connection.vendor != "postgresql" and step != "to_python":
        monkeypatch.setattr(connection.ops, "adapt_ipaddressfield_value", ip_address)
    monkeypatch.setattr(get_user_model()._meta.get_field("username"), step, getattr(kind, step))
    with pytest.raises(Invalid):
        models.user_with_id(text)


@pytest.mark.parametrize("name", ["P99999999999D", "9" * 40, "abc"])
def test_a_name_that_the_field_stumbles_over_is_nobodys(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """2.2: a ``USERNAME_FIELD`` that holds durations was a 500."""
    monkeypatch.setattr(get_user_model()._meta.get_field("username"), "clean", DurationField().clean)
    assert not models.can_be_user_name(name)


def test_an_id_names_one_user(user: Any, settings: Any) -> None:
    """By the primary key out of the box, by another field where the project says so."""
    assert models.user_with_id(str(user.pk)) == user
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username"}
    assert models.user_with_id("alice") == user
    assert models.user_id(user) == "alice"


@pytest.mark.parametrize(
    ("values", "live", "prunable"),
    [
        ({}, True, False),
        ({"expires_at": 0}, False, True),
        ({"expires_at": 1}, True, False),
        ({"absolute_expires_at": None}, True, False),
        ({"absolute_expires_at": 0}, False, False),
        ({"revoked_at": 0}, False, False),
        ({"revoked_at": 0, "expires_at": -1}, False, True),
        ({"expires_at": -1, "kept_until": 1}, False, False),
        ({"expires_at": -1, "kept_until": 0}, False, True),
    ],
    ids=str,
)
def test_a_row_is_live_prunable_or_neither(user: Any, clock: Any, values: Any, live: bool, prunable: bool) -> None:
    """What refreshes and what is deleted never overlap (law 4); numbers are hours from now."""
    now = models.now()
    moments = {name: None if hours is None else now + hours * HOUR for name, hours in values.items()}
    TokenSession.objects.filter(pk=sessions.start(user).session.pk).update(**moments)
    assert TokenSession.objects.live(now).exists() is live
    assert TokenSession.objects.prunable(now).exists() is prunable


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda session: setattr(session.user, "is_active", False), UserInactive),
        (lambda session: setattr(session.user, "password", "another"), PasswordChanged),
        (lambda session: setattr(session, "revoked_at", session.created_at), Revoked),
        (lambda session: setattr(session, "absolute_expires_at", session.created_at), Expired),
    ],
    ids=["inactive", "password", "revoked", "expired"],
)
def test_a_session_says_why_it_is_dead(user: Any, clock: Any, change: Any, refusal: type[Refused]) -> None:
    """Law 9: each cause has its reason."""
    session = sessions.start(user).session
    session.ensure_live(models.now())
    change(session)
    with pytest.raises(refusal):
        session.ensure_live(models.now())


@pytest.mark.parametrize(("reason", "then"), [("password_changed", PasswordChanged), ("signed_out", Revoked)])
def test_what_says_most_is_said_first(user: Any, clock: Any, reason: str, then: type[Refused]) -> None:
    """A deactivated user reads why, not that a session was ended because of it; then comes what ended it."""
    session = sessions.start(user).session
    session.revoked_at = session.absolute_expires_at = session.created_at
    session.revoke_reason = reason
    user.is_active, user.password = False, "another"
    for refusal in (UserInactive, then):
        with pytest.raises(refusal):
            session.ensure_live(models.now())
        user.is_active = True


@pytest.mark.parametrize("before", ["h" * 500, "", "2026-11-29 12:00", "a\nb", "\u00fc", "\x00"], ids=ascii)
def test_a_user_model_may_have_any_credential_hash(user: Any, monkeypatch: Any, before: str) -> None:
    """Law 9: all of it counts, whatever the column holds and however it tells several apart."""
    monkeypatch.setattr(type(user), "get_session_auth_hash", lambda self: before + self.last_name)
    session = sessions.start(user).session
    assert lookup.session_with_user(session.pk).knows_credentials()
    get_user_model().objects.update(last_name="x")
    assert not lookup.session_with_user(session.pk).knows_credentials()


def test_a_session_reads_as_its_id(user: Any) -> None:
    """Law 10: what a log line or the admin shows of it is no secret."""
    session = sessions.start(user).session
    assert str(session) == str(session.pk)


def test_the_indexes_are_those_that_are_queried() -> None:
    """The primary key, the user, the expiry: and nothing that every refresh would have to move."""
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, TokenSession._meta.db_table)
    indexed = {tuple(found["columns"]) for found in constraints.values() if found["index"] or found["primary_key"]}
    assert indexed == {("id",), ("user_id",), ("expires_at",)}


def test_a_project_may_let_inactive_users_in(user: Any, settings: Any) -> None:
    """``CHECK_USER_IS_ACTIVE = False`` keeps its meaning for sessions that run, and ends none."""
    settings.SIMPLE_JWT = {"CHECK_USER_IS_ACTIVE": False}
    pair = sessions.start(user)
    user.is_active = False
    user.save()
    for token in (sessions.rotate(str(pair.refresh)).access, AccessToken.for_user(user)):
        assert introspection.user_of(token) == user


def test_a_row_expires_with_its_token_to_the_second(user: Any, clock: Any) -> None:
    """Law 5: tokens count whole seconds; a row that lasted longer could not make its token again."""
    clock.shift(timedelta(microseconds=654_321))
    pair = sessions.start(user)
    assert pair.session.expires_at.timestamp() == pair.refresh["exp"]


def test_a_user_whose_name_the_rules_would_refuse_today_is_found(settings: Any) -> None:
    """An upgrade signs nobody out: names that were imported, or are older than a validator, are names."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username"}
    imported = get_user_model().objects.create_user("Ann Example", password="x")
    assert models.user_with_id("Ann Example") == imported


def test_a_replica_is_asked_nothing(user: Any, settings: Any) -> None:
    """Law 4: it may not know yet who was signed out, or whose password changed."""
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsFromReplica"]
    for refresh in (sessions.start(user).refresh, RefreshToken.for_user(user)):
        pair = sessions.rotate(str(refresh))
        assert introspection.user_of(pair.access) == user
    assert introspection.user_of(AccessToken.for_user(user)) == user
    assert TokenSession.objects.live(models.now()).count() == 2
    assert sessions.revoke_all(user) == 2
    assert models.is_stored(user)


def test_a_user_who_was_read_from_a_replica_signs_in(user: Any, settings: Any) -> None:
    """Drop-in: where its router says nothing of relations, Django makes none across databases."""
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsFromReplica"]
    user._state.db = "replica"
    pair = sessions.start(user)
    assert pair.session.user is user
    assert introspection.user_of(pair.access) == user


def hiding(users: Any) -> Any:
    """Return a manager that hides the users who were deleted softly."""

    class Present(UserManager[Any]):
        def get_queryset(self) -> Any:
            return super().get_queryset().exclude(first_name="deleted")

    present = Present()
    present.model = users
    return present


def test_users_that_the_manager_hides_are_hidden_here(user: Any, monkeypatch: Any) -> None:
    """A user who was deleted softly has no session any more, as simplejwt never found such users; it can be ended."""
    monkeypatch.setattr(get_user_model(), "objects", hiding(get_user_model()))
    session = sessions.start(user).session
    assert lookup.session_with_user(session.pk).user == user
    type(user)._base_manager.filter(pk=user.pk).update(first_name="deleted")
    assert lookup.session_with_user(session.pk) is None
    assert lookup.session_with_user(session.pk, hidden_too=True).user == user


def test_a_manager_may_name_a_database(user: Any, monkeypatch: Any) -> None:
    """Drop-in: one that reads users from a replica, whom the kit reads where their sessions are."""

    class OfReplica(UserManager[Any]):
        def get_queryset(self) -> Any:
            return super().get_queryset().using("replica")

    manager = OfReplica()
    manager.model = get_user_model()
    session = sessions.start(user).session
    monkeypatch.setattr(get_user_model(), "objects", manager)
    assert lookup.session_with_user(session.pk).user == user


def test_a_user_is_found_by_a_plain_manager_too(user: Any, monkeypatch: Any) -> None:
    """A project's user model need not have Django's, if its backends do without."""
    plain: Any = Manager()
    plain.model = get_user_model()
    monkeypatch.setattr(get_user_model()._meta, "default_manager", plain)
    assert models.user_named("alice") == user
    assert models.user_named("bob") is None


def test_a_row_holds_the_latest_hashes_of_a_password() -> None:
    """As many as fit, each once, the oldest going first."""
    hashes = [f"{number:0128x}" for number in range(500)]
    assert credentials.joined(*hashes, hashes[-1]).split() == hashes[4:]
