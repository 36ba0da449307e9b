"""The test kit: its tokens are what they say."""

from __future__ import annotations

import sys
import time
import unittest
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.utils import timezone
from rest_framework.test import APIClient

from drf_jwt_kit import testing
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken

pytestmark = pytest.mark.django_db

BAD = {
    "expired": testing.expired_token,
    "invalid": testing.tampered_token,
    "wrong_type": testing.wrong_type_token,
    "revoked": testing.revoked_token,
}


def pem(key: Any) -> str:
    """Return a private key as settings hold it."""
    format_, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, format_, encryption).decode()


def public_pem(key: Any) -> str:
    """Return the other half."""
    format_ = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, format_).decode()


def pair_of(algorithm: str, key: Any) -> dict[str, str]:
    """Return ``SIMPLE_JWT`` for a key of two halves."""
    return {"ALGORITHM": algorithm, "SIGNING_KEY": pem(key), "VERIFYING_KEY": public_pem(key)}


CONFIGURED = [
    {},
    {"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 64},
    pair_of("RS256", rsa.generate_private_key(65537, 2048)),
    pair_of("ES256", ec.generate_private_key(ec.SECP256R1())),
    {"AUTH_HEADER_TYPES": ("JWT", "Token"), "AUTH_HEADER_NAME": "HTTP_X_ACCESS_TOKEN"},
    {"USER_ID_FIELD": "username", "USER_ID_CLAIM": "sub", "TOKEN_TYPE_CLAIM": "typ", "JTI_CLAIM": "id"},
    {"LEEWAY": timedelta(hours=1), "ACCESS_TOKEN_LIFETIME": timedelta(days=2)},
    {"AUDIENCE": "notes", "ISSUER": "https://issuer.example"},
]
CONFIGURED_IDS = ["default", "HS512", "RS256", "ES256", "header", "claims", "leeway", "audience"]


@pytest.fixture(params=CONFIGURED, ids=CONFIGURED_IDS)
def configured(request: Any, settings: Any) -> dict[str, Any]:
    """A project's ``SIMPLE_JWT``."""
    settings.SIMPLE_JWT = request.param
    return request.param


def ask(token: str) -> Any:
    """Return what the example's ``me/`` answers to a token, sent as the settings say."""
    client = APIClient()
    client.credentials(**testing._header(token))
    return client.get("/api/me/")


@pytest.mark.usefixtures("configured")
class TestTokens:
    """Under whatever the project configures."""

    def test_a_client_is_signed_in_as_the_user(self, user: Any) -> None:
        """By a session of its own, which can be ended."""
        client = testing.api_client_for(user)

        assert client.get("/api/me/").data["username"] == "alice"
        assert client.delete("/api/sessions/").status_code == 204
        assert client.get("/api/me/").status_code == 401

    def test_an_access_token_is_accepted(self, user: Any) -> None:
        """What the others are measured by."""
        assert ask(testing.access_token(user)).status_code == 200

    @pytest.mark.parametrize("reason", BAD)
    def test_a_bad_token_is_refused_for_what_it_is(self, user: Any, reason: str) -> None:
        """The reason tells that nothing else was found first."""
        answer = ask(BAD[reason](user))

        assert (answer.status_code, answer.data["reason"]) == (401, reason)

    def test_nothing_else_is_wrong_with_an_expired_token(self, user: Any, configured: dict[str, Any]) -> None:
        """Its time over, and the leeway: before that it was good."""
        token = testing.expired_token(user)

        with testing.freeze(timezone.now() - configured.get("LEEWAY", timedelta(0)) - timedelta(seconds=90)):
            assert ask(token).status_code == 200

    def test_nothing_else_is_wrong_with_a_tampered_token(self, user: Any) -> None:
        """The signature is a real one, of another payload."""
        token = AccessToken(testing.tampered_token(user), verify=False)

        token.verify()
        with testing.freeze():
            genuine = AccessToken(testing.access_token(user))
            changed = AccessToken(testing.tampered_token(user), verify=False)
        assert changed.payload["exp"] == genuine.payload["exp"] + 1
        assert ask(str(token)).status_code == 200  # signed anew

    def test_nothing_is_wrong_with_a_token_of_the_wrong_type(self, client: Any, user: Any) -> None:
        """It is a refresh token."""
        refresh = testing.wrong_type_token(user)

        assert client.post("/api/token/refresh/", {"refresh": refresh}, format="json").status_code == 200

    def test_nothing_else_is_wrong_with_a_revoked_token(self, user: Any) -> None:
        """Its session was ended, and that is all."""
        token = testing.revoked_token(user)
        TokenSession.objects.update(revoked_at=None)

        assert ask(token).status_code == 200


class TestFreeze:
    """Time that stands still."""

    def test_time_moves_when_it_is_told_to(self, user: Any) -> None:
        """Django, simplejwt and PyJWT tell the same time."""
        with testing.freeze(datetime(2026, 3, 1, tzinfo=UTC)) as clock:
            client = testing.api_client_for(user)
            clock.shift(timedelta(minutes=4, seconds=59))
            assert client.get("/api/me/").status_code == 200
            clock.shift(timedelta(seconds=1))
            assert client.get("/api/me/").data["reason"] == "expired"
            clock.move_to(datetime(2026, 3, 1, tzinfo=UTC))
            assert client.get("/api/me/").status_code == 200
            assert timezone.now() == datetime(2026, 3, 1, tzinfo=UTC)

    def test_now_is_when_it_stops(self) -> None:
        """A decorator is read long before: what ``setUp`` made would lie in the future."""
        frozen = testing.freeze()
        before = time.time_ns()
        with frozen:
            first = time.time()
            assert first == time.time()
            assert first * 1e9 == pytest.approx(before, abs=60e9)
            with testing.freeze(datetime(2030, 1, 1, tzinfo=UTC)), testing.freeze():
                assert timezone.now().year == 2030
        with testing.freeze(datetime(2030, 1, 1, tzinfo=UTC)), frozen:
            assert timezone.now().year == 2030

    def test_it_decorates_functions_and_test_cases(self) -> None:
        """As time-machine's own ``travel`` does."""
        frozen = testing.freeze(datetime(2026, 3, 1, tzinfo=UTC))

        @frozen
        def year() -> int:
            return timezone.now().year

        @frozen
        class Year(unittest.TestCase):
            def test_year(self) -> None:
                assert timezone.now().year == 2026

        assert year() == 2026
        assert unittest.TestResult() is not None
        result = unittest.defaultTestLoader.loadTestsFromTestCase(Year).run(unittest.TestResult())
        assert (result.testsRun, result.wasSuccessful()) == (1, True)

    def test_a_missing_package_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is not among the kit's dependencies."""
        monkeypatch.setitem(sys.modules, "time_machine", None)

        with pytest.raises(ImportError, match="pip install time-machine"):
            testing.freeze()
