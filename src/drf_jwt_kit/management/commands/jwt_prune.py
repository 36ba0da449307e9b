"""Delete sessions that no token can refer to any more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from drf_jwt_kit import models
from drf_jwt_kit.models import TokenSession

LARGEST_BATCH = 30_000  # ids: as many as every database takes in one statement


class Command(BaseCommand):
    """Prune in batches: bounded memory, short statements, safe while the site is in use."""

    help = "Delete sessions that have expired. Safe to run at any time; once a day will do."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take ``--batch-size`` and ``--dry-run``."""
        parser.add_argument("--batch-size", type=int, default=2000, help="Rows deleted by one statement (2000).")
        parser.add_argument("--dry-run", action="store_true", help="Say how many would be deleted, and delete none.")

    def handle(self, *, batch_size: int, dry_run: bool, **options: Any) -> None:
        """Delete batch after batch until none is left."""
        if not 1 <= batch_size <= LARGEST_BATCH:
            raise CommandError(f"--batch-size must be from 1 to {LARGEST_BATCH}.")
        prunable = TokenSession.objects.prunable(models.now())
        if dry_run:
            self.stdout.write(f"{prunable.count()} expired sessions would be deleted.")
            return
        deleted = 0
        while batch := list(prunable.order_by("expires_at").values_list("pk", flat=True)[:batch_size]):
            # The condition is repeated: a refresh may have extended one of them meanwhile.
            deleted += prunable.filter(pk__in=batch)._raw_delete(prunable.db)
        self.stdout.write(f"{deleted} expired sessions were deleted.")
