"""Many guesses at once, from several server processes that share a Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis import Redis

from tests.concurrency.conftest import ROOT
from tests.outages import migrated

pytestmark = [pytest.mark.concurrency, pytest.mark.redis]

PROCESSES, THREADS, LIMIT = 4, 12, 5


class Guessers:
    """Four server processes of twelve threads each."""

    def __init__(self, environ: dict[str, str], hashed: Path) -> None:
        """Start them and wait until they are ready."""
        self.hashed = hashed
        command = [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.concurrency.guessing"]
        pipe = subprocess.PIPE
        self.processes: list[Any] = [
            subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environ)
            for _ in range(PROCESSES)
        ]
        assert self.answers() == ["ready"] * PROCESSES

    def answers(self) -> list[Any]:
        """Return the next answer of each."""
        return [json.loads(process.stdout.readline()) for process in self.processes]

    def guess(self, username: str) -> tuple[list[int], int]:
        """Let all guess one user's password at once; return the statuses and how many guesses were hashed."""
        before = self.hashed.stat().st_size if self.hashed.exists() else 0
        for process in self.processes:
            print(username, file=process.stdin, flush=True)
        statuses = sorted(status for answer in self.answers() for status in answer)
        return statuses, self.hashed.stat().st_size - before

    def close(self) -> None:
        """Let each end by itself."""
        for process in self.processes:
            process.communicate()
        assert [process.returncode for process in self.processes] == [0] * PROCESSES


@pytest.fixture
def guessers(tmp_path: Path, settings: Any) -> Iterator[Guessers]:
    """Processes on a database that knows alice, and on a corner of Redis that is cleaned up afterwards."""
    prefix = f"drf_jwt_kit-{uuid4().hex}"
    environ = {**os.environ, "ARENA_DATABASE": "sqlite", "ARENA_NAME": str(tmp_path / "db.sqlite3")}
    migrated(environ, "alice", "correct horse battery staple")
    redis = {"GUESSING_REDIS": settings.REDIS_URL, "GUESSING_PREFIX": prefix, "GUESSING_THREADS": str(THREADS)}
    guessers = Guessers({**environ, **redis, "GUESSING_HASHED": str(tmp_path / "hashed")}, tmp_path / "hashed")
    yield guessers
    guessers.close()
    with Redis.from_url(settings.REDIS_URL) as direct:
        direct.delete(b"nothing", *direct.scan_iter(f"{prefix}:*"))


def test_48_guesses_at_once_get_five_to_the_hasher(guessers: Guessers) -> None:
    """THREATS: four processes, one Redis, a limit of five: never more are hashed, in 20 rounds; a known user first."""
    names = ["alice", *(f"nobody{number}" for number in range(19))]
    rounds = [guessers.guess(name) for name in names]
    refused = [401] * LIMIT + [429] * (PROCESSES * THREADS - LIMIT)
    assert rounds == [(refused, LIMIT)] * 20
