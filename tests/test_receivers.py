"""Law 9, where it depends on how a user is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model, login
from django.contrib.auth.hashers import PBKDF2PasswordHasher, ScryptPasswordHasher, make_password
from django.contrib.auth.models import Group, UserManager
from django.contrib.sessions.backends.cache import SessionStore
from django.core import serializers
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import F, Q, Value
from django.db.models.signals import post_save, pre_save
from django.test import override_settings
from django.utils.functional import SimpleLazyObject
from rest_framework_simplejwt.tokens import RefreshToken as PlainRefreshToken

from drf_jwt_kit import sessions
from drf_jwt_kit.exceptions import PasswordChanged, Revoked
from drf_jwt_kit.models import TokenSession
from tests.conftest import PASSWORD
from tests.test_rotation import just_before

pytestmark = pytest.mark.django_db

USERS_SELECT = f"SELECT {connection.ops.quote_name('auth_user')}"
USERS_UPDATE = f"UPDATE {connection.ops.quote_name('auth_user')}"
SESSIONS_UPDATE = f"UPDATE {connection.ops.quote_name(TokenSession._meta.db_table)}"
FAST, FASTER = "django.contrib.auth.hashers.MD5PasswordHasher", "tests.test_receivers.OneRound"
SCRYPT = "tests.test_receivers.LightScrypt"


class OneRound(PBKDF2PasswordHasher):
    """A hasher whose cost a project raises later."""

    iterations = 1


class LightScrypt(ScryptPasswordHasher):
    """Another algorithm, which takes no time."""

    work_factor = 2**4


class TwoRounds(PBKDF2PasswordHasher):
    """The same hasher, with the cost raised."""

    iterations = 2


RENEWED = {
    "another algorithm": ([FAST], [SCRYPT, FAST]),
    "a higher cost": ([FASTER], ["tests.test_receivers.TwoRounds"]),
}


@pytest.fixture(params=RENEWED)
def hash_as_before(request: Any, settings: Any) -> Callable[[str], str]:
    """A function that hashes as it was done before the preferred hasher changed: Django will do it anew."""
    before, settings.PASSWORD_HASHERS = RENEWED[request.param]

    def hash_as_before(password: str) -> str:
        with override_settings(PASSWORD_HASHERS=before):
            return make_password(password)

    return hash_as_before


@pytest.fixture
def outdated(user: Any, hash_as_before: Callable[[str], str]) -> Any:
    """Alice with a password that Django will hash anew."""
    get_user_model().objects.filter(pk=user.pk).update(password=hash_as_before(PASSWORD))
    return get_user_model().objects.get(pk=user.pk)


def lock_timeout() -> None:
    """Fail as a statement does that waited too long for a row."""
    raise OperationalError("lock timeout")


def lives(session: TokenSession) -> bool:
    """Return whether the session would be continued."""
    stored = TokenSession.objects.select_related("user").get(pk=session.pk)
    return stored.revoked_at is None and stored.knows_credentials()


@pytest.mark.parametrize(
    "rehash",
    [
        lambda user: authenticate(username="alice", password=PASSWORD),
        lambda user: user.check_password(PASSWORD),
        lambda user: get_user_model().objects.defer("password").get(pk=user.pk).check_password(PASSWORD),
    ],
    ids=["authenticate", "check_password", "check_password of a deferred field"],
)
def test_a_rehash_signs_nobody_out(outdated: Any, rehash: Callable[[Any], Any]) -> None:
    """Law 9: Django hashes the password anew wherever it sees it right, and every device stays."""
    devices = [sessions.start(outdated).session for _ in range(2)]
    before = outdated.password
    assert rehash(outdated)
    assert get_user_model().objects.get(pk=outdated.pk).password != before
    assert all(lives(session) for session in devices)


@pytest.mark.django_db(transaction=True)
def test_a_rehash_that_is_no_part_of_a_transaction_signs_nobody_out(outdated: Any) -> None:
    """Law 9: as at the kit's own sign-in."""
    device = sessions.start(outdated).session
    assert authenticate(username="alice", password=PASSWORD)
    assert get_user_model().objects.get(pk=outdated.pk).password != outdated.password
    assert lives(device)


def test_the_next_rehash_signs_nobody_out_either(user: Any, settings: Any) -> None:
    """Law 9: costs are raised again and again in the life of a session."""
    settings.PASSWORD_HASHERS = [FAST]
    user.set_password(PASSWORD)
    user.save()
    session = sessions.start(user).session
    for hasher in (FASTER, "tests.test_receivers.TwoRounds", SCRYPT):
        settings.PASSWORD_HASHERS = [hasher, *settings.PASSWORD_HASHERS]
        assert get_user_model().objects.get(pk=user.pk).check_password(PASSWORD)
    assert lives(session)


