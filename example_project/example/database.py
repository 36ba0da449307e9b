"""Read ``DATABASE_URL``."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

ENGINES = {
    "sqlite": "django.db.backends.sqlite3",
    "postgres": "django.db.backends.postgresql",
    "postgresql": "django.db.backends.postgresql",
}


def database_from_url(url: str) -> dict[str, Any]:
    """Return the ``DATABASES`` entry that a URL describes.

    ``postgresql://user:password@host:5432/name?sslmode=require`` and ``sqlite:////absolute/path`` are
    understood; what stands after ``?`` becomes ``OPTIONS``. Percent-encode special characters in user and
    password. Raises ``ImproperlyConfigured`` in words that never repeat the URL, for it may hold a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # urllib's message quotes what it could not read, which may be half of a password.
        raise ImproperlyConfigured("DATABASE_URL has a host or port that cannot be read.") from None
    _refuse_unusable(parts)
    return {
        "ENGINE": ENGINES[parts.scheme],
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": port or "",
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def _refuse_unusable(parts: SplitResult) -> None:
    """Raise ``ImproperlyConfigured`` where a part is missing or would be lost without a word."""
    if parts.scheme not in ENGINES:
        raise ImproperlyConfigured(f"DATABASE_URL must start with one of: {', '.join(ENGINES)}.")
    if not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL names no database.")
    if parts.fragment:
        raise ImproperlyConfigured("DATABASE_URL holds a '#': write it as %23.")
    if parts.scheme == "sqlite" and parts.netloc:
        raise ImproperlyConfigured("DATABASE_URL for SQLite needs three slashes before the path, or four.")
