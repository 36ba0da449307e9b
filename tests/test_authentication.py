"""The authenticator, in every kind of view and in every place among others."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.test.utils import isolate_apps
from django.urls import include, path
from rest_framework import exceptions as drf
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet
from rest_framework_simplejwt import exceptions as simplejwt
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings as frozen_simplejwt
from rest_framework_simplejwt.tokens import SlidingToken

from drf_jwt_kit import sessions
from drf_jwt_kit.authentication import JWTAuthentication
from drf_jwt_kit.tokens import AccessToken
from tests.conftest import PASSWORD, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class Who(APIView):
    """Say who asks."""

    def get(self, request: Any) -> Response:
        """Return the name."""
        return Response(request.user.get_username())


class WhoSet(ViewSet):
    """Say who asks, as a viewset."""

    def list(self, request: Any) -> Response:
        """Return the name."""
        return Response(request.user.get_username())


@api_view(["GET"])
def who(request: Any) -> Response:
    """Say who asks, as a function."""
    return Response(request.user.get_username())


@api_view(["GET"])
@authentication_classes([SessionAuthentication, JWTAuthentication])
def who_session_first(request: Any) -> Response:
    """Say who asks, as a function with two authenticators."""
    return Response(request.user.get_username())


@api_view(["GET"])
@permission_classes([AllowAny])
def open_to_all(request: Any) -> Response:
    """Say who asks, if anybody."""
    return Response(request.user.get_username())


class SignsIn(APIView):
    """A project's own way to sign in, as open as it has to be: what was sent, it refuses itself."""

    permission_classes = (AllowAny,)

    def get(self, request: Any) -> Response:
        """Refuse as the test says."""
        refusal = REFUSALS[request.query_params["as"]]()
        raise refusal


class Tenants(JWTAuthentication):
    """A realm of the project's own."""

    www_authenticate_realm = "tenants"


class FromCookie(JWTAuthentication):
    """A header of the project's own making."""

    def get_header(self, request: Any) -> bytes | None:
        """Take the token from a cookie."""
        token = request.COOKIES.get("token")
        return f"Bearer {token}".encode() if token else None


class LooksForUsersItself(JWTAuthentication):
    """What projects wrote on simplejwt's class: a ``get_user`` that does not ask it."""

    def get_user(self, validated_token: Any) -> Any:
        """Return the user of the id."""
        return get_user_model().objects.get(pk=validated_token["user_id"])


class DoesItAllItself(JWTAuthentication):
    """What projects wrote on simplejwt's class for tokens in cookies: an ``authenticate`` that does not ask it."""

    def authenticate(self, request: Any) -> Any:
        """Read the cookie, or else the header."""
        raw = request.COOKIES.get("token", "").encode() or self.get_raw_token(self.get_header(request) or b"")
        if raw is None:
            return None
        token = self.get_validated_token(raw)
        return self.get_user(token), token


class NotWelcome(drf.AuthenticationFailed):
    """A refusal that a project wants to be a 403."""

    status_code = 403


REFUSALS: dict[str, Any] = {
    "simplejwt's": partial(simplejwt.AuthenticationFailed, "No tenant.", "no_tenant"),
    "simplejwt's of a token": partial(simplejwt.InvalidToken, "No tenant."),
    "a project's 403": partial(NotWelcome, "No tenant.", "no_tenant"),
    "DRF's": partial(drf.AuthenticationFailed, "No tenant.", "no_tenant"),
}


class Refuses(JWTAuthentication):
    """A ``get_user`` that refuses users by itself."""

    def get_user(self, validated_token: Any) -> Any:
        """Refuse as the test says."""
        user = super().get_user(validated_token)
        refusal = REFUSALS[user.first_name]()
        raise refusal


def among(*authenticators: type[Any]) -> Any:
    """Return a view with these authenticators, in this order."""
    return Who.as_view(authentication_classes=authenticators)


urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    path("class/", Who.as_view()),
    path("viewset/", WhoSet.as_view({"get": "list"})),
    path("function/", who),
    path("function/second/", who_session_first),
    path("first/", among(JWTAuthentication, SessionAuthentication)),
    path("second/", among(SessionAuthentication, JWTAuthentication)),
    path("with-basic/", among(JWTAuthentication, BasicAuthentication)),
    path("after-basic/", among(BasicAuthentication, JWTAuthentication)),
    path("third/", among(SessionAuthentication, BasicAuthentication, JWTAuthentication)),
    path("tenants/", among(Tenants)),
    path("cookie/", among(FromCookie)),
    path("looks/", among(LooksForUsersItself)),
    path("does/", among(DoesItAllItself)),
    path("refuses/", among(Refuses)),
    path("refuses/second/", among(SessionAuthentication, Refuses)),
    path("open/", open_to_all),
    path("signs-in/", SignsIn.as_view()),
    path("signs-in/second/", SignsIn.as_view(authentication_classes=[SessionAuthentication, Tenants])),
    path("signs-in/by-session/", SignsIn.as_view(authentication_classes=[SessionAuthentication])),
    path("session-only/", among(SessionAuthentication)),
]

EVERYWHERE = [
    "class",
    "viewset",
    "function",
    "function/second",
    "first",
    "second",
    "with-basic",
    "after-basic",
    "third",
]
SILENT = ["class", "viewset", "function", "function/second", "first", "second", "with-basic", "third", "tenants"]
BASIC = "Basic YWxpY2U6d3Jvbmc="


@pytest.mark.parametrize("where", EVERYWHERE)
def test_a_good_token_is_accepted_everywhere(client: Any, tokens: Any, where: str) -> None:
    """DESIGN 2.2: wherever the authenticator stands."""
    answer = client.get(f"/{where}/", **bearer(tokens.access))
    assert (answer.status_code, answer.json()) == (200, "alice")


@pytest.mark.parametrize("where", EVERYWHERE)
def test_a_refused_token_is_a_401_with_a_challenge_everywhere(client: Any, where: str) -> None:
    """DESIGN 2.2: also behind ``SessionAuthentication``, which has no challenge of its own."""
    answer = client.get(f"/{where}/", **bearer("garbage"))
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (401, "token_not_valid", "invalid")
    assert answer["WWW-Authenticate"] == (
        'Bearer realm="api", error="invalid_token", error_description="Token is invalid"'
    )


@pytest.mark.parametrize("refusal", ["simplejwt's", "simplejwt's of a token", "DRF's"])
@pytest.mark.parametrize(
    ("where", "status", "challenge"),
    [
        ("signs-in", 401, 'Bearer realm="api"'),
        ("signs-in/second", 401, 'Bearer realm="tenants"'),
        ("signs-in/by-session", 403, None),
    ],
)
def test_what_a_view_refuses_by_itself_is_a_401(
    client: Any, where: str, status: int, challenge: str | None, refusal: str
) -> None:
    """2.2: no header was sent, and yet credentials were; where no token is asked for, it is as DRF has it."""
    answer = client.get(f"/{where}/", {"as": refusal})
    assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (status, challenge)
    assert answer.json()["detail"] == "No tenant."


def test_a_refusal_that_was_made_a_403_stays_one(client: Any) -> None:
    """A project's own class says which status it has."""
    assert client.get("/signs-in/", {"as": "a project's 403"}).status_code == 403


@pytest.mark.parametrize("where", SILENT)
def test_nothing_sent_is_a_403_without_a_challenge(client: Any, where: str) -> None:
    """US3 and DESIGN 2.2."""
    answer = client.get(f"/{where}/")
    assert answer.status_code == 403
    assert answer.json() == {
        "detail": "Authentication credentials were not provided.",
        "code": "not_authenticated",
    }
    assert "WWW-Authenticate" not in answer


