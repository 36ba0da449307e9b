"""The project's gate, ``SIGN_IN_GATE``: asked once the password was right, before anything is issued."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from asgiref.local import Local
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.serializers import as_serializer_error
from rest_framework_simplejwt.exceptions import TokenError

from . import claims, clients
from .conf import kit, schemes, simple_jwt
from .exceptions import GateRefused, Invalid, SecondFactorRequired, unauthorized
from .tokens import kind_of, refresh_class

security = logging.getLogger("drf_jwt_kit.security")

# RFC 7515 3.1: the base64url segment after a dot that may be a JSON object with as many claims as a token has, whatever
# stands before and after it.
_PAYLOAD = re.compile(r"(?<=[A-Za-z0-9_-]\.)e[wy][A-Za-z0-9_-]{20,}")

_here = Local()


def let_through(request: Any, user: Any) -> Mapping[str, Any]:
    """Return the claims that the project's gate fixes for the session; raise what it raises."""
    fixed = _ask(request, user)
    _here.passed = passed() + 1
    return fixed


def _ask(request: Any, user: Any) -> Mapping[str, Any]:
    """Return what the gate returns, where there is one; raise what it raises."""
    path = kit().SIGN_IN_GATE
    if path is None:
        return {}
    try:
        fixed = import_string(path)(request, user)
    except (ValidationError, DjangoValidationError) as refusal:
        _log_refusal("sign_in_refused", logging.WARNING, request, user)
        raise GateRefused(as_serializer_error(refusal)) from refusal
    except TokenError as refusal:  # of a token of its own, and not of the user
        _log_refusal("sign_in_refused", logging.WARNING, request, user)
        raise unauthorized(refusal, scheme=schemes()[0], realm="api") from refusal
    except (APIException, Http404, PermissionDenied) as refusal:
        asked = isinstance(refusal, SecondFactorRequired)
        event, level = ("sign_in_challenged", logging.INFO) if asked else ("sign_in_refused", logging.WARNING)
        _log_refusal(event, level, request, user)
        raise
    except (BadRequest, SuspiciousOperation) as refusal:  # of which Django tells no words
        _log_refusal("sign_in_refused", logging.WARNING, request, user)
        raise ParseError from refusal
    if fixed is not None and not isinstance(fixed, Mapping):
        raise ImproperlyConfigured(f"{path} must return a dict of claims or None, not {type(fixed).__name__}.")
    return fixed or {}


def passed() -> int:
    """Return how many have passed the gate in this context, or would have if there were one."""
    count: int = getattr(_here, "passed", 0)
    return count


def ensure_nothing_issued(response: Any) -> None:
    """Let nothing be answered that has tokens of users in its headers, cookies or body: nobody has passed the gate.

    A project's code made them in its own way. Raises :class:`~django.core.exceptions.ImproperlyConfigured`, once
    ``response`` is rendered.
    """
    if kit().SIGN_IN_GATE is None:
        return
    if getattr(response, "is_rendered", True):
        _ensure_no_tokens(response)
    else:
        response.add_post_render_callback(_ensure_no_tokens)


@sensitive_variables()
def _ensure_no_tokens(response: HttpResponseBase) -> None:
    """Raise where what is sent has tokens; a stream cannot be looked at."""
    content: bytes = getattr(response, "content", b"")
    sent = "\n".join([*response.headers.values(), response.cookies.output(), content.decode("latin-1")])
    kinds = [getattr(taken, "token_type", None) for taken in (refresh_class(), *simple_jwt().AUTH_TOKEN_CLASSES)]
    if any(_lets_in(found[0], kinds) for found in _PAYLOAD.finditer(sent)):
        path = kit().SIGN_IN_GATE
        raise ImproperlyConfigured(f"There are tokens that {path} was not asked about: call super().validate().")


def _lets_in(segment: str, kinds: list[Any]) -> bool:
    """Return whether claims are those of a token that needs no session: a gate stands before one, or the project."""
    with suppress(Invalid):
        payload = claims.json_object(segment.encode())
        claims.check(payload, aud_allowed=True)
        return claims.SESSION_CLAIM not in payload and kind_of(payload) in kinds
    return False


def _log_refusal(event: str, level: int, request: Any, user: Any) -> None:
    """Write down that the gate let nobody through: the password was right."""
    address = clients.address(request) if request is not None else None
    told = {"event": event, "user_id": user.pk, "address": address}
    security.log(level, "%s user=%s address=%s", *told.values(), extra=told)
