"""THREATS "Passwords, enumeration, throttling", where a project signs in its own way: a guess stays a guess."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import Context
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from django.contrib.auth import authenticate, get_user_model, user_login_failed
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import UserManager
from django.core.exceptions import ImproperlyConfigured
from django.core.validators import validate_email
from django.urls import path
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt import serializers as simplejwt
from rest_framework_simplejwt.exceptions import InvalidToken, TokenError

from drf_jwt_kit import refusals
from drf_jwt_kit.conf import SIMPLE_JWT_DEFAULTS, onto_kit
from drf_jwt_kit.serializers import TokenObtainPairSerializer, sign_in
from drf_jwt_kit.views import TokenObtainPairView
from tests.attempts import attempt, count_hashing, statuses
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "user")]

MODEL = "django.contrib.auth.backends.ModelBackend"


class Tidying(UserManager[Any]):
    """A project's manager that reads more than one spelling of a name."""

    def get_by_natural_key(self, username: str | None) -> Any:
        """Find a user by what stands before a plus."""
        return self.get(username=str(username).partition("+")[0].lower())


@pytest.fixture
def tidying(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user model has such a manager."""
    tidying = Tidying()
    tidying.model = get_user_model()
    monkeypatch.setattr(get_user_model()._meta, "default_manager", tidying)


class OnTheKits(TokenObtainPairSerializer):
    """The kit's serializer, with a ``validate`` of a project's that asks Django itself."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Sign in as simplejwt's users do it in their own code."""
        user = authenticate(**attrs)
        if user is None:
            raise drf.AuthenticationFailed
        refresh: Any = self.get_token(user)
        return {"refresh": str(refresh), "access": str(refresh.access_token)}


class OnSimpleJWTs(simplejwt.TokenObtainPairSerializer):
    """The same on simplejwt's."""

    validate = OnTheKits.validate


class OnDjangos(serializers.Serializer[Any]):
    """A serializer that rests on nobody's."""

    username = serializers.CharField()
    password = serializers.CharField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask Django, then begin a session."""
        user = authenticate(**attrs)
        if user is None:
            raise drf.AuthenticationFailed
        return sign_in(type(self), user, self.context["request"])


class SomewhereElse(TokenObtainPairSerializer):
    """The kit's serializer, at work where nothing of the request's context is known, as in a thread of its own."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Do it there."""
        return Context().run(super().validate, attrs)


class DeniesSomewhereElse(TokenObtainPairSerializer):
    """The same, and what is wrong is an error of a field."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask Django there."""
        if Context().run(authenticate, self.context["request"], **attrs) is None:
            raise drf.ValidationError({"password": ["Wrong."]})
        return super().validate(attrs)


class DeniesByField(ModelBackend):
    """A backend that denies with an error of a field."""

    def authenticate(self, request: Any, *args: Any, **credentials: Any) -> Any:
        """Deny in its own words."""
        user = super().authenticate(request, *args, **credentials)
        if user is None:
            raise drf.ValidationError({"password": ["Wrong."]})
        return user


class Down(ModelBackend):
    """A second backend whose server is down."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """Fail."""
        raise ConnectionError


class ByCode(serializers.Serializer[Any]):
    """A serializer without passwords: a code was mailed."""

    username = serializers.CharField()
    code = serializers.RegexField(r"^\d{6}$")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at the code."""
        user = authenticate(self.context["request"], username=attrs["username"], password=attrs["code"])
        if user is None:
            raise drf.AuthenticationFailed("Wrong code.")
        return sign_in(type(self), user, self.context["request"])


class ByPin(serializers.Serializer[Any]):
    """A serializer without passwords: two digits on a card, and other fields that a serializer may have."""

    username = serializers.CharField()
    pin = serializers.RegexField(r"^\d\d$")
    key = serializers.UUIDField(required=False)
    language = serializers.ChoiceField(["de", "en"], required=False)
    since = serializers.DateField(required=False)
    contact = serializers.EmailField(required=False)
    card = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at the digits."""
        tried = {**attrs, **attrs.get("card", {})}["pin"]
        user = authenticate(self.context["request"], username=attrs["username"], password=tried)
        if user is None:
            raise drf.AuthenticationFailed("Wrong PIN.", "wrong_pin")
        return sign_in(type(self), user, self.context["request"])


class ReadsTheRequest(TokenObtainPairSerializer):
    """A serializer that takes what it asks Django for from the request."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask Django, then begin a session."""
        request = self.context["request"]
        user = authenticate(request, username=request.data["username"], password=request.data["password"])
        if user is None:
            raise drf.AuthenticationFailed("Wrong.")
        return sign_in(type(self), user, request)


class WantsDigits(TokenObtainPairSerializer):
    """A serializer with a rule for what passwords look like."""

    def validate_password(self, value: str) -> str:
        """Refuse what is no PIN."""
        if not value.isdigit():
            raise serializers.ValidationError("The PIN has digits only.")
        return value


class LooksOnceMore(TokenObtainPairSerializer):
    """A serializer that has a field of its own to look at, once the password was right."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Sign in, then refuse."""
        super().validate(attrs)
        raise serializers.ValidationError({"pin": ["Wrong."]})


OWN = [OnTheKits, OnSimpleJWTs, OnDjangos, SomewhereElse]


def use(settings: Any, serializer: type[Any]) -> None:
    """Let the project sign in by a serializer of its own."""
    settings.SIMPLE_JWT = {"TOKEN_OBTAIN_SERIALIZER": f"{__name__}.{serializer.__name__}"}


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize("serializer", OWN)
def test_a_guess_counts_on_the_account_that_it_finds(client: Any, settings: Any, serializer: Any) -> None:
    """THREATS, spellings: five are five, and by a sixth the right password is answered as a wrong one, and counted."""
    use(settings, serializer)
    assert [attempt(client, f"alice+{number}").status_code for number in range(5)] == [401] * 5
    wrong, right = ([attempt(client, f"alice+{it}", it) for _ in range(6)] for it in ("wrong", PASSWORD))
    assert [answer.status_code for answer in right] == [401] * 5 + [429]
    assert [answer.content for answer in right[:5]] == [answer.content for answer in wrong[:5]]
    assert attempt(client, "alice+x", PASSWORD, peer="192.0.2.2").status_code == 200


def wants_a_code(request: Any, user: Any) -> None:
    """Refuse whoever has no code."""
    if "HTTP_X_CODE" not in request.META:
        raise drf.AuthenticationFailed


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize("serializer", [TokenObtainPairSerializer, *OWN])
def test_a_guess_of_the_second_factor_counts_on_the_account(client: Any, settings: Any, serializer: Any) -> None:
    """THREATS, spellings: nor is the code guessed by writing the name otherwise."""
    use(settings, serializer)
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.wants_a_code"}
    assert [attempt(client, f"alice+{number}", PASSWORD).status_code for number in range(5)] == [401] * 5
    assert attempt(client, "alice+x", PASSWORD, HTTP_X_CODE="1").status_code == 401
    assert attempt(client, "alice+x", PASSWORD, peer="192.0.2.2", HTTP_X_CODE="1").status_code == 200


def test_a_denial_in_a_thread_counts(client: Any, settings: Any) -> None:
    """THREATS: with the request at hand the attempt is known anywhere."""
    use(settings, DeniesSomewhereElse)
    assert [*statuses(client, 5), attempt(client, "alice", PASSWORD).status_code] == [400] * 5 + [429]


@pytest.fixture(params=["first", "last"])
def audit_trail(request: pytest.FixtureRequest) -> Iterator[None]:
    """A receiver that writes failures down elsewhere, where nobody listens; before or after the kit's own."""

    def fails(**arguments: Any) -> None:
        raise ConnectionError("audit.internal refused the connection")

    before = user_login_failed.receivers[:]
    user_login_failed.connect(fails)
    if request.param == "first":
        user_login_failed.receivers = [user_login_failed.receivers[-1], *before]
        user_login_failed.sender_receivers_cache.clear()
    yield
    user_login_failed.disconnect(fails)


@pytest.mark.usefixtures("audit_trail")
def test_a_denial_that_nobody_can_be_told_of_counts(client: Any, settings: Any) -> None:
    """THREATS: 503 for a wrong password and 200 for the right one would tell them apart without end."""
    hasher = count_hashing(settings)
    get_user_model().objects.create_user("bob", password=PASSWORD)
    hasher.calls = 0
    assert statuses(client, 7, "bob") == [503] * 5 + [429] * 2
    assert hasher.calls == 5
    assert attempt(client, "bob", PASSWORD).status_code == 429


def test_a_backend_that_denies_by_an_error_of_a_field_denies(client: Any, settings: Any) -> None:
    """THREATS: its own words, five times."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.DeniesByField"]
    assert [*statuses(client, 5), attempt(client, "alice", PASSWORD).status_code] == [400] * 5 + [429]


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize("order", [[MODEL, f"{__name__}.Down"], [f"{__name__}.Down", MODEL]])
def test_while_a_backend_is_down_known_and_unknown_are_alike(client: Any, settings: Any, order: list[str]) -> None:
    """THREATS, enumeration: within the limit and beyond it, and the right password is denied beyond it."""
    settings.AUTHENTICATION_BACKENDS = order
    for name in ("alice", "nobody"):
        assert [attempt(client, f"{name}+{number}").status_code for number in range(14)] == [503] * 14
        assert attempt(client, f"{name}+x", PASSWORD).status_code == 503


class LooksAtNoPassword(ModelBackend):
    """A backend that knows users by other means: a header of a proxy, say."""

    def authenticate(self, request: Any, username: str = "", **credentials: Any) -> Any:
        """Return the user of that name."""
        return get_user_model()._default_manager.get_by_natural_key(username)


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize("serializer", [TokenObtainPairSerializer, *OWN])
def test_beyond_the_limit_of_an_account_nobody_is_let_in_by_other_means(
    client: Any, settings: Any, serializer: Any
) -> None:
    """THREATS: whatever the backend looks at; and as ever, what is refused counts."""
    use(settings, serializer)
    assert [attempt(client, f"alice+{number}").status_code for number in range(5)] == [401] * 5
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.LooksAtNoPassword"]
    answers = [attempt(client, "alice+x") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].json()["code"] == "no_active_account"
    assert attempt(client, "alice+x", peer="192.0.2.2").status_code == 200


class TrimsMore(TokenObtainPairSerializer):
    """A serializer that reads more than one spelling of a name, once all fields are read."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Read the name as the manager would, and then some."""
        return super().validate({**attrs, "username": attrs["username"].replace("-", "")})


class TrimsAField(TokenObtainPairSerializer):
    """The same, in the field's own way."""

    def validate_username(self, value: str) -> str:
        """Read the name."""
        return value.replace("-", "")


class TrimsOnDjangos(OnDjangos):
    """The same on nobody's, with a field that does it."""

    class NameField(serializers.CharField):
        """A field for names."""

        def to_internal_value(self, data: Any) -> str:
            """Read the name."""
            return super().to_internal_value(data).replace("-", "")

    username = NameField()


@pytest.mark.parametrize("serializer", [TokenObtainPairSerializer, TrimsMore, TrimsAField, TrimsOnDjangos])
@pytest.mark.parametrize("blank", [" {}", "{}\t", "\u00a0{} "], ids=ascii)
def test_a_name_counts_as_it_is_read(
    client: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, serializer: Any, blank: str
) -> None:
    """THREATS, spellings: what a field trims, a serializer drops and a manager reads make no new account."""
    use(settings, serializer)
    hasher = count_hashing(settings)
    get_user_model().objects.create_user("carla", password=PASSWORD)
    names = ["carla", "c-arla", "ca-rla", "car-la", "carl-a", "c-a-rla", "c-ar-la", "c-arl-a"]
    if serializer is TokenObtainPairSerializer:
        monkeypatch.setattr(UserManager, "get_by_natural_key", lambda self, name: self.get(username=read(name)))
    hasher.calls = 0
    assert [attempt(client, blank.format(name)).status_code for name in names[:5]] == [401] * 5
    tried = hasher.calls
    before = get_user_model().objects.get(username="carla").password
    settings.PASSWORD_HASHERS = ["tests.attempts.QuickHasher", *settings.PASSWORD_HASHERS]
    denied = (
        429 if serializer is TrimsOnDjangos else 401
    )  # where the field tells the name, it is one name from the start
    for name in names[5:]:
        assert attempt(client, blank.format(name), PASSWORD).status_code == denied
    assert tried == 5
    assert get_user_model().objects.get(username="carla").password == before
    assert attempt(client, blank.format("c-a-r-la"), PASSWORD, peer="192.0.2.2").status_code == 200


def test_a_name_that_is_read_as_a_colleagues_counts_on_the_colleague(client: Any, settings: Any) -> None:
    """THREATS, spellings: what was sent is somebody's, too, who was not meant."""
    use(settings, TrimsAField)
    for name in ("carla", "c-arla"):
        get_user_model().objects.create_user(name, password=PASSWORD)
    for name in ("ca-rla", "car-la", "carl-a", "c-a-rla", "c-ar-la"):
        assert attempt(client, name).status_code == 401
    assert attempt(client, "c-arla", PASSWORD).status_code == 401
    assert attempt(client, "c-arla", PASSWORD, peer="192.0.2.2").status_code == 200


def read(name: str) -> str:
    """Return the name as a project's manager reads it: without blanks that something else has not cut off."""
    assert name == name.strip()
    return name.replace("-", "")


@pytest.mark.usefixtures("tidying")
def test_beyond_the_limit_a_form_is_denied_as_json_is(client: Any, settings: Any, monkeypatch: Any) -> None:
    """2.2: a project may take forms as well, which cannot be changed in their place."""
    monkeypatch.setattr(TokenObtainPairView, "parser_classes", [JSONParser, FormParser])
    sent = [{"username": f"alice+{number}", "password": PASSWORD if number > 5 else "wrong"} for number in range(9)]
    answers = [client.post("/api/token/", urlencode(body), content_type=FORM) for body in sent]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}


