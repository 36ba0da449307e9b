"""The project's gate, ``SIGN_IN_GATE``: asked once the password was right, before anything is issued."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.utils.module_loading import import_string
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.serializers import as_serializer_error
from rest_framework_simplejwt.exceptions import TokenError

from . import clients
from .conf import kit, schemes
from .exceptions import GateRefused, SecondFactorRequired, unauthorized

security = logging.getLogger("drf_jwt_kit.security")


def let_through(request: Any, user: Any) -> Mapping[str, Any]:
    """Return the claims that the project's gate fixes for the session; raise what it raises."""
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


def _log_refusal(event: str, level: int, request: Any, user: Any) -> None:
    """Write down that the gate let nobody through: the password was right."""
    address = clients.address(request) if request is not None else None
    told = {"event": event, "user_id": user.pk, "address": address}
    security.log(level, "%s user=%s address=%s", *told.values(), extra=told)
