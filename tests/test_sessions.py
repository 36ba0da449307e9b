"""The interface for a project's own code: start, rotate, revoke, revoke_all."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_finished
from django.db import OperationalError, connection, transaction
from django.test import RequestFactory
from rest_framework_simplejwt.serializers import TokenObtainSerializer

from drf_jwt_kit import adoption, introspection, models, rotation, sessions, transactions
from drf_jwt_kit.exceptions import Expired, Invalid, Refused, Reused, Revoked, UserInactive, WrongType
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.serializers import TokenObtainPairSerializer
from drf_jwt_kit.tokens import AccessToken, RefreshToken
from tests.conftest import PASSWORD, bearer
from tests.test_rotation import just_before

pytestmark = pytest.mark.django_db

HERE = __name__


def staff_claim(user: Any, session: TokenSession) -> dict[str, Any]:
    """Return what the project wants on its tokens."""
    return {"staff": user.is_staff, "started": session.created_at.year, "device": "hook"}


def failing_claim(user: Any, session: TokenSession) -> dict[str, Any]:
    """Fail, as a directory server that is down would."""
    raise ConnectionError("the directory is down")


def reserved_claim(user: Any, session: TokenSession) -> dict[str, Any]:
    """Return a claim that is not the project's to write."""
    return {"sid": "another's"}


class NamedSerializer(TokenObtainPairSerializer):
    """A project's serializer."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Put the name on the token."""
        token = super().get_token(user)
        token["name"] = user.get_username()
        return token


class NoTokens(TokenObtainSerializer):
    """One whose ``get_token`` is told of no class."""


# -- Starting --------------------------------------------------------------------------------------


def test_a_started_session_has_tokens_that_are_accepted(user: Any, client: Any) -> None:
    """A project that signs in by other means gets what the endpoint gives."""
    pair = sessions.start(user)
    assert pair.access.sid == pair.refresh.sid == pair.session.pk
    assert client.get("/api/me/", **bearer(str(pair.access))).data["username"] == "alice"
    assert client.post("/api/token/refresh/", {"refresh": str(pair.refresh)}, format="json").status_code == 200


def test_a_pair_does_not_show_its_tokens(user: Any) -> None:
    """Law 10: a pair in a log line or an error report signs nobody in."""
    pair = sessions.start(user)
    assert str(pair.access) not in repr(pair)
    assert "access" not in repr(pair)


def test_a_row_begins_where_its_first_token_begins(user: Any, clock: Any) -> None:
    """Law 5: the token follows from the row, so both must say the same."""
    pair = sessions.start(user)
    session = TokenSession.objects.get(pk=pair.session.pk)
    assert (session.generation, session.created_at) == (0, session.rotated_at)
    assert pair.refresh["iat"] == session.rotated_at.timestamp()
    assert pair.refresh["exp"] == session.expires_at.timestamp()
    assert session.absolute_expires_at == session.created_at + timedelta(days=30)


def test_fixed_claims_live_as_long_as_the_session(user: Any, settings: Any) -> None:
    """What was true of the sign-in stays on every token, over what the hook says."""
    settings.DRF_JWT_KIT = {"CLAIMS": f"{HERE}.staff_claim"}
    pair = sessions.start(user, amr=["pwd", "otp"], device="kiosk")
    for _ in range(3):
        for token in (pair.access, pair.refresh):
            assert (token["amr"], token["device"], token["staff"]) == (["pwd", "otp"], "kiosk", False)
        pair = sessions.rotate(str(pair.refresh))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "aud", "iss", "jti", "sid", "gen", "token_type", "user_id"])
def test_a_name_that_the_kit_writes_is_refused(user: Any, name: str) -> None:
    """No fixed claim turns a token into another session's or another user's, and no row is left."""
    with pytest.raises(ImproperlyConfigured, match=name):
        sessions.start(user, **{name: "1"})
    assert not TokenSession.objects.exists()


