"""One signal for each security event, and the log line that goes with it.

Each is sent with ``send_robust``: a receiver that fails keeps nobody signed in or out.

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
from typing import TYPE_CHECKING, Any

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
    signal.send_robust(sender=type(session), session=session, request=request, **details)
