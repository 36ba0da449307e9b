"""``manage.py otp_code``."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from second_factor.devices import code_of, device_of


class Command(BaseCommand):
    """Be the authenticator app of a user of the demo."""

    help = "Print the code that a user's authenticator app shows now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a username."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the code, and nothing else, so that a shell can take it."""
        users = get_user_model()
        try:
            user = users.objects.get_by_natural_key(options["username"])
        except users.DoesNotExist:
            raise CommandError(f"There is no user {options['username']!r}.") from None
        self.stdout.write(code_of(device_of(user)))
