"""The session endpoints, and signing out, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from drf_jwt_kit import sessions
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken, RefreshToken
from tests.conftest import PASSWORD, Tokens, bearer

NOBODYS = "0198f3a0-0000-7000-8000-000000000000"

pytestmark = pytest.mark.django_db

FIELDS = ["id", "current", "created_at", "last_used_at", "expires_at", "user_agent", "ip_address"]


def listed(client: APIClient, tokens: Tokens) -> list[dict[str, Any]]:
    """Return the session list as ``tokens`` see it."""
    answer = client.get("/api/sessions/", **bearer(tokens.access))
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()
    return found


def sid(tokens: Tokens) -> UUID:
    """Return which session the tokens belong to."""
    session_id = AccessToken(tokens.access).sid
    assert session_id is not None
    return session_id


@pytest.fixture
def alive(client: APIClient) -> Any:
    """A function that returns whether tokens are accepted, both or neither."""

    def alive(tokens: Tokens) -> bool:
        me = client.get("/api/me/", **bearer(tokens.access)).status_code
        verify = client.post("/api/token/verify/", {"token": tokens.refresh}, format="json").status_code
        assert me == verify
        return bool(me == 200)

    return alive


@pytest.fixture
def bob(db: None) -> Tokens:
    """The tokens of another user."""
    pair = sessions.start(get_user_model().objects.create_user("bob"))
    return Tokens(str(pair.access), str(pair.refresh))


# -- The list --------------------------------------------------------------------------------------


def test_the_list_shows_own_devices_the_last_used_first(
    client: APIClient, sign_in: Any, post: Any, clock: Any, bob: Tokens
) -> None:
    """DESIGN.md 2.1: the fields, in the order of the contract; one of them is the current one."""
    phone, laptop = sign_in(), None
    clock.shift(timedelta(minutes=1))
    laptop = sign_in()
    clock.shift(timedelta(minutes=1))
    post("token/refresh/", refresh=phone.refresh)
    rows = listed(client, laptop)
    assert [list(row) for row in rows] == [FIELDS, FIELDS]
    assert [UUID(row["id"]) for row in rows] == [sid(phone), sid(laptop)]
    assert [row["current"] for row in rows] == [False, True]
    first = {name: parse_datetime(rows[0][name]) for name in ("created_at", "last_used_at", "expires_at")}
    assert first["last_used_at"] - first["created_at"] == timedelta(minutes=2)
    assert first["expires_at"] - first["last_used_at"] == timedelta(days=1)


def test_the_list_names_the_device(client: APIClient, user: Any) -> None:
    """User agent and address of the sign-in."""
    credentials = {"username": "alice", "password": PASSWORD}
    headers = {"HTTP_USER_AGENT": "Firefox", "REMOTE_ADDR": "2001:db8::7"}
    answer = client.post("/api/token/", credentials, format="json", **headers)
    (row,) = listed(client, Tokens(answer.data["access"], ""))
    assert (row["user_agent"], row["ip_address"]) == ("Firefox", "2001:db8::7")


def test_the_list_is_silent_where_nothing_is_recorded(client: APIClient, sign_in: Any, settings: Any) -> None:
    """The two settings: empty, not missing."""
    settings.DRF_JWT_KIT = {"RECORD_USER_AGENT": False, "RECORD_IP_ADDRESS": False}
    (row,) = listed(client, sign_in())
    assert (row["user_agent"], row["ip_address"]) == ("", None)


def test_what_cannot_be_continued_is_not_listed(client: APIClient, sign_in: Any, user: Any, clock: Any) -> None:
    """Expired, ended, at its absolute end, or of an older password: a device that is out already."""
    gone = [sign_in() for _ in range(4)]
    states: list[dict[str, Any]] = [
        {"expires_at": TokenSession.objects.first().created_at},
        {"revoked_at": TokenSession.objects.first().created_at},
        {"absolute_expires_at": TokenSession.objects.first().created_at},
        {"credential_hash": "of an older password"},
    ]
    for tokens, state in zip(gone, states, strict=True):
        TokenSession.objects.filter(pk=sid(tokens)).update(**state)
    current = sign_in()
    assert [UUID(row["id"]) for row in listed(client, current)] == [sid(current)]


def test_a_token_without_a_session_sees_the_list_too(client: APIClient, user: Any, tokens: Tokens) -> None:
    """None of the devices is the one that asks."""
    (row,) = listed(client, Tokens(str(AccessToken.for_user(user)), ""))
    assert row["current"] is False


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "sessions/"),
        ("head", "sessions/"),
        ("delete", "sessions/"),
        ("delete", "sessions/others/"),
        ("delete", f"sessions/{NOBODYS}/"),
    ],
)
def test_the_endpoints_are_closed(client: APIClient, tokens: Tokens, method: str, path: str) -> None:
    """Law 7: 403 with nothing, 401 with anything that is no live access token; nothing ends."""
    send = getattr(client, method)
    assert send(f"/api/{path}").status_code == 403
    for bad in ("a.b.c", tokens.refresh, tokens.access[:-4] + "AAAA"):
        assert send(f"/api/{path}", **bearer(bad)).status_code == 401
    assert not TokenSession.objects.exclude(revoked_at=None).exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "options", "trace"])
@pytest.mark.parametrize("path", ["sessions/", "sessions/others/", f"sessions/{NOBODYS}/"])
def test_other_methods_are_refused(client: APIClient, tokens: Tokens, method: str, path: str) -> None:
    """405 JSON, and nothing ends."""
    answer = client.generic(method.upper(), f"/api/{path}", **bearer(tokens.access))
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert not TokenSession.objects.exclude(revoked_at=None).exists()


# -- Ending ----------------------------------------------------------------------------------------


def test_signing_out_everywhere(client: APIClient, sign_in: Any, alive: Any, bob: Tokens) -> None:
    """``DELETE sessions/``: this one too, nobody else's, and signing in again works."""
    devices = [sign_in() for _ in range(3)]
    answer = client.delete("/api/sessions/", **bearer(devices[1].access))
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (204, b"", "no-store")
    assert [alive(device) for device in [*devices, bob]] == [False, False, False, True]
    assert alive(sign_in())


