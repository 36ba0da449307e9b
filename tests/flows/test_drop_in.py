"""Projects that already use simplejwt: what they subclassed, named or called goes on working, with sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import jwt
import pytest
from django.contrib.auth import authenticate, get_user_model
from django.urls import include, path
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt import authentication as simplejwt_authentication
from rest_framework_simplejwt import serializers as simplejwt_serializers
from rest_framework_simplejwt import tokens as simplejwt_tokens
from rest_framework_simplejwt import views as simplejwt_views
from rest_framework_simplejwt.exceptions import TokenError

from drf_jwt_kit import authentication, sessions, views
from drf_jwt_kit import serializers as kit_serializers
from drf_jwt_kit import tokens as kit_tokens
from drf_jwt_kit.models import TokenSession
from tests.conftest import PASSWORD, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class WithRole(simplejwt_serializers.TokenObtainPairSerializer):
    """What simplejwt's docs call "customizing token claims"."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Add the role."""
        token = super().get_token(user)
        token["role"] = "staff" if user.is_staff else "member"
        return token


class WithRoleOnTheKits(kit_serializers.TokenObtainPairSerializer):
    """The same on the kit's class."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Add the role."""
        token = super().get_token(user)
        token["role"] = "staff" if user.is_staff else "member"
        return token


class WithRoleWithoutSuper(simplejwt_serializers.TokenObtainPairSerializer):
    """A ``get_token`` that makes its own token."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Make a token of simplejwt's and add the role."""
        token = simplejwt_tokens.RefreshToken.for_user(user)
        token["role"] = "staff" if user.is_staff else "member"
        return token


class AddsToTheAnswer(WithRole):
    """A ``validate`` that adds to what ``super()`` answers."""

    def validate(self, attrs: Any) -> Any:
        """Add the user's name."""
        return {**super().validate(attrs), "username": self.user.get_username()}


class MakesTheTokensAgain(WithRole):
    """The ``validate`` of many a tutorial: it calls ``super()`` and then makes the tokens once more."""

    def validate(self, attrs: Any) -> Any:
        """Make both tokens from ``get_token``."""
        data = super().validate(attrs)
        refresh = self.get_token(self.user)
        data["refresh"] = str(refresh)
        data["access"] = str(refresh.access_token)
        data["username"] = self.user.get_username()
        return data


class ValidatesAlone(WithRole):
    """A ``validate`` that never calls ``super()``."""

    def validate(self, attrs: Any) -> Any:
        """Authenticate and make the tokens."""
        user = authenticate(self.context["request"], username=attrs["username"], password=attrs["password"])
        if user is None:
            raise AuthenticationFailed("Wrong.", "no_active_account")
        refresh = self.get_token(user)
        return {"refresh": str(refresh), "access": str(refresh.access_token), "greeting": "hello"}


class FromTheBaseClass(simplejwt_serializers.TokenObtainSerializer):
    """A serializer on ``TokenObtainSerializer``, which only authenticates."""

    token_class = simplejwt_tokens.RefreshToken

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Add the role."""
        token = super().get_token(user)
        token["role"] = "staff" if user.is_staff else "member"
        return token

    def validate(self, attrs: Any) -> Any:
        """Authenticate, then make the tokens, as simplejwt's own pair serializer does."""
        data = super().validate(attrs)
        refresh = self.get_token(self.user)
        data["refresh"] = str(refresh)
        data["access"] = str(refresh.access_token)
        return data


class IsToldNoClass(simplejwt_serializers.TokenObtainSerializer):
    """A serializer on simplejwt's base that makes its tokens by hand, and so names no class of them."""

    def validate(self, attrs: Any) -> Any:
        """Authenticate, then make the tokens."""
        super().validate(attrs)
        refresh = simplejwt_tokens.RefreshToken.for_user(self.user)
        return {"refresh": str(refresh), "access": str(refresh.access_token)}


class OwedToNobody(serializers.Serializer):
    """A serializer that subclasses nothing of simplejwt's."""

    username = serializers.CharField()

    def validate(self, attrs: Any) -> Any:
        """Let in whoever is named, with tokens made by hand."""
        refresh = simplejwt_tokens.RefreshToken.for_user(get_user_model().objects.get(**attrs))
        return {"refresh": str(refresh), "access": str(refresh.access_token)}


