"""THREATS "Time and claims": what our own key signed is read strictly all the same."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from drf_jwt_kit.models import TokenSession
from tests.attacks import forge
from tests.attacks.conftest import another_user, signed_in
from tests.attacks.forge import ABSENT
from tests.conftest import Tokens

pytestmark = pytest.mark.django_db

TELLING = ("refresh", "verify", "blacklist")  # the doors of bodies that say why they refuse
ALL_KINDS = ("access", "refresh", "access without session", "refresh without session")
WITH_SESSION = ("access", "refresh")

# JSON texts that are no number of seconds, or no time that a calendar can write.
NO_TIMES = [
    *("null", "true", "false", '""', '"x"', '"0"', '"1772366400"', '"9999999999"', "[]", "{}", "[9999999999]"),
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e20", "1e308", "9223372036854775808", "1" + "0" * 30),
    *("18446744073709551616", "253402300800", "253402300799.5", "-1", "-1e-9", "1" * 5000),
    *("1_772_366_400", "0x7fffffff", "+9999999999", "09999999999", '{"$gt": 0}', "9" * 4000, "1e4000", "-1e20"),
    *('"NaN"', '"Infinity"', '"9999-12-31T23:59:59Z"', '"\\u0661\\u0662"', "1772366400000", "9007199254740993"),
]
PAST = ["0", "-0", "0.0", "1", "1e-320", "1772366399.9", "1772366400"]


def assert_refused(doors: Any, token: str, reason: str, sentence: str) -> None:
    """Assert that every door which tells why it refuses says the same."""
    for answer in (doors.header("/api/me/", token), *(doors.body(door, token) for door in TELLING)):
        assert answer.status_code == 401
        told = {name: answer.json()[name] for name in ("code", "reason")}
        assert told == {"code": "token_not_valid", "reason": reason}
        assert sentence in answer["WWW-Authenticate"]
        assert sentence in json.dumps(answer.json())


@pytest.mark.parametrize("text", PAST)
def test_a_past_expiry_says_so(doors: Any, tokens: Tokens, kinds: Any, text: str) -> None:
    """SC-003: ``exp`` long past, or this very second: ``expired``, with simplejwt's code and a clear sentence (k)."""
    for kind in ALL_KINDS:
        token = forge.token(forge.with_claim(kinds[kind], "exp", text))
        assert_refused(doors, token, "expired", "Token is expired")
    doors.admit(*tokens)


@pytest.mark.parametrize("text", [ABSENT, *NO_TIMES], ids=forge.label)
def test_what_is_no_expiry_has_not_passed_either(doors: Any, kinds: Any, text: str) -> None:
    """THREATS: ``exp`` missing, of another type, not a number, out of range: ``invalid``, not ``expired`` (k)."""
    for kind in ALL_KINDS:
        token = forge.token(forge.with_claim(kinds[kind], "exp", text))
        assert_refused(doors, token, "invalid", "Token is invalid")


@pytest.mark.parametrize(
    ("claim", "text"), [*product(("exp", "iat", "nbf"), NO_TIMES), ("exp", ABSENT)], ids=forge.label
)
def test_an_odd_time_is_refused(refuse_each: Any, claim: str, text: str) -> None:
    """THREATS: ``exp``, ``iat`` and ``nbf`` that are no times, ``exp`` missing: revoking does nothing either (k)."""
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, claim, text)), ALL_KINDS)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
@pytest.mark.parametrize("ahead", [1, 1.5, 60, 86_400, 10**9, 200_000_000_000])
def test_a_time_to_come_is_refused(doors: Any, tokens: Tokens, kinds: Any, claim: str, ahead: int) -> None:
    """THREATS: ``iat`` and ``nbf`` in the future (k)."""
    for kind in ALL_KINDS:
        token = forge.token({**kinds[kind], "exp": 253_402_214_400, claim: kinds[kind]["iat"] + ahead})
        assert_refused(doors, token, "invalid", "Token is invalid")
    doors.admit(*tokens)


