"""Settings: the project's over the kit's over simplejwt's."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict, fields
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from rest_framework import serializers
from rest_framework import settings as rest_framework_settings
from rest_framework_simplejwt import serializers as simplejwt_serializers
from rest_framework_simplejwt import settings as simplejwt_settings
from rest_framework_simplejwt import tokens as simplejwt_tokens

from drf_jwt_kit import conf, rules
from drf_jwt_kit.serializers import TokenObtainPairSerializer, TokenRefreshSerializer
from drf_jwt_kit.tokens import AccessToken

OBTAIN = "drf_jwt_kit.serializers.TokenObtainPairSerializer"
REFRESH = "drf_jwt_kit.serializers.TokenRefreshSerializer"

# The table of DESIGN.md 2.3.
CONTRACT = {
    "ANONYMOUS_STATUS": 403,
    "PROTECT_BY_DEFAULT": True,
    "PROTECT_EVERY_VIEW": False,
    "REFRESH_GRACE_PERIOD": timedelta(seconds=30),
    "SESSION_LIFETIME": timedelta(days=30),
    "MAX_SESSIONS_PER_USER": None,
    "RECORD_USER_AGENT": True,
    "RECORD_IP_ADDRESS": True,
    "ACCEPT_SESSIONLESS_ACCESS": True,
    "CLAIMS": None,
    "SIGN_IN_GATE": None,
    "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "5/5m",
    "LOGIN_FAILURES_PER_ADDRESS": "100/1h",
    "LOGIN_FAILURES_PER_ACCOUNT": "50/1h",
    "TRUSTED_PROXIES": 0,
    "THROTTLE_FAILS_OPEN": False,
}


class OnSimpleJWTs(simplejwt_serializers.TokenObtainPairSerializer):
    """A project's serializer."""

    pin = serializers.CharField()

    @classmethod
    def get_token(cls, user: Any) -> str:
        """Return no token at all."""
        return "mine"


class OnTheKits(TokenObtainPairSerializer):
    """A project's serializer on the kit's."""


class WithoutField(simplejwt_serializers.TokenRefreshSerializer):
    """A serializer of a project's that reads no field."""

    refresh = None


class Registry(simplejwt_tokens.AccessToken):
    """A token class of a project's whose subclasses say what they are for."""

    known: ClassVar[list[Any]] = []

    def __init_subclass__(cls, *, scope: str) -> None:
        """Note it."""
        super().__init_subclass__()
        cls.scope = scope
        cls.known.append(cls)


class Registered(Registry, scope="shop"):
    """One of them."""


class Foreign(serializers.Serializer):
    """A serializer that owes nothing to simplejwt."""


def test_the_defaults_are_those_of_the_contract() -> None:
    """DESIGN 2.3: every key of the table, and no default that differs."""
    known = asdict(conf.Settings())
    assert {name: known[name] for name in CONTRACT} == CONTRACT


def test_every_key_has_a_rule() -> None:
    """DESIGN 2.3: none goes unchecked, and each default passes."""
    assert {field.name for field in fields(conf.Settings)} == set(rules._RULES)
    assert list(rules.problems(asdict(conf.Settings()))) == []


@pytest.mark.parametrize(
    "values",
    [
        {"ANONYMOUS_STATUS": 401},
        {"PROTECT_BY_DEFAULT": False},
        {"REFRESH_GRACE_PERIOD": timedelta(0)},
        {"SESSION_LIFETIME": None},
        {"SESSION_LIFETIME": timedelta(seconds=1)},
        {"MAX_SESSIONS_PER_USER": 1},
        {"CLAIMS": "shop.tokens.claims"},
        {"LOGIN_FAILURES_PER_ADDRESS": None},
        {"LOGIN_FAILURES_PER_ADDRESS": "1/1s"},
        {"LOGIN_FAILURES_PER_ADDRESS": "999/30d"},
        {"TRUSTED_PROXIES": 2},
        {},
    ],
    ids=str,
)
def test_possible_values_are_read(settings: Any, values: dict[str, Any]) -> None:
    """DESIGN 2.3: they win over the defaults."""
    settings.DRF_JWT_KIT = values
    assert {name: getattr(conf.kit(), name) for name in values} == values


