"""What is done again when a transaction ends: the end of a session survives a rollback, and sees what was committed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from asgiref.local import Local
from django.core.signals import request_finished, request_started
from django.db import Error, connections, transaction
from django.dispatch import receiver

from . import models

logger = logging.getLogger("drf_jwt_kit")

_noted = Local()


def after_commit(look: Callable[[], object]) -> None:
    """Call ``look`` once what was just done is committed, if that is not now.

    Until then others act on what was true before, and what they do cannot be seen in ``REPEATABLE READ``.
    """
    alias = models.writing_database()
    if connections[alias].in_atomic_block:
        transaction.on_commit(look, using=alias, robust=True)


def survive_rollback(end: Callable[[], object]) -> None:
    """Call ``end`` once more after the request, if what it just did may be rolled back.

    Under ``ATOMIC_REQUESTS`` DRF rolls back what happened before a refusal, and a view's own
    transaction is rolled back by a refusal that leaves it.
    """
    if connections[models.writing_database()].in_atomic_block:
        _noted.ends = [*getattr(_noted, "ends", ()), end]


@receiver(request_started)
def forget(**kwargs: Any) -> None:
    """Forget what was noted outside of any request: there is no telling what became of it."""
    _noted.ends = ()


@receiver(request_finished)
def repeat(**kwargs: Any) -> None:
    """Do once more what may have been rolled back."""
    ends, _noted.ends = getattr(_noted, "ends", ()), ()
    for end in ends:
        try:
            end()
        except Error:
            logger.exception("A session could not be ended.")
