"""Tokens read their settings when they are made and checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from django.test import override_settings
from django.utils import timezone
from rest_framework_simplejwt.backends import TokenBackend as SimpleJWTTokenBackend
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken as SimpleJWTAccessToken
from rest_framework_simplejwt.tokens import RefreshToken as SimpleJWTRefreshToken

from drf_jwt_kit import backends, sessions
from drf_jwt_kit.conf import ACCESS_TOKEN, REFRESH_TOKEN, onto_kit
from drf_jwt_kit.exceptions import Expired, Invalid, WrongType
from drf_jwt_kit.tokens import AccessToken, RefreshToken, RevocableToken, UntypedToken

SID = UUID("01960000-0000-7000-8000-000000000000")
WEEK = timedelta(days=7)
BOTH = pytest.mark.parametrize("token_class", [AccessToken, RefreshToken])


class ChecksOnlyItsOwn(AccessToken):
    """A project's token whose ``verify`` never calls ``super()``."""

    def verify(self) -> None:
        """Look at one claim."""
        if self.get("tenant") == "gone":
            raise TokenError("Tenant is gone")


class OwnBackend(AccessToken):
    """A project's token that is signed by another key."""

    def get_token_backend(self) -> backends.TokenBackend:
        """Return a backend with that key."""
        return backends.TokenBackend("HS256", "another-key-" * 4)


class OutlivesNoShift(SimpleJWTAccessToken):
    """A project's token with a stricter rule for its end, on simplejwt's class."""

    def check_exp(self, claim: str = "exp", current_time: Any = None) -> None:
        """Refuse what simplejwt would take."""
        super().check_exp(claim, current_time)
        raise TokenError("The shift is over")


class OwnKey(SimpleJWTAccessToken):
    """A project's token with a key of its own, on simplejwt's class."""

    _token_backend = backends.TokenBackend("HS256", "another-key-" * 4)


class Sealing(SimpleJWTTokenBackend):
    """A project's backend whose tokens are none to anybody else."""

    def encode(self, payload: dict[str, Any]) -> str:
        """Seal."""
        return super().encode(payload)[::-1]

    def decode(self, token: Any, verify: bool = True) -> Any:
        """Open."""
        return super().decode(token[::-1], verify=verify)


class Sealed(AccessToken):
    """A project's token that is sealed."""

    _token_backend: Any = Sealing("HS256", "another-key-" * 4)


@pytest.mark.parametrize("encode", [str, str.encode])
def test_the_form_of_a_token_is_its_backends_business(encode: Any) -> None:
    """2.4: it gets the token as it came."""
    raw = encode(str(Sealed()))
    assert Sealed(raw)["token_type"] == "access"
    with pytest.raises(Invalid):
        AccessToken(raw)


def test_a_stricter_rule_for_the_end_counts() -> None:
    """2.4: simplejwt's ``verify`` asks it."""
    with pytest.raises(TokenError, match="shift"):
        onto_kit(OutlivesNoShift, ACCESS_TOKEN)(str(AccessToken()))


def test_a_class_may_have_a_backend_as_simplejwts_do() -> None:
    """2.4: what it signs, nobody else reads."""
    token_class = onto_kit(OwnKey, ACCESS_TOKEN)
    raw = str(token_class())
    assert token_class(raw)["token_type"] == "access"
    with pytest.raises(TokenError):
        AccessToken(raw)


@BOTH
def test_a_new_token_is_read_again(token_class: Any) -> None:
    """What ``str()`` signs, the class accepts."""
    token = token_class()
    again = token_class(str(token))
    assert again.payload == token.payload
    assert {"exp", "iat", "jti", "token_type"} == set(again.payload)


@BOTH
def test_bytes_are_read_too(token_class: Any) -> None:
    """The authenticator has bytes."""
    assert token_class(str(token_class()).encode())["token_type"] == token_class.token_type


@pytest.mark.parametrize(
    ("token_class", "other"), [(AccessToken, RefreshToken), (RefreshToken, AccessToken)], ids=["access", "refresh"]
)
def test_another_kind_is_of_the_wrong_type(token_class: Any, other: Any) -> None:
    """THREATS, claims."""
    with pytest.raises(WrongType):
        token_class(str(other()))


@BOTH
def test_an_expired_token_is_expired_also_after_it_was_seen(token_class: Any, clock: Any) -> None:
    """DESIGN 5: expiry is checked every time, also for a token that is remembered."""
    token = str(token_class())
    for _ in range(2):
        token_class(token)
    clock.shift(token_class.lifetime)
    with pytest.raises(Expired):
        token_class(token)


def test_a_verify_of_the_projects_own_does_not_bring_expired_tokens_back(clock: Any) -> None:
    """Issue 2.5: simplejwt's decoding checks ``exp`` whatever ``verify`` does; so does the kit's."""
    token = str(ChecksOnlyItsOwn())
    ChecksOnlyItsOwn(token)
    clock.shift(timedelta(minutes=5))
    with pytest.raises(Expired):
        ChecksOnlyItsOwn(token)


