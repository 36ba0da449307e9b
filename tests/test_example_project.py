"""The example project: its settings, its commands and its page."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from example.database import database_from_url
from notes.demo import NOTES, PASSWORDS
from notes.models import Note
from rest_framework.test import APIClient

MANAGE = Path(__file__).resolve().parent.parent / "example_project" / "manage.py"


def run(command: str) -> str:
    """Run a management command line in this process and return what it printed."""
    printed = StringIO()
    call_command(*command.split(), stdout=printed)
    return printed.getvalue()


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that runs the example project with its own settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DJANGO_SETTINGS_MODULE", "SECRET_KEY", "DEBUG"}
    }
    own = {
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "DATABASE_URL": "sqlite:///:memory:",
    }
    return inherited | own | more


def manage(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the example project's ``manage.py`` in its own process, with its own settings."""
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class TestDatabaseUrl:
    """``DATABASE_URL``, read without another package."""

    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            (
                "postgresql://notes:secret@db.internal:6432/notes?sslmode=require",
                {"USER": "notes", "PASSWORD": "secret", "HOST": "db.internal", "PORT": 6432, "NAME": "notes"},
            ),
            ("postgres://db/notes", {"USER": "", "PASSWORD": "", "HOST": "db", "PORT": "", "NAME": "notes"}),
            (
                "postgresql://a%40b:p%2Fw%23@[::1]:5432/n%20s",
                {"USER": "a@b", "PASSWORD": "p/w#", "HOST": "::1"},
            ),
            ("postgresql:///notes?host=%2Fvar%2Frun", {"HOST": "", "OPTIONS": {"host": "/var/run"}}),
        ],
    )
    def test_postgresql(self, url: str, expected: dict[str, Any]) -> None:
        """Every part is decoded, and the query becomes options."""
        entry = database_from_url(url)
        assert entry["ENGINE"] == "django.db.backends.postgresql"
        assert expected.items() <= entry.items()

    @pytest.mark.parametrize(
        ("url", "name"), [("sqlite:///notes.db", "notes.db"), ("sqlite:////data/notes.db", "/data/notes.db")]
    )
    def test_sqlite(self, url: str, name: str) -> None:
        """Three slashes are relative, four absolute."""
        entry = database_from_url(url)
        assert (entry["ENGINE"], entry["NAME"]) == ("django.db.backends.sqlite3", name)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "notes.db",
            "mysql://user:hunter2@host/name",
            "postgresql://user:hunter2@host",
            "postgresql://user:hunter2@host/",
            "postgresql://user:hunter2@host:port/name",
            "postgresql://user:hunter2@host:99999/name",
            "postgresql://user:hunter2/2@host/name",
            "postgresql://user:hunter2#2@host/name",
            "postgresql://user:hunter2@[::1/name",
            "sqlite://notes.db/x",
            "sqlite:///",
        ],
    )
    def test_what_cannot_be_read_is_refused_without_repeating_it(self, url: str) -> None:
        """A typing mistake must not print the password (law 10), nor connect to something else."""
        with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refusal:
            database_from_url(url)
        assert "hunter2" not in "".join(traceback.format_exception(refusal.value))