class ByEmail(WithRole):
    """Another user name field."""

    username_field = "email"

    def validate(self, attrs: Any) -> Any:
        """Look the name up, then go on as ever."""
        attrs["username"] = get_user_model().objects.get(email=attrs["email"]).username
        self.username_field = "username"
        return super().validate(attrs)


class WithPin(WithRole):
    """A further field of the project's own."""

    pin = serializers.CharField(write_only=True)

    def validate(self, attrs: Any) -> Any:
        """Ask for the pin first."""
        if attrs["pin"] != "1234":
            raise serializers.ValidationError({"pin": ["Wrong."]})
        return super().validate(attrs)


class ShortRefresh(simplejwt_tokens.RefreshToken):
    """A refresh token of the project's own, on simplejwt's class."""

    lifetime = timedelta(hours=2)


class ShortAccess(simplejwt_tokens.AccessToken):
    """An access token of the project's own, on simplejwt's class, that checks a claim."""

    lifetime = timedelta(seconds=90)

    def verify(self) -> None:
        """Refuse the tokens of a tenant that left."""
        super().verify()
        if self.get("tenant") == "gone":
            raise TokenError("Tenant is gone")


class ShortRefreshOnTheKits(kit_tokens.RefreshToken):
    """A refresh token of the project's own, on the kit's class, with its own access token."""

    lifetime = timedelta(hours=2)
    access_token_class = ShortAccess


class WithOwnTokens(simplejwt_serializers.TokenObtainPairSerializer):
    """Name a token class of the project's own."""

    token_class = ShortRefresh


class WithOwnTokensOnTheKits(kit_serializers.TokenObtainPairSerializer):
    """The same with the kit's classes."""

    token_class = ShortRefreshOnTheKits


class RefreshWithHint(simplejwt_serializers.TokenRefreshSerializer):
    """A project's refresh serializer on simplejwt's."""

    def validate(self, attrs: Any) -> Any:
        """Add to the answer."""
        return {**super().validate(attrs), "hint": "soon again"}


class VerifyWithHint(simplejwt_serializers.TokenVerifySerializer):
    """A project's verify serializer on simplejwt's."""

    def validate(self, attrs: Any) -> Any:
        """Add to the answer."""
        return {**super().validate(attrs), "hint": "good"}


class BlacklistWithHint(simplejwt_serializers.TokenBlacklistSerializer):
    """A project's blacklist serializer on simplejwt's."""

    def validate(self, attrs: Any) -> Any:
        """Add to the answer."""
        return {**super().validate(attrs), "hint": "bye"}


class OwnAuthentication(simplejwt_authentication.JWTAuthentication):
    """A project's authenticator on simplejwt's class."""

    def get_user(self, validated_token: Any) -> Any:
        """Mark the user."""
        user = super().get_user(validated_token)
        user.marked = "by the project"
        return user


class OwnAuthenticationOnTheKits(authentication.JWTAuthentication):
    """A project's authenticator on the kit's class."""

    def get_user(self, validated_token: Any) -> Any:
        """Mark the user and look at the session."""
        user = super().get_user(validated_token)
        user.marked = str(validated_token.session)
        return user


class OwnView(views.TokenObtainPairView):
    """A view of the project's own on the kit's, with a serializer on simplejwt's."""

    serializer_class = AddsToTheAnswer


class OwnViewWithSetting(views.TokenObtainPairView):
    """A view that names its serializer in simplejwt's second way."""

    _serializer_class = f"{__name__}.AddsToTheAnswer"


class OwnViewOnSimpleJWTs(simplejwt_views.TokenObtainPairView):
    """A view of the project's own that is still on simplejwt's."""

    serializer_class = AddsToTheAnswer


class Marked(APIView):
    """Tell what the authenticator added."""

    def get(self, request: Any) -> Response:
        """Return the mark."""
        return Response(getattr(request.user, "marked", None))


urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    path("own/", OwnView.as_view()),
    path("own-by-setting/", OwnViewWithSetting.as_view()),
    path("own-simplejwt/", OwnViewOnSimpleJWTs.as_view()),
    path("no-class/", views.TokenObtainPairView.as_view(serializer_class=IsToldNoClass)),
    path("stock/", simplejwt_views.TokenObtainPairView.as_view()),
    path("stock/refresh/", simplejwt_views.TokenRefreshView.as_view()),
    path("stock/verify/", simplejwt_views.TokenVerifyView.as_view()),
    path("stock/blacklist/", simplejwt_views.TokenBlacklistView.as_view()),
    path("marked/", Marked.as_view()),
    path("marked/simplejwt/", Marked.as_view(authentication_classes=[OwnAuthentication])),
    path("marked/kit/", Marked.as_view(authentication_classes=[OwnAuthenticationOnTheKits])),
    path("stock/me/", Marked.as_view(authentication_classes=[simplejwt_authentication.JWTAuthentication])),
]

