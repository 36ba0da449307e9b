"""Refresh tokens that simplejwt signed: adopted once each, and ended for good like any other."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import TestCase
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from drf_jwt_kit import introspection, revocation, sessions
from drf_jwt_kit.exceptions import Expired, PasswordChanged, Refused, Reused, Revoked, UserInactive, UserNotFound
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import RefreshToken as KitRefreshToken
from tests.conftest import bearer
from tests.test_rotation import just_before

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[1]

# A project with simplejwt alone: the kit is not installed there.
MINT = """
import sys
from django.conf import settings
settings.configure(
    SECRET_KEY=sys.argv[1], INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"], USE_TZ=True
)
import django
django.setup()
from django.contrib.auth.models import User
from rest_framework_simplejwt.tokens import RefreshToken
for pk in sys.argv[2:]:
    for _ in range(100):
        print(RefreshToken.for_user(User(pk=int(pk))))
assert "drf_jwt_kit" not in sys.modules
"""


@pytest.fixture
def legacy(user: Any, clock: Any) -> str:
    """A refresh token of alice's that simplejwt signed."""
    return str(RefreshToken.for_user(user))


def minted_before(secret_key: str, users: list[Any]) -> list[str]:
    """Return 100 tokens for each user, minted by a process that has simplejwt and no kit."""
    command = [sys.executable, "-c", MINT, secret_key, *(str(user.pk) for user in users)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    minted = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return minted.stdout.split()


def test_what_made_a_token_before_is_not_known(user: Any, settings: Any) -> None:
    """Law 11, docs: from its first refresh on it has the claims of the settings' serializer, and none of its own."""
    settings.SIMPLE_JWT = {"TOKEN_OBTAIN_SERIALIZER": "tests.test_sessions.NamedSerializer"}
    token = RefreshToken.for_user(user)
    token["name"], token["scope"] = "an older one", "everything"
    access = sessions.rotate(str(token)).access
    assert access["name"] == "alice"
    assert "scope" not in access


@pytest.mark.generated
def test_an_upgrade_signs_nobody_out(settings: Any, post: Any, db: None) -> None:
    """A thousand tokens from before the kit, each refreshed twice: everybody stays signed in."""
    users = [get_user_model().objects.create_user(f"user{number}") for number in range(10)]
    tokens = minted_before(settings.SECRET_KEY, users)
    assert len(tokens) == 1000
    adopted = [post("token/refresh/", refresh=token) for token in tokens]
    assert {answer.status_code for answer in adopted} == {200}
    again = [post("token/refresh/", refresh=answer.data["refresh"]) for answer in adopted]
    assert {answer.status_code for answer in again} == {200}
    assert TokenSession.objects.filter(revoked_at=None, generation=2).count() == 1000


def test_adoption_happens_once(legacy: str, clock: Any) -> None:
    """Laws 2 and 3: the same successor within grace, the end of the session after it."""
    first = sessions.rotate(legacy)
    assert str(sessions.rotate(legacy).refresh) == str(first.refresh)
    clock.shift(timedelta(seconds=31))
    with pytest.raises(Reused):
        sessions.rotate(legacy)
    with pytest.raises(Revoked):
        sessions.rotate(str(first.refresh))
    assert TokenSession.objects.count() == 1


def test_two_that_adopt_at_once_share_one_session(legacy: str) -> None:
    """Laws 1 and 2: one row, one rotation, one successor for both."""
    first: list[Any] = []
    with just_before(("INSERT", lambda: first.append(sessions.rotate(legacy)))):
        second = sessions.rotate(legacy)
    assert str(second.refresh) == str(first[0].refresh)
    assert TokenSession.objects.get().generation == 1


def test_a_replay_stays_one_after_pruning(legacy: str, clock: Any, settings: Any, prune: Any) -> None:
    """Law 4: the row outlives the token that it bars, whenever rows are pruned."""
    settings.SIMPLE_JWT = {"REFRESH_TOKEN_LIFETIME": timedelta(minutes=10)}
    sessions.revoke(sessions.rotate(legacy).session)
    for _ in range(25):
        clock.shift(timedelta(hours=1))
        prune()
        with pytest.raises(Refused):
            sessions.rotate(legacy)
    assert not TokenSession.objects.exists()


@pytest.mark.parametrize("adopted", [True, False])
def test_ending_all_never_shortens_what_a_row_bars(
    legacy: str, user: Any, clock: Any, settings: Any, prune: Any, adopted: bool
) -> None:
    """Law 4: the lifetime was shortened, and tokens from before last longer than what is signed today."""
    if not adopted:
        sessions.revoke_all(user)
    settings.SIMPLE_JWT = {"REFRESH_TOKEN_LIFETIME": timedelta(minutes=10)}
    if adopted:
        sessions.rotate(legacy)
    sessions.revoke_all(user)
    for _ in range(23):
        clock.shift(timedelta(hours=1))
        prune()
        with pytest.raises(Refused):
            sessions.rotate(legacy)


@pytest.mark.parametrize("rotated", [True, False], ids=["after its session ended", "never adopted"])
def test_leeway_does_not_outlive_the_row(legacy: str, clock: Any, settings: Any, prune: Any, rotated: bool) -> None:
    """Law 4: where clocks may differ by a minute, a dead token is barred for that minute too."""
    settings.SIMPLE_JWT = {"LEEWAY": 60, "REFRESH_TOKEN_LIFETIME": timedelta(minutes=10)}
    if rotated:
        sessions.rotate(legacy)
        clock.shift(timedelta(hours=24))
    else:
        clock.shift(timedelta(hours=24, seconds=10))
    revocation.revoke_token(legacy)
    clock.shift(timedelta(seconds=20))
    prune()
    with pytest.raises(Refused):
        sessions.rotate(legacy)


@pytest.fixture
def prune() -> Any:
    """A function that prunes, as cron does."""
    return lambda: call_command("jwt_prune", stdout=StringIO())


def test_a_kit_token_for_a_user_is_adopted_too(user: Any) -> None:
    """``RefreshToken.for_user`` in a project's code works unchanged, and gets a session when it is used."""
    pair = sessions.rotate(str(KitRefreshToken.for_user(user)))
    assert pair.session.user_id == user.pk
    assert pair.access.sid == pair.session.pk


def test_a_token_with_a_numeric_user_id_is_adopted(user: Any) -> None:
    """Simplejwt wrote integers before 5.5."""
    token = RefreshToken.for_user(user)
    token["user_id"] = user.pk
    assert sessions.rotate(str(token)).access["user_id"] == str(user.pk)


def test_times_without_zones_are_adopted_too(user: Any, settings: Any) -> None:
    """``USE_TZ = False``, in a zone that is not UTC: the token's end is the row's."""
    settings.USE_TZ, settings.TIME_ZONE = False, "America/New_York"
    old = RefreshToken.for_user(user)
    session = sessions.rotate(str(old)).session
    assert session.kept_until.timestamp() == old["exp"]


@pytest.fixture(params=["Asia/Kolkata", "America/Los_Angeles"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process is in another time zone than ``TIME_ZONE``, as Django lets it be without a settings module."""
    with monkeypatch.context() as there:
        there.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("use_tz", [True, False])
def test_signing_out_everywhere_ends_what_was_signed_before_in_any_zone(user: Any, settings: Any, use_tz: bool) -> None:
    """Law 4: and nothing that is signed after it."""
    settings.USE_TZ = use_tz
    before = RefreshToken.for_user(user)
    before["iat"] -= 60
    sessions.revoke_all(user)
    with pytest.raises(Revoked):
        sessions.rotate(str(before))
    after = RefreshToken.for_user(user)
    after["iat"] += 1
    later = datetime.fromtimestamp(after["iat"] + 1, UTC)
    with time_machine.travel(later.timestamp(), tick=False):
        assert sessions.rotate(str(after)).session.user == user


def test_an_adopted_session_knows_its_device(legacy: str, client: Any) -> None:
    """The session list names the device that refreshed first."""
    answer = client.post("/api/token/refresh/", {"refresh": legacy}, format="json", HTTP_USER_AGENT="Old app")
    (listed,) = client.get("/api/sessions/", **bearer(answer.data["access"])).data
    assert (listed["user_agent"], listed["ip_address"], listed["current"]) == ("Old app", "127.0.0.1", True)


def test_without_rotation_an_old_token_keeps_working(legacy: str, settings: Any, clock: Any) -> None:
    """``ROTATE_REFRESH_TOKENS = False``: adopted, revocable, never a replay of itself."""
    settings.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": False}
    for _ in range(3):
        session = sessions.rotate(legacy).session
        clock.shift(timedelta(hours=1))
    sessions.revoke(session)
    with pytest.raises(Revoked):
        sessions.rotate(legacy)


# -- Dead stays dead, adopted or not ---------------------------------------------------------------


def test_revoking_leaves_a_dead_row(legacy: str, post: Any) -> None:
    """Law 4: a token that never had a session is ended like one that had."""
    assert post("token/revoke/", token=legacy).status_code == 200
    assert TokenSession.objects.get().revoke_reason == "signed_out"
    assert post("token/refresh/", refresh=legacy).data["reason"] == "revoked"
    assert post("token/verify/", token=legacy).data["reason"] == "revoked"


def test_signing_out_leaves_a_dead_row(legacy: str, post: Any) -> None:
    """Law 4: simplejwt's logout keeps its token dead without simplejwt's blacklist app, too."""
    assert post("token/blacklist/", refresh=legacy).status_code == 200
    answer = post("token/refresh/", refresh=legacy)
    assert (answer.status_code, answer.data["reason"]) == (401, "revoked")


def test_revoking_an_inactive_users_token_lasts(legacy: str, user: Any, post: Any) -> None:
    """Laws 4 and 9: signing out counts while the user is inactive, and after re-activation."""
    users = get_user_model().objects.filter(pk=user.pk)
    users.update(is_active=False)
    assert post("token/revoke/", token=legacy).status_code == 200
    users.update(is_active=True)
    assert post("token/refresh/", refresh=legacy).status_code == 401


def _sign_out_everywhere(user: Any) -> None:
    sessions.revoke_all(user)


def _change_password(user: Any) -> None:
    user.set_password("a new one")
    user.save()


def _deactivate_and_reactivate(user: Any) -> None:
    user.is_active = False
    user.save()
    user.is_active = True
    user.save()


def _end_by_command(user: Any) -> None:
    call_command("jwt_revoke", user=user.get_username(), stdout=StringIO())


@pytest.mark.parametrize(
    "sweep",
    [_sign_out_everywhere, _change_password, _deactivate_and_reactivate, _end_by_command],
)
@pytest.mark.parametrize("rows", ["no row", "a live row", "a dead row"])
def test_what_ends_all_sessions_ends_tokens_without_one(
    legacy: str, user: Any, clock: Any, rows: str, sweep: Any
) -> None:
    """Laws 4 and 9: a token that was not adopted yet is swept up, whatever else the user has."""
    if rows != "no row":
        session = sessions.start(user).session
        if rows == "a dead row":
            sessions.revoke(session)
    clock.shift(timedelta(minutes=1))
    sweep(user)
    clock.shift(timedelta(minutes=1))
    with pytest.raises(Refused):
        sessions.rotate(legacy)
    assert sessions.start(user).session.revoked_at is None


def test_ending_everybody_by_command_ends_their_tokens_without_a_session(legacy: str, user: Any, clock: Any) -> None:
    """Law 4: ``jwt_revoke --all`` is for the day after a theft; what was stolen may not be adopted yet."""
    sessions.start(user)
    clock.shift(timedelta(minutes=1))
    call_command("jwt_revoke", all=True, stdout=StringIO())
    with pytest.raises(Refused):
        sessions.rotate(legacy)


@pytest.mark.parametrize("sweep", [_sign_out_everywhere, _change_password, _deactivate_and_reactivate, _end_by_command])
@pytest.mark.parametrize("rows", ["no row", "a live row"])
def test_a_long_lived_token_stays_barred_after_pruning(
    user: Any, clock: Any, prune: Any, rows: str, sweep: Any
) -> None:
    """Law 4: a project that had 30 days, or set them on "remember me" tokens, and shortened its setting."""
    token = RefreshToken.for_user(user)
    token.set_exp(lifetime=timedelta(days=90))
    if rows == "a live row":
        sessions.start(user)
    clock.shift(timedelta(hours=1))
    sweep(user)
    for _ in range(13):
        clock.shift(timedelta(days=7))
        prune()
        with pytest.raises(Refused):
            sessions.rotate(str(token))
    assert not TokenSession.objects.exists()


@pytest.mark.parametrize(
    ("session_lifetime", "refresh_lifetime", "oldest"),
    [(30, 1, 30), (30, 90, 90), (1, 2, 2), (None, 1, 365), (None, 400, 400)],
)
def test_a_token_is_adopted_as_long_as_what_would_bar_it_is_kept(
    user: Any, clock: Any, settings: Any, session_lifetime: int | None, refresh_lifetime: int, oldest: int
) -> None:
    """Laws 4 and 11: an older one may have been barred, and nobody remembers."""
    settings.SIMPLE_JWT = {"REFRESH_TOKEN_LIFETIME": timedelta(days=refresh_lifetime)}
    lifetime = None if session_lifetime is None else timedelta(days=session_lifetime)
    settings.DRF_JWT_KIT = {"SESSION_LIFETIME": lifetime}
    tokens = [RefreshToken.for_user(user) for _ in range(2)]
    for token in tokens:
        token.set_exp(lifetime=timedelta(days=1000))
    clock.shift(timedelta(days=oldest))
    assert sessions.rotate(str(tokens[0])).session.user_id == user.pk
    clock.shift(timedelta(seconds=1))
    with pytest.raises(Expired):
        sessions.rotate(str(tokens[1]))


@pytest.mark.parametrize("sweep", [_sign_out_everywhere, _change_password])
def test_a_sweep_does_not_reach_tokens_made_after_it(user: Any, clock: Any, sweep: Any) -> None:
    """A project that makes tokens by ``for_user`` goes on doing so after a sign-out."""
    sessions.start(user)
    sweep(user)
    clock.shift(timedelta(seconds=1))
    assert sessions.rotate(str(RefreshToken.for_user(user))).session.revoked_at is None


def test_an_adopted_session_counts_like_any_other(user: Any, settings: Any, clock: Any) -> None:
    """``MAX_SESSIONS_PER_USER``: the oldest goes, also where the newest came with a token from before the kit."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": 2}
    rows = []
    for _ in range(4):
        rows.append(sessions.rotate(str(RefreshToken.for_user(user))).session.pk)
        clock.shift(timedelta(minutes=1))
    live = TokenSession.objects.filter(revoked_at=None).order_by("created_at").values_list("pk", flat=True)
    assert list(live) == rows[-2:]
    ended = TokenSession.objects.exclude(revoked_at=None).values_list("revoke_reason", flat=True)
    assert list(ended) == ["too_many_sessions"] * 2


def test_a_retry_of_an_adoption_ends_nothing_more(user: Any, settings: Any, clock: Any) -> None:
    """Law 2: two tabs with one old token have one session, and the limit is not spent twice."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": 2}
    other, legacy = sessions.start(user).session, str(RefreshToken.for_user(user))
    with just_before(("INSERT", lambda: sessions.rotate(legacy))):
        sessions.rotate(legacy)
    assert TokenSession.objects.get(pk=other.pk).revoked_at is None


@pytest.mark.parametrize("path", ["revoke", "blacklist"])
def test_a_token_that_is_only_signed_out_ends_no_other_session(user: Any, settings: Any, post: Any, path: str) -> None:
    """``MAX_SESSIONS_PER_USER``: it begins no session, so no other one has to go for it."""
    settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": 2}
    kept = {sessions.start(user).session.pk for _ in range(2)}
    legacy = str(RefreshToken.for_user(user))
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert post(f"token/{path}/", refresh=legacy, token=legacy).status_code == 200
    assert set(TokenSession.objects.filter(revoked_at=None).values_list("pk", flat=True)) == kept
    with pytest.raises(Revoked):
        sessions.rotate(legacy)


def test_ending_one_session_leaves_old_tokens_alone(legacy: str, user: Any) -> None:
    """Signing one device out signs out that one."""
    sessions.revoke(sessions.start(user).session)
    assert sessions.rotate(legacy).session.user_id == user.pk


def test_an_inactive_or_deleted_user_adopts_nothing(legacy: str, user: Any) -> None:
    """Law 9, for tokens from before the kit."""
    user.is_active = False
    user.save()
    with pytest.raises(UserInactive):
        sessions.rotate(legacy)
    user.delete()
    with pytest.raises(UserNotFound):
        sessions.rotate(legacy)
    assert not TokenSession.objects.exists()


@pytest.mark.parametrize("settled", [True, False], ids=["setting kept", "setting removed as the check says"])
def test_a_token_tied_to_an_older_password_is_refused(user: Any, settings: Any, settled: bool) -> None:
    """Law 9: what ``CHECK_REVOKE_TOKEN`` tied to a password is not freed by the upgrade."""
    settings.SIMPLE_JWT = {"CHECK_REVOKE_TOKEN": True} if settled else {}
    tied = RefreshToken.for_user(user)
    tied["hash_password"] = get_md5_hash_password(user.password)
    access = str(tied.access_token)
    tied = str(tied)
    get_user_model().objects.filter(pk=user.pk).update(password="md5$x$changed")
    with pytest.raises(PasswordChanged):
        sessions.rotate(tied)
    with pytest.raises(PasswordChanged):
        introspection.ensure_acceptable(access)


@pytest.mark.parametrize("claim", [None, "absent"])
def test_where_tokens_are_tied_to_passwords_one_that_is_not_is_refused(user: Any, settings: Any, claim: Any) -> None:
    """Law 9: ``CHECK_REVOKE_TOKEN`` keeps its meaning for tokens without a session, as nothing else ends them."""
    loose = RefreshToken.for_user(user)
    if claim is None:
        loose["hash_password"] = None
    settings.SIMPLE_JWT = {"CHECK_REVOKE_TOKEN": True}
    with pytest.raises(PasswordChanged):
        sessions.rotate(str(loose))
    with pytest.raises(PasswordChanged):
        introspection.ensure_acceptable(str(loose.access_token))


def test_for_user_ties_its_tokens_to_the_password_where_simplejwt_does(user: Any, settings: Any) -> None:
    """The claim is simplejwt's, and a session has no need of it: its tokens go without (law 5)."""
    settings.SIMPLE_JWT = {"CHECK_REVOKE_TOKEN": True}
    token = KitRefreshToken.for_user(user)
    introspection.ensure_acceptable(str(token.access_token))
    pair = sessions.rotate(str(token))
    assert "hash_password" not in {**pair.access.payload, **pair.refresh.payload}
    user.set_password("a new one")
    get_user_model().objects.filter(pk=user.pk).update(password=user.password)
    with pytest.raises(PasswordChanged):
        introspection.ensure_acceptable(str(token.access_token))


def test_a_token_tied_to_todays_password_is_adopted(user: Any, settings: Any) -> None:
    """``CHECK_REVOKE_TOKEN`` refuses nobody whose password stayed."""
    settings.SIMPLE_JWT = {"CHECK_REVOKE_TOKEN": True}
    tied = RefreshToken.for_user(user)
    tied["hash_password"] = get_md5_hash_password(user.password)
    assert sessions.rotate(str(tied)).session.user_id == user.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", ["refresh", "revoke"])
def test_a_user_who_is_deleted_while_adopting_is_not_found(user: Any, legacy: str, post: Any, door: str) -> None:
    """Law 9 and RFC 7009 2.2: the database is not down, there is nobody to hang the row on."""
    with just_before(("INSERT", user.delete)):
        answer = post(f"token/{door}/", **{"refresh" if door == "refresh" else "token": legacy})
    assert answer.status_code == (401 if door == "refresh" else 200)
    assert door == "revoke" or answer.data["reason"] == "user_not_found"
    assert not TokenSession.objects.exists()


def test_a_row_that_another_adopted_and_nobody_shows_is_no_refusal(user: Any, legacy: str) -> None:
    """Law 2: in ``REPEATABLE READ`` a caller's transaction does not see it; the session lives, so nobody is told no."""

    def vanish(execute: Any, sql: str, *args: Any) -> Any:
        done = execute(sql, *args)
        if sql.startswith("INSERT"):
            TokenSession.objects.all()._raw_delete("default")
        return done

    with connection.execute_wrapper(vanish), pytest.raises(OperationalError):
        sessions.rotate(legacy)


def test_a_sign_out_everywhere_outlasts_pruning(user: Any, legacy: str, clock: Any, prune: Any) -> None:
    """Law 4: without a session to end, one row bars the tokens, for as long as they could last."""
    clock.shift(timedelta(minutes=1))
    sessions.revoke_all(user)
    clock.shift(timedelta(minutes=1))
    prune()
    with pytest.raises(Revoked):
        sessions.rotate(legacy)


def test_signing_out_everywhere_again_adds_no_row(user: Any, clock: Any) -> None:
    """Law 6: rows grow by sign-ins, not by whoever presses the button."""
    for _ in range(3):
        sessions.revoke_all(user)
        clock.shift(timedelta(minutes=1))
    assert TokenSession.objects.count() == 1


def test_what_is_adopted_while_all_are_ended_is_ended_with_them(user: Any, legacy: str, clock: Any) -> None:
    """Law 4: the row came after the UPDATE that ended the others, the token long before it."""
    clock.shift(timedelta(minutes=1))
    with just_before(("INSERT", lambda: sessions.rotate(legacy))):
        sessions.revoke_all(user)
    assert TokenSession.objects.filter(generation=1).exists()
    assert not TokenSession.objects.filter(revoked_at=None).exists()


def test_an_adoption_that_all_were_ended_during_is_refused(user: Any, legacy: str, clock: Any) -> None:
    """Law 4: nobody had signed out when it looked, everybody when it wrote; so it looks again."""
    clock.shift(timedelta(minutes=1))
    with just_before(("INSERT", lambda: sessions.revoke_all(user))), pytest.raises(Revoked):
        sessions.rotate(legacy)
    assert not TokenSession.objects.filter(revoked_at=None).exists()


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize(
    ("change", "refusal", "reason"),
    [
        ({"is_active": False}, UserInactive, "user_inactive"),
        ({"password": "another"}, PasswordChanged, "password_changed"),
    ],
)
def test_an_adoption_that_a_change_of_the_user_overtakes_is_ended(
    user: Any, legacy: str, saved: bool, change: dict[str, Any], refusal: type[Refused], reason: str
) -> None:
    """Law 9: what is refused now is not good again when the user is as before."""

    def changed() -> None:
        stored = get_user_model().objects.filter(pk=user.pk)
        if saved:
            vars(one := stored.get()).update(change)
            one.save()
        else:
            stored.update(**change)

    with just_before(("INSERT", changed)), pytest.raises(refusal):
        sessions.rotate(legacy)
    get_user_model().objects.filter(pk=user.pk).update(is_active=True, password=user.password)
    with pytest.raises(Revoked):
        sessions.rotate(legacy)
    reasons = set(TokenSession.objects.values_list("revoke_reason", flat=True))
    assert reasons == ({reason} if change.keys() == {"is_active"} else {"overtaken", *[reason] * saved})


@pytest.mark.django_db(transaction=True)
def test_signing_out_everywhere_is_over_when_the_user_is_gone(user: Any) -> None:
    """2.1: there is nothing left to bar; it is no outage."""
    with just_before(("INSERT", user.delete)):
        assert sessions.revoke_all(get_user_model().objects.get(pk=user.pk)) == 0
    assert not TokenSession.objects.exists()


# -- With simplejwt's blacklist app ----------------------------------------------------------------


def test_everything_about_the_blacklist_app_holds() -> None:
    """Another set of installed apps needs another process: tests/blacklist_app.py runs there."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "-n", "0"]
    command += ["--ds=tests.settings.blacklist", "tests/blacklist_app.py"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert ran.returncode == 0, ran.stdout
