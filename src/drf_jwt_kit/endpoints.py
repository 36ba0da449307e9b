"""What all endpoints share."""

from __future__ import annotations

from functools import reduce
from typing import Any

from django.db import Error, connections, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from rest_framework import exceptions as drf
from rest_framework import generics, status
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework_simplejwt import views as simplejwt
from rest_framework_simplejwt.exceptions import TokenError

from . import throttling
from .conf import SERIALIZERS, SIMPLE_JWT_DEFAULTS, kit, named_class, onto_kit, schemes
from .exceptions import (
    ServiceUnavailable,
    in_drfs_words,
    nothing_rolled_back,
    unauthorized,
    with_code,
)
from .parsers import JSONNegotiation, StrictJSONParser
from .permissions import public
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


class _Scope:
    """A view's scope for DRF's ``ScopedRateThrottle``, where the project has a rate for it, unless it is given one."""

    def __get__(self, view: object, owner: type[TokenViewBase]) -> str | None:
        """Return it as the settings are now."""
        return owner.scope if owner.scope in api_settings.DEFAULT_THROTTLE_RATES else None


class TokenViewBase(KitView, simplejwt.TokenViewBase):
    """An endpoint that takes credentials in its body, and no others.

    ``serializer_class`` on a subclass, or the key ``serializer_setting`` of ``SIMPLE_JWT``, names
    what it does.
    """

    http_method_names = ["post"]
    authentication_classes = ()
    permission_classes = ()
    serializer_setting = ""
    scope = ""
    throttle_scope = _Scope()

    def check_permissions(self, request: Request) -> None:
        """Refuse another method before anybody is asked who they are."""
        if str(request.method).lower() not in self.http_method_names:
            self.http_method_not_allowed(request)
        super().check_permissions(request)

    def get_serializer_class(self) -> Any:
        """Return the serializer class: the view's own, or what the settings name now."""
        own = self.serializer_class or (self._serializer_class and import_string(self._serializer_class))
        return own or named_class(self.serializer_setting)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Return a serializer, resting on the kit's where it is a project's own."""
        chosen = reduce(onto_kit, (SIMPLE_JWT_DEFAULTS[key] for key in SERIALIZERS), self.get_serializer_class())
        return chosen(*args, **{"context": self.get_serializer_context(), **kwargs})

    def get_authenticate_header(self, request: Request) -> str:
        """Return the challenge for a sign-in that failed."""
        return f'{schemes()[0]} realm="{self.www_authenticate_realm}"'

    def handle_exception(self, exc: Exception) -> Response:
        """Answer every 401 with a challenge (RFC 9110 15.5.2), a gate's own too."""
        response = super().handle_exception(exc)
        if response.status_code == status.HTTP_401_UNAUTHORIZED:
            response.headers.setdefault("WWW-Authenticate", self.get_authenticate_header(self.request))
        return response

    @public
    @method_decorator(sensitive_variables())
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Validate, which does the work, and answer what came of it."""
        serializer = self.get_serializer(data=self.posted(request))
        serializer.is_valid(raise_exception=True)
        return Response(self.answer(serializer), status=status.HTTP_200_OK)

    def posted(self, request: Request) -> Any:
        """Return what the serializer is given."""
        return request.data

    def answer(self, serializer: Any) -> Any:
        """Return the body of the answer. Override it to add to what the serializer validated."""
        return serializer.validated_data
