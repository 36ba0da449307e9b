"""A password hasher that keeps sign-in under 200 ms (SC-001)."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """Argon2id with OWASP's first-choice parameters: 19 MiB of memory, two passes, one lane.

    Put it first in ``PASSWORD_HASHERS``; passwords that another hasher made are hashed anew at the
    next sign-in. Needs the extra ``drf-jwt-kit[argon2]``.
    Source: OWASP Password Storage Cheat Sheet; RFC 9106 4.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
