"""Issuing: where a session's claims come from."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from datetime import timedelta
from typing import Any, Generic, TypeVar

import pytest
from django.core.exceptions import ImproperlyConfigured
from drf_spectacular.utils import extend_schema_serializer
from rest_framework.serializers import BaseSerializer, CharField, Serializer, SerializerMetaclass
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer as PlainSerializer
from rest_framework_simplejwt.tokens import RefreshToken as TheirRefreshToken

from drf_jwt_kit import issuance, sessions
from drf_jwt_kit.conf import SIMPLE_JWT_DEFAULTS, onto_kit
from drf_jwt_kit.serializers import TokenObtainPairSerializer
from drf_jwt_kit.tokens import RefreshToken

T = TypeVar("T")
KIT = SIMPLE_JWT_DEFAULTS["TOKEN_OBTAIN_SERIALIZER"]


class Named(TokenObtainPairSerializer):
    """One on the kit's."""


class Plain(PlainSerializer):
    """One on simplejwt's."""


class Own(Serializer[Any]):
    """One that makes no token."""


def local(base: type[Any], **body: Any) -> type[Any]:
    """Return a class that was made inside a function."""
    return type("Local", (base,), {"__module__": __name__, "__qualname__": "local.<locals>.Local", **body})


class Outer:
    """A view, say."""

    class Inner(TokenObtainPairSerializer):
        """One that is found inside it."""

        @classmethod
        def get_token(cls, user: Any) -> Any:
            """Add a claim."""
            token = super().get_token(user)
            token["role"] = "boss"
            return token


Bound = type("Elsewhere", (Outer.Inner,), {"get_token": Outer.Inner.get_token, "__module__": __name__})


@pytest.mark.parametrize(
    ("serializer_class", "source"),
    [
        (Outer.Inner, f"{__name__}.Outer.Inner"),
        (TokenObtainPairSerializer, ""),
        (Named, f"{__name__}.Named"),
        (onto_kit(Plain, KIT), f"{__name__}.Plain"),
        (Own, KIT),
        (local(TokenObtainPairSerializer), ""),
        (local(Named), f"{__name__}.Named"),
        (onto_kit(local(Plain), KIT), f"{__name__}.Plain"),
        (local(Own), KIT),
    ],
    ids=[
        "inside another class",
        "the settings' own",
        "module",
        "grafted",
        "no token",
        *(f"local on {name}" for name in ("the kit's", "module", "grafted", "no token")),
    ],
)
def test_a_refresh_finds_the_class_of_the_sign_in(serializer_class: Any, source: str) -> None:
    """Law 11: by its path, or by that of what it was made of."""
    assert issuance.source_of(serializer_class) == source


@pytest.mark.parametrize("base", [TokenObtainPairSerializer, Named, Plain], ids=lambda base: base.__name__)
def test_a_local_class_with_claims_of_its_own_is_refused(base: Any) -> None:
    """Law 11: its claims were left out without a word, and may be what a tenant is told by."""
    made = local(base, get_token=classmethod(lambda cls, user: None))
    for serializer_class in (made, onto_kit(made, KIT), local(made)):
        with pytest.raises(ImproperlyConfigured, match="define it in a module"):
            issuance.source_of(serializer_class)


@extend_schema_serializer(many=False)
class Scoped(TokenObtainPairSerializer):
    """One whose claims depend on what else the class says."""

    scope = __scope__ = "high"
    token_class = TheirRefreshToken

    class Meta:
        """What DRF reads."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Add a claim."""
        token = super().get_token(user)
        token["scope"] = cls.level()
        return token

    @classmethod
    def level(cls) -> str:
        """Return a claim."""
        return cls.scope

    def check_pin(self, pin: str) -> None:
        """Let ``validate`` check something."""

    @property
    def digits(self) -> int:
        """How long a pin is."""
        return 4


class ScopedOnTheirs(PlainSerializer):
    """The same on simplejwt's."""

    scope = "high"

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Add a claim."""
        token = super().get_token(user)
        token["scope"] = cls.scope
        return token


class Low:
    """A mixin that a view may add."""

    scope = "low"


class Adds:
    """A mixin that makes the claims itself."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Add a claim."""
        token = super().get_token(user)  # type: ignore[misc]
        token["scope"] = "low"
        return token


class OtherToken(RefreshToken):
    """A project's token."""


def named_alike(base: type[Any], **body: Any) -> type[Any]:
    """Return another class where ``base`` says that it is."""
    return type(base.__name__, (base,), {"__module__": __name__, "__qualname__": base.__qualname__, **body})


UNFOUND: dict[str, Any] = {
    "an attribute": local(Scoped, scope="low"),
    "a method": local(Scoped, level=classmethod(lambda cls: "low")),
    "a mixin": type("Local", (Low, Scoped), {"__module__": __name__, "__qualname__": "local.<locals>.Local"}),
    "a mixin that makes them": type("Local", (Adds, TokenObtainPairSerializer), {"__qualname__": "no.Local"}),
    "another of that name": named_alike(Scoped, scope="low"),
    "a token class": local(TokenObtainPairSerializer, token_class=OtherToken),
    "a token class on a module's": local(Named, token_class=OtherToken),
    "an attribute, on simplejwt's": local(ScopedOnTheirs, scope="low"),
    "two underscores": local(Scoped, __scope__="low"),
}