def test_signing_out_everywhere_else(client: APIClient, sign_in: Any, alive: Any, bob: Tokens) -> None:
    """``DELETE sessions/others/`` keeps the one that asks, and its tokens."""
    devices = [sign_in() for _ in range(3)]
    assert client.delete("/api/sessions/others/", **bearer(devices[1].access)).status_code == 204
    assert [alive(device) for device in [*devices, bob]] == [False, True, False, True]


def test_signing_out_one_device(client: APIClient, sign_in: Any, alive: Any) -> None:
    """``DELETE sessions/<id>/``: another device, then the one that asks."""
    phone, laptop = sign_in(), sign_in()
    for target, left in ((phone, [False, True]), (laptop, [False, False])):
        answer = client.delete(f"/api/sessions/{sid(target)}/", **bearer(laptop.access))
        assert (answer.status_code, answer.content) == (204, b"")
        assert [alive(phone), alive(laptop)] == left


def test_an_id_from_the_list_is_one_to_delete(client: APIClient, sign_in: Any) -> None:
    """What a front end does."""
    phone, laptop = sign_in(), sign_in()
    row = next(row for row in listed(client, laptop) if not row["current"])
    assert client.delete(f"/api/sessions/{row['id']}/", **bearer(laptop.access)).status_code == 204
    assert TokenSession.objects.get(pk=sid(phone)).revoke_reason == "signed_out"


@pytest.mark.parametrize(
    "unknown", ["", "0", "not-an-id", "others2", "%00", "٣", "' OR 1=1", "{bob}", "x" * 5000, "%F0%9F%92%A9", "..%2F"]
)
def test_anothers_session_is_as_unknown_as_none(
    client: APIClient, tokens: Tokens, bob: Tokens, alive: Any, unknown: str
) -> None:
    """THREATS.md, Sessions: the same status, body and headers for another user's id and for no id at all."""
    theirs = client.delete(f"/api/sessions/{sid(bob)}/", **bearer(tokens.access))
    never = client.delete(f"/api/sessions/{uuid4()}/", **bearer(tokens.access))
    odd = client.delete(f"/api/sessions/x{unknown}/", **bearer(tokens.access))
    assert theirs.status_code == never.status_code == odd.status_code == 404
    assert theirs.content == never.content
    assert theirs.headers.items() == never.headers.items()
    assert theirs.json()["code"] == "not_found"
    assert alive(bob)


# -- token/revoke/ and token/blacklist/ ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize("form", ["json", "form"])
def test_revoking_either_token_ends_the_session(
    client: APIClient, tokens: Tokens, alive: Any, kind: str, form: str
) -> None:
    """Law 4 and RFC 7009 2.1: both tokens of the session, as JSON or as a form; twice is no error."""
    token = getattr(tokens, kind)
    for _ in range(2):
        if form == "json":
            answer = client.post("/api/token/revoke/", {"token": token}, format="json")
        else:
            answer = client.post(
                "/api/token/revoke/", f"token={token}", content_type="application/x-www-form-urlencoded"
            )
        assert (answer.status_code, answer.json()) == (200, {})
        assert not alive(tokens)