def test_a_reserved_name_from_the_hook_is_refused(user: Any, settings: Any) -> None:
    """The hook may not write them either, and says so at the first sign-in."""
    settings.DRF_JWT_KIT = {"CLAIMS": f"{HERE}.reserved_claim"}
    with pytest.raises(ImproperlyConfigured, match="sid"):
        sessions.start(user)


def changing_claim(user: Any, session: TokenSession) -> dict[str, Any]:
    """Return what no token can have, until somebody mends it."""
    return {"score": float("nan") if user.last_name == "broken" else 1.0}


def test_a_refresh_that_cannot_be_answered_changes_nothing(user: Any, settings: Any, clock: Any) -> None:
    """Laws 2 and 3: once the hook is mended, however late, nobody is taken for a thief."""
    settings.DRF_JWT_KIT = {"CLAIMS": f"{HERE}.changing_claim"}
    pair = sessions.start(user)
    get_user_model().objects.update(last_name="broken")
    with pytest.raises(ImproperlyConfigured, match="A token would be refused"):
        sessions.rotate(str(pair.refresh))
    get_user_model().objects.update(last_name="mended")
    clock.shift(timedelta(minutes=5))
    assert sessions.rotate(str(pair.refresh)).session.generation == 1


def test_a_token_that_is_too_long_by_a_little_leaves_nothing(user: Any) -> None:
    """Law 6: up to the limit there is a token, beyond it no session."""
    lengths = []
    for size in range(5500, 6000, 10):
        with suppress(ImproperlyConfigured):
            lengths.append(len(str(sessions.start(user, text="x" * size).refresh)))
    assert 8100 < max(lengths) <= 8192
    assert TokenSession.objects.count() == len(lengths) < 50


class Impersonates(TokenObtainPairSerializer):
    """A project's serializer that names somebody else, and calls the token something else."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Write what is not a project's."""
        token = super().get_token(user)
        token.payload |= {"user_id": "999", "token_type": "access"}
        return token


def test_a_serializer_cannot_name_another_user(user: Any) -> None:
    """DESIGN 4: what ``get_token`` puts on are claims; whose session it is, the row says."""
    pair = sessions.begin(user, fixed={}, source=f"{HERE}.Impersonates")
    assert pair.access["user_id"] == pair.refresh["user_id"] == str(user.pk)
    assert pair.refresh["token_type"] == "refresh"
    assert sessions.rotate(str(pair.refresh)).access["token_type"] == "access"


def test_a_hook_that_fails_costs_no_rotation(user: Any, settings: Any) -> None:
    """Law 2: claims are computed before the session moves on, so the same token works afterwards."""
    refresh = str(sessions.start(user).refresh)
    settings.DRF_JWT_KIT = {"CLAIMS": f"{HERE}.failing_claim", "REFRESH_GRACE_PERIOD": timedelta(0)}
    with pytest.raises(ConnectionError):
        sessions.rotate(refresh)
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    assert sessions.rotate(refresh).session.generation == 1


def test_the_serializer_of_the_sign_in_keeps_naming_the_claims(user: Any) -> None:
    """Law 11: a session started by one of several serializers is refreshed by the same one."""
    pair = sessions.begin(user, fixed={}, source=f"{HERE}.NamedSerializer")
    get_user_model().objects.filter(pk=user.pk).update(username="alicia")
    assert sessions.rotate(str(pair.refresh)).access["name"] == "alicia"


def moved_to(path: str) -> str:
    """Return the refresh token of a session whose serializer was at ``path`` of this module when it was signed in."""
    user = get_user_model().objects.get()
    refresh = str(sessions.begin(user, fixed={}, source=f"{HERE}.NamedSerializer").refresh)
    TokenSession.objects.update(claims_source=f"{HERE}.{path}")
    return refresh


