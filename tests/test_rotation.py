"""The one conditional UPDATE, and what is decided where it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from drf_jwt_kit import lookup, rotation, sessions, transactions
from drf_jwt_kit.exceptions import Expired, Refused, Reused, Revoked
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.rotation import Verdict

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
GRACE = timedelta(seconds=30)
MICROSECOND = timedelta(microseconds=1)
NOTHING = timedelta(0)


@pytest.fixture
def session(user: Any, clock: Any) -> TokenSession:
    """A session that was just started, with its user."""
    return lookup.session_with_user(sessions.start(user).session.pk)


@contextmanager
def just_before(*interruptions: tuple[str, Callable[[], Any]]) -> Iterator[None]:
    """Let something else happen right before the next statement of a kind: an interleaving, made sure.

    Each of ``interruptions`` is a verb (``UPDATE``) and what another client does before it.
    """
    waiting = list(interruptions)

    def interrupt(execute: Any, sql: str, *args: Any) -> Any:
        if waiting and sql.startswith(waiting[0][0]):
            waiting.pop(0)[1]()
        return execute(sql, *args)

    with connection.execute_wrapper(interrupt):
        yield
    assert not waiting


def change(session: TokenSession, **values: Any) -> Callable[[], Any]:
    """Return a function that writes to the session's row as another process would."""
    return lambda: TokenSession.objects.filter(pk=session.pk).update(**values)


@pytest.mark.parametrize(
    ("presented", "since_rotation", "grace", "verdict"),
    [
        (3, NOTHING, GRACE, Verdict.ROTATE),
        (3, DAY, NOTHING, Verdict.ROTATE),
        (2, NOTHING, GRACE, Verdict.RETRY),
        (2, GRACE, GRACE, Verdict.RETRY),
        (2, GRACE + MICROSECOND, GRACE, Verdict.REPLAY),
        (2, -timedelta(seconds=1), GRACE, Verdict.RETRY),
        (2, -GRACE, GRACE, Verdict.RETRY),
        (2, -GRACE - MICROSECOND, GRACE, Verdict.REPLAY),
        (2, -DAY, GRACE, Verdict.REPLAY),
        (2, NOTHING, NOTHING, Verdict.REPLAY),
        (2, -timedelta(seconds=1), NOTHING, Verdict.REPLAY),
        (1, NOTHING, GRACE, Verdict.REPLAY),
        (0, NOTHING, DAY, Verdict.REPLAY),
        (4, NOTHING, GRACE, Verdict.REPLAY),
    ],
)
def test_a_generation_is_judged_by_its_distance_and_the_grace_period(
    session: TokenSession, settings: Any, presented: int, since_rotation: timedelta, grace: timedelta, verdict: Verdict
) -> None:
    """Laws 2 and 3: only the current generation and, within grace, the one right before it count."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": grace}
    session.generation = 3
    assert rotation.judge(session, presented, session.rotated_at + since_rotation) is verdict


@pytest.mark.parametrize(("ahead", "verdict"), [(60, Verdict.RETRY), (61, Verdict.REPLAY)])
def test_a_server_that_is_ahead_extends_no_grace_beyond_what_clocks_may_differ(
    session: TokenSession, settings: Any, ahead: int, verdict: Verdict
) -> None:
    """Law 3: an hour ahead, the preceding token was good for an hour; with ``LEEWAY`` tabs are safe on both (law 2)."""
    settings.SIMPLE_JWT = {"LEEWAY": 60}
    session.generation = 1
    assert rotation.judge(session, 0, session.rotated_at - timedelta(seconds=ahead)) is verdict


def test_a_rotation_moves_the_row_on_by_one(session: TokenSession, clock: Any) -> None:
    """Law 1: the row and the object agree on what was committed."""
    clock.shift(timedelta(hours=1, microseconds=7))
    rotated = rotation.rotate(session, 0, DAY)
    stored = TokenSession.objects.get(pk=session.pk)
    assert (stored.generation, stored.rotated_at, stored.expires_at) == (1, rotated.rotated_at, rotated.expires_at)
    assert stored.expires_at == stored.rotated_at.replace(microsecond=0) + DAY


def test_the_caller_that_comes_second_gets_what_the_first_left(session: TokenSession) -> None:
    """Laws 1 and 2: a read before the winner's commit ends in the winner's successor."""
    winner = lookup.session_with_user(session.pk)
    with just_before(("UPDATE", lambda: rotation.rotate(winner, 0, DAY))):
        rotated = rotation.rotate(session, 0, DAY)
    assert rotated.generation == 1
    assert TokenSession.objects.get(pk=session.pk).generation == 1


def test_the_caller_that_comes_second_without_grace_is_a_replay(session: TokenSession, settings: Any) -> None:
    """Laws 1 and 3: strict means that one caller wins and every other one is a replay."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": NOTHING}
    with just_before(("UPDATE", change(session, generation=1))), pytest.raises(Reused):
        rotation.rotate(session, 0, DAY)


