"""For a project's own tests: clients that are signed in, tokens that must be refused, time that stands still.

Nothing here needs pytest, and nothing is faked: sessions are started in the test's database, and tokens are
signed with the project's key.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from rest_framework.test import APIClient

from . import sessions
from .conf import leeway, schemes, simple_jwt
from .sessions import TokenPair

if TYPE_CHECKING:
    import time_machine

# -- Clients and tokens ----------------------------------------------------------------------------


def api_client_for(user: Any) -> APIClient:
    """Return a client of DRF's that is signed in as ``user``, by a session of its own."""
    client = APIClient()
    client.credentials(**_header(access_token(user)))
    return client


def _header(token: str) -> dict[str, str]:
    """Return the header that a token is sent in, as WSGI spells it."""
    return {simple_jwt().AUTH_HEADER_NAME: f"{schemes()[0]} {token}"}


def access_token(user: Any) -> str:
    """Return an access token of a new session: one that is accepted."""
    return str(sessions.start(user).access)


def expired_token(user: Any) -> str:
    """Return an access token whose time is over, beyond ``LEEWAY``. Nothing else is wrong with it."""
    return _expired(sessions.start(user))


def tampered_token(user: Any) -> str:
    """Return an access token that was given a second more than was signed. Nothing else is wrong with it."""
    return _tampered(sessions.start(user))


def wrong_type_token(user: Any) -> str:
    """Return a refresh token, to be sent where an access token belongs. Nothing is wrong with it."""
    return str(sessions.start(user).refresh)


def revoked_token(user: Any) -> str:
    """Return an access token whose session was ended. Nothing else is wrong with it."""
    pair = sessions.start(user)
    sessions.revoke(pair.session)
    return str(pair.access)


def _expired(pair: TokenPair) -> str:
    """Return the access token as if it had been made so long ago that it ended a minute ago."""
    payload = pair.access.payload
    age = payload["exp"] - int(time.time() - leeway().total_seconds() - 60)
    aged = {**payload, "exp": payload["exp"] - age, "iat": payload["iat"] - age}
    return pair.access.get_token_backend().encode(aged)


def _tampered(pair: TokenPair) -> str:
    """Return the access token with another payload under the same signature."""
    header, _payload, signature = str(pair.access).split(".")
    claims = {**pair.access.payload, "exp": pair.access.payload["exp"] + 1}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{header}.{payload}.{signature}"


def freeze(moment: Any = None) -> time_machine.travel:
    """Stop time at ``moment`` (now), for Django, simplejwt and PyJWT alike.

    A context manager, or a decorator of a test or of a ``TestCase``. In a ``with`` block it gives
    time-machine's traveller: ``shift(timedelta(minutes=6))``, ``move_to(moment)``.

    Raises :exc:`ImportError` where the package time-machine is not installed.
    """
    try:
        import time_machine
    except ImportError as error:
        raise ImportError("freeze() needs the package time-machine: pip install time-machine") from error

    class Frozen(time_machine.travel):
        """Time that stands still; "now" is when it stops, not when a decorator was read."""

        def start(self) -> time_machine.Traveller:
            """Stop time."""
            super().__init__(time.time() if moment is None else moment, tick=False)
            return super().start()

    return Frozen(0 if moment is None else moment)
