"""Tell what an anonymous request gets from every endpoint of the project."""

from __future__ import annotations

import json
from collections import Counter
from http import HTTPMethod
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from drf_jwt_kit import audit
from drf_jwt_kit.audit import Row, Verdict


class Command(BaseCommand):
    """Print a verdict for every method of every route; exit with 1 where one of them is not as it must be."""

    help = "Tell what a request without a token gets from every endpoint: no handler runs, no data is touched."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the format, the methods, and what counts as a failure."""
        parser.add_argument("--format", choices=("table", "json"), default="table", help="For people, or for machines.")
        parser.add_argument("--method", action="append", type=str.upper, help="Only this method; may be repeated.")
        parser.add_argument("--urlconf", help="Another URLconf than ROOT_URLCONF.")
        parser.add_argument("--fail-on-open", action="store_true", help="Exit with 1 if an endpoint is OPEN.")
        parser.add_argument("--fail-on-unknown", action="store_true", help="Exit with 1 if one is UNKNOWN.")

    def handle(self, *, format: str, method: list[str] | None, urlconf: str | None, **options: Any) -> None:  # noqa: A002
        """Print the rows, then fail if any of them is to be failed on."""
        rows = self.rows(urlconf)
        if method:
            self.ensure_known(method, rows)
            rows = [row for row in rows if self.is_chosen(row, method)]
        self.stdout.write(
            json.dumps([row._asdict() for row in rows], indent=2) if format == "json" else self.table(rows)
        )
        failing = [verdict for verdict in (Verdict.OPEN, Verdict.UNKNOWN) if options[f"fail_on_{verdict.lower()}"]]
        if failed := [row for row in rows if row.verdict in failing]:
            raise CommandError("\n".join(f"{row.verdict}: {row.method} {row.route} ({row.view})" for row in failed))

    def rows(self, urlconf: str | None) -> list[Row]:
        """Return the verdicts; what a URLconf that exists cannot import itself is not hidden."""
        unknown = f"No URLconf is named {urlconf!r}."
        if urlconf is not None and "" in urlconf.split("."):
            raise CommandError(unknown)
        try:
            return audit.rows(urlconf)
        except ModuleNotFoundError as error:
            if error.name and f"{urlconf}.".startswith(f"{error.name}."):
                raise CommandError(unknown) from error
            raise
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error

    def ensure_known(self, methods: list[str], rows: list[Row]) -> None:
        """Refuse a misspelt method: nothing is open that nobody looked at."""
        known = {*HTTPMethod, *(row.method for row in rows)}
        if unknown := sorted(set(methods) - known):
            raise CommandError(f"No endpoint has a method {', '.join(unknown)}, and HTTP knows none.")

    def is_chosen(self, row: Row, methods: list[str]) -> bool:
        """Return whether a row is about one of the methods; a view that would not tell its own may answer any."""
        return row.method in methods or (row.method == "ANY" and row.verdict is Verdict.UNKNOWN)

    def table(self, rows: list[Row]) -> str:
        """Return the rows in columns, and a line that sums them up."""
        columns = [("VERDICT", "METHOD", "ROUTE", "VIEW", "WHY")]
        columns += [(row.verdict.value, row.method, row.route or '""', row.view, row.why) for row in rows]
        widths = [max(map(len, column)) for column in zip(*columns, strict=True)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in columns]
        styles = [self.style.MIGRATE_HEADING, *(self._style(row.verdict) for row in rows)]
        coloured = [style(line.rstrip()) for style, line in zip(styles, lines, strict=True)]
        return "\n".join([*coloured, "", self.summary(rows)])

    def summary(self, rows: list[Row]) -> str:
        """Return how many there are of each verdict."""
        counts = Counter(row.verdict for row in rows)
        return f"{len(rows)} endpoints: " + ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)

    def _style(self, verdict: Verdict) -> Any:
        """Return the colour of a verdict."""
        colours = {
            Verdict.PROTECTED: "SUCCESS",
            Verdict.OPEN: "ERROR",
            Verdict.UNKNOWN: "WARNING",
            Verdict.PUBLIC: "NOTICE",
        }
        return getattr(self.style, colours.get(verdict, "SQL_FIELD")) if verdict in colours else str
