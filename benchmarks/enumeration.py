"""Measure whether the time of a failed sign-in tells if there is such an account.

``python -m benchmarks.enumeration [--database sqlite|postgresql|mariadb] [--rounds N]``. Each kind of account is tried
in turn, round after round, over HTTP in this process, with Argon2id preferred. What counts are the medians' ratios to a
wrong password; the budget is 1.2 either way. Legacy accounts hold a hash of a hasher that is no longer preferred.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUDGET = 1.2
PASSWORD = "benchmark"

PREFERRED = "drf_jwt_kit.hashers.Argon2idPasswordHasher"
LEGACY = {
    "legacy: MD5": "django.contrib.auth.hashers.MD5PasswordHasher",
    "legacy: PBKDF2": "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "legacy: scrypt": "django.contrib.auth.hashers.ScryptPasswordHasher",
}


def set_up(database: str) -> None:
    """Configure Django for ``database``, with no limit on failures."""
    sys.path[:0] = [str(ROOT)]
    os.environ["DJANGO_SETTINGS_MODULE"] = f"tests.settings.{database}"
    import logging

    import django
    from django.conf import settings

    names = ("LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS", "LOGIN_FAILURES_PER_ADDRESS", "LOGIN_FAILURES_PER_ACCOUNT")
    # Counted as ever, with limits that are not reached.
    settings.DRF_JWT_KIT = dict.fromkeys(names, "999999999/1d")
    settings.PASSWORD_HASHERS = [PREFERRED, *LEGACY.values()]
    django.setup()
    logging.disable()


def accounts() -> dict[str, tuple[str, str]]:
    """Make an account of each kind; return the credentials that fail on it."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from django.utils.module_loading import import_string

    create = get_user_model().objects.create
    create(username="known", password=make_password(PASSWORD))
    create(username="inactive", password=make_password(PASSWORD), is_active=False)
    create(username="unusable", password=make_password(None))
    tried = {
        "wrong password": ("known", "wrong"),
        "unknown": ("nobody", "wrong"),
        "inactive, wrong password": ("inactive", "wrong"),
        "inactive, right password": ("inactive", PASSWORD),
        "unusable password": ("unusable", "wrong"),
    }
    hashers = {name: import_string(path)() for name, path in LEGACY.items()}
    for name, hasher in {**hashers, "cheaper: Argon2id": cheaper(import_string(PREFERRED)())}.items():
        create(username=name, password=hasher.encode(PASSWORD, "0123456789abcdef"))
        tried[name] = (name, "wrong")
    return tried


def cheaper(hasher: Any) -> Any:
    """Return the preferred hasher as it was before a project raised its cost: a fifth of it."""
    hasher.time_cost, hasher.memory_cost = 1, 8 * 1024
    return hasher


def milliseconds(client: Any, username: str, password: str) -> float:
    """Return how long one failed sign-in took."""
    body = {"username": username, "password": password}
    begin = time.perf_counter()
    status = client.post("/api/token/", body, format="json").status_code
    taken = (time.perf_counter() - begin) * 1e3
    assert status == 401, status
    return taken


def measure(tried: dict[str, tuple[str, str]], rounds: int) -> dict[str, float]:
    """Return the median of each kind, tried turn and turn about so that the machine's moods fall on all."""
    from rest_framework.test import APIClient

    client = APIClient()
    times: dict[str, list[float]] = {name: [] for name in tried}
    for turn in range(rounds + 1):
        for name, credentials in tried.items():
            taken = milliseconds(client, *credentials)
            if turn:  # the first warms up
                times[name].append(taken)
    return {name: statistics.median(found) for name, found in times.items()}


def report(medians: dict[str, float]) -> bool:
    """Print the medians and their ratios; return whether all are within the budget."""
    reference = medians["wrong password"]
    for name, median in medians.items():
        ratio = median / reference
        verdict = "" if 1 / BUDGET <= ratio <= BUDGET else f"   outside {BUDGET}"
        print(f"{name:<28} {median:8.2f} ms   ratio {ratio:6.2f}{verdict}")
    return all(1 / BUDGET <= median / reference <= BUDGET for median in medians.values())


def main() -> int:
    """Measure on a database of its own; the exit code tells whether the budget is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "mariadb"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    set_up(arguments.database)
    from django.db import connection

    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        return 0 if report(measure(accounts(), arguments.rounds)) else 1
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    sys.exit(main())
