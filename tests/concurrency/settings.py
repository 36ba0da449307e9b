"""Settings of an arena: those of the suite for ``ARENA_DATABASE``, on the database named ``ARENA_NAME``."""

import os
from datetime import timedelta
from importlib import import_module
from typing import Any

_suite: Any = import_module(f"tests.settings.{os.environ['ARENA_DATABASE']}")
globals().update({name: value for name, value in vars(_suite).items() if name.isupper()})

_name = os.environ["ARENA_NAME"]
# An arena's caller keeps its connection from round to round, as a server's thread does.
DATABASES: dict[str, Any] = {
    "default": {**_suite.DATABASES["default"], "NAME": _name, "TEST": {"NAME": _name}, "CONN_MAX_AGE": None}
}
if os.environ["ARENA_DATABASE"] == "sqlite":
    # Beyond Python's five seconds: eight writers queue for one file here.
    DATABASES["default"]["OPTIONS"] = {"timeout": 20}

# Sign-ins in flight count as failed until they are through: eight of one user's at once would be too many.
DRF_JWT_KIT = {
    "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": os.environ.get("ARENA_FAILURES"),
    "REFRESH_GRACE_PERIOD": timedelta(seconds=int(os.environ.get("ARENA_GRACE", "30"))),
}
MIDDLEWARE: list[str] = []
# A crash in a view fails the race with its traceback, instead of being a 500 among the answers.
DEBUG_PROPAGATE_EXCEPTIONS = True

# Some thousand refusals are wanted here: nobody needs to read of each.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"nowhere": {"class": "logging.NullHandler"}},
    "loggers": {name: {"handlers": ["nowhere"], "propagate": False} for name in ("django", "drf_jwt_kit.security")},
}