FORM = "application/x-www-form-urlencoded"
PIN = "271828"


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize(
    ("serializer", "written"),
    [
        (TokenObtainPairSerializer, str),
        (ByCode, str),
        (ByCode, int),
        (OnDjangos, int),
        (ReadsTheRequest, str),
        (WantsDigits, str),
    ],
)
def test_beyond_the_limit_right_is_wrong_and_known_is_unknown(
    client: Any, settings: Any, user: Any, serializer: Any, written: type[Any]
) -> None:
    """THREATS, enumeration: by status and body, whatever the secret is called, looks like, and is taken from."""
    user.set_password(PIN)
    user.save()
    use(settings, serializer)
    field = "code" if serializer is ByCode else "password"

    def answers(name: str, secret: str) -> list[tuple[int, bytes]]:
        sent = [{"username": f"{name}+{secret}", field: written(secret)} for _ in range(6)]
        found = [client.post("/api/token/", one, format="json", REMOTE_ADDR="192.0.2.1") for one in sent]
        return [(answer.status_code, answer.content if answer.status_code != 429 else b"") for answer in found]

    for name in ("alice", "nobody"):
        for number in range(5):
            body = {"username": f"{name}+{number}", field: "000000"}
            assert client.post("/api/token/", body, format="json", REMOTE_ADDR="192.0.2.1").status_code == 401
    wrong = answers("alice", "314159")
    assert [status for status, _body in wrong] == [401] * 5 + [429]
    assert answers("alice", PIN) == answers("nobody", "314159") == wrong


