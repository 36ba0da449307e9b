"""End sessions from the command line."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from drf_jwt_kit import models, sessions
from drf_jwt_kit.models import TokenSession


class Command(BaseCommand):
    """Sign out one device, one user, or everybody."""

    help = "End sessions: one, a user's, or all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take exactly one of the three."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--session", metavar="ID", help="The session with this id.")
        which.add_argument("--user", metavar="NAME", help="All sessions of the user of this name.")
        which.add_argument("--all", action="store_true", help="All sessions of all users.")

    def handle(self, *, session: str | None, user: str | None, **options: Any) -> None:
        """End them and say how many."""
        ended = self._end(session, user)
        self.stdout.write(f"{ended} sessions were ended.")

    def _end(self, session: str | None, user: str | None) -> int:
        """End what was named; an empty name is a name, and nobody's."""
        if session is not None:
            return self._one(session)
        return self._user(user) if user is not None else self._all()

    def _one(self, text: str) -> int:
        """End the session with this id."""
        try:
            session = TokenSession.objects.filter(pk=UUID(text)).first_or_none()
        except ValueError:
            session = None
        if session is None:
            raise CommandError(f"There is no session {text!r}.")
        return int(sessions.revoke(session, "ended_by_command"))

    def _user(self, name: str) -> int:
        """End all sessions of one user."""
        user = models.user_named(name) or self._hidden(name)
        if user is None:
            raise CommandError(f"There is no user {name!r}.")
        return sessions.revoke_all(user)

    def _hidden(self, name: str) -> Any:
        """Return the user whom the model's manager hides under a name."""
        if not models.can_be_user_name(name):
            return None
        return self._users().filter(**{get_user_model().USERNAME_FIELD: name}).first()

    def _all(self) -> int:
        """End all sessions, user by user, in bounded memory."""
        live = TokenSession.objects.filter(revoked_at=None)
        users = self._users().filter(pk__in=live.values("user"))
        return sum(sessions.revoke_all(user) for user in users.iterator(chunk_size=1000))

    def _users(self) -> Any:
        """Return all users, those too whom the model's own managers hide, from where their sessions are."""
        return get_user_model()._base_manager.using(models.writing_database())
