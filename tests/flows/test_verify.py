"""``POST token/verify/``: would this token be accepted right now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import jwt
import pytest
from django.test import Client
from rest_framework_simplejwt.backends import TokenBackend as SimpleJWTTokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, SlidingToken

from drf_jwt_kit import serializers, sessions, tokens
from drf_jwt_kit.backends import TokenBackend
from drf_jwt_kit.exceptions import Expired, Invalid
from drf_jwt_kit.models import TokenSession
from tests.conftest import bearer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_good_token_is_an_empty_200(post: Any, tokens: Any, kind: str) -> None:
    """FR-002: ``{}``, as simplejwt."""
    answer = post("token/verify/", token=getattr(tokens, kind))
    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_verifying_changes_nothing(post: Any, tokens: Any, kind: str) -> None:
    """A question is not a use: the refresh token still rotates afterwards."""
    before = TokenSession.objects.values().get()
    for _ in range(2):
        post("token/verify/", token=getattr(tokens, kind))
    assert TokenSession.objects.values().get() == before
    assert post("token/refresh/", refresh=tokens.refresh).status_code == 200


@pytest.mark.parametrize(("kind", "lifetime"), [("access", timedelta(minutes=5)), ("refresh", timedelta(days=1))])
def test_an_expired_token_is_a_401(post: Any, clock: Any, sign_in: Any, kind: str, lifetime: timedelta) -> None:
    """SC-003."""
    token = getattr(sign_in(), kind)
    clock.shift(lifetime)
    answer = post("token/verify/", token=token)
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (401, "token_not_valid", "expired")


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_a_revoked_token_is_a_401(post: Any, tokens: Any, kind: str) -> None:
    """Law 4: the session counts."""
    post("token/revoke/", token=tokens.access)
    answer = post("token/verify/", token=getattr(tokens, kind))
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked")


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_the_token_of_an_inactive_user_is_a_401(post: Any, tokens: Any, kind: str, django_user_model: Any) -> None:
    """Law 9: the user counts."""
    django_user_model.objects.update(is_active=False)
    assert post("token/verify/", token=getattr(tokens, kind)).json()["reason"] == "user_inactive"


def test_a_rotated_token_is_a_401_outside_grace(post: Any, clock: Any, sign_in: Any) -> None:
    """Law 3: it would not be accepted right now; asking does not end the session."""
    old = sign_in().refresh
    new = post("token/refresh/", refresh=old).json()["refresh"]
    assert post("token/verify/", token=old).status_code == 200
    clock.shift(timedelta(seconds=31))
    assert post("token/verify/", token=old).json()["reason"] == "reused"
    assert post("token/verify/", token=new).status_code == 200


@pytest.mark.parametrize("token_class", [AccessToken, RefreshToken])
def test_tokens_of_simplejwts_are_good(post: Any, user: Any, token_class: Any) -> None:
    """Issue 2.5: those that project code made."""
    assert post("token/verify/", token=str(token_class.for_user(user))).status_code == 200


def test_a_token_of_an_unknown_kind_is_of_the_wrong_type(post: Any, user: Any) -> None:
    """THREATS, claims: an unknown type is refused."""
    answer = post("token/verify/", token=str(SlidingToken.for_user(user)))
    assert (answer.status_code, answer.json()["reason"]) == (401, "wrong_type")


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "...", " ", "null"])
def test_what_is_no_token_is_a_401(post: Any, token: str) -> None:
    """DESIGN 2.1."""
    answer = post("token/verify/", token=token)
    assert (answer.status_code, answer.json()["reason"]) == (401, "invalid")


@pytest.mark.parametrize("body", [{}, {"token": None}, {"token": ""}, {"token": 1}, {"token": ["x"]}])
def test_a_missing_token_is_a_400(client: Any, body: Any) -> None:
    """DESIGN 2.1."""
    answer = client.post("/api/token/verify/", body, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {"token"})


def test_white_space_around_a_token_is_not_cut_off(post: Any, tokens: Any) -> None:
    """THREATS, format: only the token itself is the token."""
    assert post("token/verify/", token=f" {tokens.access} ").status_code == 401


class WantsTenant:
    """A project's token that is good for nothing without a claim of its own."""

    def verify(self: Any) -> None:
        """Ask for more than the kit does."""
        super().verify()  # type: ignore[misc]
        if "tenant" not in self.payload:
            raise TokenError("No tenant.")


class Picky(WantsTenant, tokens.AccessToken):
    """One on the kit's access token."""


class PlainPicky(WantsTenant, AccessToken):
    """One on simplejwt's."""


class PickyRefresh(WantsTenant, tokens.RefreshToken):
    """One on the kit's refresh token."""


class PickyRefreshes(serializers.TokenRefreshSerializer):
    """The serializer that refreshes by it."""

    token_class = PickyRefresh


