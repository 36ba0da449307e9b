"""``manage.py expired_token``."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from drf_jwt_kit.tokens import AccessToken


class Command(BaseCommand):
    """Print an access token of a user that expired yesterday."""

    help = "Print an access token that has expired, to see what the API answers to one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a username."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token, and nothing else, so that a shell can take it."""
        token = AccessToken.for_user(self._user(options["username"]))
        yesterday = timezone.now() - timedelta(days=1)
        token.set_iat(at_time=yesterday)
        token.set_exp(from_time=yesterday, lifetime=timedelta(minutes=5))
        self.stdout.write(str(token))

    def _user(self, username: str) -> Any:
        """Return the user of that name, or say that there is none."""
        user_model = get_user_model()
        try:
            return user_model.objects.get_by_natural_key(username)
        except user_model.DoesNotExist:
            raise CommandError(f"There is no user {username!r}.") from None