@pytest.mark.parametrize("path", ["RenamedSince", "just_before", "HERE", "TokenSession", "NoTokens"])
@pytest.mark.parametrize("rotating", [True, False], ids=["rotating", "not rotating"])
def test_no_other_claims_take_the_place_of_a_serializer_that_is_gone(
    user: Any, settings: Any, caplog: Any, path: str, rotating: bool
) -> None:
    """Law 11: nobody knows what it granted, and the settings' may grant more. Once it is found again, all goes on."""
    settings.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": rotating}
    refresh = moved_to(path)
    with pytest.raises(Revoked):
        sessions.rotate(refresh)
    with pytest.raises(Revoked):
        introspection.ensure_acceptable(refresh)
    with pytest.raises(Revoked):
        sessions.confirm(RefreshToken(refresh), None, since=None)
    assert f"{HERE}.{path} is gone" in caplog.text
    TokenSession.objects.update(claims_source=f"{HERE}.NamedSerializer")
    assert sessions.rotate(refresh).access["name"] == "alice"


def test_whose_serializer_is_gone_can_sign_out(user: Any) -> None:
    """The session ends as any other."""
    sessions.sign_out(RefreshToken(moved_to("RenamedSince")))
    assert TokenSession.objects.get().revoke_reason == "signed_out"


@pytest.mark.parametrize("hook", [None, f"{HERE}.failing_claim"], ids=["no serializer", "a hook that fails"])
def test_a_replay_is_found_out_whatever_becomes_of_claims(user: Any, settings: Any, hook: str | None) -> None:
    """Law 3: a used token ends its session, also where no tokens could be made for it."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    refresh = str(sessions.start(user).refresh)
    sessions.rotate(refresh)
    if hook is None:
        TokenSession.objects.update(claims_source=f"{HERE}.RenamedSince")
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0), "CLAIMS": hook}
    with pytest.raises(Reused):
        sessions.rotate(refresh)
    assert TokenSession.objects.get().revoke_reason == "reused"


def overtaken_claim(user: Any, session: TokenSession) -> dict[str, Any]:
    """A hook that takes so long that somebody else rotates meanwhile."""
    TokenSession.objects.filter(pk=session.pk).update(generation=session.generation + 1)
    return {}


def test_a_replay_is_found_out_that_came_while_claims_were_made(user: Any, settings: Any) -> None:
    """Laws 1 and 3: without grace, whoever comes second ends the session."""
    refresh = str(sessions.start(user).refresh)
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0), "CLAIMS": f"{HERE}.overtaken_claim"}
    with pytest.raises(Reused):
        sessions.rotate(refresh)
    assert TokenSession.objects.get().revoke_reason == "reused"


def reusing_claim(user: Any, session: TokenSession) -> dict[str, Any]:
    """A hook that finds out that another token was used twice, and lets that be known."""
    raise Reused


def test_what_a_hook_finds_out_is_not_of_this_session(user: Any, settings: Any) -> None:
    """Law 3: a session ends when its own refresh token was used twice."""
    refresh = str(sessions.start(user).refresh)
    settings.DRF_JWT_KIT = {"CLAIMS": f"{HERE}.reusing_claim"}
    with pytest.raises(Reused):
        sessions.rotate(refresh)
    assert TokenSession.objects.get().revoked_at is None


@pytest.mark.parametrize(("most", "started", "left"), [(1, 3, 1), (2, 5, 2), (3, 3, 3), (None, 5, 5)])
def test_the_oldest_session_goes_when_there_are_too_many(
    user: Any, settings: Any, clock: Any, most: int | None, started: int, left: int
) -> None:
    """``MAX_SESSIONS_PER_USER``: the newest stay, the others end with a reason."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": most}
    rows = []
    for _ in range(started):
        rows.append(sessions.start(user).session.pk)
        clock.shift(timedelta(minutes=1))
    live = TokenSession.objects.filter(revoked_at=None).order_by("created_at").values_list("pk", flat=True)
    assert list(live) == rows[-left:]
    assert set(TokenSession.objects.exclude(revoked_at=None).values_list("revoke_reason", flat=True)) <= {
        "too_many_sessions"
    }