@BOTH
def test_the_lifetime_is_the_setting_as_it_is_now(token_class: Any) -> None:
    """STYLE: settings are read in running code."""
    usual = token_class.lifetime
    with override_settings(SIMPLE_JWT=dict.fromkeys(("ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME"), WEEK)):
        assert token_class.lifetime == token_class().lifetime == WEEK
        assert token_class()["exp"] - token_class()["iat"] == WEEK.total_seconds()
    assert token_class.lifetime == usual != WEEK


@BOTH
def test_for_user_names_the_user_and_no_session(token_class: Any, django_user_model: Any) -> None:
    """DESIGN 2.3: ``user_id`` is a string since simplejwt 5.5."""
    token = token_class.for_user(django_user_model(pk=7))
    assert (token["user_id"], token.sid, token.session) == ("7", None, None)


@BOTH
@pytest.mark.parametrize("name", [None, "", "x\n", "x" * 256])
def test_a_user_whom_no_token_can_name_gets_none(
    token_class: Any, settings: Any, django_user_model: Any, name: Any
) -> None:
    """Law 9: null would be whoever is called "None"; the others would be refused wherever they are sent."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username"}
    with pytest.raises(Invalid):
        token_class.for_user(django_user_model(username=name))


def test_a_token_with_another_backend_of_the_projects_own() -> None:
    """Issue 2.5: ``get_token_backend`` is an override point."""
    token = str(OwnBackend())
    assert OwnBackend(token)["token_type"] == "access"
    with pytest.raises(Invalid):
        AccessToken(token)


def test_an_unverified_token_is_only_read() -> None:
    """As in simplejwt: ``verify=False``."""
    assert AccessToken(jwt.encode({"a": 1}, "x" * 32), verify=False).payload == {"a": 1}


@pytest.mark.parametrize("claim", [{"sid": str(SID)}, {"gen": 1}])
def test_a_refresh_token_names_a_session_wholly_or_not_at_all(claim: dict[str, Any]) -> None:
    """THREATS, claims: ``sid`` or ``gen`` missing on a kit token."""
    token = RefreshToken()
    token.payload.update(claim)
    for token_class in (RefreshToken, RevocableToken):
        with pytest.raises(Invalid):
            token_class(str(token))


def test_a_refresh_token_that_names_none_was_never_the_kits() -> None:
    """THREATS, claims: both taken away, and the id that follows from them left."""
    token = RefreshToken()
    token.belong_to(SID, 1)
    RefreshToken(str(token))
    del token.payload["sid"], token.payload["gen"]
    for token_class in (RefreshToken, RevocableToken):
        with pytest.raises(Invalid):
            token_class(str(token))


def test_a_stamped_token_follows_from_its_row() -> None:
    """Laws 2 and 5: the same arguments make the same token, so nothing of it is stored."""
    now = timezone.now()
    one, two = RefreshToken(), RefreshToken()
    for token in (one, two):
        token.stamp(SID, 3, now, now + timedelta(hours=1))
    assert str(one) == str(two)
    assert (one.sid, one.generation, one.validity) == (SID, 3, timedelta(hours=1))


def test_each_generation_has_an_id_of_its_own() -> None:
    """RFC 7519 4.1.7."""
    now = timezone.now()
    ids = set()
    for generation in range(20):
        token = RefreshToken()
        token.stamp(SID, generation, now, now)
        ids.add(token["jti"])
    assert len(ids) == 20


def test_an_access_token_has_the_claims_of_its_refresh_token() -> None:
    """As in simplejwt: all but ``no_copy_claims``."""
    refresh = RefreshToken()
    now = timezone.now()
    refresh.stamp(SID, 3, now, now + timedelta(days=1))
    refresh["role"] = "staff"
    access = refresh.access_token
    assert (access["role"], access.sid, access["token_type"]) == ("staff", SID, "access")
    assert "gen" not in access
    assert access["jti"] != refresh["jti"]


class KeepsASecret(SimpleJWTRefreshToken):
    """A project's token that keeps one more claim back, by a list of its own."""

    no_copy_claims = ("token_type", "exp", "iat", "jti", "secret")


def test_a_list_of_the_projects_own_keeps_back_what_it_names() -> None:
    """2.4: and the kit what it must."""
    refresh = onto_kit(KeepsASecret, REFRESH_TOKEN)()
    now = timezone.now()
    refresh.stamp(SID, 3, now, now + timedelta(days=1))
    refresh["secret"], refresh["role"] = "x", "staff"
    access = AccessToken(str(refresh.access_token))
    assert ("secret" in access, "gen" in access, access["role"]) == (False, False, "staff")


def test_renamed_claims_are_not_copied(settings: Any) -> None:
    """``no_copy_claims`` is frozen in simplejwt's class body; the settings of now count."""
    settings.SIMPLE_JWT = {"JTI_CLAIM": "token_id", "TOKEN_TYPE_CLAIM": "kind"}
    refresh = RefreshToken()
    access = refresh.access_token
    assert access["kind"] == "access"
    assert access["token_id"] != refresh["token_id"]
    assert not {"jti", "token_type"} & {*access.payload, *refresh.payload}