@pytest.mark.parametrize("where", ["class", "viewset", "function", "first", "with-basic", "second", "function/second"])
def test_nothing_sent_may_be_a_401(client: Any, settings: Any, where: str) -> None:
    """DESIGN 2.2: ``ANONYMOUS_STATUS = 401`` gives the RFC 6750 answer instead, wherever the authenticator stands."""
    settings.DRF_JWT_KIT = {"ANONYMOUS_STATUS": 401}
    answer = client.get(f"/{where}/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


def test_nothing_sent_stays_a_403_where_no_authenticator_has_a_challenge(client: Any, settings: Any) -> None:
    """RFC 9110 15.5.2: a 401 must say how to authenticate; a view that takes no token cannot."""
    settings.DRF_JWT_KIT = {"ANONYMOUS_STATUS": 401}
    assert client.get("/session-only/").status_code == 403


def test_another_first_authenticator_keeps_its_challenge(client: Any) -> None:
    """A project that puts ``BasicAuthentication`` first wants the browser to ask."""
    answer = client.get("/after-basic/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Basic realm="api"')


@pytest.mark.parametrize("where", ["with-basic", "after-basic"])
def test_another_scheme_that_is_refused_is_a_401_with_its_challenge(client: Any, user: Any, where: str) -> None:
    """DESIGN 2.2: credentials sent and refused are a 401, in the words of the authenticator that knows them."""
    answer = client.get(f"/{where}/", HTTP_AUTHORIZATION=BASIC)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Basic realm="api"')


def test_a_signed_in_browser_needs_no_token(client: Any, user: Any) -> None:
    """The kit leaves other authenticators alone."""
    client.login(username="alice", password=PASSWORD)
    assert client.get("/second/").json() == "alice"


@pytest.mark.parametrize("status", [403, 401])
def test_a_bad_token_on_an_open_view_is_a_401(client: Any, settings: Any, status: int) -> None:
    """THREATS, headers: a client must learn that its token is bad, rather than be a stranger without a word."""
    settings.DRF_JWT_KIT = {"ANONYMOUS_STATUS": status}
    assert client.get("/open/").status_code == 200
    assert client.get("/open/", **bearer("garbage")).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("space", [" ", "  ", "\t", " \t "])
def test_a_scheme_has_no_case(client: Any, tokens: Any, scheme: str, space: str) -> None:
    """RFC 9110 11.1, and THREATS, headers."""
    assert client.get("/class/", HTTP_AUTHORIZATION=f"{scheme}{space}{tokens.access}").status_code == 200
    assert client.get("/open/", HTTP_AUTHORIZATION=f"{scheme}{space}garbage").status_code == 401


@pytest.mark.parametrize("around", [" {} ", "{}  ", "\t{}", "  {}"])
def test_white_space_around_the_header_does_not_matter(client: Any, tokens: Any, around: str) -> None:
    """RFC 9110 5.5: it is no part of the value."""
    assert client.get("/class/", HTTP_AUTHORIZATION=around.format(f"Bearer {tokens.access}")).status_code == 200


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        ("Bearer", 401, "bad_authorization_header"),
        ("Bearer ", 401, "bad_authorization_header"),
        ("bearer\t", 401, "bad_authorization_header"),
        ("Bearer a b", 401, "bad_authorization_header"),
        ("Bearer a b c", 401, "bad_authorization_header"),
        ("Bearer a,Bearer b", 401, "bad_authorization_header"),
        ("Bearer x, Basic y", 401, "bad_authorization_header"),
        ("Bearer:x", 401, "bad_authorization_header"),
        ("Bearer: x", 401, "bad_authorization_header"),
        ('"Bearer" x', 401, "bad_authorization_header"),
        ("\u00e9", 401, "bad_authorization_header"),
        ("\xff\xfe", 401, "bad_authorization_header"),
        ("Bearer \xff\xfe", 401, "token_not_valid"),
        ("Bearer 🔑", 401, "token_not_valid"),
        ("Bearer 'x'", 401, "token_not_valid"),
        ("Bearer a\x00b", 401, "token_not_valid"),
        ("Bearer null", 401, "token_not_valid"),
        ("Bearer undefined", 401, "token_not_valid"),
        ("Bearer " + "x" * 8192, 401, "token_not_valid"),
        ("Bearer " + "a.b." * 16384, 401, "token_not_valid"),
        ("Bearer " + "x " * 32768, 401, "bad_authorization_header"),
        ("", 403, "not_authenticated"),
        ("   ", 403, "not_authenticated"),
        ("Basic YTpi", 403, "not_authenticated"),
        ("Token abc", 403, "not_authenticated"),
        ("Digest username=a", 403, "not_authenticated"),
        ("Bearers x", 403, "not_authenticated"),
        ("Bear x", 403, "not_authenticated"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.x", 403, "not_authenticated"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_odd_headers(client: Any, header: str, status: int, code: str) -> None:
    """THREATS, headers: refused as ours, or somebody else's and so nothing sent; never a 500."""
    answer = client.get("/class/", HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("WWW-Authenticate" in answer) is (status == 401)


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b c", "Bearer garbage"])
def test_the_challenge_is_ascii_and_names_the_error(client: Any, header: str) -> None:
    """RFC 6750 3: ``error_description`` has neither quotes nor backslashes nor anything beyond ASCII."""
    challenge = client.get("/class/", HTTP_AUTHORIZATION=header)["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="api", error="invalid_token", error_description="')
    assert challenge.isascii()
    assert challenge.count('"') == 6


@pytest.mark.parametrize("language", ["de", "fr", "ru", "zh-hans"])
def test_the_challenge_is_not_translated(client: Any, language: str) -> None:
    """DESIGN 2.2: ASCII, whatever language the body is in."""
    answer = client.get("/class/", HTTP_ACCEPT_LANGUAGE=language, **bearer("garbage"))
    assert 'error_description="Token is invalid"' in answer["WWW-Authenticate"]


def test_simplejwts_messages_are_kept(client: Any, tokens: Any) -> None:
    """DESIGN 2.2: front ends switch on ``messages``."""
    answer = client.get("/class/", **bearer(tokens.refresh))
    assert answer.json() == {
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "reason": "wrong_type",
        "messages": [{"token_class": "AccessToken", "token_type": "access", "message": "Token has wrong type"}],
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [({"is_active": False}, "user_inactive"), ({"password": "changed"}, "password_changed")],
)
def test_the_users_state_has_its_own_code(
    client: Any, tokens: Any, django_user_model: Any, change: dict[str, Any], code: str
) -> None:
    """DESIGN 2.2: simplejwt's codes stay, and are the reasons as well."""
    django_user_model.objects.update(**change)
    answer = client.get("/class/", **bearer(tokens.access))
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (401, code, code)


def test_a_deleted_user_is_not_found(client: Any, tokens: Any, user: Any) -> None:
    """DESIGN 2.2: ``user_not_found``, at a token with a session and at one without."""
    lonely = AccessToken.for_user(user)
    user.delete()
    for access in (tokens.access, str(lonely)):
        answer = client.get("/class/", **bearer(access))
        assert (answer.status_code, answer.json()["code"]) == (401, "user_not_found")


def test_an_inactive_user_without_a_session_is_refused(client: Any, user: Any, django_user_model: Any) -> None:
    """Law 9 counts for tokens that project code made."""
    access = str(AccessToken.for_user(user))
    django_user_model.objects.update(is_active=False)
    assert client.get("/class/", **bearer(access)).json()["code"] == "user_inactive"


def test_a_realm_of_the_projects_own(client: Any, settings: Any) -> None:
    """Issue 2.5: ``www_authenticate_realm`` is an override point."""
    assert 'realm="tenants"' in client.get("/tenants/", **bearer("x"))["WWW-Authenticate"]
    settings.DRF_JWT_KIT = {"ANONYMOUS_STATUS": 401}
    assert client.get("/tenants/")["WWW-Authenticate"] == 'Bearer realm="tenants"'


def test_a_header_of_the_projects_own(client: Any, tokens: Any) -> None:
    """Issue 2.5: ``get_header`` is an override point."""
    assert client.get("/cookie/").status_code == 403
    client.cookies["token"] = tokens.access
    assert client.get("/cookie/").json() == "alice"
    client.cookies["token"] = "garbage"
    assert client.get("/cookie/").status_code == 401


@pytest.mark.parametrize("name", ["token", "access", "access_token", "jwt", "Authorization"])
def test_a_token_elsewhere_is_ignored(client: Any, tokens: Any, name: str) -> None:
    """THREATS, headers: neither query nor form nor cookie is looked at."""
    client.cookies[name] = tokens.access
    assert client.get("/class/", {name: tokens.access}).status_code == 403
    assert client.post("/class/", {name: tokens.access}).status_code == 403


ENDINGS: dict[str, Any] = {
    "signed out": sessions.revoke_all,
    "password": lambda user: get_user_model().objects.filter(pk=user.pk).update(password="another"),
    "inactive": lambda user: get_user_model().objects.filter(pk=user.pk).update(is_active=False),
}


@pytest.mark.parametrize("path", ["/looks/", "/does/"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_overrides_one_method_still_refuses_what_has_ended(
    client: Any, user: Any, tokens: Any, path: str, ending: str
) -> None:
    """Laws 4 and 9, and 2.4: simplejwt's override points keep working, and let nobody in who is out."""
    assert client.get(path, **bearer(tokens.access)).status_code == 200
    ENDINGS[ending](user)
    answer = client.get(path, **bearer(tokens.access))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_token"')


def test_a_token_without_session_is_for_get_user_alone(client: Any, user: Any) -> None:
    """2.4: there is no session that could have ended."""
    assert client.get("/looks/", **bearer(str(AccessToken.for_user(user)))).status_code == 200


@pytest.mark.parametrize("path", ["/looks/", "/does/", "/class/"])
def test_a_token_without_session_is_refused_where_the_project_wants_none(
    client: Any, user: Any, settings: Any, path: str
) -> None:
    """2.3: whoever looks for users."""
    settings.DRF_JWT_KIT = {"ACCEPT_SESSIONLESS_ACCESS": False}
    answer = client.get(path, **bearer(str(AccessToken.for_user(user))))
    assert (answer.status_code, answer.json()["reason"]) == (401, "invalid")


class OfShops(JWTAuthentication):
    """What projects write who have users of a second kind."""

    def __init__(self) -> None:
        """Name it."""
        super().__init__()
        self.user_model = Group


@pytest.fixture
def shop(user: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A user of a second kind, with the id that alice has among those of the first."""
    monkeypatch.setattr(Group, "is_active", True, raising=False)
    return Group.objects.create(pk=user.pk, name="shop")


def test_users_of_a_second_kind_are_looked_for_among_them(rf: Any, shop: Any) -> None:
    """2.4: simplejwt's authenticator has a ``user_model`` of its own; the first kind's has that id, too."""
    request = Request(rf.get("/", **bearer(str(AccessToken.for_user(shop)))))
    found = OfShops().authenticate(request)
    assert found is not None
    assert found[0] == shop
    shop.delete()
    with pytest.raises(drf.AuthenticationFailed):
        OfShops().authenticate(request)


def test_sessions_are_none_of_users_of_a_second_kind(rf: Any, shop: Any, tokens: Any, settings: Any) -> None:
    """Law 4: what signs in has a session, and is of the first kind."""
    with pytest.raises(simplejwt.InvalidToken):
        OfShops().authenticate(Request(rf.get("/", **bearer(tokens.access))))
    settings.DRF_JWT_KIT = {"ACCEPT_SESSIONLESS_ACCESS": False}
    with pytest.raises(simplejwt.InvalidToken):
        OfShops().authenticate(Request(rf.get("/", **bearer(str(AccessToken.for_user(shop))))))


@isolate_apps("tests")
def test_a_proxy_of_the_user_model_is_what_a_project_asked_for(
    rf: Any, user: Any, tokens: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.4: with its session, which may end. Whom its manager hides, or who is inactive by it, is not let in."""
    # As where simplejwt's authenticator has read it when it was imported.
    monkeypatch.setattr(frozen_simplejwt, "CHECK_REVOKE_TOKEN", True)

    class Member(get_user_model()):  # type: ignore[misc]
        """Users by another name."""

        class Meta:
            """It has no table."""

            proxy = True
            app_label = "tests"

    authenticator = JWTAuthentication()
    authenticator.user_model = Member
    request = Request(rf.get("/", **bearer(tokens.access)))
    found = authenticator.authenticate(request)
    assert found is not None
    assert type(found[0]) is Member
    assert found[0].pk == user.pk
    monkeypatch.setattr(Member, "is_active", property(lambda member: False, lambda member, value: None))
    with pytest.raises(simplejwt.InvalidToken, match="inactive"):
        authenticator.authenticate(request)
    settings.SIMPLE_JWT = {"CHECK_USER_IS_ACTIVE": False}
    assert authenticator.authenticate(request) is not None
    monkeypatch.setattr(Member.objects, "get_queryset", QuerySet(Member).none)
    with pytest.raises(simplejwt.InvalidToken, match="not found"):
        authenticator.authenticate(request)
    sessions.revoke_all(user)
    with pytest.raises(simplejwt.InvalidToken, match="revoked"):
        authenticator.authenticate(request)


@pytest.mark.parametrize("path", ["/refuses/", "/refuses/second/"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_whoever_get_user_refuses_is_a_401_with_a_challenge(
    client: Any, user: Any, tokens: Any, path: str, refusal: str
) -> None:
    """2.2: credentials sent and refused: 401, in the project's own words."""
    user.first_name = refusal
    user.save()
    answer = client.get(path, **bearer(tokens.access))
    assert answer.status_code == 401, answer.content
    assert answer.json()["detail"] == "No tenant."
    assert answer.json()["code"] in ("no_tenant", "token_not_valid")
    assert answer["WWW-Authenticate"] == ('Bearer realm="api", error="invalid_token", error_description="No tenant."')


def test_the_token_is_the_requests_auth(client: Any, tokens: Any) -> None:
    """``request.auth`` is the validated token, as with simplejwt, with its session on it."""
    request = client.get("/class/", **bearer(tokens.access)).renderer_context["request"]
    assert isinstance(request.auth, AccessToken)
    assert request.auth.session.pk == request.auth.sid


def test_a_sliding_token_is_accepted_where_the_project_wants_it(client: Any, user: Any, settings: Any) -> None:
    """DESIGN 2.3: sliding tokens stay simplejwt's own, behind the kit's checks of form."""
    settings.SIMPLE_JWT = {"AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.SlidingToken",)}
    sliding = SlidingToken.for_user(user)
    assert client.get("/class/", **bearer(str(sliding))).json() == "alice"
    assert client.get("/class/", **bearer(str(AccessToken.for_user(user)))).json()["reason"] == "wrong_type"
    sliding["jti"] = ["x"]
    assert client.get("/class/", **bearer(str(sliding))).json()["reason"] == "invalid"


class Tenanted(SlidingToken):
    """A project's token that is refused for a reason of its own."""

    def verify(self) -> None:
        """Refuse."""
        super().verify()
        raise TokenError("Tenant is gone")


def test_the_reason_is_that_of_the_type_that_it_is(client: Any, user: Any, settings: Any) -> None:
    """DESIGN 2.2: a sliding token that its own class refuses is not told that it is no access token."""
    settings.SIMPLE_JWT = {"AUTH_TOKEN_CLASSES": ("drf_jwt_kit.tokens.AccessToken", f"{__name__}.Tenanted")}
    assert client.get("/class/", **bearer(str(SlidingToken.for_user(user)))).json()["reason"] == "invalid"


def test_simplejwts_frozen_settings_have_the_kits_defaults() -> None:
    """DESIGN 2.3: they were put in place before simplejwt froze anything."""
    assert frozen_simplejwt.ROTATE_REFRESH_TOKENS is True
    assert list(frozen_simplejwt.AUTH_TOKEN_CLASSES) == [AccessToken]
