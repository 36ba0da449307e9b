"""``manage.py seed_demo``."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.management.base import BaseCommand
from django.db import transaction

from notes.demo import NOTES, PASSWORDS
from notes.models import Note


class Command(BaseCommand):
    """Make the demo's users and notes, or what is missing of them."""

    help = "Make the demo's users, whose passwords are public, and their notes. It can be run again."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Seed each user, then that user's notes."""
        for username, password in PASSWORDS.items():
            user = self._user(username, password)
            self._notes(user)
            self.stdout.write(f"{username}, password {password}")

    def _user(self, username: str, password: str) -> AbstractUser:
        """Return the user, with the demo's password."""
        user, _ = get_user_model().objects.get_or_create(username=username)
        # Setting the same password again would sign the user's devices out.
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        return user

    def _notes(self, user: AbstractUser) -> None:
        """Write the user's first notes, unless there are some."""
        if not user.notes.exists():
            Note.objects.bulk_create(
                Note(owner=user, title=title, body=body) for title, body in NOTES[user.get_username()].items()
            )
