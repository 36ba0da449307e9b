"""Run ``jwt_prune`` in a process of its own and print, as JSON, what it said and by how many KiB it grew."""

from __future__ import annotations

import io
import json
import os
import resource

import django


def peak() -> int:
    """Return the most memory that this process ever had resident, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Prune, after a dry run has loaded all that pruning needs."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.concurrency.settings"
    django.setup()
    from django.core.management import call_command

    call_command("jwt_prune", "--dry-run", stdout=io.StringIO())
    before, said = peak(), io.StringIO()
    call_command("jwt_prune", stdout=said)
    print(json.dumps({"said": said.getvalue().strip(), "grown": peak() - before}))  # noqa: T201 - the protocol


if __name__ == "__main__":
    main()