@pytest.fixture
def beyond(client: Any, settings: Any, user: Any) -> Any:
    """A function that presents a body for alice or nobody, too often for either, and tells what is answered."""
    user.set_password("27")
    user.save()
    use(settings, ByPin)
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ADDRESS": None}
    for name in ("alice", "nobody"):
        for number in range(5):
            body = {"username": f"{name}+{number}", "pin": "00"}
            assert client.post("/api/token/", body, format="json", REMOTE_ADDR="192.0.2.1").status_code == 401

    def present(name: str, **body: Any) -> tuple[int, bytes]:
        sent = {"username": name, **body}
        answer = client.post("/api/token/", sent, format="json", REMOTE_ADDR="192.0.2.1")
        return answer.status_code, answer.content

    return present


BESIDES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a password that nobody asked for": {"password": "27"},
    "a key": {"key": "0e984725-c51c-4bf4-9960-e1c80e27aba0"},
    "a choice": {"language": "de"},
    "a day": {"since": "2026-02-28"},
    "an address": {"contact": "alice@example.com"},
    "the PIN once more": {"card": {"pin": "27", "more": [["27"], None, True]}},
}


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize("besides", BESIDES.values(), ids=BESIDES)
def test_beyond_the_limit_no_field_tells(beyond: Any, besides: dict[str, Any]) -> None:
    """THREATS, enumeration: whatever is sent beside the secret, or around it."""
    wrong = beyond("nobody+x", pin="31", **besides)
    assert wrong == (401, b'{"detail":"Wrong PIN.","code":"wrong_pin"}')
    assert [beyond(f"alice+{pin}", pin=pin, **besides) for pin in ("31", "27")] == [wrong] * 2


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize("secret", ["1e999", "-1e999", "1.5", "true", "null", "[]", '{"a": 1e999}'])
def test_what_is_no_password_is_no_failure_of_the_kits(client: Any, secret: str) -> None:
    """2.2 and THREATS, enumeration: beyond the limit of the account that a name finds, too, as for a name of nobody."""
    for name in ("alice", "nobody"):
        assert [attempt(client, f"{name}+{number}").status_code for number in range(5)] == [401] * 5
    bodies = [f'{{"username": "{name}+x", "password": {secret}}}' for name in ("alice", "nobody")]
    post = partial(client.post, "/api/token/", content_type="application/json", REMOTE_ADDR="192.0.2.1")
    found, unknown = (post(body) for body in bodies)
    assert (found.status_code, found.content) == (unknown.status_code, unknown.content)
    assert found.status_code == 400


