"""``manage.py jwt_prune``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from drf_jwt_kit import introspection, models, sessions
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken

pytestmark = pytest.mark.django_db


def prune(**options: Any) -> str:
    """Run the command and return what it said."""
    said = StringIO()
    call_command("jwt_prune", stdout=said, **options)
    return said.getvalue()


@pytest.fixture
def rows(user: Any, clock: Any) -> Callable[..., list[TokenSession]]:
    """A function that saves some rows that expired an hour ago."""

    def rows(count: int, **values: Any) -> list[TokenSession]:
        expired = {"expires_at": models.now() - timedelta(hours=1), **values}
        made = [sessions.start(user).session for _ in range(count)]
        TokenSession.objects.filter(pk__in=[row.pk for row in made]).update(**expired)
        return made

    return rows


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 2000])
def test_what_expired_goes_and_what_lives_stays(rows: Any, user: Any, batch_size: int) -> None:
    """Law 6: batches of any size end with the same rows."""
    rows(7)
    kept = {sessions.start(user).session.pk for _ in range(3)}
    assert prune(batch_size=batch_size) == "7 expired sessions were deleted.\n"
    assert set(TokenSession.objects.values_list("pk", flat=True)) == kept


def test_no_statement_is_longer_than_its_batch(rows: Any) -> None:
    """Bounded memory and short locks: one SELECT and one DELETE a batch, and a last SELECT."""
    rows(10)
    with CaptureQueriesContext(connection) as queries:
        prune(batch_size=4)
    verbs = [verb for query in queries if (verb := query["sql"].split()[0]) in ("SELECT", "DELETE")]
    assert verbs == ["SELECT", "DELETE"] * 3 + ["SELECT"]


def test_a_dry_run_counts_and_deletes_nothing(rows: Any) -> None:
    """What it says is what would go."""
    rows(3)
    assert prune(dry_run=True) == "3 expired sessions would be deleted.\n"
    assert TokenSession.objects.count() == 3


def test_with_nothing_to_do_it_says_so(user: Any) -> None:
    """Cron mails are read by people."""
    assert prune() == "0 expired sessions were deleted.\n"


def test_a_revoked_session_stays_until_its_tokens_have_expired(user: Any, clock: Any) -> None:
    """Law 4: the row is what says that they are dead."""
    sessions.revoke(sessions.start(user).session)
    assert prune().startswith("0 ")
    clock.shift(timedelta(days=1))
    assert prune().startswith("1 ")


@pytest.mark.parametrize("rotates", [True, False])
def test_a_session_stays_as_long_as_its_access_tokens(user: Any, clock: Any, settings: Any, rotates: bool) -> None:
    """Law 6: without rotation they may outlive the refresh token that bought them."""
    settings.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": rotates}
    first = sessions.start(user)
    clock.shift(timedelta(hours=23, minutes=59))
    access = sessions.rotate(str(first.refresh)).access
    clock.shift(timedelta(minutes=4))
    prune()
    assert introspection.user_of(access) == user
    clock.shift(timedelta(days=1))
    prune()
    assert not TokenSession.objects.exists()


@pytest.mark.parametrize(
    ("setting", "bought_at"),
    [
        ({"REFRESH_TOKEN_LIFETIME": timedelta(minutes=5)}, timedelta(seconds=30)),
        ({"ROTATE_REFRESH_TOKENS": False, "LEEWAY": 60}, timedelta(days=1, seconds=59)),
    ],
    ids=["a retry in the grace period", "without rotation, within leeway"],
)
def test_a_session_stays_whenever_its_access_token_was_bought(
    user: Any, clock: Any, settings: Any, setting: dict[str, Any], bought_at: timedelta
) -> None:
    """A token that the kit would accept does not lose its row."""
    settings.SIMPLE_JWT = setting
    refresh = str(sessions.start(user).refresh)
    if bought_at < timedelta(minutes=1):
        sessions.rotate(refresh)
    clock.shift(bought_at)
    access = str(sessions.rotate(refresh).access)
    clock.shift(timedelta(minutes=5, seconds=setting.get("LEEWAY", 0) - 1))
    prune()
    assert introspection.user_of(AccessToken(access)) == user
    clock.shift(timedelta(seconds=2))
    prune()
    assert not TokenSession.objects.exists()


def test_a_row_that_bars_other_tokens_stays_until_they_have_expired(rows: Any, clock: Any) -> None:
    """Law 4: ``kept_until``, after a sign-out everywhere."""
    rows(2, kept_until=models.now() + timedelta(hours=2))
    assert prune().startswith("0 ")
    clock.shift(timedelta(hours=2))
    assert prune().startswith("2 ")


def test_a_session_within_leeway_stays(user: Any, clock: Any, settings: Any) -> None:
    """A token that would still be accepted keeps its row."""
    settings.SIMPLE_JWT = {"LEEWAY": 60}
    refresh = str(sessions.start(user).refresh)
    clock.shift(timedelta(days=1, seconds=30))
    prune()
    assert sessions.rotate(refresh).session.generation == 1


def test_a_refresh_between_choosing_and_deleting_saves_its_row(rows: Any, clock: Any) -> None:
    """Law 4: the condition is asked again by the statement that deletes; PostgreSQL holds what was chosen."""
    saved, _gone = rows(2)
    last = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else "DELETE"
    extended = False

    def extend_first(execute: Any, sql: str, *args: Any) -> Any:
        nonlocal extended
        if last in sql and not extended:
            extended = True
            TokenSession.objects.filter(pk=saved.pk).update(expires_at=models.now() + timedelta(days=1))
        return execute(sql, *args)

    with connection.execute_wrapper(extend_first):
        assert prune().startswith("1 ")
    assert extended
    assert TokenSession.objects.get().pk == saved.pk


@pytest.mark.parametrize("batch_size", ["0", "-1", "many", "30001", "9" * 23])
def test_an_impossible_batch_is_refused(rows: Any, batch_size: str) -> None:
    """A typing error is answered in words and deletes nothing."""
    rows(1)
    with pytest.raises(CommandError):
        call_command("jwt_prune", f"--batch-size={batch_size}", stdout=StringIO())
    assert TokenSession.objects.exists()