def test_revoking_an_expired_token_ends_the_session(post: Any, tokens: Tokens, clock: Any, sign_in: Any) -> None:
    """An old access token still names the device that wants to be out."""
    device = sign_in()
    clock.shift(timedelta(hours=1))
    assert post("token/revoke/", token=device.access).status_code == 200
    assert post("token/refresh/", refresh=device.refresh).data["reason"] == "revoked"


def test_revoking_a_rotated_token_ends_the_session(post: Any, tokens: Tokens, alive: Any) -> None:
    """Whichever of its tokens the client still has."""
    refreshed = post("token/refresh/", refresh=tokens.refresh).data
    post("token/revoke/", token=tokens.refresh)
    assert not alive(Tokens(refreshed["access"], refreshed["refresh"]))


@pytest.mark.parametrize("garbage", ["x", "a.b.c", "....", "\N{PILE OF POO}", "x" * 9000, "null"])
def test_revoking_what_is_no_token_is_no_error(post: Any, tokens: Tokens, alive: Any, garbage: str) -> None:
    """RFC 7009 2.2: 200, and nothing happened."""
    answer = post("token/revoke/", token=garbage)
    assert (answer.status_code, answer.json()) == (200, {})
    assert alive(tokens)


def test_a_forged_token_revokes_nothing(post: Any, tokens: Tokens, alive: Any, settings: Any) -> None:
    """Only our signature ends a session: ids are not secrets."""
    genuine = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-that-is-long-enough-for-hmac-with-sha-256"
    forged = RefreshToken()
    forged.payload |= {"sid": str(TokenSession.objects.get().pk), "gen": 0, "user_id": "1"}
    forged = str(forged)
    settings.SECRET_KEY = genuine
    assert post("token/revoke/", token=forged).status_code == 200
    assert alive(tokens)


@pytest.mark.parametrize(
    "body", [{}, {"token": None}, {"token": ""}, {"token": 1}, {"token": ["a.b.c"]}, {"Token": "x"}]
)
@pytest.mark.parametrize("path", ["revoke", "blacklist"])
def test_signing_out_without_a_token_is_a_bad_request(client: APIClient, db: None, path: str, body: Any) -> None:
    """400 with the field's name."""
    field = "token" if path == "revoke" else "refresh"
    renamed = {name.replace("token", field): value for name, value in body.items()}
    answer = client.post(f"/api/token/{path}/", renamed, format="json")
    assert answer.status_code == 400
    assert field in answer.json()


def test_signing_out_needs_no_access_token(client: APIClient, tokens: Tokens, alive: Any) -> None:
    """A bad ``Authorization`` header beside it is ignored: a broken client must be able to sign out."""
    answer = client.post("/api/token/revoke/", {"token": tokens.refresh}, format="json", **bearer("a.b.c"))
    assert answer.status_code == 200
    assert not alive(tokens)


def test_blacklisting_ends_the_session(post: Any, tokens: Tokens, alive: Any) -> None:
    """Simplejwt's logout: 200 ``{}`` for a good refresh token, 401 for one that is dead already."""
    answer = post("token/blacklist/", refresh=tokens.refresh)
    assert (answer.status_code, answer.json()) == (200, {})
    assert not alive(tokens)
    again = post("token/blacklist/", refresh=tokens.refresh)
    assert (again.status_code, again.data["code"], again.data["reason"]) == (401, "token_not_valid", "revoked")


@pytest.mark.parametrize("bad", ["access", "garbage", "expired", "inactive"])
def test_blacklisting_an_invalid_token_is_refused(post: Any, clock: Any, sign_in: Any, user: Any, bad: str) -> None:
    """401, as simplejwt."""
    tokens = sign_in()
    token = {"access": tokens.access, "garbage": "a.b.c"}.get(bad, tokens.refresh)
    if bad == "expired":
        clock.shift(timedelta(days=2))
    if bad == "inactive":
        get_user_model().objects.update(is_active=False)
    assert post("token/blacklist/", refresh=token).status_code == 401


def test_every_answer_is_kept_out_of_caches(client: APIClient, tokens: Tokens, post: Any) -> None:
    """DESIGN.md 2.2: ``no-store`` on success and on refusal."""
    answers = [
        client.get("/api/sessions/", **bearer(tokens.access)),
        client.get("/api/sessions/"),
        client.delete(f"/api/sessions/{uuid4()}/", **bearer(tokens.access)),
        client.put("/api/sessions/", **bearer(tokens.access)),
        post("token/revoke/"),
        post("token/blacklist/", refresh="a.b.c"),
        post("token/revoke/", token=tokens.refresh),
    ]
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}
