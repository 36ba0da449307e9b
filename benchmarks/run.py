"""Measure the kit beside plain simplejwt: same process, same database, turn and turn about.

``python -m benchmarks.run [--database sqlite|postgresql|mariadb] [--rounds N]``. What counts are the
ratios; the times are this machine's. Each figure is the median of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CALLS = 100


def set_up(database: str) -> None:
    """Configure Django for ``database``, with simplejwt's blacklist beside the kit."""
    sys.path[:0] = [str(ROOT)]
    os.environ["DJANGO_SETTINGS_MODULE"] = f"tests.settings.{database}"
    import django
    from django.conf import settings

    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "rest_framework_simplejwt.token_blacklist"]
    settings.PASSWORD_HASHERS = ["drf_jwt_kit.hashers.Argon2idPasswordHasher"]
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ADDRESS": None}
    settings.SIMPLE_JWT = {"BLACKLIST_AFTER_ROTATION": True}
    django.setup()


def microseconds(call: Callable[[], Any]) -> float:
    """Return how long one of :data:`CALLS` calls took."""
    begin = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - begin) / CALLS * 1e6


def compare(name: str, theirs: Callable[[], Any], ours: Callable[[], Any], rounds: int) -> None:
    """Print both medians and their ratio."""
    theirs(), ours()
    pairs = [(microseconds(theirs), microseconds(ours)) for _ in range(rounds)]
    simplejwt, kit = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{name:<42} simplejwt {simplejwt:9.1f} us   kit {kit:9.1f} us   ratio {kit / simplejwt:.2f}")


def authentication(user: Any, rounds: int) -> None:
    """Compare ``authenticate()`` of the strict authenticators."""
    from rest_framework.test import APIRequestFactory
    from rest_framework_simplejwt import authentication as simplejwt
    from rest_framework_simplejwt.tokens import AccessToken

    from drf_jwt_kit import sessions
    from drf_jwt_kit.authentication import JWTAuthentication

    class Plain(simplejwt.JWTAuthentication):
        """simplejwt's authenticator with simplejwt's own token class."""

        def get_validated_token(self, raw_token: bytes) -> Any:
            return AccessToken(raw_token)

    def request(token: Any) -> Any:
        return APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {token}")

    theirs, ours = request(AccessToken.for_user(user)), request(sessions.start(user).access)
    plain, strict = Plain(), JWTAuthentication()
    compare("authenticate", lambda: plain.authenticate(theirs), lambda: strict.authenticate(ours), rounds)


def refreshing(user: Any, rounds: int) -> None:
    """Compare a rotating refresh, simplejwt's with its blacklist."""
    from rest_framework_simplejwt.tokens import RefreshToken

    from drf_jwt_kit import sessions

    state = {"theirs": str(RefreshToken.for_user(user)), "ours": str(sessions.start(user).refresh)}

    def theirs() -> None:
        refresh = RefreshToken(state["theirs"])
        str(refresh.access_token)
        refresh.blacklist()
        refresh.set_jti()
        refresh.set_exp()
        refresh.set_iat()
        refresh.outstand()
        state["theirs"] = str(refresh)

    def ours() -> None:
        pair = sessions.rotate(state["ours"])
        str(pair.access)
        state["ours"] = str(pair.refresh)

    compare("refresh with rotation", theirs, ours, rounds)


def obtaining(rounds: int) -> None:
    """Print how long a whole sign-in takes over HTTP, with Argon2id (SC-001: under 200 ms)."""
    from rest_framework.test import APIClient

    client, credentials = APIClient(), {"username": "bench", "password": "benchmark"}
    times = []
    for _ in range(rounds * 10):
        begin = time.perf_counter()
        assert client.post("/api/token/", credentials, format="json").status_code == 200
        times.append((time.perf_counter() - begin) * 1e3)
    median, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(f"{'obtain, Argon2id, whole request':<42} median {median:.1f} ms   p95 {p95:.1f} ms")


def main() -> None:
    """Run all measurements on a database of their own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    set_up(arguments.database)
    from django.contrib.auth import get_user_model
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        user = get_user_model().objects.create_user("bench", password="benchmark")
        authentication(user, arguments.rounds)
        refreshing(user, arguments.rounds)
        obtaining(arguments.rounds)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main()
