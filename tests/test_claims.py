"""The form of tokens and claims: every function returns or raises ``Invalid``."""

from __future__ import annotations

import base64
import json
import math
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drf_jwt_kit import claims
from drf_jwt_kit.exceptions import Invalid

SID = "01960000-0000-7000-8000-000000000000"
GOOD = {"exp": 1, "jti": "x", "token_type": "access"}
TEXT = st.text(st.sampled_from("aZ09-_ .\x00\x7f\ud800\u200bé٣🔑"), max_size=20)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
quickly = settings(deadline=None, database=None, max_examples=200)


def shown(value: Any) -> str:
    """Return the name of a vector: how it begins, and how long it is."""
    return f"{ascii(value)[:40]} of {len(ascii(value))}"


def segment(text: str | bytes) -> bytes:
    """Return base64url without padding."""
    data = text if isinstance(text, bytes) else text.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(header: str | bytes = "{}", payload: str | bytes = "{}") -> bytes:
    """Return a compact JWS of two texts, with some signature."""
    return b".".join([segment(header), segment(payload), b"c2ln"])


@pytest.mark.parametrize("form", ["a.b.c", b"a.b.c", "-_9.-_9.-_9", b"a.b." + b"c" * 8188], ids=shown)
def test_a_compact_token_is_returned_as_bytes(form: Any) -> None:
    """RFC 7515 3.1: three base64url segments."""
    assert claims.compact(form) == (form if isinstance(form, bytes) else form.encode())


@pytest.mark.parametrize(
    "form",
    [
        "", ".", "..", "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.", ".a.b.c", "a.b.c.d", "a.b.c.d.e", "a.b.c\n",
        " a.b.c", "a.b.c ", "a .b.c", "a.b.c=", "a=.b.c", "a+.b.c", "a/.b.c", "a.b.c!", '"a.b.c"', "a.b.\u200bc",
        "é.b.c", "a.b.🔑", "a.b.\ud800", "a.b.\x00", b"\xff.b.c", "a.b." + "c" * 8189, "." * 2_000_000,
        None, 1, True, 1.5, [], {}, ["a.b.c"], bytearray(b"a.b.c"), {"payload": "e30"},
    ],
    ids=shown,
)  # fmt: skip
def test_anything_else_is_invalid(form: Any) -> None:
    """THREATS, format: padding, white space, other alphabets, other counts, other types, and too much."""
    with pytest.raises(Invalid):
        claims.compact(form)


def test_header_and_payload_are_returned() -> None:
    """Two JSON objects."""
    assert claims.parse(token('{"alg": "HS256"}', '{"a": [1, "ü"]}')) == ({"alg": "HS256"}, {"a": [1, "ü"]})


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "1", '"x"', "[]", "true", "{", "{'a': 1}", '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}',
        '{"a": 1, "a": 1}', '{"a": {"b": 1, "b": 2}}', '{"a": 1} x', '{"a": ' + "9" * 5_000 + "}",
        "[" * 5_000, '{"a":' * 1_000, b"\xef\xbb\xbf{}", "{}".encode("utf-16"), "{}".encode("utf-32"), b'{"a": "\xff"}',
        b"\x00", b'{"a": "\xed\xa0\x80"}',
    ],
    ids=shown,
)  # fmt: skip
def test_other_than_strict_json_objects_are_invalid(text: Any) -> None:
    """THREATS, format: encodings, double keys, depth, huge numbers; in the header and in the payload."""
    for form in (token(text), token(payload=text)):
        with pytest.raises(Invalid):
            claims.parse(form)


@quickly
@given(st.binary(max_size=200))
def test_parsing_is_total(data: bytes) -> None:
    """Whatever the segments hold."""
    try:
        header, payload = claims.parse(token(data, data))
    except Invalid:
        return
    assert header == payload


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256"},
        {"alg": "HS256", "typ": "JWT"},
        {"alg": "HS256", "typ": "jwt"},
        {"alg": "none"},
        {"alg": "RS256", "x5t": "x", "x5t#S256": "x"},
    ],
    ids=str,
)
def test_a_plain_header_is_fine(header: Any) -> None:
    """Which algorithm is for the signature check to say."""
    claims.check_header(header, kid_allowed=False)