class OtherAccess(tokens.AccessToken):
    """A project's access token of a type of its own."""

    token_type = "opens"


class OtherRefresh(tokens.RefreshToken):
    """A project's refresh token of a type of its own."""

    token_type = "continues"
    access_token_class = OtherAccess


class OtherObtains(serializers.TokenObtainPairSerializer):
    """The serializer that signs in with them."""

    token_class = OtherRefresh


class OtherRefreshes(serializers.TokenRefreshSerializer):
    """The serializer that refreshes by them."""

    token_class = OtherRefresh


class OwnKey:
    """A project's token that is signed with a key of its own."""

    backend: ClassVar[Any] = TokenBackend("HS256", "another key, which is long enough")

    def get_token_backend(self) -> Any:
        """Return what signs and verifies it."""
        return self.backend


class KeyedAccess(OwnKey, tokens.AccessToken):
    """One that is an access token."""


class KeyedRefresh(OwnKey, tokens.RefreshToken):
    """One that is a refresh token."""

    access_token_class = KeyedAccess


class KeyedObtains(serializers.TokenObtainPairSerializer):
    """The serializer that signs in with them."""

    token_class = KeyedRefresh


class KeyedRefreshes(serializers.TokenRefreshSerializer):
    """The serializer that refreshes by them."""

    token_class = KeyedRefresh


class KeyedBlacklists(serializers.TokenBlacklistSerializer):
    """The serializer that signs out by them."""

    token_class = KeyedRefresh


SECRET = "a third key, which is long enough, too"


class Bare:
    """A project's backend with no more than simplejwt's tokens ask for. What ends when, it leaves to them."""

    def encode(self, payload: dict[str, Any]) -> str:
        """Sign."""
        return jwt.encode({**payload, "aud": "api"}, SECRET)

    def decode(self, token: Any, verify: bool) -> Any:
        """Verify the signature."""
        options: Any = {"verify_exp": False, "verify_signature": verify}
        try:
            return jwt.decode(token, SECRET, ["HS256"], options, audience="api")
        except jwt.InvalidTokenError as error:
            raise TokenBackendError from error

    def get_leeway(self) -> timedelta:
        """Return none."""
        return timedelta(0)


class InOtherWords(TokenBackend):
    """The kit's backend, which refuses in simplejwt's words."""

    def decode(self, token: Any, verify: bool = True) -> Any:
        """Decode."""
        try:
            return super().decode(token, verify)
        except Expired:
            raise TokenBackendExpiredToken from None
        except Invalid:
            raise TokenBackendError from None


PLAIN = SimpleJWTTokenBackend("HS256", SECRET, audience="api")
BACKENDS = {
    "simplejwt's": PLAIN,
    "nobody's": Bare(),
    "a subclass of the kit's": InOtherWords("HS256", SECRET, audience="api"),
}


OWN_TOKENS: dict[str, dict[str, Any]] = {
    "the kit's": {},
    "an access token that asks for more": {"AUTH_TOKEN_CLASSES": (f"{__name__}.Picky",)},
    "that, and what asks for no more": {"AUTH_TOKEN_CLASSES": (f"{__name__}.Picky", "drf_jwt_kit.tokens.AccessToken")},
    "one on simplejwt's that asks for more": {"AUTH_TOKEN_CLASSES": (f"{__name__}.PlainPicky",)},
    "a refresh token that asks for more": {"TOKEN_REFRESH_SERIALIZER": f"{__name__}.PickyRefreshes"},
    "types of its own": {
        "AUTH_TOKEN_CLASSES": (f"{__name__}.OtherAccess",),
        "TOKEN_OBTAIN_SERIALIZER": f"{__name__}.OtherObtains",
        "TOKEN_REFRESH_SERIALIZER": f"{__name__}.OtherRefreshes",
    },
    "a key of its own": {
        "AUTH_TOKEN_CLASSES": (f"{__name__}.KeyedAccess",),
        "TOKEN_OBTAIN_SERIALIZER": f"{__name__}.KeyedObtains",
        "TOKEN_REFRESH_SERIALIZER": f"{__name__}.KeyedRefreshes",
        "TOKEN_BLACKLIST_SERIALIZER": f"{__name__}.KeyedBlacklists",
    },
    "sliding tokens": {"AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.SlidingToken",)},
}


