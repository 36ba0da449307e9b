"""Challenges: what a client is told, in ``WWW-Authenticate``, of the token that would be good enough."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import PermissionDenied

from .conf import schemes


def challenge(
    scheme: str, realm: str, sentence: str | Promise, *, error: str = "invalid_token", **parameters: str
) -> str:
    """Return the ``WWW-Authenticate`` value for a refused token (RFC 6750 3).

    A quoted value may hold printable ASCII without quotes and backslashes only, so the sentence in
    ``error_description`` stays untranslated.
    """
    with translation.override(None):
        description = str(sentence)
    values = {"error": error, "error_description": description, **parameters}
    return f'{scheme} realm="{realm}"' + "".join(f', {name}="{_quotable(text)}"' for name, text in values.items())


def _quotable(text: str) -> str:
    """Return what of ``text`` may stand between quotes."""
    plain = text.encode("ascii", "ignore").decode()
    return "".join(character for character in plain if character.isprintable() and character not in '"\\')


class Lack(NamedTuple):
    """What a good token may lack, and how that is answered."""

    code: str
    status: int
    sentence: str | Promise

    def body(self, **parameters: Any) -> dict[str, Any]:
        """Return the body that says so; ``parameters`` are what would be enough."""
        return {"detail": self.sentence, "code": self.code, **parameters}


# RFC 6750 3.1.
INSUFFICIENT_SCOPE = Lack("insufficient_scope", status.HTTP_403_FORBIDDEN, _("Token lacks a scope that is needed"))

# RFC 9470 3.
INSUFFICIENT_USER_AUTHENTICATION = Lack(
    "insufficient_user_authentication",
    status.HTTP_401_UNAUTHORIZED,
    _("More recent or stronger authentication is required"),
)

_LACKS = {lack.code: lack for lack in (INSUFFICIENT_SCOPE, INSUFFICIENT_USER_AUTHENTICATION)}
_PARAMETERS = ("scope", "max_age", "amr")


def demand(refusal: PermissionDenied, request: Any) -> None:
    """Give a permission's refusal the status and the challenge for what the token lacks, if it lacks something.

    A permission hands DRF a body and nothing else, so the body tells.
    """
    body: Any = refusal.detail
    lack = _LACKS.get(str(body.get("code"))) if isinstance(body, dict) else None
    if lack is None:
        return
    parameters = {name: _joined(body[name]) for name in _PARAMETERS if name in body}
    refusal.status_code = lack.status
    refusal.auth_header = challenge(  # type: ignore[attr-defined]
        schemes()[0], _realm(request), lack.sentence, error=lack.code, **parameters
    )


def _joined(value: Any) -> str:
    """Return a member of a body as one text."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def plain(request: Any) -> str | None:
    """Return the challenge of a view that takes tokens, ``None`` where it takes none (RFC 9110 11.6.1)."""
    realm = _named_realm(request)
    return None if realm is None else f'{schemes()[0]} realm="{realm}"'


def _realm(request: Any) -> str:
    """Return the realm that the request's reader of tokens names in its own challenges."""
    from rest_framework_simplejwt.authentication import JWTAuthentication  # needs the app registry

    return _named_realm(request) or JWTAuthentication.www_authenticate_realm


def _named_realm(request: Any) -> str | None:
    """Return the realm of the first reader of tokens that is asked who makes the request."""
    from rest_framework_simplejwt.authentication import JWTAuthentication  # needs the app registry

    known = getattr(request, "authenticators", None) or ()
    return next((one.www_authenticate_realm for one in known if isinstance(one, JWTAuthentication)), None)
