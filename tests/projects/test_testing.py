"""The test kit in projects of others: a user model, databases, test cases and plugins that are not ours."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.processes

LIBRARY = """
DATABASES["archive"] = {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:archive?mode=memory&cache=shared"}
"""

OPEN = """

class Open(APIView):
    permission_classes = []

    def delete(self, request):
        from django.contrib.auth.models import User
        for database in ("default", "archive"):
            User.objects.using(database).all().delete()
        return Response(status=204)
"""

# Everything from here on is what a project would write.
CASES = """
from django.contrib.auth.models import User
from django.test import SimpleTestCase, TestCase, TransactionTestCase
from drf_jwt_kit.testing import api_client_for, assert_protected
from rest_framework.test import APITestCase


class Common:
    def test_protection(self):
        with self.assertRaisesRegex(AssertionError, r"DELETE open/ \\(shop.views.Open\\): no token"):
            assert_protected()
        self.assertGreaterEqual(assert_protected(skip=["open/"]).requests, 40)

    def test_client(self):
        user = User.objects.create_user("alice")
        self.assertEqual(api_client_for(user).get("/class/").status_code, 200)


class InTestCase(Common, TestCase):
    pass


class InTransactionTestCase(Common, TransactionTestCase):
    pass


class InAPITestCase(Common, APITestCase):
    def test_own_client(self):
        self.assertGreater(assert_protected(self.client, skip=["open/"]).requests, 0)


class WithBothDatabases(TransactionTestCase):
    databases = {"default", "archive"}

    def test_nothing_is_deleted_from_either(self):
        for database in self.databases:
            User.objects.using(database).create(username="alice")
        with self.assertRaisesRegex(AssertionError, "204"):
            assert_protected()
        for database in self.databases:
            self.assertEqual(User.objects.using(database).count(), 1)


class WithoutDatabases(SimpleTestCase):
    def test_protection(self):
        with self.assertRaisesRegex(AssertionError, "Database queries to 'default' are not allowed"):
            assert_protected()
"""


def run(project: Any, *command: str) -> str:
    """Run a command of the project's and return what it printed; it must succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["PYTHONPATH"] = os.pathsep.join([str(project.folder), *(entry for entry in sys.path if entry)])
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-m", *command],
        cwd=project.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_every_kind_of_test_case(project: Any) -> None:
    """Django's own runner, two databases, and no pytest: it is not even imported."""
    project.set(LIBRARY)
    project.write("shop/views.py", (project.folder / "shop/views.py").read_text() + OPEN)
    project.write(
        "urls.py",
        (project.folder / "urls.py").read_text() + "\nurlpatterns += [path('open/', views.Open.as_view())]\n",
    )
    project.write("shop/tests.py", "import sys\nassert 'pytest' not in sys.modules\n" + CASES)

    assert "Ran 9 tests" in run(project, "django", "test", "--settings=settings")


ACCOUNTS = """
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models


class Managing(BaseUserManager):
    def create_superuser(self, email, born, floor, password):
        return self.create(email=email, born=born, floor=floor)


class Person(AbstractBaseUser):
    email = models.EmailField(unique=True)
    born = models.DateField()
    floor = models.PositiveSmallIntegerField()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["born", "floor"]
    is_active = True
    objects = Managing()
"""

PROVE = """
from django.core.management import call_command
from django.test.utils import setup_test_environment
from drf_jwt_kit.testing import assert_protected

setup_test_environment()
call_command("migrate", run_syncdb=True, verbosity=0)
try:
    tell(requests=assert_protected().requests)
except ValueError as error:
    tell(error=str(error), cause=str(error.__cause__))
"""


def test_a_user_model_of_the_projects(project: Any) -> None:
    """Whatever ``createsuperuser`` would ask for is made up, if it can be."""
    project.set("AUTH_USER_MODEL = 'shop.Person'\n")
    project.write("shop/models.py", ACCOUNTS)
    assert project.run(PROVE)["requests"] >= 40

    project.write("shop/models.py", ACCOUNTS.replace("models.DateField()", "models.BinaryField()"))
    assert project.run(PROVE) == {
        "error": "No user could be made for these tokens. Pass one: user=...",
        "cause": "nobody knows what its field 'born' may hold",
    }


WITH_FIXTURES = """
from datetime import timedelta

from django.contrib.auth import get_user_model


def test_client_and_time(frozen_time, api_client_for):
    client = api_client_for(get_user_model().objects.create_user("alice"))
    assert client.get("/class/").status_code == 200
    frozen_time.shift(timedelta(minutes=6))
    assert client.get("/class/").json()["reason"] == "expired"


def test_protection(assert_protected):
    assert assert_protected().requests >= 40
"""

WITHOUT_FIXTURES = """
import pytest
from drf_jwt_kit import testing


@pytest.mark.django_db
def test_protection():
    assert testing.assert_protected().requests >= 40


@pytest.mark.django_db(transaction=True)
def test_protection_without_a_transaction():
    assert testing.assert_protected().requests >= 40


def test_a_database_is_needed():
    with pytest.raises(RuntimeError, match="django_db"):
        testing.assert_protected()
"""


@pytest.mark.parametrize("way", ["conftest", "option"])
def test_pytest_plugin(project: Any, way: str) -> None:
    """Both ways to ask for it; DRF is not imported before Django is set up, or its defaults would be open."""
    project.write("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = settings\npython_files = test_*.py\n")
    project.write("test_protection.py", WITH_FIXTURES)
    if way == "conftest":
        project.write("conftest.py", "pytest_plugins = ['drf_jwt_kit.pytest_plugin']\n")
    options = ["-p", "drf_jwt_kit.pytest_plugin"] if way == "option" else []

    assert "2 passed" in run(project, "pytest", *options)


def test_pytest_without_the_plugin(project: Any) -> None:
    """It is not forced on anyone."""
    project.write("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = settings\n")
    project.write("test_protection.py", WITHOUT_FIXTURES)

    assert "3 passed" in run(project, "pytest")
    assert "frozen_time" not in run(project, "pytest", "--fixtures", "-q")


def test_nothing_else_imports_pytest_or_the_test_kit(project: Any) -> None:
    """They are there for tests; a server has neither."""
    script = """
    import sys
    call_command("check")
    call_command("jwt_audit", stdout=sys.stderr)
    tell(loaded=sorted({"pytest", "time_machine", "drf_jwt_kit.testing"} & sys.modules.keys()))
    """
    assert project.run(script) == {"loaded": []}
