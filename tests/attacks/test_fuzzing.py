"""Attacks made and shrunk by hypothesis: whatever is sent, nobody gets in, nothing breaks, every answer is JSON.

They are the same each time. ``test_soak.py`` sends more, made by a generator of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from drf_jwt_kit.models import TokenSession
from tests.attacks import forge
from tests.attacks.conftest import Doors, is_json
from tests.attacks.wire import BODY_DOORS, on_the_wire
from tests.conftest import Tokens, bearer

pytestmark = pytest.mark.django_db

SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
SHORT = settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=SUPPRESSED)

PATHS = ["/api/token/", *(path for path, _field in BODY_DOORS.values())]

# -- What is sent ----------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(), max_size=40)  # surrogates and NUL too
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    ANY_TEXT,
    st.sampled_from(["", "0", "1", "access", "refresh", "HS256", "none", 0, 1, -1, 2**31, 2**63, 253_402_214_401]),
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4), max_leaves=8
)
NAMES = ["exp", "iat", "nbf", "jti", "user_id", "sid", "gen", "token_type", "aud", "iss", "sub", "x"]
CLAIMS = st.dictionaries(st.sampled_from(NAMES) | ANY_TEXT, JSON, min_size=1, max_size=4)
PARAMETERS = ["alg", "typ", "kid", "crit", "b64", "zip", "jwk", "jku", "x5u", "x5t", "cty"]
PROTECTED = st.dictionaries(st.sampled_from(PARAMETERS) | ANY_TEXT, JSON, max_size=4)
BASE64 = st.text("ABCabc019-_=+/. ", max_size=60)
TOKENISH = st.one_of(
    ANY_TEXT,
    BASE64,
    st.lists(BASE64, min_size=1, max_size=5).map(".".join),
    st.lists(st.binary(max_size=60).map(forge.segment), min_size=3, max_size=3).map(".".join),
)
FIELDS = st.dictionaries(
    st.sampled_from(["username", "password", "refresh", "token", "token_type_hint"]) | ANY_TEXT, JSON, max_size=4
)
CONTENT_TYPES = st.sampled_from(
    [
        *(
            "application/json",
            "application/json",
            "application/json; charset=utf-8",
            "application/json; charset=utf-16",
        ),
        *(
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain",
            "",
            "application/json;",
        ),
    ]
) | st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30)
METHODS = st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "X"])


def dumps(value: Any) -> bytes:
    """Return JSON, with ``NaN`` and surrogates where there are some."""
    return json.dumps(value).encode()


# -- What must hold --------------------------------------------------------------------------------


def assert_sound(answer: Any) -> None:
    """Assert that an answer is no accident."""
    assert answer.status_code < 500, answer.content[:500]
    assert answer["Content-Type"] == "application/json" or answer.status_code == 204
    assert answer.status_code == 204 or not answer.content or is_json(answer)


def assert_refused(doors: Doors, token: str) -> None:
    """Assert that no door opens for a token, and that none breaks."""
    answers = {door: doors.body(door, token) for door in BODY_DOORS}
    answers["header"] = doors.header("/api/me/", token)
    for door, answer in answers.items():
        assert_sound(answer)
        assert answer.status_code in ({200, 400} if door == "revoke" else {400, 401, 403}), (door, token)


def still_good(client: Any, tokens: Tokens) -> None:
    """Assert that nobody was signed out by the way."""
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200
    assert TokenSession.objects.filter(revoked_at=None).count() == 1


Test = Callable[..., None]


def run(strategy: dict[str, SearchStrategy[Any]], attack: Test) -> None:
    """Let hypothesis try an attack."""
    SHORT(given(**strategy)(attack))()


def test_texts_are_no_tokens(client: Any, doors: Doors, tokens: Tokens) -> None:
    """Law 7: nothing that was not signed opens a door."""

    def attack(token: str) -> None:
        assert_refused(doors, token)

    run({"token": TOKENISH}, attack)
    still_good(client, tokens)


def test_a_changed_token_is_no_token(client: Any, doors: Doors, tokens: Tokens) -> None:
    """Law 7: good tokens with some characters exchanged, put in or taken out."""

    def attack(which: int, at: int, gone: int, put: str) -> None:
        token = tokens[which]
        at %= len(token)
        changed = token[:at] + put + token[at + gone :]
        if not changed.startswith(token[:-1]) and changed.strip(" \t") != token:
            assert_refused(doors, changed)

    strategy = {
        "which": st.integers(0, 1),
        "at": st.integers(0, 400),
        "gone": st.integers(0, 3),
        "put": st.text("Aa0-_.= \n", max_size=3) | ANY_TEXT,
    }
    run(strategy, attack)
    still_good(client, tokens)


def test_another_keys_tokens_are_no_tokens(client: Any, doors: Doors, tokens: Tokens, kinds: Any) -> None:
    """Law 7: any header and any claims, with a signature that is not ours."""

    def attack(kind: str, claims: dict[str, Any], header: dict[str, Any]) -> None:
        assert_refused(doors, forge.token({**kinds[kind], **claims}, {**forge.HEADER, **header}, key="x" * 40))

    run({"kind": st.sampled_from([*kinds]), "claims": CLAIMS, "header": PROTECTED}, attack)
    still_good(client, tokens)


def test_odd_claims_of_our_own_break_nothing(doors: Doors, user: Any, kinds: Any) -> None:
    """THREATS (k): signed with our key, any claim may be anything, and nobody becomes somebody else."""
    get_user_model().objects.create_user("mallory")

    def attack(kind: str, claims: dict[str, Any], header: dict[str, Any]) -> None:
        token = forge.token({**kinds[kind], **claims}, {**forge.HEADER, **header})
        for door in BODY_DOORS:
            assert_sound(doors.body(door, token))
        answer = doors.header("/api/me/", token)
        assert_sound(answer)
        if answer.status_code == 200 and "user_id" not in claims:
            assert answer.json()["id"] == user.pk

    strategy = {"kind": st.sampled_from([*kinds]), "claims": CLAIMS, "header": st.just({}) | PROTECTED}
    run(strategy, attack)


def test_odd_bytes_in_our_own_segments_break_nothing(doors: Doors, user: Any, kinds: Any) -> None:
    """THREATS (k): header and payload that are no JSON, or JSON with something put in."""

    def attack(kind: str, part: int, at: int, put: bytes, gone: int) -> None:
        parts = [forge.as_bytes(forge.HEADER), forge.as_bytes(kinds[kind])]
        at %= len(parts[part])
        parts[part] = parts[part][:at] + put + parts[part][at + gone :]
        token = forge.sealed(*map(forge.segment, parts))
        for door in BODY_DOORS:
            assert_sound(doors.body(door, token))
        assert_sound(doors.header("/api/me/", token))

    strategy = {
        "kind": st.sampled_from([*kinds]),
        "part": st.integers(0, 1),
        "at": st.integers(0, 300),
        "put": st.binary(max_size=6)
        | st.sampled_from([b"[", b"{", b'"', b"\\u0000", b"9" * 30, b"NaN", b"-", b"e999"]),
        "gone": st.integers(0, 6),
    }
    run(strategy, attack)


def test_odd_bodies_break_nothing(client: Any, tokens: Tokens) -> None:
    """THREATS: any JSON and any bytes, of any media type, by any method."""

    def attack(where: str, method: str, body: bytes, kind: str, query: str) -> None:
        answer = client.generic(method, where, body, kind, QUERY_STRING=query)
        assert_sound(answer)
        assert answer.status_code in {200, 400, 401, 405, 413, 415}
        assert answer.status_code != 200 or where == "/api/token/revoke/"
        assert answer["Cache-Control"] == "no-store"

    strategy = {
        "where": st.sampled_from(PATHS),
        "method": METHODS,
        "body": st.one_of(FIELDS.map(dumps), FIELDS.map(dumps), JSON.map(dumps), st.binary(max_size=80)),
        "kind": CONTENT_TYPES,
        "query": st.just("") | st.text("abc=&%0f;[]", max_size=20),
    }
    run(strategy, attack)
    still_good(client, tokens)


def test_odd_headers_break_nothing(client: Any, tokens: Tokens) -> None:
    """THREATS: any ``Authorization`` header and any other, at protected endpoints."""
    names = ["HTTP_ACCEPT", "HTTP_USER_AGENT", "HTTP_COOKIE", "HTTP_X_FORWARDED_FOR", "REMOTE_ADDR", "HTTP_ORIGIN"]
    values = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)

    def attack(where: str, authorization: str, more: dict[str, str]) -> None:
        answer = client.get(where, HTTP_AUTHORIZATION=on_the_wire(authorization), **more)
        assert_sound(answer)
        assert answer.status_code in {401, 403, 406}  # 406: DRF's, where the project's view has no such format
        signed = client.post("/api/token/verify/", {"token": tokens.access}, format="json", **more)
        assert signed.status_code == 200

    authorizations = st.one_of(
        ANY_TEXT,
        st.tuples(st.sampled_from(["Bearer", "bearer", "Basic", "", "Bearer:"]), TOKENISH).map(" ".join),
        st.tuples(TOKENISH, st.just(tokens.access)).map("".join).filter(lambda text: text.strip().lower() != "bearer"),
    )
    strategy = {
        "where": st.sampled_from(["/api/me/", "/api/notes/", "/api/sessions/"]),
        "authorization": authorizations,
        "more": st.dictionaries(st.sampled_from(names), values, max_size=3),
    }
    run(strategy, attack)
    still_good(client, tokens)
