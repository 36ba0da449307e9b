"""One signal for each security event, and the log line that goes with it.

Each is sent with ``send_robust``: a receiver that fails keeps nobody signed in or out, unless the database gave up
the caller's transaction for it: then that is raised.

=========================  =========================================================================
signal                     arguments beside ``sender`` (:class:`~drf_jwt_kit.models.TokenSession`)
=========================  =========================================================================
``session_started``        ``session``, ``request`` (or ``None``)
``token_refreshed``        ``session``, ``request``
``session_revoked``        ``session``, ``reason`` (a string), ``request``
``refresh_token_reused``   ``session``, ``request``; ``session_revoked`` follows it
=========================  =========================================================================

They are sent when the change was made, not when a surrounding transaction commits. The logger
``drf_jwt_kit.security`` gets a line of each, with the ids of user and session, never a token.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from django.db import Error, OperationalError, connections, transaction
from django.dispatch import Signal

from . import clients

if TYPE_CHECKING:
    from .models import TokenSession

logger = logging.getLogger("drf_jwt_kit.security")

session_started = Signal()
token_refreshed = Signal()
session_revoked = Signal()
refresh_token_reused = Signal()


def announce(
    signal: Signal, event: str, level: int, *, session: TokenSession, request: Any = None, **details: Any
) -> None:
    """Send ``signal`` and write the event down."""
    address = clients.address(request) if request is not None else session.ip_address
    told = {"event": event, "user_id": session.user_id, "session_id": session.pk, "address": address, "reason": ""}
    told |= details
    logger.log(level, "%s user=%s session=%s address=%s reason=%s", *told.values(), extra=told)
    sender = type(session)
    if signal.has_listeners(sender):
        _send(signal, sender=sender, session=session, request=request, **details)


def _send(signal: Signal, **arguments: Any) -> None:
    """Send ``signal`` apart from transactions around: Django condemns one in which a receiver's INSERT failed.

    Raises :exc:`~django.db.OperationalError` where the database gave one up as a whole, as MariaDB does at a deadlock:
    what its caller wrote is lost, and what was announced is not true.
    """
    within = [known.alias for known in connections.all(initialized_only=True) if known.in_atomic_block]
    sound = [alias for alias in within if not transaction.get_rollback(using=alias)]
    with ExitStack() as apart:
        for alias in within:
            apart.enter_context(transaction.atomic(using=alias))
        answers = [answer for _receiver, answer in signal.send_robust(**arguments)]
        failures = [answer for answer in answers if isinstance(answer, Error)]
        if failures:
            for alias in within:
                transaction.set_rollback(True, using=alias)
    if any(transaction.get_rollback(using=alias) for alias in sound):
        cause = next(iter(failures), None)
        raise OperationalError(
            "The database gave up the transaction in which a receiver of this signal failed."
        ) from cause
