"""A process that holds one database and runs races on it, told over its standard input.

``ARENA_DATABASE`` and ``ARENA_NAME`` say which database it makes, migrates and drops when its input ends. A line in is
``[race, arguments]``; a line out is ``{"result": ...}`` or ``{"error": traceback}``, all of it JSON. The first line out
says that the database is there.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

import django


def run(race: Any, callers: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what a race led to, or how it failed."""
    try:
        return {"result": race(callers, **arguments)}
    except Exception:  # noqa: BLE001 - the test on the other end raises it
        return {"error": traceback.format_exc()}


def serve() -> None:
    """Run races until there is nothing more to read."""
    from tests.concurrency import calls, moments, pruning, races

    known = {**vars(races), **vars(moments), **vars(pruning)}
    callers = calls.Callers(24)
    print(json.dumps({"result": "ready"}), flush=True)  # noqa: T201 - the protocol
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(run(known[name], callers, arguments)), flush=True)  # noqa: T201 - the protocol
    callers.close()


def main() -> None:
    """Make the database, serve, drop the database."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.concurrency.settings"
    django.setup()
    from django.db import connection

    name = os.environ["ARENA_NAME"]
    # Threads change hands in the middle of a request, not at its end.
    sys.setswitchinterval(0.0001)
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        serve()
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main()
