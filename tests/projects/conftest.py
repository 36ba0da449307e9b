"""A project on disk, and a process that runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

SETTINGS = """
SECRET_KEY = "a-key-of-a-throw-away-project-that-is-long-enough"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "drf_jwt_kit", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
"""

CUSTOMER = """
import uuid
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Customers(BaseUserManager):
    def create_user(self, email, password):
        customer = self.model(email=email)
        customer.set_password(password)
        customer.save()
        return customer


class Customer(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    objects = Customers()
    USERNAME_FIELD = "email"
"""

URLS = """
from django.urls import include, path
from shop import views

urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    path("class/", views.Shelf.as_view()),
    path("function/", views.shelf),
]
"""

VIEWS = """
from rest_framework.decorators import api_view
from rest_framework.response import Response
from rest_framework.views import APIView


class Shelf(APIView):
    def get(self, request):
        return Response("books")


@api_view(["GET"])
def shelf(request):
    return Response("books")
"""

START = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django
django.setup()
from django.core import checks
from django.core.management import call_command


def kit_checks():
    return sorted(message.id for message in checks.run_checks() if message.id.startswith("drf_jwt_kit"))


def migrated_client():
    from django.contrib.auth import get_user_model
    from rest_framework.test import APIClient
    call_command("migrate", verbosity=0)
    users = get_user_model()
    users.objects.create_user(**{users.USERNAME_FIELD: "a@example.org", "password": "s3cret"})
    return APIClient(raise_request_exception=False)


def sign_in(client):
    from django.contrib.auth import get_user_model
    body = {get_user_model().USERNAME_FIELD: "a@example.org", "password": "s3cret"}
    return client.post("/api/token/", body, format="json")


def statuses(client, *paths):
    # Each path without a token, with a good one, and with garbage.
    access = sign_in(client).json()["access"]
    headers = ({}, {"HTTP_AUTHORIZATION": "Bearer " + access}, {"HTTP_AUTHORIZATION": "Bearer x"})
    return {path: [client.get(path, **header).status_code for header in headers] for path in paths}


def tell(**found):
    print(json.dumps(found))
"""


class Project:
    """A project's files, and a way to run it."""

    def __init__(self, folder: Path) -> None:
        """Write a project that installs the kit and does nothing else."""
        self.folder = folder
        self.write("settings.py", SETTINGS)
        self.write("urls.py", URLS)
        self.write("shop/__init__.py", "")
        self.write("shop/views.py", VIEWS)

    def write(self, name: str, source: str) -> None:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(source))

    def set(self, source: str) -> None:
        """Add to the settings."""
        with (self.folder / "settings.py").open("a") as settings:
            settings.write(dedent(source))

    def process(self, script: str, before: str = "") -> subprocess.CompletedProcess[str]:
        """Run a script in the project, and something before Django is set up."""
        search = [str(self.folder), *(entry for entry in sys.path if entry)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search)}
        command = [sys.executable, "-X", "dev", "-W", "error", "-c", before + START + dedent(script)]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def run(self, script: str, before: str = "") -> Any:
        """Run a script in the project, as :meth:`process` does, and return what it told."""
        done = self.process(script, before)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project that installs the kit, includes its URLs, and does nothing else."""
    return Project(tmp_path)