class TestSettings:
    """The settings module, loaded by a process of its own."""

    def test_the_project_checks_clean_as_shipped(self) -> None:
        """A fresh clone needs no setting changed, and the kit finds nothing to warn of."""
        result = manage("check", "--fail-level", "WARNING")
        assert result.returncode == 0, result.stderr

    def test_no_migration_is_missing(self) -> None:
        """The notes app's migrations say what its models say."""
        result = manage("makemigrations", "notes", "--check", "--dry-run")
        assert result.returncode == 0, result.stdout + result.stderr

    def test_the_development_key_is_refused_with_debug_off(self) -> None:
        """A key that everybody can read here must not sign tokens in production."""
        result = manage("check", DEBUG="0")
        assert result.returncode != 0
        assert "Set SECRET_KEY" in result.stderr

    def test_an_own_key_is_accepted_with_debug_off(self) -> None:
        """With a key from the environment the project starts."""
        result = manage("check", DEBUG="0", SECRET_KEY="a-key-from-the-environment-" * 3)
        assert result.returncode == 0, result.stderr

    @pytest.mark.processes
    def test_the_doctor_finds_no_error(self, tmp_path: Path) -> None:
        """Every part is measured by a process of its own, which prints its findings and nothing else."""
        url = f"sqlite:///{tmp_path / 'doctor.sqlite3'}"
        assert manage("migrate", "--verbosity=0", DATABASE_URL=url).returncode == 0
        result = manage("jwt_doctor", "--json", DATABASE_URL=url)
        assert (result.returncode, result.stderr) == (0, "")
        assert json.loads(result.stdout)["ok"] is True


class TestDemo:
    """``manage.py demo`` and the commands that it uses."""

    def test_it_can_be_run_again(self, tmp_path: Path) -> None:
        """A second run on the same database finds everything in place."""
        url = f"sqlite:///{tmp_path / 'demo.sqlite3'}"
        for _ in range(2):
            result = manage("demo", "--no-serve", "--port", "8123", DATABASE_URL=url)
            assert result.returncode == 0, result.stderr
            assert "http://127.0.0.1:8123/" in result.stdout

    @pytest.mark.django_db
    def test_it_seeds_once(self) -> None:
        """Users and notes are there after one run, and not doubled after two."""
        run("demo --no-serve")
        before = list(get_user_model().objects.order_by("pk").values_list("username", "password"))
        run("demo --no-serve")
        assert list(get_user_model().objects.order_by("pk").values_list("username", "password")) == before
        assert [username for username, _ in before] == list(PASSWORDS)
        assert Note.objects.count() == sum(map(len, NOTES.values()))

    @pytest.mark.django_db
    def test_it_prints_the_passwords(self) -> None:
        """A newcomer learns from the terminal how to sign in."""
        printed = run("demo --no-serve")
        assert all(password in printed for password in PASSWORDS.values())

    @pytest.mark.django_db
    def test_seeding_puts_a_changed_password_back(self) -> None:
        """The password that is printed is the one that works."""
        run("seed_demo")
        alice = get_user_model().objects.get(username="alice")
        alice.set_password("something else")
        alice.save()
        run("seed_demo")
        alice.refresh_from_db()
        assert alice.check_password(PASSWORDS["alice"])

    @pytest.mark.django_db
    def test_an_expired_token_needs_a_user(self) -> None:
        """A mistyped name is a sentence, not a traceback."""
        with pytest.raises(CommandError, match="no user 'nobody'"):
            run("expired_token nobody")

    @pytest.mark.curl
    def test_the_printed_steps_work_when_pasted_into_a_shell(self, live_server: Any) -> None:
        """Each curl line answers what its comment promises."""
        _, steps = run("demo --no-serve").split("With curl:")
        script = steps.replace("http://127.0.0.1:8000", live_server.url)
        result = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=60, check=True)
        answers = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("HTTP/")]
        assert answers == ["200", "403", "200", "401", "200", "200", "200", "401"]
        assert [word for word in ("not_authenticated", '"expired"', '"revoked"') if word not in result.stdout] == []