ON_CLASSES = [WithRole, WithRoleOnTheKits, WithRoleWithoutSuper, AddsToTheAnswer, MakesTheTokensAgain]
ON_CLASSES += [ValidatesAlone, FromTheBaseClass]


def payload_of(token: str) -> dict[str, Any]:
    """Return what a token says, unverified."""
    return jwt.decode(token, options={"verify_signature": False})


def named(serializer: type[Any]) -> dict[str, str]:
    """Return ``SIMPLE_JWT`` of a project that names its sign-in serializer."""
    return {"TOKEN_OBTAIN_SERIALIZER": f"{serializer.__module__}.{serializer.__qualname__}"}


@pytest.fixture
def obtain(client: Any, user: Any) -> Any:
    """A function that signs alice in at a path and returns the answer's body."""

    def obtain(where: str = "/api/token/", **more: str) -> Any:
        body = {"username": "alice", "password": PASSWORD, **more}
        answer = client.post(where, body, format="json")
        assert answer.status_code == 200, answer.content
        return answer.json()

    return obtain


@pytest.mark.parametrize("serializer", ON_CLASSES)
class TestSerializerNamedInSettings:
    """``SIMPLE_JWT["TOKEN_OBTAIN_SERIALIZER"]`` names a project's serializer."""

    @pytest.fixture(autouse=True)
    def _named(self, settings: Any, serializer: Any) -> None:
        """Name it."""
        settings.SIMPLE_JWT = named(serializer)

    def test_its_claims_are_on_both_tokens(self, obtain: Any) -> None:
        """DESIGN 4: what it puts on the token are claims."""
        data = obtain()
        assert [payload_of(data[kind])["role"] for kind in ("access", "refresh")] == ["member", "member"]

    def test_it_opens_exactly_one_session(self, obtain: Any) -> None:
        """DESIGN 4: both tokens belong to the one session that was opened, whatever ``validate`` made."""
        data = obtain()
        session = TokenSession.objects.get()
        assert [payload_of(data[kind]).get("sid") for kind in ("access", "refresh")] == [str(session.pk)] * 2

    def test_its_claims_are_fresh_after_a_role_change(self, obtain: Any, client: Any, user: Any) -> None:
        """Law 11: claims are computed again at every refresh."""
        data = obtain()
        type(user).objects.update(is_staff=True)
        answer = client.post("/api/token/refresh/", {"refresh": data["refresh"]}, format="json")
        assert answer.status_code == 200
        assert [payload_of(answer.json()[kind])["role"] for kind in ("access", "refresh")] == ["staff", "staff"]

    def test_signing_out_ends_its_tokens(self, obtain: Any, client: Any) -> None:
        """Law 4: access too, at once."""
        data = obtain()
        client.post("/api/token/revoke/", {"token": data["refresh"]}, format="json")
        assert client.get("/marked/", **bearer(data["access"])).status_code == 401
        answer = client.post("/api/token/refresh/", {"refresh": data["refresh"]}, format="json")
        assert answer.status_code == 401

    def test_wrong_credentials_are_still_a_401(self, client: Any, user: Any) -> None:
        """US1."""
        body = {"username": "alice", "password": "wrong"}
        answer = client.post("/api/token/", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (401, "no_active_account")


@pytest.mark.parametrize("where", ["/own/", "/own-by-setting/"])
class TestSerializerOnAView:
    """A view of the project's own, on the kit's, has a serializer of the project's own."""

    def test_the_answer_has_both_the_tokens_and_the_addition(self, obtain: Any, where: str) -> None:
        """Issue 2.5: ``serializer_class`` and ``validate`` keep working."""
        data = obtain(where)
        assert set(data) == {"access", "refresh", "expires_in", "refresh_expires_in", "username"}

    def test_the_session_remembers_its_serializer(self, obtain: Any, client: Any, user: Any, where: str) -> None:
        """Law 11: claims stay fresh, although the settings name another serializer."""
        data = obtain(where)
        type(user).objects.update(is_staff=True)
        answer = client.post("/api/token/refresh/", {"refresh": data["refresh"]}, format="json")
        assert payload_of(answer.json()["access"])["role"] == "staff"


def test_additions_of_a_lone_validate_are_answered(obtain: Any, settings: Any) -> None:
    """What a project's ``validate`` answers beside the tokens stays."""
    settings.SIMPLE_JWT = named(ValidatesAlone)
    assert obtain()["greeting"] == "hello"


@pytest.mark.parametrize("where", ["/api/token/", "/no-class/"])
def test_a_serializer_whose_get_token_makes_none_gets_a_session(
    obtain: Any, client: Any, settings: Any, where: str
) -> None:
    """DESIGN 4: its tokens have the claims that the kit's own serializer names."""
    settings.SIMPLE_JWT = named(IsToldNoClass)
    refresh = obtain(where)["refresh"]
    assert payload_of(refresh)["sid"] == str(TokenSession.objects.get().pk)
    assert client.post("/api/token/refresh/", {"refresh": refresh}, format="json").status_code == 200


@pytest.mark.parametrize("serializer", [IsToldNoClass, OwedToNobody])
def test_the_settings_claims_are_not_for_another_serializer(rf: Any, user: Any, settings: Any, serializer: Any) -> None:
    """Law 11: they may be more than its sign-in is to grant."""
    settings.SIMPLE_JWT = named(WithRole)
    view = views.TokenObtainPairView.as_view(serializer_class=serializer)
    answer = view(rf.post("/", {"username": "alice", "password": PASSWORD}, "application/json"))
    assert answer.status_code == 200
    assert "role" not in payload_of(answer.data["access"])
    assert "role" not in payload_of(str(sessions.rotate(answer.data["refresh"]).access))


def test_a_serializer_that_owes_nothing_to_simplejwt_gets_a_session(obtain: Any, settings: Any) -> None:
    """DESIGN 4: where the token came from simplejwt's class, the kit's view opens the session."""
    settings.SIMPLE_JWT = named(OwedToNobody)
    assert payload_of(obtain()["refresh"])["sid"] == str(TokenSession.objects.get().pk)


def test_its_session_can_be_refreshed(obtain: Any, client: Any, settings: Any) -> None:
    """DESIGN 4: also where the serializer has no ``get_token``."""
    settings.SIMPLE_JWT = named(OwedToNobody)
    refresh = obtain()["refresh"]
    assert client.post("/api/token/refresh/", {"refresh": refresh}, format="json").status_code == 200


def test_another_username_field(client: Any, user: Any, settings: Any) -> None:
    """Issue 2.5: ``username_field`` names the field of the body."""
    settings.SIMPLE_JWT = named(ByEmail)
    type(user).objects.update(email="alice@example.org")
    body = {"email": "alice@example.org", "password": PASSWORD}
    assert client.post("/api/token/", body, format="json").status_code == 200
    assert set(client.post("/api/token/", {}, format="json").json()) == {"email", "password"}


def test_a_field_of_the_projects_own(client: Any, obtain: Any, settings: Any) -> None:
    """Issue 2.5: declared fields are validated with the others."""
    settings.SIMPLE_JWT = named(WithPin)
    body = {"username": "alice", "password": PASSWORD}
    assert client.post("/api/token/", body, format="json").json() == {"pin": ["This field is required."]}
    assert client.post("/api/token/", {**body, "pin": "0"}, format="json").json() == {"pin": ["Wrong."]}
    assert "access" in obtain(pin="1234")


@pytest.mark.parametrize("serializer", [WithOwnTokens, WithOwnTokensOnTheKits])
def test_own_token_classes_keep_their_lifetime(obtain: Any, settings: Any, serializer: Any, clock: Any) -> None:
    """Issue 2.5: ``token_class`` on a serializer, and ``lifetime`` on a token."""
    settings.SIMPLE_JWT = named(serializer)
    data = obtain()
    assert data["refresh_expires_in"] == 7200
    assert payload_of(data["refresh"])["exp"] - payload_of(data["refresh"])["iat"] == 7200


def test_own_token_classes_keep_their_lifetime_at_refresh(obtain: Any, client: Any, settings: Any, clock: Any) -> None:
    """Law 11: the successor is made the way the first one was."""
    settings.SIMPLE_JWT = named(WithOwnTokensOnTheKits)
    answer = client.post("/api/token/refresh/", {"refresh": obtain()["refresh"]}, format="json")
    assert answer.json()["refresh_expires_in"] == 7200


def test_an_own_access_token_class_keeps_its_lifetime(obtain: Any, settings: Any, clock: Any) -> None:
    """Issue 2.5: ``access_token_class`` on a refresh token."""
    settings.SIMPLE_JWT = named(WithOwnTokensOnTheKits)
    assert obtain()["expires_in"] == 90


def test_auth_token_classes_of_a_project_are_asked(client: Any, user: Any, settings: Any) -> None:
    """Issue 2.5: a subclass of simplejwt's token in ``AUTH_TOKEN_CLASSES`` checks its claims, strictly too."""
    settings.SIMPLE_JWT = {"AUTH_TOKEN_CLASSES": (f"{__name__}.ShortAccess",)}
    token = kit_tokens.AccessToken.for_user(user)
    assert client.get("/marked/", **bearer(str(token))).status_code == 200
    token["tenant"] = "gone"
    answer = client.get("/marked/", **bearer(str(token)))
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")
    assert answer.json()["messages"] == [
        {"token_class": "ShortAccess", "token_type": "access", "message": "Tenant is gone"}
    ]


def test_several_auth_token_classes(client: Any, user: Any, settings: Any) -> None:
    """Issue 2.5: simplejwt's ``messages`` has a line for each type."""
    settings.SIMPLE_JWT = {
        "AUTH_TOKEN_CLASSES": (
            "rest_framework_simplejwt.tokens.AccessToken",
            "rest_framework_simplejwt.tokens.SlidingToken",
        )
    }
    answer = client.get("/marked/", **bearer(str(simplejwt_tokens.RefreshToken.for_user(user))))
    assert answer.status_code == 401
    assert [line["token_type"] for line in answer.json()["messages"]] == ["access", "sliding"]
    assert answer.json()["reason"] == "wrong_type"


def test_an_own_authenticator_on_simplejwts_class(client: Any, obtain: Any) -> None:
    """Issue 2.5: ``get_user`` keeps working; it accepts what the kit signed."""
    assert client.get("/marked/simplejwt/", **bearer(obtain()["access"])).json() == "by the project"


def test_an_own_authenticator_on_the_kits_class(client: Any, obtain: Any) -> None:
    """DESIGN 2.4: ``super().get_user`` leaves the session on the token."""
    access = obtain()["access"]
    assert client.get("/marked/kit/", **bearer(access)).json() == payload_of(access)["sid"]


class Other(NamedTuple):
    """A serializer of the project's own for another endpoint."""

    setting: str
    serializer: type[Any]
    path: str
    field: str


@pytest.mark.parametrize(
    "other",
    [
        Other("TOKEN_REFRESH_SERIALIZER", RefreshWithHint, "/api/token/refresh/", "refresh"),
        Other("TOKEN_VERIFY_SERIALIZER", VerifyWithHint, "/api/token/verify/", "token"),
        Other("TOKEN_BLACKLIST_SERIALIZER", BlacklistWithHint, "/api/token/blacklist/", "refresh"),
    ],
    ids=lambda other: other.path,
)
class TestOtherSerializers:
    """The other three serializers, on simplejwt's classes, named in the settings."""

    @pytest.fixture(autouse=True)
    def _named(self, settings: Any, other: Other) -> None:
        """Name it."""
        settings.SIMPLE_JWT = {other.setting: f"{__name__}.{other.serializer.__name__}"}

    def test_their_additions_are_answered(self, obtain: Any, client: Any, other: Other) -> None:
        """Issue 2.5: ``super().validate`` is the kit's."""
        answer = client.post(other.path, {other.field: obtain()["refresh"]}, format="json")
        assert answer.status_code == 200
        assert "hint" in answer.json()

    def test_they_refuse_as_the_kit_does(self, obtain: Any, client: Any, other: Other) -> None:
        """Law 4: a session that was ended is known to them."""
        refresh = obtain()["refresh"]
        client.post("/api/token/revoke/", {"token": refresh}, format="json")
        answer = client.post(other.path, {other.field: refresh}, format="json")
        assert (answer.status_code, answer.json()["reason"]) == (401, "revoked")

    @pytest.mark.parametrize("value", [1, True, "a\0b", None])
    def test_what_is_no_text_is_a_400(self, client: Any, other: Other, value: Any) -> None:
        """THREATS, bodies: numbers are not turned into text here either."""
        answer = client.post(other.path, {other.field: value}, format="json")
        assert (answer.status_code, set(answer.json())) == (400, {other.field})


class TestSimpleJWTsOwnViews:
    """simplejwt's own views, still in the project's URLs, run on the kit's serializers."""

    def test_sign_in_opens_a_session(self, obtain: Any) -> None:
        """DESIGN 2.3: the kit's defaults lie beneath simplejwt's views, too."""
        assert payload_of(obtain("/stock/")["refresh"])["sid"] == str(TokenSession.objects.get().pk)

    def test_refresh_rotates(self, obtain: Any, client: Any) -> None:
        """Law 1 holds there as well."""
        refresh = obtain("/stock/")["refresh"]
        answer = client.post("/stock/refresh/", {"refresh": refresh}, format="json")
        assert (answer.status_code, payload_of(answer.json()["refresh"])["gen"]) == (200, 1)

    def test_verify_knows_sessions(self, obtain: Any, client: Any) -> None:
        """Law 4, with simplejwt's body."""
        access = obtain("/stock/")["access"]
        assert client.post("/stock/verify/", {"token": access}, format="json").status_code == 200
        client.post("/api/token/revoke/", {"token": access}, format="json")
        answer = client.post("/stock/verify/", {"token": access}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")

    def test_blacklist_ends_the_session(self, obtain: Any, client: Any) -> None:
        """Logout as with simplejwt."""
        data = obtain("/stock/")
        assert client.post("/stock/blacklist/", {"refresh": data["refresh"]}, format="json").status_code == 200
        assert client.get("/marked/", **bearer(data["access"])).json()["reason"] == "revoked"

    def test_their_authenticator_accepts_the_kits_tokens(self, obtain: Any, client: Any) -> None:
        """A view that still names it goes on, without knowing of ended sessions (check W008)."""
        assert client.get("/stock/me/", **bearer(obtain()["access"])).status_code == 200
        assert client.get("/stock/me/", **bearer("garbage")).status_code == 401

    def test_a_subclass_of_theirs_signs_in(self, obtain: Any, client: Any) -> None:
        """Its tokens are adopted when they are first refreshed."""
        data = obtain("/own-simplejwt/")
        assert client.get("/marked/", **bearer(data["access"])).status_code == 200
        answer = client.post("/api/token/refresh/", {"refresh": data["refresh"]}, format="json")
        assert (answer.status_code, TokenSession.objects.count()) == (200, 1)


def test_sliding_tokens_stay_simplejwts(client: Any, user: Any, settings: Any) -> None:
    """DESIGN 2.3: a sliding serializer is answered as it is."""
    settings.SIMPLE_JWT = {
        "TOKEN_OBTAIN_SERIALIZER": "rest_framework_simplejwt.serializers.TokenObtainSlidingSerializer"
    }
    body = {"username": "alice", "password": PASSWORD}
    answer = client.post("/api/token/", body, format="json")
    assert (answer.status_code, set(answer.json())) == (200, {"token"})


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("TOKEN_OBTAIN_SERIALIZER", "TokenObtainPairSerializer"),
        ("TOKEN_REFRESH_SERIALIZER", "TokenRefreshSerializer"),
        ("TOKEN_VERIFY_SERIALIZER", "TokenVerifySerializer"),
        ("TOKEN_BLACKLIST_SERIALIZER", "TokenBlacklistSerializer"),
    ],
)
def test_stock_paths_in_the_settings_mean_the_kits(
    obtain: Any, client: Any, settings: Any, setting: str, name: str
) -> None:
    """Issue 2.2: whoever copied simplejwt's defaults from its docs has sessions all the same."""
    settings.SIMPLE_JWT = {setting: f"rest_framework_simplejwt.serializers.{name}"}
    data = obtain()
    assert client.post("/api/token/verify/", {"token": data["refresh"]}, format="json").status_code == 200
    refreshed = client.post("/api/token/refresh/", {"refresh": data["refresh"]}, format="json").json()
    assert client.post("/api/token/blacklist/", {"refresh": refreshed["refresh"]}, format="json").status_code == 200
    assert client.get("/marked/", **bearer(data["access"])).json()["reason"] == "revoked"