@pytest.mark.parametrize(
    "header",
    [
        {}, {"typ": "JWT"}, {"alg": None}, {"alg": 1}, {"alg": ["HS256"]}, {"alg": True},
        *({"alg": "HS256", name: "x"} for name in ("jwk", "jku", "x5u", "x5c", "b64", "zip", "cty", "enc", "foo")),
        *({"alg": "HS256", "crit": value} for value in ([], ["exp"], None, {})),
        *({"alg": "HS256", "typ": value} for value in (None, 1, [], "", "at+jwt", "JOSE", "JWE", "\uff2a\uff37\uff34")),
        *({"alg": "HS256", "x5t": value} for value in ("", None, 1, [[]], {}, "\x00", "x" * 256)),
        *({"alg": "HS256", "x5t#S256": value} for value in ("", None, 1, [[]], {}, "\x00", "x" * 256)),
        *({"alg": "HS256", "kid": kid} for kid in ("x", "../../dev/null", "' OR 1=1", "", None, 1, "\x00", "x" * 5000)),
    ],
    ids=shown,
)  # fmt: skip
def test_a_header_that_asks_for_more_is_invalid(header: Any) -> None:
    """THREATS, format: keys that travel with the token, ``crit``, ``b64``, ``zip``, another ``typ``, a ``kid``."""
    with pytest.raises(Invalid):
        claims.check_header(header, kid_allowed=False)


def test_a_kid_is_fine_where_keys_have_ids() -> None:
    """With a JWKS URL."""
    claims.check_header({"alg": "RS256", "kid": "x"}, kid_allowed=True)


@pytest.mark.parametrize(
    "more",
    [
        {"exp": 0}, {"exp": 1.5}, {"exp": claims.LATEST_TIME}, {"iat": 0, "nbf": 1.5}, {"sid": SID, "gen": 0},
        {"gen": claims.MAX_GENERATION}, {"jti": "x" * 255}, {"iss": 5}, {"foo": [None]},
    ],
    ids=str,
)  # fmt: skip
def test_sound_claims_pass(more: Any) -> None:
    """RFC 7519 4.1; other claims are the project's own business."""
    claims.check({**GOOD, **more})


STRANGE_TIMES = [
    None, True, False, "1", "", [], {}, -1, -0.5, 1e20, 2**63, 10**30, float("nan"), float("inf"),
    claims.LATEST_TIME + 1,
]  # fmt: skip
STRANGE_TEXTS = [None, "", 1, True, 1.5, [], {}, "x" * 256, "a\x00b", "\n", "\x1f", "\x7f", "\ud800"]
STRANGE_SIDS = [
    *STRANGE_TEXTS, "x", "1", SID.upper().replace("0", "A"), SID.replace("-", ""), "{" + SID + "}", f"urn:uuid:{SID}",
    SID + " ", SID[:-1], "\u0660" + SID[1:],
]  # fmt: skip
STRANGE_GENERATIONS = [None, True, False, "0", 0.0, -1, 2**31, 10**30, [], {}]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("exp", "iat", "nbf") for value in STRANGE_TIMES),
        *((name, value) for name in ("jti", "token_type") for value in STRANGE_TEXTS),
        *(("sid", value) for value in STRANGE_SIDS),
        *(("gen", value) for value in STRANGE_GENERATIONS),
        *(("aud", value) for value in ("x", None, [], "", 1)),
    ],
    ids=shown,
)
def test_a_strange_claim_is_invalid(name: str, value: Any) -> None:
    """THREATS, time and claims: refused before any query."""
    with pytest.raises(Invalid):
        claims.check({**GOOD, name: value})


@pytest.mark.parametrize("name", ["exp", "jti", "token_type"])
def test_a_missing_claim_is_invalid(name: str) -> None:
    """THREATS, time and claims: no zombie tokens."""
    with pytest.raises(Invalid):
        claims.check({key: value for key, value in GOOD.items() if key != name})


def test_an_audience_is_left_to_pyjwt_where_one_is_configured() -> None:
    """The kit only refuses one that nobody asked for."""
    claims.check({**GOOD, "aud": ["api"]}, aud_allowed=True)


@pytest.mark.parametrize(("setting", "name"), [("JTI_CLAIM", "jti"), ("TOKEN_TYPE_CLAIM", "token_type")])
def test_claims_that_a_project_turned_off_are_not_asked_for(settings: Any, setting: str, name: str) -> None:
    """As in simplejwt: nobody asks where the setting is ``None``."""
    settings.SIMPLE_JWT = {setting: None}
    claims.check({key: value for key, value in GOOD.items() if key != name})


@quickly
@given(st.dictionaries(st.sampled_from(["exp", "iat", "nbf", "jti", "token_type", "sid", "gen", "aud", "x"]), ANYTHING))
def test_checking_is_total(payload: dict[str, Any]) -> None:
    """Whatever the claims are."""
    try:
        claims.check(payload)
    except Invalid:
        return
    assert isinstance(payload["jti"], str)


def test_a_session_id_is_a_uuid() -> None:
    """RFC 9562 4."""
    assert claims.session_id({"sid": SID}) == UUID(SID)