@pytest.mark.parametrize("behind", [0, 1, 5], ids="{} s behind".format)
@pytest.mark.parametrize("adopted", [False, True], ids=["signed in", "adopted"])
@pytest.mark.parametrize("most", [1, 2])
def test_whoever_signs_in_last_is_the_newest(
    user: Any, settings: Any, clock: Any, most: int, adopted: bool, behind: int
) -> None:
    """``MAX_SESSIONS_PER_USER``: also by the clock of a server that is behind, or that stands still in a test."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": most}
    settings.SIMPLE_JWT = {"LEEWAY": 60}
    for _ in range(most):
        sessions.start(user)
    clock.shift(-timedelta(seconds=behind))
    for _ in range(4):
        pair = sessions.rotate(str(RefreshToken.for_user(user))) if adopted else sessions.start(user)
        assert introspection.user_of(pair.access) == user
        assert TokenSession.objects.live(models.now()).count() == most


def test_a_sign_in_that_is_ended_at_once_does_not_look_for_ever(user: Any, settings: Any, clock: Any) -> None:
    """By a clock that stands still, or is behind, the session that ended this one is newer, and stays so."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": 1}
    later: list[TokenSession] = []

    def sign_in_elsewhere() -> None:
        clock.shift(timedelta(seconds=5))
        later.append(sessions.start(user).session)
        clock.shift(-timedelta(seconds=5))

    with just_before(("SELECT", sign_in_elsewhere)):
        sessions.start(user)
    assert [session.pk for session in TokenSession.objects.live(models.now())] == [later[0].pk]


@pytest.mark.parametrize("before", ["INSERT", "SELECT"])
@pytest.mark.parametrize("most", [1, 2])
def test_of_sign_ins_side_by_side_the_newest_stay(user: Any, settings: Any, most: int, before: str) -> None:
    """``MAX_SESSIONS_PER_USER``: whichever is written first or looks first, never do two end each other."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": most}
    rows = [sessions.start(user).session]
    later: list[TokenSession] = []
    with just_before((before, lambda: later.append(sessions.start(user).session))):
        rows.append(sessions.start(user).session)
    expected = [*rows, *later][-most:]
    assert {row.pk for row in TokenSession.objects.live(models.now())} == {row.pk for row in expected}


@pytest.mark.parametrize("most", [None, 1])
def test_a_sign_in_that_a_sign_out_everywhere_overtakes_signs_in_anew(
    post: Any, user: Any, settings: Any, most: int | None
) -> None:
    """Law 4: what was ended stays ended, and whoever has just typed the password is let in all the same."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": most}
    with just_before(("SELECT", lambda: None), ("SELECT", lambda: sessions.revoke_all(user))):
        answer = post("token/", username="alice", password=PASSWORD)
    assert answer.status_code == 200
    assert post("token/verify/", token=answer.data["access"]).status_code == 200
    assert TokenSession.objects.filter(revoke_reason="signed_out_everywhere").count() == 1


