"""Events: a signal and a log line for each, and no token in either's words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, transaction
from rest_framework_simplejwt.tokens import RefreshToken as PlainRefreshToken

from drf_jwt_kit import rotation, sessions, signals
from drf_jwt_kit.exceptions import Reused, Revoked
from drf_jwt_kit.models import TokenSession
from tests.conftest import PASSWORD, bearer

pytestmark = pytest.mark.django_db

NAMES = ("session_started", "token_refreshed", "session_revoked", "refresh_token_reused")


@pytest.fixture
def events() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The events that were sent, with their arguments."""
    seen: list[tuple[str, dict[str, Any]]] = []
    receivers = {name: _recorder(name, seen) for name in NAMES}
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    yield seen
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


def _recorder(name: str, seen: list[Any]) -> Any:
    def record(signal: Any, **arguments: Any) -> None:
        seen.append((name, arguments))

    return record


@pytest.fixture
def lines(caplog: Any) -> Any:
    """A function that returns the security log so far, and forgets it."""
    caplog.set_level(logging.INFO, logger="drf_jwt_kit.security")

    def lines() -> list[logging.LogRecord]:
        records = [record for record in caplog.records if record.name == "drf_jwt_kit.security"]
        caplog.clear()
        return records

    return lines


def names(events: list[Any]) -> list[str]:
    """Return what happened, in order."""
    return [name for name, _arguments in events]


def test_a_session_from_start_to_end(events: Any, sign_in: Any, post: Any) -> None:
    """Each step sends one signal with the session and the request."""
    tokens = sign_in()
    refreshed = post("token/refresh/", refresh=tokens.refresh).data
    post("token/revoke/", token=refreshed["refresh"])
    assert names(events) == ["session_started", "token_refreshed", "session_revoked"]
    for _name, arguments in events:
        assert arguments["sender"] is TokenSession
        assert arguments["session"] == TokenSession.objects.get()
        assert arguments["request"].META["REMOTE_ADDR"] == "127.0.0.1"
    assert events[-1][1]["reason"] == "signed_out"


def test_a_replay_is_told_before_its_end(events: Any, user: Any, settings: Any) -> None:
    """Law 3: who watches for theft listens to one signal."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    refresh = str(sessions.start(user).refresh)
    sessions.rotate(refresh)
    events.clear()
    with pytest.raises(Reused):
        sessions.rotate(refresh)
    assert names(events) == ["refresh_token_reused", "session_revoked"]
    assert events[1][1]["reason"] == "reused"
    assert events[0][1]["request"] is None


@pytest.fixture
def replayed(user: Any, settings: Any) -> tuple[str, str]:
    """A refresh token that was used, and its successor."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    used = str(sessions.start(user).refresh)
    return used, str(sessions.rotate(used).refresh)


def test_a_replay_has_ended_the_session_before_anybody_hears_of_it(replayed: tuple[str, str]) -> None:
    """Law 3: a receiver may hang at a mail server, and the thief goes on meanwhile."""
    found: list[Any] = []

    def look(*, session: TokenSession, **kwargs: Any) -> None:
        found.extend([session.revoked_at, TokenSession.objects.get().revoked_at])
        with pytest.raises(Revoked):
            sessions.rotate(replayed[1])

    signals.refresh_token_reused.connect(look)
    try:
        with pytest.raises(Reused):
            sessions.rotate(replayed[0])
    finally:
        signals.refresh_token_reused.disconnect(look)
    assert len(found) == 2
    assert all(found)


def _lose(**arguments: Any) -> None:
    """Fail as a receiver does for which the database gives up the whole transaction: MariaDB, at a deadlock."""
    with connection.cursor() as cursor:
        cursor.execute("ROLLBACK")
    raise OperationalError(1213, "Deadlock found")


def _stop(**kwargs: Any) -> None:
    """End the process, as gunicorn does where a receiver takes too long."""
    raise SystemExit


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("around", [nullcontext, transaction.atomic])
@pytest.mark.parametrize("stops", [_stop, _lose], ids=["process", "transaction"])
def test_a_replay_ends_the_session_whatever_its_receivers_do(
    replayed: tuple[str, str], around: Any, stops: Any
) -> None:
    """Law 3: a worker that is stopped while it tells of the theft leaves nothing to the thief."""
    signals.refresh_token_reused.connect(stops)
    try:
        with pytest.raises((SystemExit, Reused, OperationalError)), around():
            sessions.rotate(replayed[0])
    finally:
        signals.refresh_token_reused.disconnect(stops)
    with pytest.raises(Revoked):
        sessions.rotate(replayed[1])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stops", [_stop, _lose], ids=["process", "transaction"])
def test_a_user_found_inactive_stays_signed_out_whatever_receivers_do(user: Any, stops: Any) -> None:
    """Law 9: the rollback that follows takes nothing back, and nobody is revived."""
    pair = sessions.start(user)
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    signals.session_revoked.connect(stops)
    try:
        with pytest.raises((SystemExit, OperationalError)), transaction.atomic():
            sessions.rotate(str(pair.refresh))
    finally:
        signals.session_revoked.disconnect(stops)
    type(user).objects.filter(pk=user.pk).update(is_active=True)
    with pytest.raises(Revoked):
        sessions.rotate(str(pair.refresh))


