"""Isolation: what happens inside leaves no row, no cache key, no log line and no mail, and no signal tells of it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from inspect import signature
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.signals import got_request_exception
from django.db import transaction
from django.db.models.signals import post_save, pre_save
from django.dispatch import Signal
from django.test import override_settings

from . import models, signals

_SIGNALS = (
    signals.session_started,
    signals.token_refreshed,
    signals.session_revoked,
    signals.refresh_token_reused,
    user_logged_in,
    user_login_failed,
    pre_save,
    post_save,
    got_request_exception,
)
# Django's own: the statement that it costs is part of what a sign-in costs.
_KEPT_RECEIVERS = {"update_last_login"}

_LOGGERS = ("django", "drf_jwt_kit")
_MAKE_KEYS = {"add", "set", "get_or_set", "set_many"}
_MAKE_KEYS_LATER = {f"a{name}" for name in _MAKE_KEYS}
_NO_MAIL = "django.core.mail.backends.dummy.EmailBackend"


@contextmanager
def isolated() -> Iterator[list[logging.LogRecord]]:
    """Undo whatever is done inside; yield the errors that would have been logged.

    Only this thread is isolated from the caches, and only the database of sessions is rolled back.
    Signals and loggers are silent for the whole process, so it is nothing for a server.
    """
    with ExitStack() as undone:
        for signal in _SIGNALS:
            undone.enter_context(_muted(signal))
        undone.enter_context(_without_mail())
        said = undone.enter_context(_captured_log())
        for alias in caches:
            undone.enter_context(_forgetful(alias))
        undone.enter_context(rolled_back(models.writing_database()))
        yield said


@contextmanager
def _muted(signal: Signal) -> Iterator[None]:
    """Let a signal reach nobody that it tells of what is not to last."""
    receivers = signal.receivers
    kept = [entry for entry in receivers if entry[0][0] in _KEPT_RECEIVERS]
    _set_receivers(signal, kept)
    try:
        yield
    finally:
        _set_receivers(signal, receivers)


def _set_receivers(signal: Signal, receivers: list[Any]) -> None:
    """Replace a signal's receivers, and forget which it knew for each sender."""
    with signal.lock:
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


@contextmanager
def _without_mail() -> Iterator[None]:
    """Let a gate or a backend of the project's write to nobody."""
    mailers = {alias: {"BACKEND": _NO_MAIL} for alias in getattr(settings, "MAILERS", ())}
    override = override_settings(MAILERS=mailers) if mailers else override_settings(EMAIL_BACKEND=_NO_MAIL)
    with warnings.catch_warnings():
        # Django 6.1 has MAILERS, and a warning for whoever has not.
        warnings.filterwarnings("ignore", message=".*EMAIL_BACKEND")
        with override:
            yield


class _Memory(logging.Handler):
    """A handler that keeps what went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)


@contextmanager
def _captured_log() -> Iterator[list[logging.LogRecord]]:
    """Keep what Django and the kit log from its handlers: mails to admins, audit logs, the terminal."""
    memory = _Memory()
    known = logging.root.manager.loggerDict
    names = {*_LOGGERS, *(name for name in known if name.startswith(tuple(f"{name}." for name in _LOGGERS)))}
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        top = logger.name in _LOGGERS
        logger.handlers, logger.propagate = [memory] if top else [], not top
    try:
        yield memory.records
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate


class _Ledger:
    """A cache that writes down which of its keys are new."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        self._new: set[tuple[str, Any]] = set()

    def __getattr__(self, name: str) -> Any:
        """Return what the cache itself has, with the methods that make keys watched."""
        found = getattr(self._cache, name)
        if name in _MAKE_KEYS:
            return partial(self._write, name, found)
        return partial(self._awrite, name, found) if name in _MAKE_KEYS_LATER else found

    def __contains__(self, key: str) -> bool:
        return key in self._cache

    def _write(self, name: str, method: Any, *args: Any, **kwargs: Any) -> Any:
        """Note the keys that are not there yet, then write."""
        for key, version in _written(name, args, kwargs):
            if not self._cache.has_key(key, version=version):
                self._new.add((key, version))
        return method(*args, **kwargs)

    async def _awrite(self, name: str, method: Any, *args: Any, **kwargs: Any) -> Any:
        """Do the same, and do not wait."""
        for key, version in _written(name, args, kwargs):
            if not await self._cache.ahas_key(key, version=version):
                self._new.add((key, version))
        return await method(*args, **kwargs)

    def clear_new(self) -> None:
        """Delete what came."""
        for key, version in self._new:
            self._cache.delete(key, version=version)


def _written(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the keys that a call writes, with their version; a backend may take more than Django's do, at the end."""
    _self, *names = signature(getattr(BaseCache, name)).parameters
    given = dict(zip(names, args, strict=False)) | kwargs
    for key in [given["key"]] if "key" in given else given.get("data", ()):
        yield key, given.get("version")


@contextmanager
def _forgetful(alias: str) -> Iterator[None]:
    """Let a cache forget what it is told, as far as it did not know the key before."""
    cache = caches[alias]
    ledger: Any = _Ledger(cache)
    caches[alias] = ledger
    try:
        yield
    finally:
        caches[alias] = cache
        ledger.clear_new()


@contextmanager
def rolled_back(database: str) -> Iterator[None]:
    """Run inside a transaction that comes to nothing, or a savepoint of the caller's."""
    block: Any = transaction.atomic(using=database)
    block._from_testcase = True  # as in Django's own test cases: a project's durable block may stand inside
    with block:
        try:
            yield
        finally:
            transaction.set_rollback(True, using=database)