def test_other_users_and_expired_sessions_do_not_count(user: Any, settings: Any, clock: Any) -> None:
    """The limit is each user's own, and only what still lives is ended."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": 1}
    bob = get_user_model().objects.create_user("bob")
    expired, other = sessions.start(user).session, sessions.start(bob).session
    clock.shift(timedelta(hours=25))
    sessions.start(user)
    assert TokenSession.objects.filter(pk__in=[expired.pk, other.pk], revoked_at=None).count() == 2


# -- Rotating --------------------------------------------------------------------------------------


def test_a_token_object_rotates_as_its_text_does(user: Any) -> None:
    """``rotate`` takes what a project has at hand."""
    pair = sessions.start(user)
    assert sessions.rotate(RefreshToken(str(pair.refresh))).session.generation == 1


def test_the_same_pair_comes_back_within_grace(user: Any, clock: Any) -> None:
    """Law 2: with nothing but the row to go by, the successor is the same byte for byte."""
    first = str(sessions.start(user).refresh)
    assert len({str(sessions.rotate(first).refresh) for _ in range(5)}) == 1


def test_each_generation_has_an_id_of_its_own(user: Any, clock: Any) -> None:
    """``jti`` is unique (RFC 7519 4.1.7), also where nothing else on the token moved."""
    pair, seen = sessions.start(user), set()
    for _ in range(5):
        seen.add(pair.refresh["jti"])
        pair = sessions.rotate(str(pair.refresh))
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("token", "refusal"),
    [
        (lambda pair, user: "a.b.c", Invalid),
        (lambda pair, user: str(pair.access), WrongType),
        (lambda pair, user: _of_another_user(pair), Invalid),
        (lambda pair, user: _with(pair, sid="018f0000-0000-7000-8000-000000000000"), Revoked),
        (lambda pair, user: _with(pair, gen=1), Reused),
        (lambda pair, user: _with(pair, gen=None), Invalid),
        (lambda pair, user: _with(pair, sid=None), Invalid),
    ],
    ids=["garbage", "access", "another user's", "unknown session", "from the future", "no gen", "no sid"],
)
def test_a_token_that_is_not_the_sessions_is_refused(user: Any, token: Any, refusal: type[Refused]) -> None:
    """Whoever signed it, claims that do not fit a live session rotate nothing."""
    pair = sessions.start(user)
    with pytest.raises(refusal):
        sessions.rotate(token(pair, user))
    assert TokenSession.objects.get().generation == 0


def _with(pair: sessions.TokenPair, **claims: Any) -> str:
    """Return the refresh token with other claims, signed with our key; ``None`` leaves one out."""
    token = RefreshToken(str(pair.refresh))
    token.payload = {name: value for name, value in {**token.payload, **claims}.items() if value is not None}
    return str(token)


def _of_another_user(pair: sessions.TokenPair) -> str:
    """Return the session's token with another user's id on it."""
    return _with(pair, user_id=str(get_user_model().objects.create_user("mallory").pk))


def test_the_authentication_rule_is_asked_at_every_refresh(user: Any, settings: Any) -> None:
    """Law 9: a project's own rule of who may sign in counts now, not only at the sign-in."""
    refresh = str(sessions.start(user).refresh)
    settings.SIMPLE_JWT = {"USER_AUTHENTICATION_RULE": f"{HERE}.nobody"}
    with pytest.raises(UserInactive):
        sessions.rotate(refresh)


def nobody(user: Any) -> bool:
    """Let nobody in."""
    return False


def test_without_rotation_the_refresh_token_stays(user: Any, settings: Any, clock: Any) -> None:
    """``ROTATE_REFRESH_TOKENS = False``: the session stays as it is, and can still be ended."""
    settings.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": False}
    first = str(sessions.start(user).refresh)
    for _ in range(3):
        clock.shift(timedelta(minutes=10))
        assert sessions.rotate(first).refresh is None
    session = TokenSession.objects.get()
    assert session.generation == 0
    sessions.revoke(session)
    with pytest.raises(Revoked):
        sessions.rotate(first)


def test_a_rotated_token_is_a_replay_after_rotation_was_turned_off(user: Any, settings: Any, clock: Any) -> None:
    """Law 3 holds for sessions from before the setting was changed."""
    first = str(sessions.start(user).refresh)
    sessions.rotate(first)
    settings.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": False}
    assert sessions.rotate(first).refresh is None
    clock.shift(timedelta(seconds=31))
    with pytest.raises(Reused):
        sessions.rotate(first)
    assert TokenSession.objects.get().revoke_reason == "reused"


def test_a_retired_secret_key_carries_sessions_to_the_new_one(user: Any, settings: Any) -> None:
    """``SECRET_KEY_FALLBACKS`` verify tokens and credentials; one refresh later they are not needed."""
    refresh, old = str(sessions.start(user).refresh), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-new-key-that-is-long-enough-for-sha-256-hmac", [old]
    pair = sessions.rotate(refresh)
    settings.SECRET_KEY_FALLBACKS = []
    assert sessions.rotate(str(pair.refresh)).session.generation == 2


