"""Sign-ins that fail, from wherever, and how many of them reached a hasher."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import MD5PasswordHasher, PBKDF2PasswordHasher


class CountingHasher(MD5PasswordHasher):
    """A hasher that counts what it hashes."""

    calls = 0

    def encode(self, password: str, salt: str) -> str:
        """Count, then hash: Django verifies, and hardens against unknown users, by encoding."""
        CountingHasher.calls += 1
        return super().encode(password, salt)


class QuickHasher(PBKDF2PasswordHasher):
    """Another algorithm than the suite's, as quick as it gets."""

    algorithm = "quick"
    iterations = 1


def count_hashing(settings: Any) -> type[CountingHasher]:
    """Let every password be hashed by the counting hasher, which begins at 0."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    CountingHasher.calls = 0
    return CountingHasher


def attempt(
    client: Any, username: str = "alice", password: str = "wrong", *, peer: str = "192.0.2.1", **meta: str
) -> Any:
    """Return the answer to one sign-in from the address ``peer``."""
    body = {"username": username, "password": password}
    return client.post("/api/token/", body, format="json", REMOTE_ADDR=peer, **meta)


def statuses(client: Any, times: int, *arguments: str, **keywords: str) -> list[int]:
    """Return the statuses of so many equal sign-ins."""
    return [attempt(client, *arguments, **keywords).status_code for _ in range(times)]


def wait_of(answer: Any) -> int:
    """Return the seconds that a 429 asks to wait, once it is the contract's kind of answer."""
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/json"), answer.content
    assert answer["Cache-Control"] == "no-store"
    assert set(answer.json()) == {"detail", "code"}
    assert answer.json()["code"] == "throttled"
    assert int(answer["Retry-After"]) > 0
    return int(answer["Retry-After"])
