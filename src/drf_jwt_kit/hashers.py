"""A password hasher that keeps sign-in under 200 ms (SC-001), and failures that take alike long."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_backends
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    get_hasher,
    get_hashers,
    identify_hasher,
    make_password,
)
from django.views.decorators.debug import sensitive_variables


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """Argon2id with OWASP's first-choice parameters: 19 MiB of memory, two passes, one lane.

    Put it first in ``PASSWORD_HASHERS``; passwords that another hasher made are hashed anew at the
    next sign-in. Needs the extra ``drf-jwt-kit[argon2]``.
    Source: OWASP Password Storage Cheat Sheet; RFC 9106 4.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    @sensitive_variables()
    def harden_runtime(self, password: str, encoded: str) -> None:
        """Spend what a wrong password against a cheaper hash has saved, which Django leaves out for Argon2.

        The cost is passes times memory (RFC 9106 3.1), so what is missing is spent on less memory.
        """
        import argon2  # an extra

        stored = self.decode(encoded)["params"]
        missing = self.time_cost * self.memory_cost - stored.time_cost * stored.memory_cost
        memory = max(missing // self.time_cost, 8 * self.parallelism)  # RFC 9106 3.1: the least there is
        if missing > 0:
            argon2.PasswordHasher(self.time_cost, memory, self.parallelism).hash(password)


@sensitive_variables()
def spend_as_on_others(user: Any, password: str) -> None:
    """Spend on an account with an older hasher what a denial costs for every other account.

    Django spends the preferred hasher's time on unknown names (``user`` is ``None``) and unusable passwords,
    but not beside a hash of another algorithm: a fast one would tell that the account exists. A slow one
    still does, until its owner signs in and the password is hashed anew.

    Raises what a hasher raises, but over this password alone: it is denied anyway.
    """
    try:
        older = user is not None and identify_hasher(user.password).algorithm != get_hasher().algorithm
    except ValueError:  # no hash at all: Django has spent the time
        return
    try:
        for _ in range(_spent_on_unknown() if older else 0):
            make_password(password)
    except ValueError:
        if not is_refused(password):
            raise


def _spent_on_unknown() -> int:
    """Return how often an unknown name is hashed: by each backend that looks for it as Django's own does."""
    plain = [backend for backend in get_backends() if type(backend).authenticate is ModelBackend.authenticate]
    return max(len(plain), 1)


@sensitive_variables()
def is_refused(password: str) -> bool:
    """Return whether a hasher takes passwords, but not this one: bcrypt's takes 72 bytes. It can only be a wrong one.

    To find out costs about what a denial does.
    """
    return any(_refuses(hasher, password) and not _refuses(hasher, "x") for hasher in get_hashers())


@sensitive_variables()
def _refuses(hasher: Any, password: str) -> bool:
    """Return whether a hasher raises over a password."""
    try:
        make_password(password, hasher=hasher)
    except Exception:  # noqa: BLE001 - a project's hashers raise what they like
        return True
    return False
