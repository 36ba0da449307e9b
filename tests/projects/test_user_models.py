"""Law 9, and the drop-in, where a project's users are not Django's."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.processes

MODEL = """
from django.contrib.auth.models import User


class Member(User):
    class Meta:
        proxy = True
"""

ASK = """
call_command("makemigrations", "shop", verbosity=0)
migrated_client()
from django.contrib.auth.hashers import MD5PasswordHasher
from shop.models import Member, User

User.objects.update(password=MD5PasswordHasher().encode("the old one", "salt"))
late = Member.objects.get()
imported = MD5PasswordHasher().encode("a new one", "salt")
User.objects.update(password=imported)
tell(checked=late.check_password("the old one"), kept=User.objects.get().password == imported)
"""


def test_a_rehash_of_a_proxy_undoes_no_change(project: Any) -> None:
    """It was read with the old password, whatever class it was read as."""
    hashers = [f"django.contrib.auth.hashers.{name}PasswordHasher" for name in ("PBKDF2", "MD5")]
    project.set(f"PASSWORD_HASHERS = {hashers}\n")
    project.write("shop/models.py", MODEL)
    project.write("shop/migrations/__init__.py", "")
    assert project.run(ASK) == {"checked": True, "kept": True}


ODD = """
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Users(BaseUserManager):
    def create_user(self, username, password=None):
        user = self.model(username=username)
        user.set_password(password)
        user.save()
        return user


class Whispered(models.CharField):
    def select_format(self, compiler, sql, params):
        return f"coalesce({sql}, %s)", [*params, "nothing"]


class User(AbstractBaseUser):
    username = models.CharField(max_length=50, unique=True)
    password = models.CharField(max_length=128, null=True, default=None)
    motto = Whispered(max_length=50, null=True)
    left = models.DateTimeField(null=True)
    is_active = ACTIVE
    objects = Users()
    USERNAME_FIELD = "username"
"""

# Signs in, then deactivates the user by a save that names one column; that is undone where nobody is told.
ASK_ODD = """
call_command("makemigrations", "shop", verbosity=0)
client = migrated_client()
from django.utils import timezone
from drf_jwt_kit import sessions
from drf_jwt_kit.models import TokenSession
from shop.models import User

signed_in = sign_in(client)
bearer = {"HTTP_AUTHORIZATION": "Bearer " + signed_in.json()["access"]}
listed = client.get("/api/sessions/", **bearer)
user = User.objects.get()
user.password = None
user.save()
pair = sessions.start(user)
off, on = CHANGES
user = User.objects.get()
setattr(user, COLUMN, off)
user.save(update_fields=[COLUMN])
User.objects.update(**{COLUMN: on})
tell(
    statuses=[signed_in.status_code, listed.status_code],
    motto=user.motto,
    ended=sorted(TokenSession.objects.values_list("revoke_reason", flat=True)),
)
"""

ASK_KEPT = """
call_command("makemigrations", "shop", verbosity=0)
client = migrated_client()
from drf_jwt_kit.models import TokenSession
from shop.models import User

User.objects.update(is_active=VALUE)
signed_in = sign_in(client)
user = User.objects.get()
user.motto = "new"
user.save()
tell(status=signed_in.status_code, ended=TokenSession.objects.get().revoke_reason)
"""


@pytest.mark.parametrize(
    ("column", "value"), [("models.IntegerField(default=1)", 2), ("models.CharField(max_length=9, default='Y')", "Y")]
)
def test_a_column_that_is_no_boolean_may_say_who_is_active(project: Any, column: str, value: Any) -> None:
    """Law 9: what Python takes for true is, as wherever somebody signs in."""
    project.set("AUTH_USER_MODEL = 'shop.User'\n")
    project.write("shop/models.py", ODD.replace("ACTIVE", column))
    project.write("shop/migrations/__init__.py", "")
    assert project.run(ASK_KEPT.replace("VALUE", repr(value))) == {"status": 200, "ended": ""}


ACTIVITY = {
    "a column that the database computes": (
        "models.GeneratedField(expression=models.Q(left=None), output_field=models.BooleanField(), db_persist=True)",
        "left",
        "timezone.now(), None",
    ),
    "a column that may be empty": ("models.BooleanField(null=True, default=True)", "is_active", "None, True"),
    "a property": ("property(lambda user: user.left is None)", "left", "timezone.now(), None"),
}


@pytest.mark.parametrize(("active", "column", "changes"), ACTIVITY.values(), ids=ACTIVITY)
def test_an_odd_user_signs_in_and_is_deactivated(project: Any, active: str, column: str, changes: str) -> None:
    """Law 9: whatever says who is active, whether a column asks for parameters, and without a password as well."""
    project.set("AUTH_USER_MODEL = 'shop.User'\n")
    project.write("shop/models.py", ODD.replace("ACTIVE", active))
    project.write("shop/migrations/__init__.py", "")
    script = ASK_ODD.replace("COLUMN", repr(column)).replace("CHANGES", changes)
    ended = ["password_changed", "user_inactive"]
    assert project.run(script) == {"statuses": [200, 200], "motto": "nothing", "ended": ended}
