"""Fields and bodies; tests/flows drives the serializers over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import user_login_failed
from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed

from drf_jwt_kit import serializers as kit
from drf_jwt_kit import sessions
from drf_jwt_kit.models import TokenSession
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

CREDENTIALS = {"username": "alice", "password": PASSWORD}
NO_TEXTS = [None, True, False, 0, 1, 1.5, [], ["x"], {}, {"a": 1}, b"x", "", "a\x00b", "a\ud800b"]


class Named(kit.TokenObtainPairSerializer):
    """A serializer that can be found again."""


def class_name(value: Any) -> str:
    """Return the name of a vector."""
    return type(value).__name__


def local_class() -> type[Any]:
    """Return a serializer that cannot."""

    class Local(kit.TokenObtainPairSerializer):
        """Made in a function."""

    return Local


@pytest.mark.parametrize("field", [kit.TextField(), kit.TokenField(), kit.PasswordField()], ids=class_name)
@pytest.mark.parametrize("value", NO_TEXTS, ids=ascii)
def test_only_text_is_text(field: Any, value: Any) -> None:
    """THREATS, bodies: nothing is turned into text."""
    with pytest.raises(serializers.ValidationError):
        field.run_validation(value)


@pytest.mark.parametrize("field", [kit.TokenField(), kit.PasswordField()], ids=class_name)
@pytest.mark.parametrize("value", [" x ", "\tx\n", " ", "x", "é🔑"], ids=ascii)
def test_what_is_secret_is_taken_as_it_is(field: Any, value: str) -> None:
    """THREATS, passwords: white space counts."""
    assert field.run_validation(value) == value


def test_a_password_is_never_shown() -> None:
    """Law 10: neither in an answer nor in a form."""
    field = kit.PasswordField(label="Secret word")
    assert (field.write_only, field.style, field.label) == (True, {"input_type": "password"}, "Secret word")


def test_a_password_has_a_longest_length() -> None:
    """THREATS, passwords: a megabyte is no password."""
    field = kit.PasswordField()
    assert field.run_validation("x" * 4096)
    with pytest.raises(serializers.ValidationError):
        field.run_validation("x" * 4097)


@pytest.mark.parametrize("context", [{}, {"request": None}, {"request": HttpRequest()}], ids=["none", "null", "django"])
def test_signing_in_without_a_request_of_drfs(user: Any, context: dict[str, Any]) -> None:
    """Drop-in: projects call the serializer in tests, commands and GraphQL resolvers."""
    serializer = kit.TokenObtainPairSerializer(data=CREDENTIALS, context=context)
    serializer.is_valid(raise_exception=True)
    assert set(serializer.validated_data) == {"access", "refresh", "expires_in", "refresh_expires_in"}
    assert serializer.user == user


@pytest.mark.parametrize("context", [{}, {"request": None}, {"request": HttpRequest()}], ids=["none", "null", "django"])
def test_failing_to_without_one(user: Any, context: dict[str, Any]) -> None:
    """Drop-in: simplejwt's error, with its code."""
    serializer = kit.TokenObtainPairSerializer(data={**CREDENTIALS, "password": "wrong"}, context=context)
    with pytest.raises(AuthenticationFailed) as failure:
        serializer.is_valid(raise_exception=True)
    assert failure.value.get_codes() == "no_active_account"


def test_the_tokens_are_no_attribute_of_the_representation(user: Any) -> None:
    """Law 10: ``repr`` of a serializer ends up in logs."""
    serializer = kit.TokenObtainPairSerializer(data=CREDENTIALS)
    serializer.is_valid(raise_exception=True)
    assert serializer.validated_data["access"] not in repr(serializer)


def test_a_pair_without_rotation_has_no_refresh_token(user: Any, settings: Any) -> None:
    """DESIGN 2.3: the client keeps the one that it has."""
    pair = sessions.start(user)
    settings.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": False}
    assert set(kit.pair_as_data(sessions.rotate(str(pair.refresh)))) == {"access", "expires_in"}


@pytest.mark.parametrize(
    ("serializer", "source"),
    [(Named, f"{__name__}.Named"), (local_class(), ""), (kit.TokenObtainPairSerializer, "")],
    ids=["named", "local", "kit"],
)
def test_a_session_remembers_a_serializer_that_can_be_found_again(user: Any, serializer: Any, source: str) -> None:
    """Law 11: its claims are computed again at every refresh."""
    serializer(data=CREDENTIALS).is_valid(raise_exception=True)
    assert TokenSession.objects.get().claims_source == source


def test_refreshing_in_a_projects_own_code(user: Any) -> None:
    """Drop-in: the serializer alone rotates."""
    pair = sessions.start(user)
    serializer = kit.TokenRefreshSerializer(data={"refresh": str(pair.refresh)})
    serializer.is_valid(raise_exception=True)
    assert TokenSession.objects.get().generation == 1
    assert set(serializer.validated_data) == {"access", "refresh", "expires_in", "refresh_expires_in"}


@pytest.mark.parametrize(
    ("serializer", "field"),
    [
        (kit.TokenVerifySerializer, "token"),
        (kit.TokenRevokeSerializer, "token"),
        (kit.TokenBlacklistSerializer, "refresh"),
    ],
)
def test_the_others_answer_nothing(user: Any, serializer: Any, field: str) -> None:
    """DESIGN 2.1: ``{}``."""
    made = serializer(data={field: str(sessions.start(user).refresh)})
    made.is_valid(raise_exception=True)
    assert (made.validated_data, made.data) == ({}, {})


@pytest.mark.parametrize("name", ["ObtainPair", "Refresh", "Verify", "Revoke", "Blacklist"])
def test_a_serializer_does_not_show_what_was_posted(name: str) -> None:
    """Law 10: DRF's own ``repr`` has the data in it, and error trackers show it."""
    serializer = getattr(kit, f"Token{name}Serializer")(data={"password": "posted-word"})
    assert repr(serializer) == f"<Token{name}Serializer>"


def test_a_failed_sign_in_is_told_without_the_password(user: Any, settings: Any, post: Any) -> None:
    """Law 10: whoever listens to ``user_login_failed`` learns the name alone, as from Django itself."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    type(user).objects.update(is_active=False)
    told: list[dict[str, Any]] = []

    def listen(credentials: dict[str, Any], **kwargs: Any) -> None:
        told.append(credentials)

    user_login_failed.connect(listen)
    try:
        assert post("token/", username="alice", password=PASSWORD).status_code == 401
    finally:
        user_login_failed.disconnect(listen)
    assert told == [{"username": "alice", "password": "********"}]