@pytest.mark.parametrize(
    ("meanwhile", "refusal"),
    [
        (lambda session: rotation.revoke(session, "signed_out"), Revoked),
        (lambda session: TokenSession.objects.filter(pk=session.pk).delete(), Revoked),
        (lambda session: change(session, expires_at=session.created_at)(), Expired),
        (lambda session: change(session, absolute_expires_at=session.created_at, generation=1)(), Expired),
    ],
    ids=["revoked", "pruned", "expired", "at its absolute end"],
)
def test_what_ends_a_session_between_reading_and_rotating_wins(
    session: TokenSession, meanwhile: Callable[[TokenSession], Any], refusal: type[Refused]
) -> None:
    """Law 4: a refresh that races the end of its session loses."""
    other = TokenSession.objects.get(pk=session.pk)
    with just_before(("UPDATE", lambda: meanwhile(other))), pytest.raises(refusal):
        rotation.rotate(session, 0, DAY)
    assert not TokenSession.objects.filter(pk=session.pk, revoked_at=None, generation__gt=1).exists()


def test_a_snapshot_that_cannot_see_the_winner_is_an_outage_not_a_second_rotation(session: TokenSession) -> None:
    """Laws 1 and 8: under REPEATABLE READ the loser cannot learn the successor, so it must be asked again."""
    with (
        just_before(("UPDATE", change(session, generation=1)), ("SELECT", change(session, generation=0))),
        pytest.raises(OperationalError),
    ):
        rotation.rotate(session, 0, DAY)


@pytest.mark.parametrize("leeway", [5, timedelta(seconds=5)])
def test_leeway_is_read_in_seconds_or_as_a_timedelta(settings: Any, leeway: Any) -> None:
    """Clocks that differ by ``LEEWAY`` differ as much for the row as for the token."""
    settings.SIMPLE_JWT = {"LEEWAY": leeway}
    assert rotation.leeway() == timedelta(seconds=5)


def test_a_row_within_leeway_of_its_end_still_rotates(session: TokenSession, settings: Any, clock: Any) -> None:
    """What the token's own check lets through, the row lets through."""
    settings.SIMPLE_JWT = {"LEEWAY": 5}
    clock.shift(DAY + timedelta(seconds=4))
    assert rotation.rotate(session, 0, DAY).generation == 1


def test_a_session_ends_once(session: TokenSession) -> None:
    """The first revocation keeps its reason; the second one changes nothing and says so."""
    assert rotation.revoke(session, "signed_out")
    assert not rotation.revoke(session, "reused")
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "signed_out"


def test_ending_many_returns_those_that_this_call_ended(user: Any, session: TokenSession, clock: Any) -> None:
    """A row that was dead before is not reported again, and keeps when and why it ended."""
    rotation.revoke(session, "signed_out")
    clock.shift(timedelta(seconds=1))
    others = {sessions.start(user).session.pk for _ in range(2)}
    ended = rotation.revoke_all(TokenSession.objects.filter(user=user), "signed_out_everywhere", DAY)
    assert {row.pk for row in ended} == others
    assert all(row.kept_until == row.revoked_at + DAY for row in TokenSession.objects.filter(pk__in=others))
    assert rotation.revoke_all(TokenSession.objects.filter(user=user), "signed_out_everywhere", DAY) == []