@pytest.mark.parametrize("own", OWN_TOKENS.values(), ids=OWN_TOKENS)
@pytest.mark.parametrize("kind", ["access", "refresh", "sliding", "refresh without a session", "access without one"])
def test_it_says_what_is_said_where_the_token_is_used(
    post: Any, user: Any, sign_in: Any, settings: Any, own: dict[str, Any], kind: str
) -> None:
    """DESIGN 2.1: 200 only if it would be accepted right now, by a project's own classes too, and not once revoked."""
    settings.SIMPLE_JWT, client = own, Client()
    if kind == "sliding":
        token = str(SlidingToken.for_user(user))
    elif kind in ("access", "refresh"):
        token = getattr(sign_in(), kind)
    else:
        loose = tokens.refresh_class().for_user(user)
        token = str(loose if kind.startswith("refresh") else loose.access_token)

    def use() -> Any:
        if kind.startswith("refresh"):
            return post("token/refresh/", refresh=token)
        return client.get("/api/me/", **bearer(token))

    verified, used = post("token/verify/", token=token), use()
    assert (verified.status_code, verified.json().get("reason")) == (used.status_code, used.json().get("reason"))
    assert post("token/revoke/", token=token).status_code == 200
    outlives = kind in ("sliding", "access without one")  # there is no session to end
    assert use().status_code == (used.status_code if outlives else 401)


@pytest.mark.parametrize("own", ["the kit's", "types of its own", "a key of its own"])
def test_a_token_that_has_no_session_yet_is_revoked(post: Any, user: Any, settings: Any, own: str) -> None:
    """RFC 7009: it has a dead row, and stays dead."""
    settings.SIMPLE_JWT = OWN_TOKENS[own]
    token = str(tokens.refresh_class().for_user(user))
    assert post("token/revoke/", token=token).status_code == 200
    assert post("token/verify/", token=token).json()["reason"] == "revoked"
    assert post("token/refresh/", refresh=token).json()["reason"] == "revoked"


@pytest.mark.parametrize("own", ["the kit's", "types of its own", "a key of its own"])
def test_code_rotates_what_the_endpoint_does(user: Any, settings: Any, own: str) -> None:
    """``sessions.rotate`` takes a string as the refresh serializer does."""
    settings.SIMPLE_JWT = OWN_TOKENS[own]
    pair = sessions.start(user)
    assert sessions.rotate(str(pair.refresh)).session.generation == 1


@pytest.fixture
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend of the key of its own."""
    monkeypatch.setattr(OwnKey, "backend", request.param)


REFUSED_BY_ANY_BACKEND: dict[str, tuple[dict[str, Any], str]] = {
    "an expired one": ({"exp": 1}, "expired"),
    "one without an end": ({"exp": None}, "invalid"),
    "one without an id": ({"jti": None}, "invalid"),
    "one that begins later": ({"nbf": 9_000_000_000}, "invalid"),
    "a strange session": ({"sid": "x"}, "invalid"),
    "another audience": ({"aud": "elsewhere"}, "invalid"),
}


@pytest.mark.parametrize("backend", BACKENDS.values(), indirect=True, ids=BACKENDS)
@pytest.mark.usefixtures("backend")
def test_a_projects_own_backend_takes_what_it_made(post: Any, sign_in: Any, settings: Any) -> None:
    """2.4: by no more than simplejwt's tokens ask of it."""
    settings.SIMPLE_JWT = OWN_TOKENS["a key of its own"]
    pair = sign_in()
    assert Client().get("/api/me/", **bearer(pair.access)).status_code == 200
    refresh = post("token/refresh/", refresh=pair.refresh).json()["refresh"]
    assert post("token/verify/", token=refresh).status_code == 200
    assert post("token/revoke/", token=refresh).status_code == 200
    assert Client().get("/api/me/", **bearer(pair.access)).json()["reason"] == "revoked"


@pytest.mark.parametrize("backend", BACKENDS.values(), indirect=True, ids=BACKENDS)
@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("kind", ["access", "refresh"])
@pytest.mark.parametrize(("change", "reason"), REFUSED_BY_ANY_BACKEND.values(), ids=REFUSED_BY_ANY_BACKEND)
def test_a_projects_own_backend_lets_in_no_more_than_the_kits(
    post: Any, sign_in: Any, settings: Any, kind: str, change: dict[str, Any], reason: str
) -> None:
    """2.2, THREATS, claims: whoever verifies the signature, what is strange is a 401."""
    settings.SIMPLE_JWT = OWN_TOKENS["a key of its own"]
    claims = {**PLAIN.decode(getattr(sign_in(), kind)), **change}
    strange = jwt.encode({name: value for name, value in claims.items() if value is not None}, PLAIN.signing_key)
    for raw, why in ((strange, reason), (f"{strange}x", "invalid"), ("a.b.c", "invalid"), ("garbage", "invalid")):
        answers = {"verify": post("token/verify/", token=raw)}
        if kind == "access":
            answers["use"] = Client().get("/api/me/", **bearer(raw))
        else:
            answers |= {path: post(f"token/{path}/", refresh=raw) for path in ("refresh", "blacklist")}
        told = {path: (answer.status_code, answer.json()["reason"]) for path, answer in answers.items()}
        assert told == dict.fromkeys(answers, (401, why))
        assert post("token/revoke/", token=raw).status_code == 200
