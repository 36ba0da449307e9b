"""The query that every request makes."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from drf_jwt_kit import lookup, sessions
from drf_jwt_kit.models import TokenSession

pytestmark = pytest.mark.django_db


def test_it_brings_what_the_orm_would_bring(user: Any) -> None:
    """Every field of session and user, of the same types."""
    pk = sessions.start(user, amr=["otp"]).session.pk
    ours, djangos = lookup.session_with_user(pk), TokenSession.objects.select_related("user").get(pk=pk)
    for one, other in ((ours, djangos), (ours.user, djangos.user)):
        for field in one._meta.concrete_fields:
            assert getattr(one, field.attname) == getattr(other, field.attname)
        assert not one._state.adding
        assert one._state.db == other._state.db


def test_it_is_one_query(user: Any, django_assert_num_queries: Any) -> None:
    """DESIGN.md 5: session and user together."""
    pk = sessions.start(user).session.pk
    with django_assert_num_queries(1):
        assert lookup.session_with_user(pk).user.username == "alice"


def test_an_unknown_id_is_nothing(user: Any) -> None:
    """Whoever asks decides what that means."""
    assert lookup.session_with_user(uuid4()) is None


def test_it_follows_the_zone_of_the_settings(user: Any, settings: Any) -> None:
    """The SQL is written once, but times are read as the settings say now."""
    pk = sessions.start(user).session.pk
    assert lookup.session_with_user(pk).created_at.tzinfo is not None
    settings.USE_TZ = False
    assert lookup.session_with_user(pk).created_at.tzinfo is None


@pytest.mark.django_db(transaction=True)
def test_a_threads_connection_is_let_go_with_its_thread(user: Any) -> None:
    """A server that starts threads without end keeps none of their connections."""
    pk, left = sessions.start(user).session.pk, []

    def work() -> None:
        assert lookup.session_with_user(pk) is not None
        left.append(weakref.ref(connections["default"]))
        # Django keeps an in-memory database open; this closes it all the same.
        BaseDatabaseWrapper.close(connections["default"])

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    gc.collect()
    assert left[0]() is None
