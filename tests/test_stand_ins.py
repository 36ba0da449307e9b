"""Stand-ins: neither database nor cache is reached, and both are there afterwards."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache, caches
from django.db import connection, connections, transaction

from drf_jwt_kit.stand_ins import DatabaseAskedError, kept_from_data


def cursor() -> None:
    """Open a cursor."""
    with connection.cursor():
        pass


def ensure_connection() -> None:
    """Make sure that there is a connection."""
    connection.ensure_connection()


@pytest.mark.parametrize("ask", [Group.objects.exists, cursor, ensure_connection])
def test_a_database_is_refused(ask: Any) -> None:
    """By every way to it, and the attempt is noted, also where the error is swallowed."""
    with kept_from_data() as asked, suppress(DatabaseAskedError):
        ask()
    assert asked == ["the database"]


def test_transactions_begin_and_end_without_one() -> None:
    """Nested ones, and those that fail; nothing is ever committed."""
    committed: list[bool] = []
    with kept_from_data() as asked, transaction.atomic():
        transaction.on_commit(lambda: committed.append(True))
        with suppress(KeyError), transaction.atomic():
            raise KeyError
        assert connection.needs_rollback is False
    assert (asked, committed) == ([], [])


@pytest.mark.django_db
def test_a_transaction_around_it_goes_on() -> None:
    """What is condemned inside is not what is open outside."""
    with kept_from_data(), suppress(KeyError), transaction.atomic():
        transaction.set_rollback(True)
        raise KeyError
    assert connection.needs_rollback is False
    assert Group.objects.exists() is False


@pytest.mark.django_db
def test_all_is_back_after_an_error() -> None:
    """The same connections, the same caches."""
    before = [*connections.all(), *caches.all()]
    with suppress(KeyError), kept_from_data():
        raise KeyError
    assert all(now is then for now, then in zip([*connections.all(), *caches.all()], before, strict=True))


def test_a_cache_keeps_nothing_and_asking_it_is_noted() -> None:
    """Writing is not asking."""
    cache.set("flag", 1)
    with kept_from_data() as asked:
        assert cache.add("flag", 2) is True
        assert asked == []
        assert (cache.get("flag"), "flag" in cache) == (None, False)
    assert asked == ["the cache", "the cache"]
    assert cache.get("flag") == 1


def test_other_threads_go_on() -> None:
    """A server may be running."""
    seen: list[Any] = []
    cache.set("flag", 1)
    with kept_from_data():
        thread = Thread(target=lambda: seen.append((cache.get("flag"), connection.connect.__module__)))
        thread.start()
        thread.join()
    assert seen == [(1, "django.db.backends.base.base")]
