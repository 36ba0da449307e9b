"""A server process that guesses at its own sign-in: told over standard input, it lets its threads begin at once.

A line in is a user name; a line out is the list of the statuses. ``GUESSING_THREADS`` says how many threads there are,
``GUESSING_REDIS`` and ``GUESSING_PREFIX`` where failures are counted, ``GUESSING_HASHED`` the file that gets a byte for
each password that is hashed. The first line out says that the process is ready.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial

import django
from django.contrib.auth.hashers import MD5PasswordHasher


class TellingHasher(MD5PasswordHasher):
    """A hasher that tells of each password: appending one byte is atomic, between processes too."""

    def encode(self, password: str, salt: str) -> str:
        """Tell, then hash."""
        descriptor = os.open(os.environ["GUESSING_HASHED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, b".")
        os.close(descriptor)
        return super().encode(password, salt)


def set_up() -> None:
    """Count in Redis against a limit of five, and tell of every hash."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.concurrency.settings"
    from django.conf import settings

    environ = os.environ
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": environ["GUESSING_REDIS"]}
    settings.CACHES = {"default": {**redis, "KEY_PREFIX": environ["GUESSING_PREFIX"]}}
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "5/1h", "LOGIN_FAILURES_PER_ADDRESS": None}
    settings.PASSWORD_HASHERS = ["tests.concurrency.guessing.TellingHasher"]
    django.setup()


def main() -> None:
    """Guess for each name that is read, until there is nothing more to read."""
    set_up()
    from tests.concurrency import calls

    threads = int(os.environ["GUESSING_THREADS"])
    callers = calls.Callers(threads)
    print(json.dumps("ready"), flush=True)  # noqa: T201 - the protocol
    for line in sys.stdin:
        guess = partial(calls.call, "POST", "token/", {"username": line.strip(), "password": "wrong"})
        answers = callers.at_once(*[guess] * threads)
        print(json.dumps([answer.status for answer in answers]), flush=True)  # noqa: T201 - the protocol
    callers.close()


if __name__ == "__main__":
    main()