def test_the_user_is_known_by_the_field_and_claim_of_the_settings(user: Any, settings: Any, client: Any) -> None:
    """``USER_ID_FIELD`` and ``USER_ID_CLAIM`` keep their meaning."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username", "USER_ID_CLAIM": "sub"}
    pair = sessions.rotate(str(sessions.start(user).refresh))
    assert pair.access["sub"] == pair.refresh["sub"] == "alice"
    assert "user_id" not in pair.access
    assert client.get("/api/me/", **bearer(str(pair.access))).data["id"] == user.pk


@pytest.mark.parametrize("field", ["id", "pk"])
def test_the_primary_key_has_two_names(user: Any, settings: Any, client: Any, field: str) -> None:
    """``USER_ID_FIELD = "pk"`` works, for sessions and for tokens without one."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": field}
    for token in (sessions.start(user).access, AccessToken.for_user(user)):
        assert client.get("/api/me/", **bearer(str(token))).status_code == 200


def test_times_without_zones_are_the_same_times(user: Any, settings: Any, post: Any, sign_in: Any) -> None:
    """``USE_TZ = False`` in a zone that is not UTC: lifetimes and the answer's seconds stay right."""
    settings.USE_TZ, settings.TIME_ZONE = False, "America/New_York"
    answer = post("token/refresh/", refresh=sign_in().refresh)
    assert 298 <= answer.data["expires_in"] <= 300
    assert 86398 <= answer.data["refresh_expires_in"] <= 86400


@pytest.mark.generated
def test_ten_thousand_refreshes_add_no_row(user: Any, settings: Any) -> None:
    """Law 6: rows grow by sign-ins, whatever happens in between."""
    refresh = str(sessions.start(user).refresh)
    for _ in range(REFRESHES):
        refresh = str(sessions.rotate(refresh).refresh)
    assert TokenSession.objects.get().generation == REFRESHES


REFRESHES = 10_000


# -- Ending ----------------------------------------------------------------------------------------


def test_ending_all_but_one_keeps_that_one(user: Any) -> None:
    """``keep`` takes a session or its id; another user's sessions are not touched."""
    bob = get_user_model().objects.create_user("bob")
    kept, other = sessions.start(user).session, sessions.start(bob).session
    for keep in (kept, kept.pk):
        ended = [sessions.start(user).session.pk for _ in range(2)]
        assert sessions.revoke_all(user, keep=keep) == 2
        assert TokenSession.objects.filter(pk__in=ended, revoke_reason="signed_out_everywhere").count() == 2
    live = set(TokenSession.objects.filter(revoked_at=None).values_list("pk", flat=True))
    assert live == {kept.pk, other.pk}


def test_ending_twice_says_so(user: Any) -> None:
    """The second call ended nothing."""
    session = sessions.start(user).session
    assert sessions.revoke(session)
    assert not sessions.revoke(session)
    assert sessions.revoke_all(user) == 0


def test_signing_out_with_a_rotated_token_is_a_replay(clock: Any, post: Any, tokens: Any) -> None:
    """Law 3: a stolen token gives itself away at every door, and the session ends as stolen."""
    post("token/refresh/", refresh=tokens.refresh)
    clock.shift(timedelta(seconds=31))
    answer = post("token/blacklist/", refresh=tokens.refresh)
    assert (answer.status_code, answer.data["reason"]) == (401, "reused")
    assert TokenSession.objects.get().revoke_reason == "reused"


def test_a_dead_session_of_an_inactive_user_ends_no_others(user: Any, django_assert_num_queries: Any) -> None:
    """Law 9: they were ended with the user; whoever keeps asking with a dead token makes nothing be written."""
    access = sessions.start(user).access
    user.is_active = False
    user.save()
    with django_assert_num_queries(1), pytest.raises(UserInactive):
        sessions.find(access)


