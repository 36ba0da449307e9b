"""Delete sessions that no token can refer to any more."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction

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
        now = models.now()
        if dry_run:
            self.stdout.write(f"{TokenSession.objects.prunable(now).count()} expired sessions would be deleted.")
            return
        deleted = 0
        while fewer := _delete_some(batch_size, now):
            deleted += fewer
        self.stdout.write(f"{deleted} expired sessions were deleted.")


def _delete_some(most: int, now: datetime) -> int:
    """Delete up to ``most`` rows; return how many, none where all that is left is held or was extended meanwhile.

    So that nobody meets a deadlock, rows that a transaction holds are passed over, or waited for in the order of
    their ids: InnoDB goes by these, as no other index helps with the condition, and PostgreSQL by where rows lie.
    """
    prunable = TokenSession.objects.prunable(now)
    connection = connections[prunable.db]
    passes_over = connection.features.has_select_for_update_skip_locked and connection.vendor != "mysql"
    with transaction.atomic(using=prunable.db) if passes_over else nullcontext():
        chosen = prunable.select_for_update(skip_locked=True) if passes_over else prunable
        batch = list(chosen.order_by("expires_at").values_list("pk", flat=True)[:most])
        if not batch:
            return 0
        rows = TokenSession.objects.filter(pk__in=batch)
        # A refresh may have extended one that is not held since it was chosen.
        doomed = rows if passes_over else rows.still_prunable(now)
        _all, deleted = doomed.delete()  # with what a project's models have that refers to them
        return deleted.get(TokenSession._meta.label, 0)