class Demo:
    """``manage.py demo --second-factor``, served, and a shell beside it."""

    def __init__(self, folder: Path) -> None:
        """Serve it on a free port, and take the steps that it prints."""
        self.environment = environment(DATABASE_URL=f"sqlite:///{folder / 'demo.sqlite3'}", PYTHONUNBUFFERED="1")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        command = [sys.executable, str(MANAGE), "demo", "--second-factor", "--port", port]
        self.server = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.server.stdout
        printed = ""
        while "server at http://" not in printed:
            line = self.server.stdout.readline()
            assert line, printed
            printed += line
        steps = re.search(r"With curl:\n(.*\$SIGN_IN\"\n)", printed, re.DOTALL)
        assert steps, printed
        self.steps = steps[1]

    def paste(self) -> subprocess.CompletedProcess[str]:
        """Paste the steps into a shell."""
        return subprocess.run(
            ["bash"], input=self.steps, env=self.environment, capture_output=True, text=True, timeout=120, check=True
        )

    def stop(self) -> None:
        """Stop serving."""
        self.server.terminate()
        with self.server:
            pass


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """The demo with a second factor, served."""
    demo = Demo(tmp_path)
    yield demo
    demo.stop()


class TestSecondFactor:
    """``manage.py demo --second-factor``, and the settings that it runs on."""

    def test_its_settings_check_clean(self) -> None:
        """What they add is nothing to warn of, and the plain ones know nothing of it."""
        result = manage("check", "--settings", "example.second_factor", "--fail-level", "WARNING")
        assert result.returncode == 0, result.stderr
        result = manage("otp_code", "alice")
        assert "Unknown command: 'otp_code'" in result.stderr

    def test_the_plain_project_does_without_django_otp(self, tmp_path: Path) -> None:
        """A package that cannot be imported is not missed."""
        (tmp_path / "django_otp.py").write_text("raise ImportError('not installed')")
        search = os.pathsep.join([str(tmp_path), *(entry for entry in sys.path if entry)])
        assert manage("check", PYTHONPATH=search).returncode == 0
        result = manage("check", "--settings", "example.second_factor", PYTHONPATH=search)
        assert "not installed" in result.stderr

    def test_it_has_a_database_of_its_own(self) -> None:
        """Devices belong to users of a table that the plain project may delete from."""
        show = "from django.conf import settings; print(settings.DATABASES['default']['NAME'])"
        results = [
            manage("shell", "-v", "0", "-c", show, "--settings", name, DATABASE_URL="")
            for name in ("example.settings", "example.second_factor")
        ]
        assert [Path(result.stdout.strip()).name for result in results] == ["db.sqlite3", "second_factor.sqlite3"]

    @pytest.mark.django_db
    def test_alice_keeps_her_device(self) -> None:
        """A second run prints the same key, and the code is the one that ``otp_code`` prints."""
        printed = [run("demo --no-serve --second-factor") for _ in range(2)]
        keys = {line for text in printed for line in text.splitlines() if "otpauth://" in line}
        assert len(keys) == 1
        assert re.fullmatch(r"\d{6}", run("otp_code alice").strip())

    @pytest.mark.django_db
    def test_a_code_needs_a_user(self) -> None:
        """A mistyped name is a sentence, not a traceback."""
        with pytest.raises(CommandError, match="no user 'nobody'"):
            run("otp_code nobody")

    @pytest.mark.processes
    @pytest.mark.curl
    def test_the_printed_steps_work_when_pasted_into_a_shell(self, demo: Demo) -> None:
        """Each curl line answers what its comment promises, from a server with those settings."""
        result = demo.paste()
        answers = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("HTTP/")]
        assert answers == ["200", "401", "401", "200", "401"], result.stdout + result.stderr
        codes = ["insufficient_user_authentication", "second_factor_required", "second_factor_invalid"]
        assert re.findall(r'"code":"(\w+)"', result.stdout) == codes
        assert "Read RFC 9700" in result.stdout


class TestPage:
    """The page at the root."""

    def test_it_may_load_nothing_from_elsewhere(self, client: APIClient) -> None:
        """The policy allows own files only, and the page names no other host."""
        answer = client.get("/")
        assert answer.status_code == 200
        assert answer["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert "//" not in answer.content.decode().replace("</", "")

    def test_it_names_the_users_of_the_demo(self, client: APIClient) -> None:
        """A visitor can sign in without looking at the terminal."""
        page = client.get("/").content.decode()
        assert all(password in page for password in PASSWORDS.values())