def test_a_rolled_back_start_leaves_no_session(user: Any) -> None:
    """In a caller's transaction the session is there when that commits, and not before."""
    with transaction.atomic():
        refresh = str(sessions.start(user).refresh)
        transaction.set_rollback(True)
    with pytest.raises(Revoked):
        sessions.rotate(refresh)


def _deactivate(user: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)


def _bar(user: Any) -> None:
    """Leave what a deactivation leaves that could not see the session."""
    adoption.bar(user, rotation.USER_INACTIVE, timedelta(days=1))


def _fail() -> None:
    """Fail as a hook of a project's does while its broker is down."""
    raise ConnectionError


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("adopted", [False, True], ids=["started", "adopted"])
@pytest.mark.parametrize("change", [None, _deactivate, _bar])
@pytest.mark.parametrize("hook_fails", [False, True], ids=["", "a hook fails"])
def test_a_session_is_looked_at_again_once_it_is_committed(
    user: Any, change: Any, adopted: bool, hook_fails: bool
) -> None:
    """Law 9: another transaction deactivated its user meanwhile, for a while or for good."""
    legacy = str(RefreshToken.for_user(user))
    with suppress(ConnectionError), transaction.atomic():
        if change is not None:
            transaction.on_commit(partial(change, user))
        if hook_fails:
            transaction.on_commit(_fail)
        pair = sessions.rotate(legacy) if adopted else sessions.start(user)
    get_user_model().objects.update(is_active=True)
    assert TokenSession.objects.live(models.now()).filter(pk=pair.session.pk).exists() is (change is None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("adopted", [False, True], ids=["started", "adopted"])
def test_sessions_are_counted_again_once_they_are_committed(user: Any, settings: Any, adopted: bool) -> None:
    """``MAX_SESSIONS_PER_USER``: another transaction began one meanwhile, and neither saw the other's."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": 1}
    legacy = str(RefreshToken.for_user(user))
    with transaction.atomic():
        transaction.on_commit(lambda: TokenSession.objects.create(user=user, expires_at=models.now() + timedelta(1)))
        _ = sessions.rotate(legacy) if adopted else sessions.start(user)
    assert TokenSession.objects.live(models.now()).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_session_that_is_gone_before_it_is_committed_is_looked_for_in_vain(user: Any) -> None:
    """A caller may have thought better of it."""
    with transaction.atomic():
        sessions.start(user).session.delete()
    assert not TokenSession.objects.exists()


def _rotate_and_let_be_repeated(token: str) -> None:
    """Rotate where a request has ended whose transaction has not."""
    transactions.repeat()
    sessions.rotate(token)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("undone", [False, True])
def test_what_a_savepoint_takes_back_is_not_looked_at(undone: bool) -> None:
    """A caller's transaction goes on without it; what fails by itself keeps the rest from nothing."""
    seen: list[str] = []

    def stumble() -> None:
        seen.append("stumble")
        raise ZeroDivisionError

    with transaction.atomic():
        transactions.after_commit(stumble)
        with suppress(KeyError), transaction.atomic():
            transactions.after_commit(lambda: seen.append("inner"))
            if undone:
                raise KeyError
        transactions.after_commit(lambda: seen.append("outer"))
        assert not seen
    assert seen == ["stumble", *["inner"] * (not undone), "outer"]


@pytest.mark.django_db(transaction=True)
def test_a_hook_that_fails_keeps_no_replay_from_ending_its_session(user: Any, clock: Any) -> None:
    """Law 4: the refusal is rolled back, the transaction around it is not, and its first hook fails."""
    first = str(sessions.start(user).refresh)
    second = str(sessions.rotate(first).refresh)
    clock.shift(timedelta(minutes=1))
    with suppress(ConnectionError), transaction.atomic():
        transaction.on_commit(_fail)
        with pytest.raises(Reused), transaction.atomic():
            sessions.rotate(first)
    with pytest.raises(Revoked):
        sessions.rotate(second)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("was_new", [False, True])
def test_whoever_is_activated_and_signed_in_at_once_stays(user: Any, was_new: bool) -> None:
    """Law 9: as where an address is verified under ``ATOMIC_REQUESTS``; what ends is what was there before."""
    if not was_new:
        get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    with transaction.atomic():
        if was_new:
            user = get_user_model().objects.create_user("carol", password=PASSWORD, is_active=False)
        user.is_active, user.first_name = False, "Carol"
        user.save()
        user.is_active = True
        user.save()
        pair = sessions.start(user)
    assert sessions.rotate(str(pair.refresh)).session.generation == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("nested", [False, True])
def test_a_replay_found_in_a_transaction_of_anybodys_ends_the_session(user: Any, clock: Any, nested: bool) -> None:
    """THREATS, inside a caller's ``atomic()``: in a task, a command, a consumer, where no request ends."""
    first = str(sessions.start(user).refresh)
    second = str(sessions.rotate(first).refresh)
    clock.shift(timedelta(minutes=1))
    with pytest.raises(Reused), transaction.atomic(), transaction.atomic() if nested else nullcontext():
        _rotate_and_let_be_repeated(first)
    with pytest.raises(Revoked):
        sessions.rotate(second)
    with transaction.atomic():  # nothing is left to be done at the end of another one
        third = sessions.start(user)
    assert sessions.rotate(str(third.refresh)).session.generation == 1


@pytest.mark.parametrize("test", [1, 2])
def test_what_one_test_rolls_back_is_not_done_in_the_next(user: Any, client: Any, clock: Any, test: int) -> None:
    """A project's tests share a connection, and keys begin anew: what ends is of the same test, or nothing does."""
    client.get("/api/me/")
    pair = sessions.start(user)
    assert sessions.find(pair.access).pk == pair.session.pk
    clock.shift(timedelta(minutes=1))
    second = sessions.rotate(str(pair.refresh))
    clock.shift(timedelta(minutes=1))
    with pytest.raises(Reused), transaction.atomic():
        sessions.rotate(str(pair.refresh))
    if test == 1:
        client.get("/api/me/")
        with pytest.raises(Revoked):
            sessions.find(second.access)


def test_an_end_that_the_database_refuses_is_logged(user: Any, caplog: Any, monkeypatch: Any) -> None:
    """Law 8: a request's aftermath never breaks the server, and never goes unsaid."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    refresh = str(sessions.start(user).refresh)
    get_user_model().objects.update(is_active=False)
    with transaction.atomic(), pytest.raises(UserInactive):
        sessions.rotate(refresh)

    def refuse(*args: Any) -> None:
        raise OperationalError("the disk is full")

    with connection.execute_wrapper(refuse):
        request_finished.send(sender=None)
    assert "could not be ended" in caplog.text


def test_a_session_is_found_expired_at_its_absolute_end(user: Any, clock: Any, settings: Any) -> None:
    """Law 11: an access token that was not capped (made by a project) does not outlive the session either."""
    settings.DRF_JWT_KIT = {"SESSION_LIFETIME": timedelta(minutes=2)}
    pair = sessions.start(user)
    pair.access["exp"] += 3600
    clock.shift(timedelta(minutes=2))
    with pytest.raises(Expired):
        sessions.find(AccessToken(str(pair.access)))


def test_metadata_comes_from_the_request(user: Any) -> None:
    """The session list shows what device it is."""
    request = RequestFactory().get("/", headers={"user-agent": "Firefox"}, REMOTE_ADDR="192.0.2.7")
    session = TokenSession.objects.get(pk=sessions.start(user, request).session.pk)
    assert (session.user_agent, session.ip_address) == ("Firefox", "192.0.2.7")
    assert isinstance(session.pk, UUID)


def test_a_session_that_is_gone_before_its_tokens_are_made_is_refused(user: Any) -> None:
    """Law 9: deleted together with its user, say, right after the INSERT."""
    with (
        just_before(("SELECT", lambda: TokenSession.objects.all()._raw_delete("default"))),
        pytest.raises(Revoked),
    ):
        sessions.start(user)
    assert not TokenSession.objects.exists()