@pytest.mark.parametrize("detail", [["Wrong."], [{"password": ["Wrong."]}], {"pin": ["Wrong."]}], ids=repr)
def test_a_refusal_that_names_no_field_is_a_guess(rf: Any, detail: Any) -> None:
    """THREATS: in whatever shape a project's own view refuses."""
    assert refusals.is_guess(rf.post("/"), drf.ValidationError(detail), denied=None, declared=lambda: {"password"})


class WantsAddress(TokenObtainPairSerializer):
    """A serializer whose name is an address, by a rule of Django's in the field itself."""

    class NameField(serializers.CharField):
        """A field for addresses."""

        def to_internal_value(self, data: Any) -> str:
            """Look at it."""
            validate_email(data)
            return str(data)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Have it."""
        super().__init__(*args, **kwargs)
        self.fields["username"] = self.NameField()


def test_a_name_that_its_field_refuses_in_djangos_words_is_a_400(client: Any, settings: Any) -> None:
    """2.2: as any serializer of DRF's has it."""
    use(settings, WantsAddress)
    answer = attempt(client, "alice", PASSWORD)
    assert (answer.status_code, answer.json()) == (400, {"username": ["Enter a valid email address."]})


class WantsAnAccount(TokenObtainPairSerializer):
    """A serializer whose name's field looks for the account itself."""

    class NameField(serializers.CharField):
        """A field for names that somebody has."""

        def to_internal_value(self, data: Any) -> str:
            """Look for the user."""
            name = super().to_internal_value(data)
            if not get_user_model().objects.filter(username=name).exists():
                raise drf.AuthenticationFailed
            return name

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Have it."""
        super().__init__(*args, **kwargs)
        self.fields["username"] = self.NameField()


def test_a_name_that_its_field_denies_is_a_guess(client: Any, settings: Any) -> None:
    """THREATS: or names could be tried without end."""
    use(settings, WantsAnAccount)
    assert statuses(client, 6, "mallory") == [401] * 5 + [429]
    assert attempt(client, "alice", PASSWORD).status_code == 200


class TellsNoName(TokenObtainPairSerializer):
    """A serializer that denies as Django does where the name is called ``api_id``: it tells asterisks."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Deny."""
        user_login_failed.send(sender=__name__, credentials={"username": "*" * 20}, request=self.context["request"])
        raise drf.AuthenticationFailed