@pytest.mark.parametrize("values", [{"ANONYMOUS_STATUS": 200}, {"NOPE": 1}, "nonsense", None, {1: 1}], ids=str)
def test_a_dict_with_a_fault_is_not_half_read(settings: Any, values: Any) -> None:
    """Law 8: a server started past the checks stops here."""
    settings.DRF_JWT_KIT = values
    with pytest.raises(ImproperlyConfigured, match="DRF_JWT_KIT"):
        conf.kit()


def test_settings_are_frozen_and_read_once() -> None:
    """DESIGN 2.3: one frozen, typed, cached object."""
    assert conf.kit() is conf.kit()
    assert conf.simple_jwt() is conf.simple_jwt()
    with pytest.raises(FrozenInstanceError):
        conf.kit().ANONYMOUS_STATUS = 401  # type: ignore[misc]


def test_settings_are_forgotten_when_they_change() -> None:
    """DESIGN 2.3: cleared on ``setting_changed``, and only then."""
    before = conf.kit(), conf.simple_jwt()
    with override_settings(DRF_JWT_KIT={"TRUSTED_PROXIES": 3}, SIMPLE_JWT={"LEEWAY": 7}):
        assert (conf.kit().TRUSTED_PROXIES, conf.simple_jwt().LEEWAY) == (3, 7)
    assert (conf.kit().TRUSTED_PROXIES, conf.simple_jwt().LEEWAY) == (0, 0)
    now = conf.kit(), conf.simple_jwt()
    assert now[0] is not before[0]
    with override_settings(PAGE_SIZE=3):
        assert conf.kit() is now[0]
        assert conf.simple_jwt() is now[1]


def test_rest_framework_is_not_read_for_simple_jwt(settings: Any) -> None:
    """DESIGN 2.3, traps: simplejwt falls back to it."""
    settings.REST_FRAMEWORK = {"LEEWAY": 99}
    assert conf.simple_jwt().LEEWAY == 0


def test_the_defaults_lie_beneath_simplejwts_and_drfs() -> None:
    """DESIGN 2.3: in ``DEFAULTS``, where every project key wins."""
    assert conf.SIMPLE_JWT_DEFAULTS.items() <= simplejwt_settings.DEFAULTS.items()
    assert conf.REST_FRAMEWORK_PROTECTION.items() <= rest_framework_settings.DEFAULTS.items()
    assert conf.REST_FRAMEWORK_ANSWERS.items() <= rest_framework_settings.DEFAULTS.items()


@pytest.mark.parametrize("values", ["nonsense", None, {"PROTECT_BY_DEFAULT": None}, {"PROTECT_BY_DEFAULT": 0}], ids=str)
def test_a_dict_that_cannot_be_read_protects(settings: Any, monkeypatch: Any, values: Any) -> None:
    """Law 7: nothing but ``False`` itself opts out (tests/projects does it for real)."""
    for name in conf.REST_FRAMEWORK_PROTECTION:
        monkeypatch.setitem(rest_framework_settings.DEFAULTS, name, [])
    settings.DRF_JWT_KIT = values
    conf.put_defaults_beneath()
    assert conf.REST_FRAMEWORK_PROTECTION.items() <= rest_framework_settings.DEFAULTS.items()


def test_opting_out_leaves_drfs_defaults(settings: Any, monkeypatch: Any) -> None:
    """DESIGN 2.3: ``PROTECT_BY_DEFAULT = False``."""
    for name in conf.REST_FRAMEWORK_PROTECTION:
        monkeypatch.setitem(rest_framework_settings.DEFAULTS, name, ["as it was"])
    settings.DRF_JWT_KIT = {"PROTECT_BY_DEFAULT": False}
    conf.put_defaults_beneath()
    assert {rest_framework_settings.DEFAULTS[name][0] for name in conf.REST_FRAMEWORK_PROTECTION} == {"as it was"}


