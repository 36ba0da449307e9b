"""Stand-ins for databases and caches: what a project's code asks of them is refused, and noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Never

from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.db import connections

_WAYS_IN = ("connect", "ensure_connection", "temporary_connection", "cursor", "chunked_cursor")
_TRANSACTIONS = ("set_autocommit", "commit", "rollback", "savepoint", "savepoint_commit", "savepoint_rollback")


class DatabaseAskedError(Exception):
    """Code wanted to ask a database."""


@contextmanager
def kept_from_data() -> Iterator[list[str]]:
    """Put stand-ins for this thread's connections and caches; note what was asked for an answer.

    The connections themselves are not touched: other threads may share them, and a transaction of a test's may be open
    on one.
    """
    asked: list[str] = []
    with ExitStack() as stack:
        for alias in connections:
            stack.enter_context(_replaced(connections, alias, _database(alias, asked)))
        for alias in caches:
            stack.enter_context(_replaced(caches, alias, _Cache(asked)))
        yield asked


@contextmanager
def _replaced(handler: Any, alias: str, stand_in: Any) -> Iterator[None]:
    """Let an alias mean something else for a while; what it means is not made for that."""
    before = getattr(handler._connections, alias, None)
    handler[alias] = stand_in
    try:
        yield
    finally:
        del handler[alias]
        if before is not None:
            handler[alias] = before


def _database(alias: str, asked: list[str]) -> Any:
    """Return a connection that never connects; transactions on it begin and end without one."""

    def refuse(*args: Any, **kwargs: Any) -> Never:
        asked.append("the database")
        raise DatabaseAskedError

    connection: Any = connections.create_connection(alias)
    for way in _WAYS_IN:
        setattr(connection, way, refuse)
    for name in _TRANSACTIONS:
        setattr(connection, name, lambda *args, **kwargs: "")  # which is the name of a savepoint, too
    connection.get_autocommit = lambda: True
    return connection


class _Cache(DummyCache):
    """A cache that keeps nothing, and notes who hopes that it did."""

    def __init__(self, asked: list[str]) -> None:
        """Take the list of notes."""
        super().__init__("", {})
        self._asked = asked

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Find nothing."""
        self._asked.append("the cache")
        return super().get(key, default, version)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        """Find nothing."""
        self._asked.append("the cache")
        return super().has_key(key, version)
