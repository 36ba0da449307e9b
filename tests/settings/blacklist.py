"""SQLite, with simplejwt's blacklist app installed."""

from .sqlite import *

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework_simplejwt.token_blacklist"]