@pytest.mark.usefixtures("tidying")
def test_a_denial_that_tells_no_name_counts_on_the_one_that_was_sent(client: Any, settings: Any) -> None:
    """THREATS: what Django leaves out is nobody's name."""
    use(settings, TellsNoName)
    assert [attempt(client, f"alice+{number}").status_code for number in range(5)] == [401] * 5
    use(settings, TokenObtainPairSerializer)
    assert attempt(client, "alice+x", PASSWORD).status_code == 401
    assert attempt(client, "alice+x", PASSWORD, peer="192.0.2.2").status_code == 200


class AnyField(serializers.Field[Any, Any, Any, Any]):
    """A project's own kind of field."""

    def to_internal_value(self, data: Any) -> Any:
        """Take what there is."""
        return data


class ByNumber(serializers.Serializer[Any]):
    """A serializer whose secret is a number, in a field that the test chooses."""

    username = serializers.CharField()
    pin = AnyField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at the number."""
        number = f"{Decimal(str(attrs['pin'])):.2f}"
        user = authenticate(self.context["request"], username=attrs["username"], password=number)
        if user is None:
            raise drf.AuthenticationFailed
        return sign_in(type(self), user, self.context["request"])


class NotesWhatIsTried(ModelBackend):
    """A backend that remembers which passwords it was asked about."""

    tried: ClassVar[list[str]] = []

    def authenticate(self, request: Any, *args: Any, **credentials: Any) -> Any:
        """Note it."""
        self.tried.append(credentials["password"])
        return super().authenticate(request, *args, **credentials)


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize(
    ("field", "pin"),
    [
        (serializers.IntegerField(), 271828),
        (serializers.IntegerField(), 271828.0),
        (serializers.DecimalField(10, 0), 271828),
        (serializers.DecimalField(10, 0), "271828"),
        (serializers.DecimalField(10, 2), 2718.28),
        (serializers.FloatField(), 271828),
        (serializers.FloatField(), 2718.28),
        (serializers.FloatField(), 1e20),
        (serializers.FloatField(), 1.5e308),
        (serializers.CharField(), 2718.28),
        (AnyField(), 271828),
        (AnyField(), "271828"),
    ],
    ids=repr,
)
def test_a_secret_of_any_kind_is_not_tried(
    client: Any, settings: Any, user: Any, monkeypatch: Any, field: Any, pin: Any
) -> None:
    """THREATS, spellings: what a field reads as the number that it is."""
    monkeypatch.setitem(ByNumber._declared_fields, "pin", field)
    use(settings, ByNumber)
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.NotesWhatIsTried"]
    right = f"{Decimal(str(pin)):.2f}"
    user.set_password(right)
    user.save()

    def guess(number: int, pin: Any, peer: str = "192.0.2.1") -> int:
        sent = {"username": f"alice+{number}", "pin": pin}
        return int(client.post("/api/token/", sent, format="json", REMOTE_ADDR=peer).status_code)

    assert [guess(number, number) for number in range(5)] == [401] * 5
    monkeypatch.setattr(NotesWhatIsTried, "tried", [])
    assert guess(5, pin) == 401
    assert NotesWhatIsTried.tried
    assert right not in NotesWhatIsTried.tried
    assert guess(6, pin, peer="192.0.2.2") == 200


@pytest.mark.usefixtures("tidying")
def test_a_secret_that_is_right_by_chance_is_answered_as_a_wrong_one(beyond: Any) -> None:
    """THREATS: what stands in a short secret's place would guess for whoever may not."""
    turned = [f"{(2 - turn) % 10}{(7 - turn) % 10}" for turn in range(1, 10)]  # each becomes 27 once in nine times
    answers = {beyond(f"alice+{number}", pin=turned[number % 9]) for number in range(90)}
    assert answers == {beyond("nobody+x", pin="31")}


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize("serializer", [TokenObtainPairSerializer, OnTheKits, OnDjangos])
def test_while_an_account_is_delayed_no_right_password_is_tried(client: Any, settings: Any, serializer: Any) -> None:
    """THREATS: nor told from a wrong one, nor hashed anew, from an address that has just failed."""
    use(settings, serializer)
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ACCOUNT": "3/1d"}
    for number in range(4):
        assert attempt(client, f"alice+{number}", peer=f"192.0.2.{number}").status_code == 401
    settings.PASSWORD_HASHERS = ["tests.attempts.QuickHasher", *settings.PASSWORD_HASHERS]
    before = get_user_model().objects.get().password
    wrong, right = attempt(client, "alice+x", peer="192.0.2.3"), attempt(client, "alice+y", PASSWORD, peer="192.0.2.3")
    assert (right.status_code, right.content) == (wrong.status_code, wrong.content)
    assert right.status_code == 401
    assert get_user_model().objects.get().password == before
    assert attempt(client, "alice+z", PASSWORD, peer="192.0.2.99").status_code == 200


