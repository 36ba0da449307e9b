"""Isolation: what is done inside has not happened."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_logged_in
from django.core import mail
from django.core.cache import cache, caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django.db.models.signals import post_save

from drf_jwt_kit import receivers, sessions, signals
from drf_jwt_kit.isolation import isolated
from drf_jwt_kit.models import TokenSession

pytestmark = pytest.mark.django_db


class InterruptionError(Exception):
    """Something that comes up inside."""


def do_everything(user: Any) -> None:
    """Leave a row, cache keys, a log line, a mail and a signal."""
    pair = sessions.start(user)
    sessions.revoke(pair.session)
    get_user_model().objects.create_user("bob")
    cache.set("new", 1)
    cache.add("added", 1)
    cache.get_or_set("either", 1)
    cache.set_many({"one": 1, "two": 2})
    cache.set("other", 1, version=2)
    cache.set("known", "changed")
    cache.set(key="named", value=1, timeout=60)
    cache.set("in_its_place", 1, 60, 2)
    cache.set_many(data={"three": 3}, version=2)
    cache.set_many({"four": 4}, 60, 2)
    async_to_sync(cache.aset)("later", 1, version=2)
    async_to_sync(cache.aset)("known", "changed later")
    async_to_sync(cache.aadd)(key="added_later", value=1)
    async_to_sync(cache.aget_or_set)("either_later", 1)
    async_to_sync(cache.aset_many)({"five": 5})
    logging.getLogger("drf_jwt_kit").error("An error of the kit's.")
    logging.getLogger("django.request").error("An error of Django's.")
    mail.send_mail("subject", "body", "from@example.org", ["to@example.org"])


@pytest.mark.parametrize("outcome", [None, InterruptionError], ids=["ends", "is interrupted"])
def test_nothing_is_left(user: Any, mailoutbox: list[Any], caplog: Any, outcome: type[Exception] | None) -> None:
    """Rows, keys, log lines, mails and signals, however it ends."""
    told: list[Any] = []
    cache.set("known", "value")
    for signal in (post_save, signals.session_started):
        signal.connect(lambda **kwargs: told.append(kwargs), weak=False, dispatch_uid="test")
    with suppress(InterruptionError), isolated():
        do_everything(user)
        assert (TokenSession.objects.count(), cache.get("one"), "either" in cache) == (1, 1, True)
        if outcome:
            raise outcome
    for signal in (post_save, signals.session_started):
        assert signal.disconnect(dispatch_uid="test")
    assert [model.objects.count() for model in (TokenSession, get_user_model())] == [0, 1]
    assert [key.rpartition(":")[2] for key in caches["default"]._cache] == ["known"]
    lines = [record for record in caplog.records if record.name != "asyncio"]  # which tells of a slow machine
    assert told == mailoutbox == lines == []


@pytest.mark.filterwarnings("ignore:Django 2028 will not have a default mailer")
def test_afterwards_all_is_as_it_was(user: Any, caplog: Any, mailoutbox: list[Any]) -> None:
    """Receivers, loggers, the cache, mail and the transaction."""
    kit, security = logging.getLogger("drf_jwt_kit"), logging.getLogger("drf_jwt_kit.security")
    handler = logging.NullHandler()
    security.addHandler(handler)
    before = [list(signal.receivers) for signal in (post_save, user_logged_in)]
    with isolated():
        assert not security.handlers
    assert [list(signal.receivers) for signal in (post_save, user_logged_in)] == before
    assert receivers.follow_user in post_save._live_receivers(sender=get_user_model())[0]
    assert (kit.propagate, kit.handlers, security.handlers) == (True, [], [handler])
    assert type(caches["default"]) is LocMemCache
    assert not connection.needs_rollback
    do_everything(user)
    assert len(mailoutbox) == 1
    assert "An error of the kit's." in caplog.text
    security.removeHandler(handler)


def test_errors_are_at_hand_inside(caplog: Any) -> None:
    """They say why something failed; what is less than an error does not."""
    with isolated() as said:
        logging.getLogger("drf_jwt_kit.security").warning("less")
        logging.getLogger("drf_jwt_kit.made_later").error("the reason")
        logging.getLogger("elsewhere").error("not ours")
    assert [record.getMessage() for record in said] == ["the reason"]
    assert [record.getMessage() for record in caplog.records] == ["not ours"]


def test_signing_in_still_writes_last_login(user: Any) -> None:
    """Its statement is part of what a sign-in costs."""
    with isolated():
        assert user_logged_in._live_receivers(sender=type(user))[0] == [update_last_login]
        user_logged_in.send(sender=type(user), request=None, user=user)
        assert get_user_model().objects.get(pk=user.pk).last_login is not None
    assert get_user_model().objects.get(pk=user.pk).last_login is None


def test_mail_of_every_mailer_is_kept(settings: Any) -> None:
    """Django 6.1 calls the setting ``MAILERS``; before, nobody reads that."""
    before = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}, "bulk": {}}
    settings.MAILERS = before
    with isolated():
        assert set(settings.MAILERS) == {"default", "bulk"}
        assert {mailer["BACKEND"] for mailer in settings.MAILERS.values()} == {
            "django.core.mail.backends.dummy.EmailBackend"
        }
    assert before == settings.MAILERS


def test_a_cache_keeps_what_only_it_has(settings: Any) -> None:
    """A backend's own methods and attributes are there."""
    with isolated():
        assert caches["default"].default_timeout == 300
        assert not hasattr(caches["default"], "lock")
