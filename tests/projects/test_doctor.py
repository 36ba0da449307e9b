"""``manage.py jwt_doctor`` in projects that are broken before Django is up, and with users of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.projects.test_failure import closed_port

pytestmark = pytest.mark.processes

EXAMINE = """
def report():
    import io
    said, status = io.StringIO(), 0
    try:
        call_command("jwt_doctor", "--json", stdout=said)
    except SystemExit as ended:
        status = ended.code
    return {"status": status, **json.loads(said.getvalue())}


"""

USERS = """
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Customers(BaseUserManager):
    pass


class Shop(models.Model):
    name = models.CharField(max_length=9)
"""


def named(report: dict[str, Any], topic: str, words: str) -> dict[str, str]:
    """Return the finding of a topic that has these words."""
    found = [it for it in report["findings"] if it["topic"] == topic and words in it["found"]]
    assert len(found) == 1, [it for it in report["findings"] if it["topic"] == topic]
    return found[0]


def test_a_project_that_was_not_migrated(project: Any) -> None:
    """Each topic that needs the tables says so, and the remedy is named."""
    report = project.run(EXAMINE + "tell(**report())")
    assert (report["status"], report["ok"]) == (1, False)
    assert "migrate" in named(report, "sessions", "The table of sessions cannot be read: ")["remedy"]
    assert named(report, "round_trip", "Could not be examined: OperationalError")["status"] == "error"


def test_views_that_were_imported_too_early(project: Any) -> None:
    """Law 7: E009, twice, with what to do."""
    project.write("shop/__init__.py", "import rest_framework.views")
    project.set("INSTALLED_APPS = [INSTALLED_APPS[-1], *INSTALLED_APPS[:-1]]\n")
    report = project.run(EXAMINE + "tell(**report())")
    told = [it for it in report["findings"] if "drf_jwt_kit.E009" in it["found"]]
    assert len(told) == 2
    assert all("Do not import its views before that" in it["remedy"] for it in told)


def test_a_database_that_is_not_there(project: Any) -> None:
    """Law 8: what needs it is named; what does not is examined."""
    project.set(
        f"""
        DATABASES = {{
            "default": {{"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": "{closed_port()}"}}
        }}
        DATABASES["default"] |= {{"NAME": "nowhere", "USER": "nobody"}}
        """
    )
    report = project.run(EXAMINE + "tell(**report())")
    assert report["status"] == 1
    for topic in ("hasher", "clock", "sessions", "round_trip"):
        assert named(report, topic, "OperationalError")["status"] == "error"
    assert "DATABASES" in named(report, "sessions", "cannot be read")["remedy"]
    assert named(report, "keys", "HS256 signs")["status"] == "ok"


def with_users(project: Any, model: str) -> None:
    """Give the project a user model of its own."""
    project.set("AUTH_USER_MODEL = 'shop.Customer'\nSIMPLE_JWT = {'USER_ID_FIELD': 'pk'}\n")
    project.write("shop/models.py", USERS + model)
    project.write("shop/migrations/__init__.py", "")


MIGRATED = """
call_command("makemigrations", "shop", verbosity=0)
call_command("migrate", verbosity=0)
"""


def test_a_user_model_with_fields_that_must_be_filled(project: Any) -> None:
    """Issue 5.5: what can be filled is; where there is no shop yet, that is said."""
    with_users(
        project,
        """
class Customer(AbstractBaseUser):
    number = models.CharField(max_length=12, primary_key=True)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=False)
    shop = models.ForeignKey(Shop, models.CASCADE)
    referrer = models.ForeignKey(Shop, models.CASCADE, null=True, related_name="+")
    nickname = models.CharField(max_length=30)
    code = models.SlugField(unique=True, max_length=5)
    note = models.TextField(unique=True)
    born = models.DateField()
    seen = models.DateTimeField()
    joined = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)
    wakes = models.TimeField()
    sleeps = models.DurationField()
    points = models.SmallIntegerField()
    weight = models.FloatField()
    debt = models.DecimalField(max_digits=5, decimal_places=2)
    wants_mail = models.BooleanField()
    key = models.UUIDField()
    extra = models.JSONField()
    origin = models.GenericIPAddressField()
    picture = models.FileField()
    rank = models.IntegerField(db_default=7)
    doubled = models.GeneratedField(
        expression=models.F("rank") * 2, output_field=models.IntegerField(), db_persist=True
    )
    objects = Customers()
    USERNAME_FIELD = "email"
""",
    )
    script = """
from shop.models import Customer, Shop
before = report()
Shop.objects.create(name="first")
tell(before=before, after=report(), left=Customer.objects.count())
"""
    told = project.run(EXAMINE + MIGRATED + script)
    note = named(told["before"], "round_trip", "no user could be made up")
    assert (note["status"], "there is no shop for its field 'shop'" in note["found"]) == ("note", True)
    assert named(told["after"], "round_trip", "call after the revocation: 401 revoked")["status"] == "ok"
    assert told["left"] == 0


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            """
class Color(models.Field):
    empty_strings_allowed = False

    def db_type(self, connection):
        return "text"


class Customer(AbstractBaseUser):
    name = models.CharField(max_length=30, unique=True)
    color = Color()
    objects = Customers()
    USERNAME_FIELD = "name"
""",
            "nobody knows what its field 'color' may hold",
        ),
        (
            """
class Person(AbstractBaseUser):
    name = models.CharField(max_length=30, unique=True)
    objects = Customers()
    USERNAME_FIELD = "name"


class Customer(Person):
    objects = Customers()
""",
            "Customer has a parent with a table of its own",
        ),
    ],
    ids=["a field of its own", "two tables"],
)
def test_a_user_model_that_wants_more(project: Any, model: str, words: str) -> None:
    """Issue 5.5: it is said what could not be examined, and that is no error."""
    with_users(project, model)
    report = project.run(EXAMINE + MIGRATED + "tell(**report())")
    note = named(report, "round_trip", "no user could be made up")
    assert (note["status"], words in note["found"]) == ("note", True), note


def test_standard_output_has_the_json_and_nothing_else(project: Any) -> None:
    """Whatever the round trip would log; this project hashes with MD5, so there is an error."""
    done = project.process('call_command("migrate", verbosity=0)\ncall_command("jwt_doctor", "--json")\n')
    assert (done.returncode, json.loads(done.stdout)["ok"], done.stderr) == (1, False, "")