@pytest.mark.django_db(transaction=True)
def test_a_replay_ends_the_session_where_that_failed_at_first(replayed: tuple[str, str], monkeypatch: Any) -> None:
    """Law 3: a deadlock, say, that rolls back the caller's transaction with it."""
    revoke, failed = rotation.revoke, []

    def fail_once(*args: Any) -> Any:
        if not failed:
            failed.append(True)
            raise OperationalError(1213, "Deadlock found")
        return revoke(*args)

    monkeypatch.setattr(rotation, "revoke", fail_once)
    with pytest.raises(OperationalError), transaction.atomic():
        sessions.rotate(replayed[0])
    with pytest.raises(Revoked):
        sessions.rotate(replayed[1])


@pytest.mark.parametrize(
    ("reason", "told"),
    [(rotation.SIGNED_OUT, ["refresh_token_reused"]), (rotation.REUSED, [])],
    ids=["owner", "replay"],
)
def test_who_comes_second_to_the_end_of_a_replayed_session_tells_of_no_end(
    replayed: tuple[str, str], events: Any, monkeypatch: Any, reason: str, told: list[str]
) -> None:
    """Law 4: a session ends once, by its owner who signs out meanwhile, or by another replay, who tells of that."""
    revoke = rotation.revoke
    assert revoke(sessions.start(TokenSession.objects.get().user).session, rotation.REUSED)  # another device's
    events.clear()

    def come_second(session: TokenSession, reused: str) -> bool:
        assert revoke(TokenSession.objects.get(revoked_at=None), reason)
        return revoke(session, reused)

    monkeypatch.setattr(rotation, "revoke", come_second)
    with pytest.raises(Reused):
        sessions.rotate(replayed[0])
    assert names(events) == told
    assert TokenSession.objects.order_by("pk")[0].revoke_reason == reason


@pytest.mark.parametrize("path", ["sessions/", "sessions/others/"])
def test_signing_out_everywhere_tells_of_each_session(events: Any, sign_in: Any, client: Any, path: str) -> None:
    """One signal for each session that ended, none for those that had before."""
    current, *_others = [sign_in() for _ in range(3)]
    events.clear()
    client.delete(f"/api/{path}", **bearer(current.access))
    ended = [arguments["session"].pk for name, arguments in events]
    assert len(set(ended)) == len(ended) == (3 if path == "sessions/" else 2)
    assert {arguments["reason"] for _name, arguments in events} == {"signed_out_everywhere"}
    assert all(arguments["session"].revoked_at is not None for _name, arguments in events)
    assert {arguments["session"].revoke_reason for _name, arguments in events} == {"signed_out_everywhere"}


def test_nothing_is_told_twice(events: Any, user: Any, post: Any) -> None:
    """Signing out again, or with nothing to sign out of, is no event."""
    refresh = str(sessions.start(user).refresh)
    post("token/revoke/", token=refresh)
    events.clear()
    for token in (refresh, "a.b.c"):
        post("token/revoke/", token=token)
    sessions.revoke_all(user)
    assert events == []


def test_ending_everything_tells_of_what_this_call_ended(events: Any, user: Any, clock: Any) -> None:
    """Two sign-outs in one instant of time tell of each session once."""
    sessions.start(user)
    assert sessions.revoke_all(user) == 1
    sessions.start(user)
    assert sessions.revoke_all(user) == 1
    assert names(events).count("session_revoked") == 2


def test_a_receiver_that_fails_keeps_nobody_out(user: Any, post: Any, caplog: Any) -> None:
    """A project's mail server being down is no reason to refuse a sign-in."""

    def fail(**kwargs: Any) -> None:
        raise RuntimeError("the mail server is down")

    signals.session_started.connect(fail)
    try:
        assert post("token/", username="alice", password=PASSWORD).status_code == 200
    finally:
        signals.session_started.disconnect(fail)
    assert "the mail server is down" in caplog.text


def _write_twice(**arguments: Any) -> None:
    """Fail as a receiver does that writes a row which is there already."""
    for _ in range(2):
        Group.objects.create(name="signed out")


def _break_off(**arguments: Any) -> None:
    """Fail as a receiver does whose SQL is wrong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM nowhere")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fails", [_write_twice, _break_off])
@pytest.mark.parametrize("name", ["session_started", "session_revoked"])
def test_a_receiver_that_fails_takes_back_nothing_of_the_callers(user: Any, fails: Any, name: str) -> None:
    """Django condemns the transaction that an INSERT failed in, whoever catches that: the sign-out would be undone."""
    getattr(signals, name).connect(fails)
    try:
        with transaction.atomic():
            ended = sessions.start(user)
            sessions.revoke_all(user)
            kept = sessions.start(user)
    finally:
        getattr(signals, name).disconnect(fails)
    assert sessions.rotate(str(kept.refresh)).session == kept.session
    with pytest.raises(Revoked):
        sessions.rotate(str(ended.refresh))


def _lose_quietly(**arguments: Any) -> None:
    """Fail so, and catch that as Django's documentation says."""
    with suppress(OperationalError), transaction.atomic():
        _lose()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("loses", [_lose, _lose_quietly])