def test_leeway_reaches_as_far_as_it_says(settings: Any, clock: Any, doors: Any, kinds: Any) -> None:
    """RFC 7519 4.1.4: within ``LEEWAY`` a token is a little early or late, beyond it is not."""
    settings.SIMPLE_JWT = {"LEEWAY": 10}
    soon = kinds["access"]["iat"] + 10
    access = {**kinds["access"], "nbf": soon, "iat": soon}
    assert doors.header("/api/me/", forge.token(access)).status_code == 200
    for claim in ("nbf", "iat"):
        doors.refuse_in_header(forge.token({**access, claim: soon + 1}))
    clock.shift(timedelta(minutes=5, seconds=9))
    assert doors.header("/api/me/", forge.token(access)).status_code == 200
    clock.shift(timedelta(seconds=1))
    doors.refuse_in_header(forge.token(access))


@pytest.mark.parametrize("kind", ALL_KINDS)
@pytest.mark.parametrize("exp", [253_402_214_400, 4_102_444_800.5])
def test_a_far_expiry_is_the_projects_business(doors: Any, kinds: Any, kind: str, exp: float) -> None:
    """THREATS: a far but representable ``exp`` breaks nothing; the session ends when it ends (law 11)."""
    token = forge.token({**kinds[kind], "exp": exp})
    answer = doors.header("/api/me/", token) if kind.startswith("access") else doors.body("refresh", token)
    assert answer.status_code == 200, answer.content


@pytest.mark.parametrize("exp", [253_402_214_400, 253_402_214_401])
def test_the_end_of_the_calendar(doors: Any, kinds: Any, settings: Any, exp: int) -> None:
    """THREATS: year 9999 with no absolute end of the session; one second more is refused (k)."""
    settings.DRF_JWT_KIT = {"SESSION_LIFETIME": None}
    token = forge.token({**kinds["refresh without session"], "exp": exp})
    answers = [doors.body(door, token).status_code for door in ("verify", "refresh", "revoke")]
    assert answers == ([200, 200, 200] if exp == 253_402_214_400 else [401, 401, 200])
    assert TokenSession.objects.count() == (2 if exp == 253_402_214_400 else 1)


NO_TEXTS = [
    *("null", "true", "0", "1", "1.5", "-1", "NaN", "[]", '["x"]', "{}", '{"x": 1}', '""', ABSENT),
    *('"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"a\\nb"', '"a\\u001b[31m"', '"\\u007f"', '"' + "x" * 300 + '"'),
    *('"' + "é" * 256 + '"', "1" * 4000, "1e400"),
]


@pytest.mark.parametrize("text", NO_TEXTS, ids=forge.label)
@pytest.mark.parametrize("claim", ["jti", "token_type"])
def test_an_odd_id_or_type_is_refused(refuse_each: Any, claim: str, text: str) -> None:
    """THREATS: ``jti`` and ``token_type`` missing, of another type, empty, too long, with NUL (k)."""
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, claim, text)), ALL_KINDS)


NO_USERS = [
    *(
        "-0.0",
        "{id}.5",
        '"{id}\\u0000\\u0000"',
        '"{id}\\t"',
        '"\\u00a0{id}"',
        '"{id};"',
        '"[{id}]"',
        '"{{{id}}}"',
        '"%3{id}"',
    ),
    *(
        ABSENT,
        "null",
        "true",
        "false",
        '""',
        "[]",
        "{{}}",
        "[{id}]",
        '{{"id": {id}}}',
        "{id}.0",
        "{id}e0",
        "NaN",
        "1e400",
    ),
    *('"abc"', '"{id}\\u0000"', '"\\u0000{id}"', '" {id}"', '"{id} "', '"{id}\\n"', '"+{id}"', '"-{id}"', '"0{id}"'),
    *('"{id}.0"', '"{id}e0"', '"0x{id}"', '"{id}_0"', '"{id},{id}"', '"{id} OR 1=1"', '"{id}\' --"', '"{id}\\u200b"'),
    *('"{arabic}"', '"{wide}"', '"{super}"', "{nines}", '"{nines}"', '"9223372036854775808"', "9223372036854775808"),
    *('"-9223372036854775809"', "-9223372036854775809", "1.5", '"1.5"', '"None"', '"True"', '"null"', '"\\ud800"'),
    *('"6f1a9a34-8f0b-4b52-9d34-0d7a5a0e4d11"', '"🙂"', '"' + "x" * 300 + '"', '"__proto__"', "{many}"),
]


def user_text(template: str, pk: int) -> str:
    """Return the JSON text for one user's id."""
    digits = str(pk)
    return template.format(
        id=pk,
        arabic="".join(chr(0x660 + int(digit)) for digit in digits),
        wide="".join(chr(0xFF10 + int(digit)) for digit in digits),
        super="".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in digits),
        nines="9" * 5000,
        many="9" * 4000,
    )