@pytest.mark.parametrize(
    ("value", "text"), [("7", "7"), (7, "7"), (0, "0"), (-1, "-1"), ("a b", "a b"), ("é", "é")], ids=shown
)
def test_a_user_id_is_text(value: Any, text: str) -> None:
    """DESIGN 4, adoption: simplejwt wrote integers before 5.5."""
    assert claims.user_id({"user_id": value}) == text


@pytest.mark.parametrize("value", [*STRANGE_TEXTS[:2], *STRANGE_TEXTS[3:], 2**63, -(2**63), 10**30], ids=shown)
def test_a_strange_user_id_is_invalid(value: Any) -> None:
    """THREATS, time and claims: ``True`` is not user 1."""
    with pytest.raises(Invalid):
        claims.user_id({"user_id": value})


@quickly
@given(ANYTHING)
def test_reading_a_user_id_is_total(value: Any) -> None:
    """Whatever it is."""
    try:
        assert isinstance(claims.user_id({"user_id": value}), str)
    except Invalid:
        return


def test_reserved_names_follow_the_settings(settings: Any) -> None:
    """DESIGN 2.3: renamed claims are as reserved as they were."""
    settings.SIMPLE_JWT = {"USER_ID_CLAIM": "sub", "JTI_CLAIM": "token_id", "TOKEN_TYPE_CLAIM": "kind"}
    assert {"sub", "token_id", "kind", "exp", "iat", "sid", "gen"} <= claims.reserved()
    assert "user_id" not in claims.reserved()


def test_keys_of_json_are_kept_as_they_are() -> None:
    """Nothing is normalised."""
    assert claims.parse(token(payload=json.dumps({"Exp": 1, "EXP": 2})))[1] == {"Exp": 1, "EXP": 2}


@pytest.mark.parametrize(
    ("value", "granted"),
    [
        ("a", ("a",)),
        ("a b:c", ("a", "b:c")),
        ("a  a   b", ("a", "b")),
        (" a ", ("a",)),
        ("a\tb", ("a\tb",)),
        ("a\u00a0b", ("a\u00a0b",)),
        ("a\nb,c;d+e", ("a\nb,c;d+e",)),
        ("", ()),
        *((value, ()) for value in (None, True, 0, 1.5, [], ["a"], ["a b"], {"a": True}, [["a"]])),
    ],
    ids=shown,
)
def test_scopes_are_words_of_one_string(value: Any, granted: tuple[str, ...]) -> None:
    """RFC 8693 4.2, RFC 6749 3.3: delimited by spaces and by nothing else; no other type grants anything."""
    assert claims.scopes({"scope": value}) - {""} == set(granted)
    assert claims.scopes({}) == set()


@pytest.mark.parametrize(
    ("value", "methods"),
    [
        (["otp"], ("otp",)),
        (["pwd", "otp", "otp"], ("pwd", "otp")),
        ([], ()),
        *((value, ()) for value in (None, True, 1, "otp", "pwd otp", {"otp": 1}, ["otp", 1], ["otp", None], [["otp"]])),
    ],
    ids=shown,
)
def test_methods_are_an_array_of_strings(value: Any, methods: tuple[str, ...]) -> None:
    """RFC 8176 1: an array that holds anything else says nothing."""
    assert claims.methods({"amr": value}) == set(methods)
    assert claims.methods({}) == set()


@pytest.mark.parametrize(
    ("value", "ago"),
    [
        (1000, 0),
        (400, 600),
        (1001, -1),
        (999.5, 0.5),
        (0, 1000),
        (claims.LATEST_TIME, 1000 - claims.LATEST_TIME),
        *(
            (value, math.inf)
            for value in (
                None,
                True,
                False,
                "1000",
                "",
                [],
                [1000],
                {},
                -1,
                -0.5,
                claims.LATEST_TIME + 1,
                10**30,
                1e300,
            )
        ),
        *((value, math.inf) for value in (math.nan, math.inf, -math.inf)),
    ],
    ids=shown,
)
def test_a_sign_in_was_so_long_ago(value: Any, ago: float) -> None:
    """OpenID Connect Core 2: a time that no calendar can write is endlessly long ago."""
    assert claims.seconds_since_sign_in({"auth_time": value}, 1000.0) == ago
    assert claims.seconds_since_sign_in({}, 1000.0) == math.inf


@given(st.dictionaries(st.sampled_from(["scope", "amr", "auth_time"]), ANYTHING), st.floats(0, 1e11))
@quickly
def test_reading_what_a_permission_asks_for_is_total(payload: dict[str, Any], now: float) -> None:
    """Whatever our key signed, a permission can look at it."""
    assert all(isinstance(word, str) for word in claims.scopes(payload) | claims.methods(payload))
    assert isinstance(claims.seconds_since_sign_in(payload, now), float)