def test_a_transaction_that_a_receiver_loses_is_lost_to_its_caller(user: Any, loses: Any) -> None:
    """2.2: whoever ends a session in it must not be told that it ended."""
    pair = sessions.start(user)
    signals.session_revoked.connect(loses)
    try:
        with pytest.raises(OperationalError), transaction.atomic():
            sessions.revoke_all(user)
    finally:
        signals.session_revoked.disconnect(loses)
    assert sessions.rotate(str(pair.refresh)).session == pair.session


@pytest.mark.usefixtures("events")
def test_a_transaction_that_was_condemned_before_is_no_receivers_doing(user: Any) -> None:
    """Django: its owner knows, as of one on another database; who ends a session there is not stopped by it."""
    session = sessions.start(user).session
    with transaction.atomic():
        transaction.set_rollback(True)
        signals.announce(signals.session_revoked, "session_revoked", logging.INFO, session=session, reason="reused")


def test_each_event_is_a_line_with_ids_and_address(lines: Any, sign_in: Any, post: Any, user: Any) -> None:
    """What an operator searches by: event, user, session, address, reason; as text and as fields."""
    tokens = sign_in()
    refresh = post("token/refresh/", refresh=tokens.refresh).data["refresh"]
    post("token/revoke/", token=refresh)
    session = TokenSession.objects.get()
    records = lines()
    assert [record.event for record in records] == ["session_started", "token_refreshed", "session_revoked"]
    for record in records:
        assert (record.user_id, record.session_id, record.address) == (user.pk, session.pk, "127.0.0.1")
        assert f"user={user.pk} session={session.pk} address=127.0.0.1" in record.getMessage()
    assert records[-1].getMessage().endswith("reason=signed_out")


def test_a_replay_is_a_warning(lines: Any, sign_in: Any, post: Any, clock: Any) -> None:
    """The one event that somebody should be woken by."""
    refresh = sign_in().refresh
    post("token/refresh/", refresh=refresh)
    clock.shift(timedelta(seconds=31))
    lines()
    post("token/refresh/", refresh=refresh)
    assert [(record.event, record.levelname) for record in lines()] == [
        ("refresh_token_reused", "WARNING"),
        ("session_revoked", "INFO"),
    ]


def test_a_line_has_the_address_of_whoever_asked(lines: Any, client: Any, tokens: Any) -> None:
    """A thief's address, not the one that its owner signed in from."""
    lines()
    client.post("/api/token/refresh/", {"refresh": tokens.refresh}, format="json", REMOTE_ADDR="203.0.113.9")
    assert [record.address for record in lines()] == ["203.0.113.9"]


def test_without_a_request_the_sessions_address_is_told(lines: Any, sign_in: Any) -> None:
    """A command or a receiver that ends a session has no request to look at."""
    sign_in()
    lines()
    sessions.revoke(TokenSession.objects.get())
    assert lines()[0].address == "127.0.0.1"


def test_no_line_holds_a_token_or_a_password(caplog: Any, user: Any, sign_in: Any, post: Any, clock: Any) -> None:
    """Law 10: every event, and every refusal beside it, at every level."""
    caplog.set_level(logging.DEBUG)
    tokens = sign_in()
    used = [PASSWORD, *tokens, str(PlainRefreshToken.for_user(user))]
    used.append(post("token/refresh/", refresh=tokens.refresh).data["refresh"])
    clock.shift(timedelta(seconds=31))
    for token in [*used[1:], tokens.refresh, "a.b.c"]:
        for path in ("token/refresh/", "token/blacklist/"):
            post(path, refresh=token)
        for path in ("token/verify/", "token/revoke/"):
            post(path, token=token)
    post("token/", username="alice", password="not " + PASSWORD)
    words = caplog.text + "".join(repr(vars(record)) for record in caplog.records if "request" not in vars(record))
    assert "refresh_token_reused" in words or "session_revoked" in words
    assert not any(secret in words for secret in used)


@pytest.mark.parametrize("name", ["a\r\nb", "a\nsign_in_failed username='root'", "a\x1b[2Jb", "a\u2028b", "a\x85b"])
def test_a_user_name_cannot_forge_a_line(lines: Any, post: Any, user: Any, name: str) -> None:
    """A failed sign-in is one line, whatever name was tried: control characters are escaped."""
    answer = post("token/", username=name, password="wrong")
    assert answer.status_code in (400, 401)
    for record in lines():
        assert record.getMessage().isprintable()
    assert not any(len(record.getMessage().splitlines()) > 1 for record in lines())


def test_a_failed_sign_in_is_a_warning_with_its_address(lines: Any, post: Any, user: Any) -> None:
    """THREATS.md, Words: present, with the name that was tried."""
    post("token/", username="alice", password="wrong")
    (record,) = lines()
    assert record.levelname == "WARNING"
    assert "sign_in_failed" in record.getMessage()
    assert "alice" in record.getMessage()
    assert "127.0.0.1" in record.getMessage()
    assert "wrong" not in record.getMessage()