@pytest.mark.parametrize("template", NO_USERS, ids=forge.label)
def test_an_odd_user_id_is_refused(refuse_each: Any, user: Any, template: str) -> None:
    """THREATS: ``user_id`` in every shape that a database or ``int()`` might take for the user's (k)."""
    text = user_text(template, user.pk)
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, "user_id", text)), ALL_KINDS)


NOBODY = ['"2147483647"', "2147483647", '"-5"', "0", '"0"', "-1"]


@pytest.mark.parametrize("text", NOBODY)
def test_a_user_that_never_was_is_refused(refuse_each: Any, text: str) -> None:
    """THREATS: an id that the field can hold and nobody has (k)."""
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, "user_id", text)), ALL_KINDS)


UUIDS = [
    *(ABSENT, "null", "true", "0", "1", "[]", "{{}}", '""', '"x"', '"\\u0000"', "NaN", '"' + "0" * 32 + '"'),
    *('"00000000-0000-0000-0000-000000000000"', '"6f1a9a34-8f0b-4b52-9d34-0d7a5a0e4d11"', '"' + "f" * 300 + '"'),
    *('"{upper}"', '"{hex}"', '"{{{sid}}}"', '"urn:uuid:{sid}"', '" {sid}"', '"{sid} "', '"{sid}\\n"', '["{sid}"]'),
    *('"{sid}\\u0000"', '"-{hex}"', '"{sid}\' OR 1=1"', "{number}", '"{number}"', '"{wide}"'),
]


@pytest.mark.parametrize("template", UUIDS, ids=forge.label)
def test_an_odd_session_id_is_refused(doors: Any, tokens: Tokens, kinds: Any, template: str) -> None:
    """THREATS: ``sid`` missing on a kit token, unknown, or in another writing than its own (k)."""
    for kind in WITH_SESSION:
        if template == ABSENT and kind == "access":
            continue  # an access token without a session: a setting decides, see below
        sid = kinds[kind]["sid"]
        number, plain = int(sid.replace("-", ""), 16), sid.replace("-", "")
        wide = "".join(chr(0xFF10 + int(digit)) if digit.isdecimal() else digit for digit in sid)
        text = template.format(sid=sid, upper=sid.upper(), hex=plain, number=number, wide=wide)
        if text == json.dumps(sid):
            continue
        doors.refuse(forge.token(forge.with_claim(kinds[kind], "sid", text)))
    doors.admit(*tokens)


GENERATIONS = [
    *(ABSENT, "null", "true", "false", '"0"', '""', "[]", "{}", "0.0", "0.5", "1e0", "NaN", "1e400", "-1", "-0.0"),
    *("2147483648", "4294967296", "9223372036854775808", "1" * 4000, "1" * 5000, '"\\u0000"', "[0]"),
]


@pytest.mark.parametrize("text", GENERATIONS[1:], ids=forge.label)
def test_an_odd_generation_of_an_access_token_is_refused(refuse_each: Any, text: str) -> None:
    """THREATS: ``gen`` that is no count, on a token that has none (k)."""
    kinds = ("access", "access without session")
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, "gen", text)), kinds)


@pytest.mark.parametrize("generation", [0, 1, 2**31 - 1])
def test_an_access_token_has_no_generation(doors: Any, kinds: Any, generation: int) -> None:
    """THREATS: a token with ``gen`` is no access token, whatever it calls itself (k)."""
    for kind in ("access", "access without session"):
        token = forge.token({**kinds[kind], "gen": generation})
        for answer in (doors.header("/api/me/", token), *(doors.body(door, token) for door in TELLING)):
            assert (answer.status_code, answer.json()["reason"]) == (401, "wrong_type")


@pytest.mark.parametrize("text", GENERATIONS, ids=forge.label)
def test_an_odd_generation_is_refused(refuse_each: Any, text: str) -> None:
    """THREATS: ``gen`` missing on a kit token, negative, huge, or no whole number (k)."""
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, "gen", text)), ("refresh",))


def test_a_kit_token_stripped_of_its_session_is_refused(doors: Any, kinds: Any) -> None:
    """THREATS: ``sid`` and ``gen`` missing on a kit token: it is not taken for one of simplejwt's (k)."""
    payload = {name: value for name, value in kinds["refresh"].items() if name not in {"sid", "gen"}}
    doors.refuse(forge.token(payload))


