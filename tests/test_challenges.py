"""Challenges, as a client reads them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import PermissionDenied

from drf_jwt_kit.challenges import INSUFFICIENT_SCOPE, INSUFFICIENT_USER_AUTHENTICATION, Lack, challenge, demand


@pytest.mark.parametrize(
    ("sentence", "description"),
    [
        ("Token is expired", "Token is expired"),
        ('a "quoted" word', "a quoted word"),
        ("back\\slash", "backslash"),
        ("line\r\nInjected: yes", "lineInjected: yes"),
        ("jeton expiré 🔑", "jeton expir "),
        ("tab\tnul\x00del\x7f", "tabnuldel"),
        ("", ""),
    ],
)
def test_the_description_is_printable_ascii(sentence: str, description: str) -> None:
    """RFC 6750 3: %x20-21 / %x23-5B / %x5D-7E."""
    assert challenge("Bearer", "api", sentence) == (
        f'Bearer realm="api", error="invalid_token", error_description="{description}"'
    )


def test_the_description_is_not_translated() -> None:
    """DESIGN 2.2: the body may be, the header is not."""
    with translation.override("de"):
        sentence = gettext_lazy("Enter a valid value.")  # one that Django has a translation of
        assert str(sentence) != "Enter a valid value."
        assert "Enter a valid value." in challenge("Bearer", "api", sentence)


def test_what_would_be_enough_is_told_as_strictly() -> None:
    """RFC 6750 3, RFC 9470 3: parameters follow in the order they are given, and none of them ends its quotes."""
    assert challenge("Bearer", "api", "No.", error="insufficient_scope", scope='a" b\r\n', max_age="5") == (
        'Bearer realm="api", error="insufficient_scope", error_description="No.", scope="a b", max_age="5"'
    )


@pytest.mark.parametrize(
    ("lack", "status", "code"),
    [
        (INSUFFICIENT_SCOPE, 403, "insufficient_scope"),
        (INSUFFICIENT_USER_AUTHENTICATION, 401, "insufficient_user_authentication"),
    ],
)
@pytest.mark.parametrize("request_of_theirs", [None, object()])
def test_a_refusal_for_what_is_lacking(lack: Lack, status: int, code: str, request_of_theirs: Any) -> None:
    """The codes are those of the RFCs; without a request of DRF's the realm is simplejwt's default."""
    refusal = PermissionDenied(lack.body(scope="a b", more="not for headers"))
    demand(refusal, request_of_theirs)
    assert refusal.status_code == status
    assert refusal.auth_header == (
        f'Bearer realm="api", error="{code}", error_description="{lack.sentence}", scope="a b"'
    )


def test_a_body_in_another_language_has_a_header_in_english() -> None:
    """DESIGN 2.2: DRF has translated the sentence before a handler sees it."""
    with translation.override("de"):
        refusal = PermissionDenied({**INSUFFICIENT_SCOPE.body(), "detail": gettext_lazy("Enter a valid value.")})
        demand(refusal, None)
    assert refusal.detail["detail"] == "Bitte einen gültigen Wert eingeben."
    assert 'error_description="Token lacks a scope that is needed"' in refusal.auth_header
