"""Scopes and step-up against tokens that our own key signed with claims that no project means (k)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.urls import include, path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from drf_jwt_kit.permissions import HasScope, RecentlyAuthenticated
from tests.attacks import forge
from tests.attacks.forge import ABSENT

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

NOON = 1_772_366_400  # when the standing clock stands


class Answers(APIView):
    """A view that has something to say."""

    def get(self, request: Any) -> Response:
        """Answer."""
        return Response("read")


class Scoped(Answers):
    """For who may write notes."""

    permission_classes = [IsAuthenticated, HasScope("notes:write")]


class Recent(Answers):
    """For who has signed in just now."""

    permission_classes = [IsAuthenticated, RecentlyAuthenticated(max_age=timedelta(minutes=5))]


class Strong(Answers):
    """For who has a second factor."""

    permission_classes = [IsAuthenticated, RecentlyAuthenticated(amr="otp")]


urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    *(path(f"api/{view.__name__}/", view.as_view()) for view in (Scoped, Recent, Strong)),
]

KINDS = ("access", "access without session")
ODD = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1.5",
    "1e308",
    "[]",
    "{}",
    '""',
    '" "',
    '"\\u0000"',
    '"\\ud800"',
    "[[]]",
]

NO_SCOPES = [
    ABSENT,
    *ODD,
    *(json.dumps(scope) for scope in (
        "notes:write2", "notes:writ", "anotes:write", "notes:write:all", "notes", "write", "notes:*", "*",
        "NOTES:WRITE", "notes:write,", "notes:read,notes:write", "notes:read;notes:write", "notes:read+notes:write",
        "notes:read%20notes:write",
        "notes:read\tnotes:write", "notes:read\nnotes:write", "\nnotes:write", "notes:write\r\n", "notes:write\x00",
        "notes:read\u00a0notes:write", "notes:read\u2003notes:write", "notes:read\u3000notes:write",
        "notes:write\u200b",
        "\ufeffnotes:write", "n\u043etes:write", "notes\uff1awrite", "\"notes:write\"", "'notes:write'",
        ["notes:write"], ["notes:read", "notes:write"], {"notes:write": True}, {"scope": "notes:write"},
        [["notes:write"]],
    )),
]  # fmt: skip


@pytest.mark.parametrize("text", NO_SCOPES, ids=forge.label)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_the_scope_opens_nothing(doors: Any, kinds: Any, kind: str, text: str) -> None:
    """Issue 5.6: a scope is one whole word of one string, to the letter."""
    answer = doors.header("/api/Scoped/", forge.token(forge.with_claim(kinds[kind], "scope", text)))
    if "\\ud800" in text:
        assert answer.status_code in {401, 403}
        return
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer["WWW-Authenticate"].endswith('scope="notes:write"')


@pytest.mark.parametrize(
    "scope", ["notes:write", " notes:write", "a   notes:write  b", "notes:write notes:write", "é notes:write"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_scope_among_others_opens(doors: Any, kinds: Any, kind: str, scope: str) -> None:
    """RFC 6749 3.3: whatever else the token grants."""
    assert doors.header("/api/Scoped/", forge.token({**kinds[kind], "scope": scope})).status_code == 200


@pytest.mark.parametrize("claim", ["scp", "scopes", "Scope", "permissions", "roles", "aud ", "scope "])
def test_another_claim_is_not_the_scope(doors: Any, kinds: Any, claim: str) -> None:
    """What other issuers call it says nothing here."""
    assert doors.header("/api/Scoped/", forge.token({**kinds["access"], claim: "notes:write"})).status_code == 403


@pytest.mark.parametrize("where", ["?scope=notes:write", "?access_token=x&scope=notes:write"])
def test_no_request_brings_its_own_scope(client: Any, tokens: Any, where: str) -> None:
    """THREATS, headers: what is in a query, a header or a cookie is no claim."""
    client.cookies["scope"] = "notes:write"
    headers = {"HTTP_AUTHORIZATION": f"Bearer {tokens.access}", "HTTP_SCOPE": "notes:write"}
    assert client.get(f"/api/Scoped/{where}", **headers).status_code == 403


NO_TIMES = [
    ABSENT,
    *ODD,
    *(f'"{NOON}"', f"[{NOON}]", f"{NOON}000", f"-{NOON}", "NaN", "Infinity", "-Infinity", "1e400", "1e20", "-0.0"),
    *("9223372036854775808", "253402214400", "253402214401", "1" + "0" * 400, str(NOON - 301), f"{NOON - 300}.0e-1"),
    *(str(NOON + 1), f"{NOON}.5", str(NOON + 86_400), '"now"', f'{{"$numberLong": "{NOON}"}}'),
]


@pytest.mark.parametrize("text", NO_TIMES, ids=forge.label)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_recent_time_opens_nothing(doors: Any, kinds: Any, kind: str, text: str) -> None:
    """Issue 5.6: not long ago, of the wrong type, out of range, to come, or not there."""
    answer = doors.header("/api/Recent/", forge.token(forge.with_claim(kinds[kind], "auth_time", text)))
    assert answer.status_code == 401
    assert answer.json()["code"] in {"insufficient_user_authentication", "token_not_valid"}
    assert answer["WWW-Authenticate"].startswith('Bearer realm="api", error="in')


@pytest.mark.parametrize("text", [str(NOON), str(NOON - 300), f"{NOON}.0", f"{NOON - 1}.75"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_recent_time_opens(doors: Any, kinds: Any, kind: str, text: str) -> None:
    """RFC 7519 2: a NumericDate may have a fraction."""
    assert (
        doors.header("/api/Recent/", forge.token(forge.with_claim(kinds[kind], "auth_time", text))).status_code == 200
    )


NO_METHODS = [
    ABSENT,
    *ODD,
    *(json.dumps(methods) for methods in (
        "otp", "pwd otp", "otp,pwd", ["pwd"], ["OTP"], ["otp "], [" otp"], ["otp\n"], ["pwd otp"], ["pwd,otp"],
        ["otp", 1],
        ["otp", None], ["otp", ["otp"]], ["otp", {}], [["otp"]], {"otp": True}, {"0": "otp"}, [True], ["o", "t", "p"],
        ["otp\u200b"], ["\uff4ftp"], ["totp"], ["ot"],
    )),
]  # fmt: skip


@pytest.mark.parametrize("text", NO_METHODS, ids=forge.label)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_the_method_opens_nothing(doors: Any, kinds: Any, kind: str, text: str) -> None:
    """Issue 5.6: ``amr`` is an array of strings, and one of them is the method, to the letter."""
    answer = doors.header("/api/Strong/", forge.token(forge.with_claim(kinds[kind], "amr", text)))
    assert answer.status_code == 401
    assert answer.json()["code"] in {"insufficient_user_authentication", "token_not_valid"}


def test_refreshing_is_no_sign_in(client: Any, doors: Any, kinds: Any, tokens: Any, clock: Any) -> None:
    """Issue 5.6: neither refreshing nor a claim on the refresh token makes an old sign-in a new one."""
    clock.shift(timedelta(minutes=6))
    forged = forge.token({**kinds["refresh"], "auth_time": NOON + 360, "amr": ["otp"], "scope": "notes:write"})
    access = doors.body("refresh", forged).json()["access"]
    assert forge.payload_of(access)["auth_time"] == NOON
    statuses = [doors.header(f"/api/{name}/", access).status_code for name in ("Recent", "Strong", "Scoped")]
    assert statuses == [401, 401, 403]


def test_an_old_token_brings_no_sign_in_along(doors: Any, kinds: Any) -> None:
    """Law 11: what a refresh token of simplejwt's says of its user is not what the session says."""
    forged = {**kinds["refresh without session"], "auth_time": NOON, "amr": ["otp"], "scope": "notes:write"}
    access = doors.body("refresh", forge.token(forged)).json()["access"]
    assert not {"auth_time", "amr", "scope"} & forge.payload_of(access).keys()
    assert doors.header("/api/Recent/", access).status_code == 401


@pytest.mark.parametrize("name", ["Scoped", "Recent", "Strong"])
def test_a_refresh_token_steps_nobody_up(doors: Any, kinds: Any, name: str) -> None:
    """THREATS: the wrong kind of token is refused before its claims are read."""
    token = forge.token({**kinds["refresh"], "auth_time": NOON, "amr": ["otp"], "scope": "notes:write"})
    answer = doors.header(f"/api/{name}/", token)
    assert (answer.status_code, answer.json()["reason"]) == (401, "wrong_type")