@pytest.mark.parametrize("gen", [1, 2, 5, 2**31 - 1])
@pytest.mark.parametrize("door", ["verify", "refresh"])
def test_a_generation_to_come_is_not_accepted(doors: Any, kinds: Any, door: str, gen: int) -> None:
    """THREATS: a generation that nobody was given yet (k)."""
    answer = doors.body(door, forge.token({**kinds["refresh"], "gen": gen}))
    assert answer.status_code == 401, answer.content


def test_no_session_lends_itself_to_another_user(
    client: Any, doors: Any, tokens: Tokens, kinds: Any, django_user_model: Any
) -> None:
    """THREATS: ``sid`` of another user's session, or ``user_id`` of another user in one's own (k)."""
    mallory = another_user(django_user_model)
    foreign = signed_in(client, "mallory")
    sid = forge.payload_of(foreign.access)["sid"]
    for kind in WITH_SESSION:
        doors.refuse(forge.token({**kinds[kind], "sid": sid}))
        doors.refuse(forge.token({**kinds[kind], "user_id": str(mallory.pk)}))
        doors.refuse(forge.token({**kinds[kind], "user_id": mallory.pk}))
    doors.admit(*tokens)
    doors.admit(*foreign)


def test_access_tokens_without_a_session_can_be_refused(settings: Any, doors: Any, tokens: Tokens, kinds: Any) -> None:
    """THREATS: ``sid`` missing; ``ACCEPT_SESSIONLESS_ACCESS`` off closes every door to them."""
    settings.DRF_JWT_KIT = {"ACCEPT_SESSIONLESS_ACCESS": False}
    doors.refuse(forge.token(kinds["access without session"]))
    doors.admit(*tokens)


def test_an_unknown_session_was_revoked(doors: Any, kinds: Any) -> None:
    """THREATS: ``sid`` unknown, or of a session that is gone: 401 ``revoked`` (k)."""
    for kind in WITH_SESSION:
        token = forge.token({**kinds[kind], "sid": str(uuid4())})
        doors_of = (
            [doors.header("/api/me/", token)] if kind == "access" else [doors.body(door, token) for door in TELLING]
        )
        assert {(answer.status_code, answer.json()["reason"]) for answer in doors_of} == {(401, "revoked")}


# -- Kinds of token --------------------------------------------------------------------------------


def test_a_token_opens_the_doors_of_its_kind_only(doors: Any, tokens: Tokens) -> None:
    """THREATS: access at refresh, refresh as access: ``wrong_type``."""
    for path in ("/api/me/", "/api/sessions/"):
        answer = doors.header(path, tokens.refresh)
        assert (answer.status_code, answer.json()["reason"]) == (401, "wrong_type")
    for door in ("refresh", "blacklist"):
        answer = doors.body(door, tokens.access)
        assert (answer.status_code, answer.json()["reason"]) == (401, "wrong_type")
    doors.admit(*tokens)


TYPES = [
    "sliding",
    "id",
    "ACCESS",
    "Refresh",
    "access ",
    " refresh",
    "acces",
    "at+jwt",
    "\u0430\u0441\u0441ess",
    "none",
    "access\u200b",
    "refresh\u00ad",
    "JWT",
    "bearer",
    "access,refresh",
    "AccessToken",
    "untyped",
    "api_key",
    "password_reset",
]


@pytest.mark.parametrize("kind", TYPES, ids=forge.label)
def test_an_unknown_type_is_of_the_wrong_type(doors: Any, tokens: Tokens, kinds: Any, kind: str) -> None:
    """THREATS: ``token_type`` of another kind of token, at verify too (k)."""
    for payload in kinds.values():
        token = forge.token({**payload, "token_type": kind})
        doors.refuse_in_header(token)
        for door in ("refresh", "verify", "blacklist"):
            answer = doors.body(door, token)
            assert (answer.status_code, answer.json()["reason"]) == (401, "wrong_type")
    doors.admit(*tokens)


