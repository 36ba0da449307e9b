"""What all endpoints share."""

from __future__ import annotations

from typing import Any

from django.db import Error, connections, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework import exceptions as drf
from rest_framework import generics, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.exceptions import TokenError

from . import throttling
from .conf import kit, schemes
from .exceptions import (
    ServiceUnavailable,
    in_drfs_words,
    nothing_rolled_back,
    unauthorized,
    with_code,
)
from .parsers import JSONNegotiation, StrictJSONParser
from .reports import leave_out_form, log_database_failure, without_secrets

_A_MINUTE = "60"  # in seconds, where a project's throttle does not tell


class KitView(generics.GenericAPIView[Any]):
    """What all endpoints share: JSON in and out, never stored, never rolled back after a refusal."""

    parser_classes: tuple[type[Any], ...] = (StrictJSONParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = JSONNegotiation
    versioning_class = None
    www_authenticate_realm = "api"

    @classmethod
    def as_view(cls, *args: Any, **initkwargs: Any) -> Any:
        """Return the view, outside of ``ATOMIC_REQUESTS``: a revocation outlives its 401 (law 4).

        A viewset's takes its actions.
        """
        view = super().as_view(*args, **initkwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    @method_decorator(sensitive_post_parameters())
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Keep what was posted out of error reports."""
        return super().dispatch(request, *args, **kwargs)

    def check_throttles(self, request: Request) -> None:
        """Ask the project's throttles, which fail as the kit's own do where the cache is down (law 8)."""
        with throttling.cache_errors_logged(fatal=not kit().THROTTLE_FAILS_OPEN):
            super().check_throttles(request)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer with the project's exception handler, and roll nothing back; what it raises shows no secrets."""
        leave_out_form(self.request)
        without_secrets(exc)
        with nothing_rolled_back():
            response = super().handle_exception(self._as_api_exception(exc))
        if response.status_code == status.HTTP_429_TOO_MANY_REQUESTS:
            response.headers.setdefault("Retry-After", _A_MINUTE)
        return response

    def _as_api_exception(self, exc: Exception) -> Exception:
        """Return what ``exc`` means to a client: none of these is worth an HTML page."""
        if isinstance(exc, TokenError):
            return unauthorized(exc, scheme=schemes()[0], realm=self.www_authenticate_realm)
        if isinstance(exc, Error):
            log_database_failure(exc)
            return ServiceUnavailable()
        answer = in_drfs_words(exc)
        return with_code(answer) if isinstance(answer, drf.APIException) else answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep tokens, and the lack of them, out of every cache (RFC 6749 5.1)."""
        leave_out_form(request)  # a middleware may fail once the answer is there
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response