class TestOntoKit:
    """Project classes come to rest on the kit's."""

    def test_a_class_on_the_kits_is_itself(self) -> None:
        """There is nothing to do."""
        assert conf.onto_kit(OnTheKits, OBTAIN) is OnTheKits
        assert conf.onto_kit(TokenObtainPairSerializer, OBTAIN) is TokenObtainPairSerializer

    def test_simplejwts_own_class_becomes_the_kits(self) -> None:
        """Its path may stand in the settings, copied from its docs."""
        parent = simplejwt_serializers.TokenObtainPairSerializer
        assert conf.onto_kit(parent, OBTAIN) is TokenObtainPairSerializer

    def test_a_class_on_simplejwts_gets_the_kits_between(self) -> None:
        """``super()`` finds the kit's; every override stays."""
        made = conf.onto_kit(OnSimpleJWTs, OBTAIN)
        order = made.__mro__
        parents = (OnSimpleJWTs, TokenObtainPairSerializer, simplejwt_serializers.TokenObtainPairSerializer)
        assert [order.index(parent) for parent in parents] == sorted(order.index(parent) for parent in parents)
        assert made.get_token(None) == "mine"
        assert "pin" in made().fields

    def test_a_field_that_was_taken_away_stays_away(self) -> None:
        """DRF's way to have a token from a cookie: ``refresh = None``."""
        made = conf.onto_kit(WithoutField, REFRESH)
        assert issubclass(made, TokenRefreshSerializer)
        assert "refresh" not in made().fields

    def test_it_is_still_the_projects_by_name(self) -> None:
        """Names in errors and in the session lead to the project's class."""
        made = conf.onto_kit(OnSimpleJWTs, OBTAIN)
        assert (made.__module__, made.__qualname__) == (__name__, "OnSimpleJWTs")
        assert made.__doc__ == OnSimpleJWTs.__doc__

    def test_it_is_made_once(self) -> None:
        """No new class for each request."""
        assert conf.onto_kit(OnSimpleJWTs, OBTAIN) is conf.onto_kit(OnSimpleJWTs, OBTAIN)

    def test_a_class_that_counts_its_subclasses_hears_of_none(self) -> None:
        """``__init_subclass__`` is for what a project writes, and may ask for more than the kit could tell."""
        made = conf.onto_kit(Registered, conf.ACCESS_TOKEN)
        assert issubclass(made, AccessToken)
        assert (made.scope, Registry.known) == ("shop", [Registered])

    @pytest.mark.parametrize("cls", [Foreign, simplejwt_serializers.TokenObtainSlidingSerializer])
    def test_a_class_that_rests_on_another_is_left_alone(self, cls: Any) -> None:
        """DESIGN 2.3: sliding tokens stay simplejwt's own."""
        assert conf.onto_kit(cls, OBTAIN) is cls


def test_a_path_that_leads_nowhere_raises(settings: Any) -> None:
    """A typing mistake in the settings is no silent default."""
    settings.SIMPLE_JWT = {"TOKEN_OBTAIN_SERIALIZER": "no.such.Serializer"}
    with pytest.raises(ImportError):
        conf.named_class("TOKEN_OBTAIN_SERIALIZER")


@pytest.mark.parametrize(
    ("active", "checked", "allowed"), [(True, True, True), (False, True, False), (False, False, True)]
)
def test_the_rule_for_users(django_user_model: Any, settings: Any, active: bool, checked: bool, allowed: bool) -> None:
    """As in simplejwt, with the settings as they are now."""
    settings.SIMPLE_JWT = {"CHECK_USER_IS_ACTIVE": checked}
    assert conf.user_authentication_rule(django_user_model(is_active=active)) is allowed
    assert conf.user_authentication_rule(None) is False


def test_classes_are_imported() -> None:
    """``AUTH_TOKEN_CLASSES`` holds classes, as with simplejwt."""
    assert list(conf.simple_jwt().AUTH_TOKEN_CLASSES) == [AccessToken]
