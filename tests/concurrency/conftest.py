"""An arena for each database: a child process with a database of its own, for as long as the tests last."""

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

ROOT = Path(__file__).resolve().parents[2]

# A further database is one line here and a settings module of its name in tests/settings.
DATABASES = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


class Arena:
    """A database, and the process that runs races on it."""

    def __init__(self, database: str, folder: Path) -> None:
        """Start the process and wait for its database."""
        name = f"arena_{uuid4().hex[:12]}"
        self.environ = {
            **os.environ,
            "ARENA_DATABASE": database,
            "ARENA_NAME": str(folder / name) if database == "sqlite" else name,
        }
        command = [sys.executable, "-X", "dev", "-W", "error", "-m", "tests.concurrency.arena"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=self.environ
        )
        self.answer()

    def run(self, race: str, **arguments: Any) -> Any:
        """Return what a race of that name in races.py led to."""
        print(json.dumps([race, arguments]), file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self) -> Any:
        """Return the next result that the process tells."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "The arena died: see its standard error."
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def close(self) -> None:
        """Let the process drop its database and end."""
        self.process.communicate()
        assert self.process.returncode == 0


@pytest.fixture(scope="session", params=DATABASES)
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """An arena on each database in turn."""
    arena = Arena(request.param, tmp_path_factory.mktemp("arena"))
    yield arena
    arena.close()
