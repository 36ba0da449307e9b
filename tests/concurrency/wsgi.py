"""The example project behind gunicorn, in an arena; ``/worker`` tells the id of the process that answers."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.concurrency.settings"

project = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer as the project does, but for the one path."""
    if environ["PATH_INFO"] != "/worker":
        return project(environ, start_response)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [str(os.getpid()).encode()]