@pytest.mark.parametrize("grafted", [False, True], ids=["as it is", "on the kit's"])
@pytest.mark.parametrize("made", UNFOUND)
def test_claims_that_a_refresh_would_not_make_are_refused(made: str, grafted: bool) -> None:
    """Law 11: those of the class beneath may grant more than this one does."""
    serializer_class = onto_kit(UNFOUND[made], KIT) if grafted else UNFOUND[made]
    with pytest.raises(ImproperlyConfigured, match="define it in a module"):
        issuance.source_of(serializer_class)


def test_a_local_class_may_validate_in_its_own_way() -> None:
    """No claims depend on that, nor on what says the same."""
    validation = {
        "validate": lambda self, attrs: {},
        "check_pin": lambda self, pin: None,
        "digits": property(lambda self: 6),
        "username_field": "email",
        "pin": CharField(),
        "Meta": type("Meta", (), {"fields": ["pin"]}),
        "scope": "high",
        "token_class": RefreshToken,
        "of_its_own": 1,
        "__doc__": "Local.",
    }
    for base, source in ((Scoped, "Scoped"), (ScopedOnTheirs, "ScopedOnTheirs"), (TokenObtainPairSerializer, "")):
        made = extend_schema_serializer(exclude_fields=["pin"])(local(base, **validation))
        assert issuance.source_of(onto_kit(made, KIT)) == (source and f"{__name__}.{source}")


class AbstractSerializer(SerializerMetaclass, ABCMeta):
    """The metaclass of abstract serializers."""


class OfItsKind(TokenObtainPairSerializer, Generic[T], metaclass=AbstractSerializer):
    """One that Python keeps more on than other classes have."""

    tries: int = 3
    __type_params__ = (T,)

    @abstractmethod
    def check_pin(self, pin: str) -> None:
        """Let ``validate`` check something."""


def test_what_python_keeps_on_a_class_is_no_claim() -> None:
    """Annotations, type parameters and what abstract classes remember."""

    class Local(OfItsKind, Generic[T]):
        """One with all of them."""

        pins: int
        __type_params__ = ()

        def check_pin(self, pin: str) -> None:
            """Do."""

    assert issuance.source_of(Local) == f"{__name__}.OfItsKind"


def test_the_last_class_says_what_counts() -> None:
    """As Python has it: what a class between says, it overrides."""
    assert issuance.source_of(local(local(Scoped, scope="low"), scope="high")) == f"{__name__}.Scoped"


Factored = local(TokenObtainPairSerializer, token_class=OtherToken)


def test_a_local_class_that_the_settings_name_is_found_there(settings: Any) -> None:
    """By them, whatever it says of itself."""
    settings.SIMPLE_JWT = {"TOKEN_OBTAIN_SERIALIZER": f"{__name__}.Factored"}
    assert issuance.source_of(Factored) == ""


class OnDRFsBase(BaseSerializer[Any]):
    """One that rests on the least that DRF has."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Make one."""
        return RefreshToken.for_user(user)


def test_a_serializer_needs_no_fields() -> None:
    """It is found as any other."""
    assert issuance.source_of(OnDRFsBase) == f"{__name__}.OnDRFsBase"


@pytest.mark.django_db
def test_a_session_of_simplejwts_base_goes_on(user: Any) -> None:
    """As what stands for it, which is the kit's."""
    source = "rest_framework_simplejwt.serializers.TokenObtainSerializer"
    pair = sessions.begin(user, fixed={}, source=source)
    assert sessions.rotate(str(pair.refresh)).session == pair.session


class Backdated(TokenObtainPairSerializer):
    """One that says when a token was issued, and how long it lasts from now."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Leave it to the setting, but for the day."""
        token = super().get_token(user)
        token["iat"] -= 86_400
        return token


@pytest.mark.django_db
def test_when_a_token_was_issued_is_the_kits_to_say(user: Any, clock: Any, settings: Any) -> None:
    """Law 11: ``iat`` is no project's claim, so it makes no token last longer."""
    settings.SIMPLE_JWT = {"TOKEN_OBTAIN_SERIALIZER": f"{__name__}.Backdated"}
    first = sessions.start(user)
    for refresh in (first.refresh, sessions.rotate(str(first.refresh)).refresh):
        assert refresh is not None
        assert refresh.validity == timedelta(days=1)


def test_a_class_that_is_not_where_it_says_cannot_have_a_get_token() -> None:
    """Law 11: a refresh would go on without its claims."""
    with pytest.raises(ImproperlyConfigured, match="Elsewhere has a get_token that no refresh could find"):
        issuance.source_of(Bound)


@pytest.mark.django_db
def test_a_refresh_has_the_claims_of_a_class_inside_another(user: Any) -> None:
    """Law 11: as the sign-in had."""
    pair = sessions.begin(user, fixed={}, source=issuance.source_of(Outer.Inner))
    assert [pair.access["role"], sessions.rotate(str(pair.refresh)).access["role"]] == ["boss", "boss"]