@pytest.mark.parametrize(("shift", "seconds"), [(timedelta(seconds=10), 10), (timedelta(days=9), 300), (None, 300)])
def test_an_access_token_does_not_outlive_its_session(clock: Any, shift: timedelta | None, seconds: int) -> None:
    """Law 11."""
    access = AccessToken()
    access.end_by(None if shift is None else timezone.now() + shift)
    assert access["exp"] - access["iat"] == seconds
    assert access.seconds_left == seconds


@BOTH
def test_an_untyped_token_tells_its_kind(token_class: Any) -> None:
    """For endpoints that are told nothing of it."""
    assert UntypedToken(str(token_class())).kind == token_class.token_type


@pytest.mark.parametrize("made_by", [SimpleJWTAccessToken, SimpleJWTRefreshToken, AccessToken, RefreshToken], ids=repr)
def test_a_token_may_be_old_to_be_revoked(made_by: Any, clock: Any) -> None:
    """RFC 7009 2."""
    token = str(made_by())
    clock.shift(timedelta(days=400))
    assert RevocableToken(token).kind == made_by.token_type
    with pytest.raises(Expired):
        UntypedToken(token)


def test_a_token_that_nobody_signed_cannot_be_revoked() -> None:
    """RFC 7009 2.1: it has nothing to end."""
    with pytest.raises(Invalid):
        RevocableToken(jwt.encode({"exp": 1, "jti": "x", "token_type": "refresh"}, "x" * 32))


@pytest.mark.parametrize(("leeway", "accepted"), [(0, False), (9, False), (11, True), (timedelta(seconds=11), True)])
def test_leeway_counts_for_remembered_tokens(settings: Any, clock: Any, leeway: Any, accepted: bool) -> None:
    """DESIGN 5: as it does for a token that is seen for the first time."""
    settings.SIMPLE_JWT = {"LEEWAY": leeway}
    token = str(AccessToken())
    AccessToken(token)
    clock.shift(timedelta(minutes=5, seconds=10))
    if accepted:
        AccessToken(token)
    else:
        with pytest.raises(Expired):
            AccessToken(token)


def test_check_exp_takes_another_claim_and_time() -> None:
    """As in simplejwt: sliding tokens and projects use it."""
    token = AccessToken()
    token.set_exp("refresh_exp", from_time=token.current_time, lifetime=timedelta(hours=1))
    token.check_exp("refresh_exp")
    with pytest.raises(TokenError):
        token.check_exp("refresh_exp", current_time=datetime.now(timezone.get_current_timezone()) + timedelta(hours=2))


def test_a_project_may_do_without_types(settings: Any, user: Any) -> None:
    """As in simplejwt: ``TOKEN_TYPE_CLAIM = None`` asks no token for its type."""
    settings.SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": None}
    pair = sessions.start(user)
    for token in (pair.access, pair.refresh):
        token.payload.pop(None)
        assert type(token)(str(token)).sid == pair.session.pk


@pytest.mark.parametrize("named", ["null", "token_type"])
@pytest.mark.parametrize("kind", [AccessToken, RefreshToken])
def test_without_types_a_token_is_what_it_says_all_the_same(settings: Any, user: Any, kind: Any, named: str) -> None:
    """THREATS, access at refresh: simplejwt writes the type under ``null`` then, or wrote it before."""
    settings.SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": None}
    token = kind.for_user(user)
    token.payload[named] = token.payload.pop(None)
    other = RefreshToken if kind is AccessToken else AccessToken
    assert kind(str(token))["jti"] == token["jti"]
    with pytest.raises(WrongType):
        other(str(token))


def test_without_types_what_says_nothing_becomes_no_session(settings: Any, user: Any) -> None:
    """THREATS, access at refresh: five minutes of access would buy a day's session, and another."""
    settings.SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": None}
    token = AccessToken.for_user(user)
    del token.payload[None]
    assert AccessToken(str(token))["jti"]
    with pytest.raises(WrongType):
        sessions.rotate(str(token))


def test_without_types_a_refresh_token_is_still_no_access_token(settings: Any) -> None:
    """THREATS, refresh as access: its generation tells what it is where no type does."""
    settings.SIMPLE_JWT = {"TOKEN_TYPE_CLAIM": None}
    refresh = RefreshToken()
    refresh.stamp(SID, 0, refresh.current_time, refresh.current_time + WEEK)
    with pytest.raises(WrongType):
        AccessToken(str(refresh))
    assert AccessToken(str(refresh.access_token)).sid == SID


@pytest.mark.parametrize("off", [{}, {"TOKEN_TYPE_CLAIM": None}], ids=["ids", "ids and types"])
def test_a_project_may_do_without_ids(settings: Any, user: Any, off: Any) -> None:
    """As in simplejwt, which writes an id under ``null`` then, over the type that would be there."""
    settings.SIMPLE_JWT = {"JTI_CLAIM": None, **off}
    pair = sessions.start(user)
    assert AccessToken(str(pair.access)).sid == pair.session.pk
    assert sessions.rotate(str(pair.refresh)).session == pair.session
    with pytest.raises(WrongType):
        AccessToken(str(pair.refresh))
