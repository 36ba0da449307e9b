"""For a project's own tests: clients that are signed in, tokens that must be refused, and the proof that they are.

Nothing here needs pytest, and nothing is faked: sessions are started in the test's database, tokens are
signed with the project's key, requests go through its middleware and its URLconf.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, override_settings
from rest_framework.test import APIClient

from . import sessions, subject
from .conf import leeway, schemes, simple_jwt
from .proof import ATTACKS, Driver, Endpoints, Protection, told
from .sessions import TokenPair
from .token_checks import signing_fault

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


def _started(user: Any) -> TokenPair:
    """Start a session.

    Raises :exc:`~django.core.exceptions.ImproperlyConfigured` where no token can be signed for it.
    """
    if fault := signing_fault():
        raise ImproperlyConfigured(
            f"SIMPLE_JWT['SIGNING_KEY'] signs no token with {simple_jwt().ALGORITHM} ({fault}). Where the service only "
            "verifies, give the test a pair of keys with override_settings."
        )
    return sessions.start(user)


def access_token(user: Any) -> str:
    """Return an access token of a new session: one that is accepted."""
    return str(_started(user).access)


def expired_token(user: Any) -> str:
    """Return an access token whose time is over, beyond ``LEEWAY``. Nothing else is wrong with it."""
    return _expired(_started(user))


def tampered_token(user: Any) -> str:
    """Return an access token that was given a second more than was signed. Nothing else is wrong with it."""
    return _tampered(_started(user))


def wrong_type_token(user: Any) -> str:
    """Return a refresh token, to be sent where an access token belongs. Nothing is wrong with it."""
    return str(_started(user).refresh)


def revoked_token(user: Any) -> str:
    """Return an access token whose session was ended. Nothing else is wrong with it."""
    pair = _started(user)
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


# -- The proof -------------------------------------------------------------------------------------


def assert_protected(
    client: Client | None = None,
    *,
    user: Any = None,
    urlconf: Any = None,
    paths: Mapping[str, str] | None = None,
    skip: Collection[str] = (),
) -> Protection:
    """Send bad tokens of every kind to every endpoint, and raise unless each of them is refused.

    Driven is every method of every view of DRF's that is not declared ``@public``, with each of
    :data:`ATTACKS`. Refused is 401, 403, or being sent to the sign-in page. Whatever else comes back was let
    in: a 404, a 429 or a 500, too, comes from behind the door. The :exc:`AssertionError` names every
    endpoint that let one in, with all that it let in. So it does where nothing could be proven: where there
    is nothing to drive, no path to a route, or where good tokens get in nowhere either.

    What requests do to databases is rolled back. What they do elsewhere, files or caches, is not.

    ``client``: one that is signed in nowhere, where requests need a host or headers of their own. ``user``:
    whose tokens are sent, one who may do much, so that it must be the token that is refused; a superuser is
    made where there is none. ``urlconf``: in place of ``ROOT_URLCONF``. ``paths``: paths to routes for
    which none is found. ``skip``: what to leave out, routes, methods (``"OPTIONS"``), or one method of a
    route (``"POST webhook/"``). Both spell routes as ``jwt_audit`` prints them, or name them.
    """
    overrides = {"DEBUG_PROPAGATE_EXCEPTIONS": False} | ({} if urlconf is None else {"ROOT_URLCONF": urlconf})
    driver = Driver(APIClient() if client is None else client)
    with override_settings(**overrides), driver.undone():
        endpoints = Endpoints(paths or {}, {skip} if isinstance(skip, str) else skip)
        owner = _superuser() if user is None else user
        faults = [*told(driver.drive(endpoints.targets, _attacks(owner))), *endpoints.faults()]
        if not faults and not driver.gets_in(endpoints.targets, _header(access_token(owner))):
            faults = ["Nothing was proven: good tokens are refused everywhere, too. Pass another user."]
    if faults:
        raise AssertionError("\n".join(faults))
    return endpoints.protection


def _attacks(user: Any) -> dict[str, dict[str, str]]:
    """Return the headers of each attack.

    Of two sessions only: where ``MAX_SESSIONS_PER_USER`` is 1, the second ends the first, which is dead by
    then.
    """
    revoked, pair = revoked_token(user), _started(user)
    tokens = (_expired(pair), _tampered(pair), str(pair.refresh), revoked)
    return dict(zip(ATTACKS, ({}, *map(_header, tokens)), strict=True))


def _superuser() -> Any:
    """Return a user who may do everything, made as ``createsuperuser`` makes one."""
    users: Any = get_user_model()
    required = (users.USERNAME_FIELD, *users.REQUIRED_FIELDS)
    try:
        values = {name: subject.value_for(users._meta.get_field(name)) for name in required}
        return users._default_manager.create_superuser(**values, password=None)
    except Exception as error:
        raise ValueError("No user could be made for these tokens. Pass one: user=...") from error