@pytest.mark.parametrize("times", [1, 2])
def test_a_session_that_had_ended_says_so_after_a_rehash(outdated: Any, settings: Any, times: int) -> None:
    """2.2: nobody has changed the password, and nobody is to be told so."""
    pair = sessions.start(outdated)
    sessions.revoke(pair.session)
    for hasher in (None, FASTER)[:times]:
        settings.PASSWORD_HASHERS = [*filter(None, [hasher]), *settings.PASSWORD_HASHERS]
        assert get_user_model().objects.get(pk=outdated.pk).check_password(PASSWORD)
    with pytest.raises(Revoked):
        sessions.rotate(str(pair.refresh))


def test_a_request_in_the_middle_of_a_rehash_is_accepted(outdated: Any) -> None:
    """Law 9: it may meet the new password before the sessions have followed it."""
    pair = sessions.start(outdated)
    accepted = []

    def ask_first(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE"):
            accepted.append(sessions.find(pair.access).pk)
        return execute(sql, *args)

    with connection.execute_wrapper(ask_first):
        outdated.check_password(PASSWORD)
    assert accepted
    assert set(accepted) == {pair.session.pk}


def _with_another_field(save: Any, **options: Any) -> None:
    save(**{**options, "update_fields": {*options["update_fields"], "first_name"}})


def _with_every_field(save: Any, **options: Any) -> None:
    save()


def _twice(save: Any, **options: Any) -> None:
    save(**options)
    save()


@pytest.mark.parametrize("how", [_with_another_field, _with_every_field, _twice])
def test_a_model_may_save_more_than_a_rehash(
    outdated: Any, hash_as_before: Callable[[str], str], monkeypatch: Any, how: Callable[..., None]
) -> None:
    """Law 9: a ``save`` of the model's own that keeps a time of the last change, say."""
    plain = get_user_model().save
    monkeypatch.setattr(get_user_model(), "save", lambda user, **options: how(partial(plain, user), **options))
    late, old = get_user_model().objects.get(pk=outdated.pk), sessions.start(outdated).session
    assert outdated.check_password(PASSWORD)
    assert get_user_model().objects.get(pk=outdated.pk).password == outdated.password != late.password
    assert all(lives(session) for session in [old, sessions.start(outdated).session])
    imported = hash_as_before("a new one")
    get_user_model().objects.update(password=imported)
    assert late.check_password(PASSWORD)
    assert get_user_model().objects.get(pk=outdated.pk).password == imported


@pytest.mark.parametrize("fields", [["password"], ["password", "email"]])
def test_a_change_that_is_assigned_is_no_rehash(user: Any, settings: Any, fields: list[str]) -> None:
    """Law 9: by an instance that has set a password before, which is up to date."""
    user.set_password(PASSWORD)
    user.save()
    session = sessions.start(user).session
    user.password = make_password("a new one")
    user.save(update_fields=fields)
    assert not lives(session)


@pytest.mark.parametrize("read", ["whole", "deferred", "without a hash"])
def test_a_change_that_is_saved_late_is_no_rehash(outdated: Any, rf: Any, read: str) -> None:
    """Law 9: any save forgets what was set, as that of a sign-in with Django's ``login`` does."""
    if read == "without a hash":
        get_user_model().objects.update(password="")
    users = get_user_model().objects.defer("password") if read == "deferred" else get_user_model().objects
    session, user, request = sessions.start(users.get(pk=outdated.pk)).session, users.get(pk=outdated.pk), rf.get("/")
    user.set_password("a new one")
    request.session = SessionStore()
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    user.save()
    assert get_user_model().objects.get(pk=user.pk).check_password("a new one")
    assert not lives(session)


@pytest.mark.parametrize("then", ["unusable", "assigned"])
def test_a_change_after_one_that_was_never_saved_is_no_rehash(outdated: Any, then: str) -> None:
    """Law 9: whatever comes after it."""
    session = sessions.start(outdated).session
    outdated.set_password("a new one")
    outdated.save(update_fields=["last_login"])
    if then == "unusable":
        outdated.set_unusable_password()
    else:
        outdated.password = make_password("another one")
    outdated.save()
    assert not lives(session)


def test_a_rehash_after_a_change_signs_nobody_out(outdated: Any, settings: Any) -> None:
    """Law 9: by the instance that the change was saved with."""
    outdated.set_password("a new one")
    outdated.save()
    session = sessions.start(outdated).session
    settings.PASSWORD_HASHERS = [FASTER, *settings.PASSWORD_HASHERS]
    assert outdated.check_password("a new one")
    assert lives(session)


class JoiningManager(UserManager[Any]):
    """A project's manager for whatever reads users, with an outer join: no database holds what that may lack."""

    def get_queryset(self) -> Any:
        """Join."""
        return super().get_queryset().annotate(group=F("groups__name"))


def test_a_rehash_holds_no_join_of_the_models_manager(outdated: Any, monkeypatch: Any) -> None:
    """Drop-in: PostgreSQL refuses to."""
    joining = JoiningManager()
    joining.model = get_user_model()
    monkeypatch.setattr(get_user_model()._meta, "base_manager", joining)
    session = sessions.start(outdated).session
    with transaction.atomic():
        assert outdated.check_password(PASSWORD)
    assert lives(session)


@contextmanager
def before_the_kit(signal: Any, receiver: Callable[..., None]) -> Iterator[None]:
    """Connect a receiver of users: before the kit's once they are saved, and after it before that."""
    before = signal.receivers[:]
    signal.connect(receiver, sender=get_user_model(), weak=False)
    if signal is post_save:
        signal.receivers = [signal.receivers[-1], *before]
    signal.sender_receivers_cache.clear()
    yield
    signal.receivers = before
    signal.sender_receivers_cache.clear()


@pytest.fixture
def named(outdated: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same user, where a session ends with a change of the last name as well."""
    plain = get_user_model().get_session_auth_hash
    monkeypatch.setattr(get_user_model(), "get_session_auth_hash", lambda user: plain(user)[:60] + user.last_name)
    return outdated


@pytest.mark.parametrize("fields", [None, ["last_name"]])
def test_a_rehash_before_another_change_is_saved_keeps_no_session(named: Any, fields: list[str] | None) -> None:
    """Law 9: what else ends sessions is not written by the re-hash, and ends them when it is."""
    session = sessions.start(named).session
    named.last_name = "new"
    assert named.check_password(PASSWORD)
    assert lives(session)
    named.save(update_fields=fields)
    assert not lives(session)


def test_an_old_password_starts_no_session_by_a_lazy_user(outdated: Any) -> None:
    """Law 9: ``request.user`` is one; a re-hash found that somebody was quicker with another password."""
    late = get_user_model().objects.get(pk=outdated.pk)
    get_user_model().objects.update(password=make_password("a new one"))
    lazy: Any = SimpleLazyObject(lambda: late)
    assert lazy.check_password(PASSWORD)
    with pytest.raises(PasswordChanged):
        sessions.start(lazy)


def test_a_rehash_by_who_missed_another_change_signs_nobody_out(named: Any) -> None:
    """Law 9: the row counts, and not what somebody has read of it before."""
    late = get_user_model().objects.get(pk=named.pk)
    named.last_name = "new"
    named.save()
    session = sessions.start(named).session
    assert late.check_password(PASSWORD)
    assert lives(session)


def test_a_save_that_brings_an_older_hash_back_signs_nobody_out(outdated: Any) -> None:
    """Law 9: whether a session began under the old hash, under both or under the new one."""
    stale = get_user_model().objects.get(pk=outdated.pk)
    begun = [sessions.start(stale).session]
    assert outdated.check_password(PASSWORD)
    begun += [sessions.start(outdated).session, sessions.start(get_user_model().objects.get(pk=outdated.pk)).session]
    stale.save()
    assert get_user_model().objects.get(pk=outdated.pk).password == stale.password != outdated.password
    assert all(lives(session) for session in begun)


@pytest.fixture(params=["once it is saved", "before it is saved"])
def copying(request: Any) -> Iterator[None]:
    """A receiver that writes down what a user is saved with, and comes when the kit's has not undone its own."""

    def copy(instance: Any, **kwargs: Any) -> None:
        if not instance.username.startswith("copy"):
            values = {"username": f"copy {get_user_model().objects.count()}", "password": instance.password}
            get_user_model().objects.bulk_create([get_user_model()(**values)])
            Group.objects.filter(name="last").update(name=instance.password)

    with before_the_kit(post_save if request.param == "once it is saved" else pre_save, copy):
        yield


NESTED = {
    "all, after the password": (post_save, None),
    "a field, after the password": (post_save, ["last_name"]),
    "all, before the password": (pre_save, None),
    "a field, before the password": (pre_save, ["last_name"]),
}


@pytest.fixture(params=NESTED)
def numbering(request: Any) -> Iterator[None]:
    """A receiver that saves the user once more, and comes before the kit's receiver that ends sessions."""
    signal, fields = NESTED[request.param]

    def number(instance: Any, **kwargs: Any) -> None:
        if instance.last_name != (wanted := f"{instance.pk} {instance.first_name}"):
            instance.last_name = wanted
            instance.save(update_fields=fields)

    with before_the_kit(signal, number):
        yield


def test_a_change_is_seen_where_a_receiver_saves_the_user_again(user: Any, numbering: None) -> None:
    """Law 9: a save inside of another one forgets nothing of it."""
    session = sessions.start(user).session
    user.first_name = "Alice"
    user.set_password("a new one")
    user.save()
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "password_changed"


def test_a_rehash_is_none_where_a_receiver_saves_the_user_again(outdated: Any, numbering: None) -> None:
    """Law 9: it stays a re-hash."""
    session = sessions.start(outdated).session
    outdated.first_name = "Alice"
    assert outdated.check_password(PASSWORD)
    assert lives(session)


def test_a_change_by_a_receiver_signs_out(user: Any) -> None:
    """Law 9: an app that is ready after the kit may lock a user out while that one is saved."""

    def lock_out(instance: Any, **kwargs: Any) -> None:
        instance.set_unusable_password()

    session = sessions.start(user).session
    pre_save.connect(lock_out, sender=get_user_model())
    user.save()
    pre_save.disconnect(lock_out, sender=get_user_model())
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "password_changed"


@pytest.mark.django_db(transaction=True)
def test_a_change_elsewhere_after_a_save_that_failed_ends_nothing_twice(user: Any) -> None:
    """Law 9: what that save would have written over is no matter of the next one."""
    with just_before((USERS_UPDATE, lock_timeout)), pytest.raises(OperationalError):
        user.save()
    other = get_user_model().objects.get(pk=user.pk)
    other.set_password("a new one")
    other.save()
    session = sessions.start(other).session
    user.refresh_from_db()
    user.save()
    assert lives(session)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_could_not_be_saved_and_was_taken_back_ends_nothing(user: Any) -> None:
    """Law 9: what is stored counts."""
    session, before = sessions.start(user).session, user.password
    user.set_password("a new one")
    with just_before((USERS_UPDATE, lock_timeout)), pytest.raises(OperationalError):
        user.save()
    user.password = before
    user.save()
    assert lives(session)


def test_a_rehash_is_a_hash_to_everybody_else(outdated: Any, copying: None) -> None:
    """Drop-in: what a receiver of a project's makes of it is not the kit's to change."""
    Group.objects.create(name="last")
    with transaction.atomic():
        assert outdated.check_password(PASSWORD)
    assert get_user_model().objects.get(username__startswith="copy").password == outdated.password
    assert Group.objects.get().name == outdated.password


def test_what_is_saved_to_another_database_ends_nothing(user: Any) -> None:
    """Law 9: sessions are of the users that are read with them; a copy elsewhere has a life of its own."""
    session = sessions.start(user).session
    user.is_active, user.password = False, "another"
    saved = {"instance": user, "raw": False, "update_fields": None, "using": "reporting"}
    pre_save.send(sender=get_user_model(), **saved)
    post_save.send(sender=get_user_model(), created=False, **saved)
    assert lives(session)


@pytest.mark.parametrize("last", [0, 1], ids=["the first one saves last", "the second one saves last"])
def test_two_rehashes_at_once_sign_nobody_out(outdated: Any, last: int) -> None:
    """Law 9: both read the old hash before either saves; the sessions of both, and the old one, stay."""
    old = sessions.start(outdated).session
    both = [get_user_model().objects.get(pk=outdated.pk) for _ in range(2)]
    begun: list[TokenSession] = []

    def sign_in_beside() -> None:
        both[1 - last].check_password(PASSWORD)
        begun.append(sessions.start(both[1 - last]).session)

    with just_before((USERS_UPDATE, sign_in_beside)):
        both[last].check_password(PASSWORD)
    begun.append(sessions.start(both[last]).session)
    assert all(lives(session) for session in [old, *begun])


@pytest.mark.parametrize("devices", [0, 1])
def test_a_rehash_that_comes_late_signs_nobody_out(outdated: Any, devices: int) -> None:
    """Law 9: it finds a hash that is renewed already, tied to the one that it verified."""
    old = [sessions.start(outdated).session for _ in range(devices)]
    first, second = (get_user_model().objects.get(pk=outdated.pk) for _ in range(2))
    first.check_password(PASSWORD)
    begun = [sessions.start(first).session]
    second.check_password(PASSWORD)
    begun.append(sessions.start(second).session)
    assert all(lives(session) for session in [*old, *begun])


def test_a_session_that_begins_before_a_rehash_saves_is_found_after(outdated: Any) -> None:
    """Law 9: the second re-hash saw the first one's hash, and no session yet."""
    first, second = (get_user_model().objects.get(pk=outdated.pk) for _ in range(2))
    first.check_password(PASSWORD)
    begun: list[TokenSession] = []
    with just_before((USERS_UPDATE, lambda: begun.append(sessions.start(first).session))):
        second.check_password(PASSWORD)
    assert lives(begun[0])


@pytest.mark.parametrize("devices", [0, 1])
def test_of_two_rehashes_the_first_is_kept(outdated: Any, devices: int) -> None:
    """Law 9: what one has written is not overwritten by the other: sessions are tied to it."""
    old = [sessions.start(outdated).session for _ in range(devices)]
    first, second = (get_user_model().objects.get(pk=outdated.pk) for _ in range(2))
    with just_before((USERS_UPDATE, lambda: first.check_password(PASSWORD))):
        second.check_password(PASSWORD)
    assert get_user_model().objects.get(pk=outdated.pk).password == first.password == second.password
    begun = [sessions.start(user).session for user in (first, second)]
    assert all(lives(session) for session in [*old, *begun])
    second.save()  # by an instance that would have had another hash
    assert all(lives(session) for session in [*old, *begun])


def test_a_session_that_begins_with_the_hash_from_before_goes_on(outdated: Any) -> None:
    """Law 9: whoever signed in without a password read the user before another sign-in hashed it anew."""
    read_before = get_user_model().objects.get(pk=outdated.pk)
    outdated.check_password(PASSWORD)
    assert lives(sessions.start(read_before).session)


def test_a_session_that_begins_right_before_a_rehash_is_written_goes_on(outdated: Any) -> None:
    """Law 9: its row knows the hash from before, as the other sessions do, but is not among those that were told."""
    read_before, begun = get_user_model().objects.get(pk=outdated.pk), []
    with just_before((USERS_UPDATE, lambda: begun.append(sessions.start(read_before).session))):
        outdated.check_password(PASSWORD)
    assert lives(begun[0])


def test_what_a_rehash_writes_down_is_pruned(clock: Any, outdated: Any) -> None:
    """Law 6: the row that tells that two hashes are of one password is needed for as long as a sign-in takes."""
    outdated.check_password(PASSWORD)
    written = TokenSession.objects.filter(revoke_reason="hashed_anew")
    assert written.count() == 1
    clock.shift(timedelta(hours=2))
    call_command("jwt_prune", stdout=StringIO())
    assert not written.exists()


def test_a_rehash_of_a_user_who_is_deleted_meanwhile_breaks_nothing(outdated: Any) -> None:
    """There is nobody left to renew anything for, as Django says."""
    users = get_user_model()._base_manager.filter(pk=outdated.pk)
    gone = pytest.raises(DatabaseError, match="did not affect any rows")
    with just_before((USERS_UPDATE, users.delete)), gone, transaction.atomic():
        outdated.check_password(PASSWORD)


def test_many_rehashes_at_once_sign_nobody_out(outdated: Any) -> None:
    """Law 9: each finds what another left."""
    devices = [sessions.start(outdated).session]
    for user in [get_user_model().objects.get(pk=outdated.pk) for _ in range(30)]:
        user.check_password(PASSWORD)
        devices.append(sessions.start(user).session)
    assert all(lives(session) for session in devices)


@pytest.mark.parametrize("when", ["before it reads", "before it saves"])
def test_a_rehash_that_a_change_overtakes_revives_nothing(outdated: Any, when: str) -> None:
    """Law 9: the new password stays, with its sessions; whoever knew the old one has to try it."""
    old = sessions.start(outdated).session
    late, owner = (get_user_model().objects.get(pk=outdated.pk) for _ in range(2))
    new: list[TokenSession] = []

    def change() -> None:
        owner.set_password("a new one")
        owner.save()
        new.append(sessions.start(owner).session)

    if when == "before it reads":
        change()
        late.check_password(PASSWORD)
    else:
        with just_before((USERS_UPDATE, change)):
            late.check_password(PASSWORD)
    assert TokenSession.objects.get(pk=old.pk).revoke_reason == "password_changed"
    assert not lives(old)
    assert lives(new[0])
    assert get_user_model().objects.get(pk=outdated.pk).check_password("a new one")
    with pytest.raises(PasswordChanged):
        sessions.start(late)


@pytest.mark.parametrize("devices", [0, 1])
@pytest.mark.parametrize("when", ["before it checks", "before it reads", "before it saves"])
def test_a_rehash_undoes_no_change_that_will_be_hashed_anew_itself(
    outdated: Any, hash_as_before: Callable[[str], str], when: str, devices: int
) -> None:
    """Law 9: servers that prefer different hashers, and passwords that are imported."""
    old = [sessions.start(outdated).session for _ in range(devices)]
    late = get_user_model().objects.get(pk=outdated.pk)
    imported = hash_as_before("a new one")

    def change() -> None:
        get_user_model().objects.filter(pk=outdated.pk).update(password=imported)

    if when == "before it checks":
        change()
        assert late.check_password(PASSWORD)
    else:
        verb = USERS_SELECT if when == "before it reads" else USERS_UPDATE
        with just_before((verb, change)):
            assert late.check_password(PASSWORD)
    assert get_user_model().objects.get(pk=outdated.pk).password == imported
    assert not any(lives(session) for session in old)
    with pytest.raises(PasswordChanged):
        sessions.start(late)
    owner = get_user_model().objects.get(pk=outdated.pk)
    assert owner.check_password("a new one")
    assert lives(sessions.start(owner).session)


def _defer(user: Any) -> Any:
    return get_user_model().objects.defer("password").get(pk=user.pk)


def _reread(user: Any) -> Any:
    user.refresh_from_db()
    return user


def _fill(user: Any) -> Any:
    filled = get_user_model()(pk=user.pk)
    filled.refresh_from_db()
    return filled


@pytest.mark.parametrize("read", [_defer, _reread, _fill])
def test_a_rehash_of_what_was_read_later_signs_nobody_out(outdated: Any, read: Callable[[Any], Any]) -> None:
    """Law 9: neither where the hash was not read with the user, nor where it was read twice."""
    old, user = sessions.start(outdated).session, read(outdated)
    assert user.check_password(PASSWORD)
    assert get_user_model().objects.get(pk=outdated.pk).password == user.password
    assert all(lives(session) for session in [old, sessions.start(user).session])


@pytest.mark.parametrize("verb", [USERS_SELECT, USERS_UPDATE])
def test_a_rehash_of_what_was_not_read_with_the_user_overwrites_nobody(outdated: Any, verb: str) -> None:
    """Law 9: which hash was checked nobody knows, but one that is up to date is not it."""
    late = _defer(outdated)
    with just_before((USERS_SELECT, lambda: None), (verb, lambda: _set_and_save_field(outdated))):
        assert late.check_password(PASSWORD)
    assert get_user_model().objects.get(pk=outdated.pk).check_password("a new one")
    with pytest.raises(PasswordChanged):
        sessions.start(late)


def test_a_rehash_takes_the_place_of_a_hash_that_comes_back(
    outdated: Any, hash_as_before: Callable[[str], str]
) -> None:
    """Law 9: a form that was read before a change writes every field, the old hash too."""
    rows, checked = get_user_model().objects.filter(pk=outdated.pk), outdated.password
    rows.update(password=hash_as_before("a new one"))
    with just_before((USERS_UPDATE, lambda: rows.update(password=checked))):
        assert outdated.check_password(PASSWORD)
    assert rows.get().password == outdated.password
    assert lives(sessions.start(outdated).session)


def test_a_user_who_is_deleted_right_after_a_rehash_breaks_nothing(outdated: Any) -> None:
    """There is nobody left whose password it is."""
    users = get_user_model()._base_manager.filter(pk=outdated.pk)
    with just_before((USERS_UPDATE, lambda: None), (USERS_SELECT, users.delete)):
        assert outdated.check_password(PASSWORD)


def test_a_wrong_password_changes_nothing(outdated: Any) -> None:
    """Law 9: only the right one is hashed anew."""
    session = sessions.start(outdated).session
    assert not outdated.check_password("wrong")
    assert lives(session)


def test_a_refresh_that_a_rehash_overtakes_keeps_its_session(outdated: Any) -> None:
    """Law 9: one device refreshes while another signs in and the hash is renewed."""
    refresh = str(sessions.start(outdated).refresh)
    overtaken = False

    def rehash_first(execute: Any, sql: str, *args: Any) -> Any:
        nonlocal overtaken
        if sql.startswith("UPDATE") and not overtaken:
            overtaken = True
            assert outdated.check_password(PASSWORD)
        return execute(sql, *args)

    with connection.execute_wrapper(rehash_first):
        pair = sessions.rotate(refresh)
    assert lives(pair.session)


def _assign_and_save_field(user: Any) -> None:
    user.password = make_password("a new one")
    user.save(update_fields=["password"])


def _assign_and_save(user: Any) -> None:
    user.password = make_password("a new one")
    user.save()


def _set_and_save_field(user: Any) -> None:
    user.set_password("a new one")
    user.save(update_fields=["password"])


def _set_after_rehash(user: Any) -> None:
    user.check_password(PASSWORD)
    _assign_and_save_field(user)


def _set_and_save_twice(user: Any) -> None:
    user.set_password("a first one")
    user.save()
    _assign_and_save_field(user)


@pytest.mark.parametrize(
    "change", [_assign_and_save_field, _assign_and_save, _set_and_save_field, _set_after_rehash, _set_and_save_twice]
)
def test_a_change_is_not_taken_for_a_rehash(outdated: Any, change: Callable[[Any], None]) -> None:
    """Law 9: where the stored hash was outdated as well, another password still signs out."""
    pair = sessions.start(outdated)
    change(outdated)
    with pytest.raises(PasswordChanged):
        sessions.rotate(str(pair.refresh))


def _make_and_save(user: Any) -> None:
    fields = {"username": user.username, "password": make_password("a new one")}
    get_user_model()(pk=user.pk, **fields).save()


def _make_and_save_field(user: Any) -> None:
    get_user_model()(pk=user.pk, password=make_password("a new one")).save(update_fields=["password"])


def _unusable_and_save(user: Any) -> None:
    user.set_unusable_password()
    user.save()


def _unusable_and_save_field(user: Any) -> None:
    user.set_unusable_password()
    user.save(update_fields=["password"])


@pytest.mark.parametrize(
    "change",
    [
        *[_assign_and_save_field, _assign_and_save, _set_and_save_field, _unusable_and_save, _unusable_and_save_field],
        *[_make_and_save, _make_and_save_field],
    ],
)
def test_a_change_ends_what_has_no_session_yet_as_well(user: Any, change: Callable[[Any], None]) -> None:
    """Law 9: a token from before the kit tells nothing of the password, so the change itself must end it."""
    legacy, session = str(PlainRefreshToken.for_user(user)), sessions.start(user).session
    change(get_user_model().objects.get(pk=user.pk))
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "password_changed"
    with pytest.raises(Revoked):
        sessions.rotate(legacy)


def test_an_edit_that_brings_an_older_hash_of_the_same_password_back_signs_nobody_out(outdated: Any) -> None:
    """Law 9: a profile form that was read before a re-hash writes every field, the old hash too."""
    edited = get_user_model().objects.get(pk=outdated.pk)
    old = sessions.start(outdated).session
    outdated.check_password(PASSWORD)
    new = sessions.start(outdated).session
    edited.email = "alice@example.com"
    edited.save()
    assert lives(old)
    assert lives(new)


def test_a_rehash_that_could_not_be_saved_is_forgotten(outdated: Any) -> None:
    """Law 9: what the same instance saves next is a change, and ends the sessions."""
    session = sessions.start(outdated).session

    def fail(*args: Any) -> None:
        raise DatabaseError

    with pytest.raises(DatabaseError), transaction.atomic(), just_before((USERS_UPDATE, fail)):
        outdated.check_password(PASSWORD)
    _set_and_save_field(outdated)
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "password_changed"


def test_the_same_password_set_again_signs_out(user: Any) -> None:
    """Law 9: somebody who sets the password expects a clean slate, whatever the hasher's salt."""
    session = sessions.start(user).session
    user.set_password(PASSWORD)
    user.save()
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "password_changed"


def _reread_all(user: Any) -> None:
    user.refresh_from_db()


def _put_back(user: Any) -> None:
    user.password = get_user_model().objects.get(pk=user.pk).password


@pytest.mark.parametrize("undo", [_reread_all, _put_back])
def test_a_password_that_was_set_and_not_saved_signs_nobody_out(user: Any, undo: Callable[[Any], None]) -> None:
    """Law 9: a form that turned out invalid, whose user is read again and saved with something else."""
    session = sessions.start(user).session
    user.set_password("a new one")
    undo(user)
    user.save()
    assert lives(session)


@pytest.mark.parametrize("encoded", ["!", "unknown$1$2$3", "plain"])
def test_an_unreadable_hash_that_a_user_was_read_with_is_no_rehash(user: Any, encoded: str) -> None:
    """Law 9: nobody can have found it right, so what is written in its place is a change."""
    get_user_model().objects.filter(pk=user.pk).update(password=encoded)
    read = get_user_model().objects.get(pk=user.pk)
    pair = sessions.start(read)
    read._password = None
    _assign_and_save_field(read)
    assert get_user_model().objects.get(pk=user.pk).check_password("a new one")
    with pytest.raises(PasswordChanged):
        sessions.rotate(str(pair.refresh))


@pytest.mark.parametrize("encoded", ["", "!", "unknown$1$2$3", "plain"])
def test_an_unreadable_stored_hash_is_no_rehash(user: Any, encoded: str) -> None:
    """A hash that no hasher knows cannot be a right password that was hashed anew."""
    get_user_model().objects.filter(pk=user.pk).update(password=encoded)
    user.refresh_from_db()
    user._password = None
    pair = sessions.start(user)
    _assign_and_save_field(user)
    with pytest.raises(PasswordChanged):
        sessions.rotate(str(pair.refresh))


@pytest.mark.parametrize(
    "save",
    [
        lambda user: user.save(),
        lambda user: user.save(update_fields=["last_login"]),
        lambda user: user.save(update_fields=["password"]),
        lambda user: user.save(update_fields=["is_active"]),
        lambda user: user.save(update_fields=[]),
        lambda user: user.get_session_auth_hash(),
    ],
    ids=["all", "last_login", "password", "is_active", "nothing", "no save"],
)
def test_saving_a_user_unchanged_ends_nothing(user: Any, save: Callable[[Any], Any]) -> None:
    """Profile edits, sign-ins and imports save users all day long."""
    fresh = get_user_model().objects.get(pk=user.pk)
    session = sessions.start(fresh).session
    save(fresh)
    assert lives(session)


def test_a_save_that_changes_no_password_asks_for_no_hash_of_it(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drop-in: a project's may ask the database, or fail."""
    asked: list[Any] = []
    monkeypatch.setattr(get_user_model(), "get_session_auth_hash", asked.append)
    user.save()
    assert asked == []


def test_a_user_row_that_is_gone_is_no_rehash(user: Any) -> None:
    """Saving a deleted user's password raises as it always did, and nothing of the kit's comes before."""
    user._password = None
    get_user_model().objects.filter(pk=user.pk).delete()
    with pytest.raises(DatabaseError, match="did not affect any rows"):
        user.save(update_fields=["password"])


def test_loading_a_fixture_ends_nothing(user: Any) -> None:
    """``loaddata`` saves users raw; it signs nobody out by itself."""
    session = sessions.start(user).session
    for loaded in serializers.deserialize("json", serializers.serialize("json", [user])):
        loaded.save()
    assert lives(session)


def test_a_change_that_is_rolled_back_ends_nothing(user: Any) -> None:
    """Law 4: the end follows the transaction that the change is part of."""
    session = sessions.start(user).session
    with transaction.atomic():
        user.is_active = False
        user.save()
        transaction.set_rollback(True)
    assert lives(session)


def test_another_users_change_ends_nothing(user: Any) -> None:
    """Law 9 is about one user's sessions."""
    session = sessions.start(user).session
    bob = get_user_model().objects.create_user("bob", password=PASSWORD)
    bob.set_password("a new one")
    bob.is_active = False
    bob.save()
    assert lives(session)


def test_a_property_that_says_who_is_active_is_asked_at_every_save(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 9: no field of that name is written, whatever is."""
    session = sessions.start(user).session
    computed = property(lambda user: user.first_name != "banned", lambda user, value: None)
    monkeypatch.setattr(type(user), "is_active", computed)
    user.first_name = "banned"
    user.save(update_fields=["first_name"])
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "user_inactive"


def test_a_property_is_asked_of_the_row_and_not_of_what_was_read(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 9: a save that writes nothing of it makes nobody inactive."""
    session = sessions.start(user).session
    computed = property(lambda user: user.first_name != "banned", lambda user, value: None)
    monkeypatch.setattr(type(user), "is_active", computed)
    user.first_name = "banned"
    user.save(update_fields=["last_name"])
    assert lives(session)


def test_a_user_may_be_told_apart_where_the_class_says_that_all_are_active(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 9: Django's ``AbstractBaseUser`` has no column for it."""
    session = sessions.start(user).session
    monkeypatch.setattr(type(user), "is_active", True)
    del user.is_active
    user.save()
    assert lives(session)
    user.is_active = False
    user.save(update_fields=["first_name"])
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "user_inactive"


@pytest.mark.parametrize("inactive", [False, "False", "0", "f", 0, Value(False), Q(pk=None)], ids=repr)
def test_whatever_a_column_takes_for_inactive_deactivates(user: Any, inactive: Any) -> None:
    """Law 9: the row says that the user is inactive, whichever way that was written."""
    pair = sessions.start(user)
    user.is_active = inactive
    user.save(update_fields=["is_active"])
    get_user_model().objects.update(is_active=True)
    assert not lives(pair.session)


@pytest.mark.parametrize("active", [True, "True", "1", 1, Value(True)], ids=repr)
def test_whatever_a_column_takes_for_active_ends_nothing(user: Any, active: Any) -> None:
    """Law 9: nor does a look at the row find what is not there."""
    pair = sessions.start(user)
    user.is_active = active
    user.save(update_fields=["is_active"])
    assert lives(pair.session)


ACTIVATIONS = {
    "all": lambda user: user.save(),
    "is_active": lambda user: user.save(update_fields=["is_active"]),
    "a new password": lambda user: (user.set_password("a new one"), user.save()),
}


@pytest.mark.parametrize("save", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_saving_a_user_as_active_ends_what_is_left_from_before(user: Any, save: Callable[[Any], Any]) -> None:
    """Law 9: the deactivation told nobody, or could not end the sessions, and no token was presented since."""
    session = sessions.start(user).session
    get_user_model().objects.update(is_active=False)
    user.is_active = True
    save(user)
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "user_inactive"


@pytest.mark.django_db(transaction=True)
def test_a_deactivation_that_could_not_end_the_sessions_is_made_good(user: Any) -> None:
    """Law 9: the user's row was committed, the sessions' were locked."""
    session = sessions.start(user).session
    user.is_active = False
    with just_before((SESSIONS_UPDATE, lock_timeout)), pytest.raises(OperationalError):
        user.save()
    user = get_user_model().objects.get(pk=user.pk, is_active=False)
    user.is_active = True
    user.save()
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "user_inactive"


@pytest.mark.django_db(transaction=True)
def test_a_user_stays_inactive_where_what_is_left_cannot_be_ended(user: Any) -> None:
    """Laws 8 and 9: first the sessions, then the user."""
    sessions.start(user)
    get_user_model().objects.update(is_active=False)
    with just_before((SESSIONS_UPDATE, lock_timeout)), pytest.raises(OperationalError):
        user.save()
    assert not get_user_model().objects.get().is_active


def test_tokens_that_a_newly_active_user_is_given_at_once_are_good(user: Any) -> None:
    """A project that activates a new user makes tokens by ``for_user`` in the same second."""
    get_user_model().objects.update(is_active=False)
    user.save()
    assert lives(sessions.rotate(str(PlainRefreshToken.for_user(user))).session)


def test_tokens_that_a_new_user_is_given_at_once_are_good(db: None, clock: Any) -> None:
    """A password that is set on a new user ends nothing: a project makes tokens by ``for_user`` in the same second."""
    user = get_user_model().objects.create_user("new", password=PASSWORD)
    get_user_model().objects.create_user("not yet", password=PASSWORD, is_active=False)
    assert not TokenSession.objects.exists()
    assert lives(sessions.rotate(str(PlainRefreshToken.for_user(user))).session)


def test_deactivation_keeps_its_reason_over_a_password_change(user: Any) -> None:
    """One save may do both."""
    session = sessions.start(user).session
    user.set_password("a new one")
    user.is_active = False
    user.save()
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "user_inactive"


def test_inactive_users_keep_their_sessions_where_the_project_lets_them_in(user: Any, settings: Any) -> None:
    """``CHECK_USER_IS_ACTIVE = False``: then a profile edit of an inactive user is no reason to sign out."""
    settings.SIMPLE_JWT = {"CHECK_USER_IS_ACTIVE": False}
    user.is_active = False
    user.save()
    pair = sessions.start(user)
    user.save()
    assert sessions.rotate(str(pair.refresh)).session.generation == 1


def test_the_admins_password_form_signs_out(user: Any, admin_client: Any) -> None:
    """Law 9: an administrator's reset counts as the user's own."""
    session = sessions.start(user).session
    new = {"password1": "another horse 42", "password2": "another horse 42", "usable_password": "true"}
    answer = admin_client.post(f"/admin/auth/user/{user.pk}/password/", new)
    assert answer.status_code == 302
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "password_changed"
