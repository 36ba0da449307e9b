"""Measure an installation, and say what to do about what is found."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from drf_jwt_kit import doctor
from drf_jwt_kit.doctor import Diagnosis
from drf_jwt_kit.findings import Status

_INDENT = 20


class Command(BaseCommand):
    """Print what the doctor finds; exit with 1 where there is an error."""

    help = "Measure the hasher, keys, cache, clock and a whole round trip, and say what to do about what is found."
    # They would stop a broken project at the door: the doctor runs them itself.
    requires_system_checks: list[str] = []  # type: ignore[assignment,unused-ignore]

    def add_arguments(self, parser: CommandParser) -> None:
        """Take ``--json`` and ``--fail-on-warning``."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print one JSON object, for machines.")
        parser.add_argument("--fail-on-warning", action="store_true", help="Exit with 1 where there is a warning, too.")

    def handle(self, *, as_json: bool, fail_on_warning: bool, **options: Any) -> None:
        """Examine, print and judge."""
        found = list(doctor.examine())
        bad = {Status.ERROR, Status.WARNING} if fail_on_warning else {Status.ERROR}
        ok = not any(diagnosis.finding.status in bad for diagnosis in found)
        (self._print_json if as_json else self._print)(found, ok=ok)
        if not ok:
            sys.exit(1)

    def _print_json(self, found: list[Diagnosis], *, ok: bool) -> None:
        """Print for machines."""
        findings = [{"topic": diagnosis.topic, **diagnosis.finding._asdict()} for diagnosis in found]
        self.stdout.write(json.dumps({"findings": findings, "ok": ok}, indent=2))

    def _print(self, found: list[Diagnosis], *, ok: bool) -> None:
        """Print for people: topic, status, what was found and, beneath it, the remedy."""
        topic = ""
        for diagnosis in found:
            self._print_finding("" if diagnosis.topic == topic else diagnosis.topic, diagnosis)
            topic = diagnosis.topic
        counts = Counter(diagnosis.finding.status for diagnosis in found)
        last = ", ".join(f"{counts[status]} {status}{_plural(status, counts[status])}" for status in Status)
        self.stdout.write((self.style.SUCCESS if ok else self.style.ERROR)(f"{last}."))

    def _print_finding(self, heading: str, diagnosis: Diagnosis) -> None:
        """Print one finding, its remedy set in beneath it."""
        finding, width = diagnosis.finding, shutil.get_terminal_size().columns
        paint = {
            Status.OK: self.style.SUCCESS,
            Status.NOTE: self.style.HTTP_INFO,
            Status.WARNING: self.style.WARNING,
            Status.ERROR: self.style.ERROR,
        }[finding.status]
        heading = f"{heading.replace('_', ' '):<12}{paint(f'{finding.status:<8}')}"
        for text, indent in ((finding.found, _INDENT), (finding.remedy, _INDENT + 2)):
            for line in textwrap.wrap(text, max(width - indent, 20)):
                self.stdout.write(f"{heading or ' ' * indent}{line}")
                heading = ""


def _plural(status: Status, count: int) -> str:
    """Return the ending of a status that is counted."""
    return "" if status is Status.OK or count == 1 else "s"
