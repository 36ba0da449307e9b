"""Transactions: rows that are changed together, and what is done again when a caller's ends.

The end of a session survives a rollback, and sees what was committed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

from django.core.signals import request_finished, request_started
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.dispatch import receiver

from . import models
from .models import TokenSession, TokenSessionQuerySet

logger = logging.getLogger("drf_jwt_kit")

# Where a connection keeps what is to be done once its transaction is over.
_ENDS = "_drf_jwt_kit_ends"

BATCH = 500  # rows that are changed at once

_Result = TypeVar("_Result")


def in_batches(rows: TokenSessionQuerySet, change: Callable[[TokenSessionQuerySet], _Result]) -> list[_Result]:
    """Call ``change`` with ``rows`` in batches, which are held meanwhile where a database locks rows.

    Each is known by its ids alone, and locked in the order of these: so two who change the same rows do not meet a
    deadlock. A statement with other conditions would lock them as the database happens to read them, and some beside
    them.
    """
    results = []
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    alias = models.writing_database()
    locks = connections[alias].features.has_select_for_update
    for start in range(0, len(ids), BATCH):
        batch = TokenSession.objects.filter(pk__in=ids[start : start + BATCH])
        with transaction.atomic(using=alias) if locks else nullcontext():
            list(batch.order_by("pk").select_for_update().values_list("pk", "revoked_at"))  # by no other index
            results.append(change(batch))
    return results


def is_open() -> bool:
    """Return whether a transaction is open, but for the one that Django runs a test in."""
    blocks: Any = connections[models.writing_database()].atomic_blocks
    return any(not block._from_testcase for block in blocks)


def last(do: Callable[[], object]) -> None:
    """Call ``do`` now, or once a transaction that is open is committed.

    What it locks may come before what is held already: a session that was adopted meanwhile sorts before all others.
    """
    if is_open():
        after_commit(do)
    else:
        do()


class _Look:
    """Something to be looked at once a transaction is committed; it is done once, and raises nothing."""

    def __init__(self, look: Callable[[], object]) -> None:
        self.look: Callable[[], object] | None = look

    def __call__(self) -> None:
        """Do it, if it was not done yet."""
        look, self.look = self.look, None
        if look is not None:
            _dare(look)


def after_commit(look: Callable[[], object]) -> None:
    """Call ``look`` once what was just done is committed, if that is not now.

    Until then others act on what was true before, and what they do cannot be seen in ``REPEATABLE READ``.
    """
    connection = connections[models.writing_database()]
    if connection.in_atomic_block:
        transaction.on_commit(_Look(look), using=connection.alias)
        _watch(connection)


def survive_rollback(end: Callable[[], object]) -> None:
    """Call ``end`` once more when the transaction is over, as what it just did may be rolled back.

    Under ``ATOMIC_REQUESTS`` DRF rolls back what happened before a refusal, and a transaction of a
    caller's own is rolled back by a refusal that leaves it.
    """
    connection = connections[models.writing_database()]
    if not connection.in_atomic_block:
        return
    vars(connection).setdefault(_ENDS, []).append((_test_around(connection), end))
    _watch(connection)


def _watch(connection: BaseDatabaseWrapper) -> None:
    """Do what was noted when ``connection`` commits by itself again, unless that waits for the end of a test.

    Django tells nobody of a rollback, and of a commit those alone whom no failing hook came before. The end of a
    request comes too late for tasks and commands, and under ASGI in another context, or before the view is through.
    """
    if _test_around(connection) is not None or "set_autocommit" in vars(connection):
        return

    def finishing(*args: Any, **kwargs: Any) -> None:
        del connection.set_autocommit
        looks = [hook[1] for hook in connection.run_on_commit if isinstance(hook[1], _Look)]
        try:
            connection.set_autocommit(*args, **kwargs)
        finally:
            for look in looks:
                look()
            _repeat(connection)

    connection.set_autocommit = finishing  # type: ignore[method-assign]


@receiver([request_started, request_finished])
def repeat(**kwargs: Any) -> None:
    """Do what a test rolls back, which has a transaction around it, and what a lost connection left undone."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block or _test_around(connection) is not None:
            _repeat(connection)


def _repeat(connection: BaseDatabaseWrapper) -> None:
    """Do once more what may have been rolled back; what another test left behind is over with it."""
    for test, end in vars(connection).pop(_ENDS, ()):
        if test is _test_around(connection):
            _dare(end)


def _dare(end: Callable[[], object]) -> None:
    """End sessions where nobody is left to be told that it failed."""
    try:
        end()
    except Exception:  # a project's user model may fail in any way, and others wait
        logger.exception("A session could not be ended.")


def _test_around(connection: BaseDatabaseWrapper) -> object:
    """Return the transaction in which Django's ``TestCase`` runs a test, ``None`` outside of one."""
    blocks = reversed(connection.atomic_blocks)
    return next((block for block in blocks if block._from_testcase), None)  # type: ignore[attr-defined]