@pytest.mark.usefixtures("tidying")
@pytest.mark.parametrize("names", [["alice", "alice+x"], ["alice+x", "alice"], ["alice+x", "alice+y"]])
def test_all_spellings_are_one_sum(client: Any, settings: Any, names: list[str]) -> None:
    """THREATS: fifty failures are fifty, whichever way each was written."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ACCOUNT": "4/1d"}
    for number in range(4):
        assert attempt(client, names[number % 2], peer=f"192.0.2.{number}").status_code == 401
    assert attempt(client, names[0], peer="192.0.2.3").status_code in (401, 429)
    assert attempt(client, names[1], PASSWORD, peer="192.0.2.3").status_code in (401, 429)
    assert attempt(client, names[1], PASSWORD, peer="192.0.2.99").status_code == 200


class PostsItself(TokenObtainPairView):
    """What projects took from simplejwt's view to answer in their own way."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Do it without asking the view's own."""
        serializer = self.get_serializer(data=request.data)
        try:
            serializer.is_valid(raise_exception=True)
        except TokenError as error:
            raise InvalidToken(error.args[0]) from error
        return Response({"tokens": serializer.validated_data})


class ViewOfItsOwn(APIView):
    """A view that uses the kit's serializer and no view of anybody's; its request is Django's."""

    permission_classes = (AllowAny,)

    def post(self, request: Any) -> Response:
        """Sign in."""
        serializer = TokenObtainPairSerializer(data=request.data, context={"request": request._request})
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