@pytest.mark.parametrize("claim", [None, "typ", "kind"])
def test_types_stay_apart_whatever_the_claim_is_called(settings: Any, request: Any, claim: str | None) -> None:
    """THREATS: access at refresh, refresh as access, with ``TOKEN_TYPE_CLAIM`` renamed or off."""
    settings.SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": claim}
    tokens, doors = request.getfixturevalue("tokens"), request.getfixturevalue("doors")
    doors.refuse_in_header(tokens.refresh)
    for door in ("refresh", "blacklist"):
        assert doors.body(door, tokens.access).status_code == 401
    assert doors.header("/api/me/", tokens.access).status_code == 200
    assert doors.body("refresh", tokens.refresh).status_code == 200


# -- Audience and issuer ---------------------------------------------------------------------------

AUDIENCE, ISSUER = "api", "https://issuer.example"

STRANGE = [
    *(ABSENT, "null", "true", "0", '""', "[]", "{}", "[[]]", "[null]", '[""]', '[{"a": 1}]', '"x"', '["x"]', "1e400"),
]


@pytest.mark.parametrize("text", [*STRANGE, '"API"', '" api"', '"api "', '"api\\n"', '"ap"', '"api,x"'])
def test_another_audience_is_refused(settings: Any, request: Any, text: str) -> None:
    """THREATS: ``aud`` other, in another case, with white space, missing where configured (k)."""
    settings.SIMPLE_JWT = {"AUDIENCE": AUDIENCE, "ISSUER": ISSUER}
    refuse_each = request.getfixturevalue("refuse_each")
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, "aud", text)), ALL_KINDS)


@pytest.mark.parametrize(
    "text",
    [
        *STRANGE,
        *(f'"{ISSUER}/"', f'"{ISSUER.upper()}"', f'" {ISSUER}"', f'"{ISSUER}\\n"', f'["{ISSUER}"]', f'"{ISSUER[:-1]}"'),
    ],
)
def test_another_issuer_is_refused(settings: Any, request: Any, text: str) -> None:
    """THREATS: ``iss`` other, in another case, with white space, missing where configured (k)."""
    settings.SIMPLE_JWT = {"AUDIENCE": AUDIENCE, "ISSUER": ISSUER}
    refuse_each = request.getfixturevalue("refuse_each")
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, "iss", text)), ALL_KINDS)


@pytest.mark.parametrize("text", [*(text for text in STRANGE if text != ABSENT), '"api"', '["api"]'])
def test_an_audience_that_nobody_configured_is_refused(refuse_each: Any, text: str) -> None:
    """THREATS: a token for another service, by the same key (k)."""
    refuse_each(lambda payload: forge.token(forge.with_claim(payload, "aud", text)), ALL_KINDS)


@pytest.mark.parametrize("text", ["1", "true", "[]", "{}", "1.5", "[1]", '{"a": 1}'])
@pytest.mark.parametrize("claim", ["sub", "iss"])
def test_registered_names_of_a_wrong_type_break_nothing(doors: Any, kinds: Any, claim: str, text: str) -> None:
    """THREATS: ``sub`` and ``iss`` where nobody looks at them are accepted or refused, never a 500 (k)."""
    for payload in kinds.values():
        token = forge.token(forge.with_claim(payload, claim, text))
        assert doors.header("/api/me/", token).status_code in {200, 401}
        for door in ("verify", "refresh", "revoke"):
            assert doors.body(door, token).status_code in {200, 401}


# -- Where a claim of the token's own goes on ---------------------------------------------------------


def test_claims_of_an_old_token_do_not_live_on(doors: Any, kinds: Any) -> None:
    """Law 11: what simplejwt's token says of its user is not copied into the session's (k)."""
    token = forge.token({**kinds["refresh without session"], "role": "admin", "is_staff": True, "scope": "*"})
    answer = doors.body("refresh", token)
    assert answer.status_code == 200
    for name in ("access", "refresh"):
        assert not {"role", "is_staff", "scope"} & forge.payload_of(answer.json()[name]).keys()


def test_an_old_token_is_adopted_once(clock: Any, doors: Any, kinds: Any) -> None:
    """THREATS, sessions: a token of simplejwt's under another spelling of its times is not another token (k)."""
    payload = kinds["refresh without session"]
    assert doors.body("refresh", forge.token(payload)).status_code == 200
    clock.shift(timedelta(seconds=31))
    assert doors.body("refresh", forge.token({**payload, "exp": payload["exp"] + 60})).json()["reason"] == "reused"
    assert doors.body("refresh", forge.token({**payload, "iat": float(payload["iat"])})).status_code == 401
