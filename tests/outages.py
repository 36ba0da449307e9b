"""Servers that tests may stop: a Redis and a PostgreSQL of their own, on free ports."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests import services

ROOT = Path(__file__).resolve().parents[1]


def program(name: str) -> str:
    """Return where a server's program is; skip the test where it is not, unless services are required."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(debian[-1]) if debian else None)
    if found is None and not services.REQUIRED:
        pytest.skip(f"{name} was not found on this machine")
    assert found is not None, f"{name} was not found on this machine, and REQUIRE_SERVICES is set"
    return found


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


class PrivateRedis:
    """A Redis that keeps nothing on disk."""

    def __init__(self, folder: str) -> None:
        """Start it."""
        self.folder, self.port = folder, free_port()
        self.start()

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and read on until it says that it is ready."""
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", self.folder]
        command = [program("redis-server"), *options]
        self.process: Any = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert any("Ready to accept connections" in line for line in self.process.stdout), "Redis did not start."

    def stop(self) -> None:
        """Stop it for good, however it is."""
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        self.process.communicate(timeout=60)

    def hang(self) -> None:
        """Let it accept connections and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End the hanging."""
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    """Run a Redis of one's own."""
    with TemporaryDirectory() as folder:
        redis = PrivateRedis(folder)
        try:
            yield redis
        finally:
            redis.stop()


class PrivatePostgreSQL:
    """A cluster that anybody on this machine may connect to as ``postgres``."""

    def __init__(self, folder: str) -> None:
        """Make it and start it; it never runs as root."""
        self.folder, self.port = folder, free_port()
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale")
        self.start()

    def _run(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs on the cluster."""
        user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*user, program(name), "-D", self.folder, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, timeout=120)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-w", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self) -> None:
        """Stop it at once, connections and all."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def hang(self) -> None:
        """Let it accept connections and answer nothing."""
        os.kill(self._pid(), signal.SIGSTOP)

    def go_on(self) -> None:
        """End the hanging."""
        os.kill(self._pid(), signal.SIGCONT)

    def _pid(self) -> int:
        """Return the process id of the postmaster."""
        return int((Path(self.folder) / "postmaster.pid").read_text().split()[0])


@contextmanager
def private_postgresql() -> Iterator[PrivatePostgreSQL]:
    """Run a PostgreSQL of one's own."""
    with TemporaryDirectory() as folder:
        cluster = PrivatePostgreSQL(folder)
        try:
            yield cluster
        finally:
            cluster.start() if not (Path(folder) / "postmaster.pid").exists() else None
            cluster.stop()


def manage(environ: dict[str, str], *arguments: str) -> None:
    """Run a management command under the settings of the concurrency tests' servers."""
    options = ["--settings=tests.concurrency.settings", "--skip-checks"]
    command = [sys.executable, "-m", "django", *arguments, *options]
    subprocess.run(command, check=True, cwd=ROOT, env=environ, timeout=120)


def migrated(environ: dict[str, str], username: str, password: str) -> None:
    """Make the tables and one user who may sign in."""
    manage(environ, "migrate", "--verbosity=0")
    named = {"DJANGO_SUPERUSER_USERNAME": username, "DJANGO_SUPERUSER_PASSWORD": password}
    new_user = ("createsuperuser", "--noinput", "--email=", "--verbosity=0")
    manage({**environ, **named}, *new_user)
