"""Law 9, where a project has more than one class for its users."""

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