def test_carrying_over_touches_live_sessions_of_those_credentials_only(user: Any, session: TokenSession) -> None:
    """Law 9: a re-hash gives neither dead sessions nor those of an older password new life."""
    dead, stale = (sessions.start(user).session for _ in range(2))
    rotation.revoke(dead, "signed_out")
    change(stale, credential_hash="of another password")()
    rotation.carry_over(user, [session.credential_hash], "new")
    carried = TokenSession.objects.of_credentials(["new"]).values_list("pk", flat=True)
    assert list(carried) == [session.pk]


def test_a_rehash_between_reading_and_rotating_is_not_undone(user: Any, session: TokenSession) -> None:
    """Law 9: another device signs in and the hash is renewed while this one refreshes; both stay signed in."""
    rehashed = change(session, credential_hash="renewed meanwhile")
    with just_before(("UPDATE", rehashed)):
        rotation.rotate(session, 0, DAY)
    assert TokenSession.objects.get(pk=session.pk).credential_hash == "renewed meanwhile"


def test_a_rehash_outlasts_a_refresh_after_the_key_was_retired(session: TokenSession, settings: Any) -> None:
    """Law 9: the hash under today's key replaces the one that was read, never one that came meanwhile."""
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-key-that-is-long-enough-for-hmac-with-sha-256"
    with just_before(("UPDATE", change(session, credential_hash="renewed meanwhile"))):
        rotation.rotate(session, 0, DAY)
    assert TokenSession.objects.get(pk=session.pk).credential_hash == "renewed meanwhile"


def test_a_session_that_begins_while_all_are_ended_is_ended_with_them(user: Any, session: TokenSession) -> None:
    """Law 4: what is there when they are looked for decides, not what was read before."""
    begun = []
    with just_before(("SELECT", lambda: begun.append(sessions.start(user).session.pk))):
        ended = rotation.revoke_all(TokenSession.objects.filter(user=user), "signed_out_everywhere", DAY)
    assert {row.pk for row in ended} == {session.pk, *begun}
    assert not TokenSession.objects.filter(revoked_at=None).exists()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 500])
def test_all_end_in_batches_of_any_size(user: Any, session: TokenSession, monkeypatch: Any, size: int) -> None:
    """2.2: a user with thousands of sessions is signed out in some hundredths of as many statements."""
    monkeypatch.setattr(transactions, "BATCH", size)
    held = {session.pk, *(sessions.start(user).session.pk for _ in range(3))}
    with CaptureQueriesContext(connection) as queries:
        ended = rotation.revoke_all(TokenSession.objects.filter(user=user), "signed_out_everywhere", DAY)
    assert sorted(row.pk for row in ended) == sorted(held)
    assert not TokenSession.objects.filter(revoked_at=None).exists()
    updates = [query for query in queries if query["sql"].startswith("UPDATE")]
    assert len(updates) == -(-len(held) // size)


@pytest.mark.django_db(transaction=True)
def test_a_failure_leaves_no_transaction_open(user: Any) -> None:
    """Law 8: while its traceback is still looked at, the connection may be used for something else."""
    pair = sessions.start(user)

    def fail() -> None:
        raise OperationalError

    with pytest.raises(OperationalError) as failed, just_before(("UPDATE", fail)):
        rotation.revoke_all(TokenSession.objects.filter(user=user), "signed_out_everywhere", DAY)
    assert failed.tb is not None
    assert not connection.in_atomic_block
    assert sessions.rotate(str(pair.refresh)).session.generation == 1


def test_a_session_that_ends_while_all_are_ended_keeps_its_own_end(user: Any, session: TokenSession) -> None:
    """It is not reported again, and its reason stays."""
    other = sessions.start(user).session
    with just_before(("UPDATE", change(session, revoked_at=session.created_at, revoke_reason="reused"))):
        ended = rotation.revoke_all(TokenSession.objects.filter(user=user), "signed_out_everywhere", DAY)
    assert [row.pk for row in ended] == [other.pk]
    assert TokenSession.objects.get(pk=session.pk).revoke_reason == "reused"


def test_a_reason_that_cannot_be_kept_ends_nothing(session: TokenSession) -> None:
    """One database cuts it off, another raises: here it is said before anything is written."""
    with pytest.raises(ValueError, match="up to 32 characters"):
        rotation.revoke(session, "x" * 33)
    assert TokenSession.objects.get(pk=session.pk).revoked_at is None
    assert rotation.revoke(session, "x" * 32)