urlpatterns = [path("itself/", PostsItself.as_view()), path("own/", ViewOfItsOwn.as_view())]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("url", ["/itself/", "/own/"])
def test_the_serializer_counts_where_no_view_of_the_kits_does(client: Any, settings: Any, url: str) -> None:
    """THREATS: a project's own ``post`` is limited as well, and a success is none of the failures."""
    hasher = count_hashing(settings)
    get_user_model().objects.create_user("bob", password=PASSWORD)

    def tried(password: str) -> Any:
        return client.post(url, {"username": "bob", "password": password}, format="json")

    assert [tried(PASSWORD).status_code for _ in range(6)] == [200] * 6
    hasher.calls = 0
    assert [tried("wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    assert hasher.calls == 5
    assert int(tried(PASSWORD)["Retry-After"]) > 0


@pytest.mark.parametrize("serializer", [OnTheKits, OnSimpleJWTs])
def test_one_request_is_one_sign_in(rf: Any, serializer: Any) -> None:
    """THREATS: a list of passwords would be tried for one count, by a serializer that denies with errors."""
    serializer = onto_kit(serializer, SIMPLE_JWT_DEFAULTS["TOKEN_OBTAIN_SERIALIZER"])
    with pytest.raises(ImproperlyConfigured, match="many=True"):
        serializer(data=[{"username": "alice", "password": "wrong"}], many=True, context={"request": rf.post("/")})


def test_a_serializer_without_a_request_counts_nothing() -> None:
    """2.3: a script or a shell has no address, and nobody guesses in it."""
    for _ in range(6):
        serializer = TokenObtainPairSerializer(data={"username": "alice", "password": "wrong"})
        with pytest.raises(drf.AuthenticationFailed):
            serializer.is_valid()


def test_what_is_refused_after_the_right_password_counts(client: Any, settings: Any) -> None:
    """2.3: whoever has the password may not guess the rest for ever."""
    use(settings, LooksOnceMore)
    assert statuses(client, 6, "alice", PASSWORD) == [400] * 5 + [429]
