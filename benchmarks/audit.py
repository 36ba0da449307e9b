"""Measure the audit of a large URLconf beside sending each of its requests.

``python -m benchmarks.audit [--routes N]`` (2 000). The audit is to take less than five seconds for those.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.run import set_up


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a call took, and what it returned."""
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


def urlconf(routes: int) -> tuple[Any, ...]:
    """Return a URLconf of viewsets behind a router: four routes each."""
    from django.urls import include, path
    from notes.views import NoteViewSet
    from rest_framework.routers import SimpleRouter

    router = SimpleRouter(use_regex_path=False)
    for number in range(routes // 4):
        router.register(f"notes-{number}", NoteViewSet, basename=f"note-{number}")
    return (path("api/", include(router.urls)),)


def main() -> None:
    """Audit, then send."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--routes", type=int, default=2000)
    patterns = parser.parse_args().routes
    set_up("sqlite")
    from django.test import override_settings
    from rest_framework.test import APIClient

    from drf_jwt_kit import audit, routes

    where = urlconf(patterns)
    audited, rows = seconds(lambda: audit.rows(where))
    paths = {route.route: route.example().path for route in routes.walk(where)}
    client = APIClient()
    with override_settings(ROOT_URLCONF=where):
        sent, answers = seconds(lambda: [client.generic(row.method, f"/{paths[row.route]}") for row in rows])
    verdicts, statuses = Counter(row.verdict for row in rows), Counter(answer.status_code for answer in answers)
    print(f"{len(paths)} routes, {len(rows)} methods   audit {audited:.2f} s   requests {sent:.2f} s", end="   ")
    print(f"ratio {audited / sent:.2f}   {dict(verdicts)} {dict(statuses)}")


if __name__ == "__main__":
    main()
