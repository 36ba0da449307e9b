"""The endpoints."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_variables
from rest_framework import exceptions as drf
from rest_framework import status
from rest_framework.fields import SkipField
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt import views as simplejwt
from rest_framework_simplejwt.exceptions import TokenError

from . import claims, credentials, decoys, denials, gate, introspection, models, rotation, sessions
from .authentication import JWTAuthentication
from .endpoints import KitView, TokenViewBase
from .exceptions import PasswordChanged, Revoked, UserInactive, UserNotFound
from .models import TokenSession, TokenSessionQuerySet
from .parsers import StrictFormParser, StrictJSONParser
from .permissions import public
from .serializers import SessionListSerializer, TokenObtainPairSerializer, TokenRevokeSerializer, sign_in
from .tokens import Token, refresh_class

_KINDS = ("access", "refresh")

# What is wrong with a user, and not with a token.
_OF_USERS = (UserInactive, UserNotFound, PasswordChanged, Revoked, denials.ComesLate)


class TokenObtainPairView(TokenViewBase, simplejwt.TokenObtainPairView):
    """Sign in: credentials for an access and a refresh token."""

    _serializer_class = ""
    serializer_setting = "TOKEN_OBTAIN_SERIALIZER"
    scope = "token_obtain_pair"

    _kit_outcome: denials.Outcome | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let nobody be signed in who is not told so, whatever has denied it in the end."""
        self._kit_outcome = outcome = denials.Outcome()
        passed_before = gate.passed()
        with denials.until_answered(outcome):
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code < status.HTTP_400_BAD_REQUEST and gate.passed() == passed_before:
                gate.ensure_nothing_issued(response)
            outcome.status = response.status_code
        return response

    @public
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Count the attempt, then sign in: too many failures are stopped before a password is hashed."""
        with denials.counted(request, self._account(request.data), self._declared, self._kit_outcome):
            try:
                return super().post(request, *args, **kwargs)
            except denials.ComesLate:  # by a right secret, sent or put in its place: that is answered as another one
                return super().post(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        """Answer it, and note what it was: a project's handler may answer with any status."""
        if self._kit_outcome is not None:
            self._kit_outcome.refusal = exc
        return super().handle_exception(exc)

    @method_decorator(sensitive_variables())
    def posted(self, request: Request) -> Any:
        """Return what was sent, with another secret where the right one is not to be tried.

        So whoever denies it, and in whatever words, denies it as any wrong one.
        """
        data: Any = request.data
        if isinstance(data, dict) and denials.comes_unseen(request):
            # In its place, as a serializer may read the request; a form cannot be changed there.
            data = data.copy() if isinstance(data, QueryDict) else data
            decoys.disguise(data, self._secrets(data))
        return data

    def _secrets(self, data: dict[str, Any]) -> list[str]:
        """Return the fields that may prove who somebody is: the password, or all that can but the name."""
        declared = self._declared()
        if "password" in declared and "password" in data:
            return ["password"]
        return [field for field in data if field != self._name_field() and decoys.may_be_secret(declared.get(field))]

    def _declared(self) -> Any:
        """Return the serializer's fields."""
        serializer: Any = self.get_serializer(data=self.request.data)
        return serializer.fields

    def _name_field(self) -> str:
        """Return the field that names the account."""
        return getattr(self.get_serializer_class(), "username_field", get_user_model().USERNAME_FIELD)

    def _account(self, data: Any) -> str:
        """Return the account that the request names, as the serializer's field reads it; empty where it names none."""
        name = data.get(self._name_field()) if isinstance(data, dict) else None
        if name is None:
            return ""
        try:
            return str(self._declared()[self._name_field()].run_validation(name))
        except (KeyError, SkipField, ValidationError, drf.APIException):  # the serializer comes upon it as well
            return name if isinstance(name, str) else ""

    @method_decorator(sensitive_variables())
    def answer(self, serializer: Any) -> Any:
        """Return what a project's ``validate`` did, with the session's tokens for those that it made beside it."""
        data, signed_in = serializer.validated_data, getattr(serializer, "signed_in", None)
        made = {kind: token for kind in _KINDS if (token := _made_beside(data, kind, signed_in))}
        if signed_in is None and "refresh" in made and claims.SESSION_CLAIM not in made["refresh"].payload:
            user = models.user_with_id(claims.user_id(made["refresh"].payload))
            signed_in = sign_in(type(serializer), user, self.request)
        if not made or signed_in is None:
            return data
        return {**data, **{name: value for name, value in signed_in.items() if name in made or name not in _KINDS}}

    def _as_api_exception(self, exc: Exception) -> Exception:
        """Say of a user who cannot sign in what is said of one that nobody has."""
        if isinstance(exc, _OF_USERS):
            sentence = TokenObtainPairSerializer.default_error_messages["no_active_account"]
            exc = drf.AuthenticationFailed(sentence, "no_active_account")
        return super()._as_api_exception(exc)


@sensitive_variables()
def _made_beside(data: Any, kind: str, signed_in: dict[str, Any] | None) -> Token | None:
    """Return the token in an answer that is none of the session's; ``None`` for what is no token at all."""
    if kind not in data or (signed_in is not None and signed_in[kind] == data[kind]):
        return None
    with suppress(TokenError, introspection.NoneFitsError):
        return introspection.read(str(data[kind]))
    return None


class TokenRefreshView(TokenViewBase, simplejwt.TokenRefreshView):
    """Exchange a refresh token for the next pair."""

    _serializer_class = ""
    serializer_setting = "TOKEN_REFRESH_SERIALIZER"
    scope = "token_refresh"

    _kit_began_at: datetime | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Note when it began: a project's serializer may rotate in its own way."""
        self._kit_began_at = models.now()
        super().initial(request, *args, **kwargs)

    @method_decorator(sensitive_variables())
    def answer(self, serializer: Any) -> Any:
        """Return what came of it, unless a token was used up that a project's serializer did not rotate (law 3)."""
        data = serializer.initial_data
        if isinstance(data, dict) and not getattr(serializer, "_kit_rotated", False):
            self._ensure_current(data)
        return super().answer(serializer)

    def _ensure_current(self, data: dict[str, Any]) -> None:
        """Raise why the token in a body would not be rotated, if there is one."""
        try:
            refresh = refresh_class()(str(data.get("refresh")))
        except TokenError:  # what a serializer takes in its place is its own to judge
            return
        sessions.confirm(refresh, self.request, self._kit_began_at)


class TokenVerifyView(TokenViewBase, simplejwt.TokenVerifyView):
    """Ask whether a token would be accepted right now."""

    _serializer_class = ""
    serializer_setting = "TOKEN_VERIFY_SERIALIZER"
    scope = "token_verify"


class TokenBlacklistView(TokenViewBase, simplejwt.TokenBlacklistView):
    """Sign out with a refresh token, as with simplejwt."""

    _serializer_class = ""
    serializer_setting = "TOKEN_BLACKLIST_SERIALIZER"


class TokenRevokeView(TokenViewBase):
    """Sign out with any token, JSON or form (RFC 7009)."""

    parser_classes = (StrictJSONParser, StrictFormParser)
    serializer_class = TokenRevokeSerializer


class SessionView(KitView):
    """An endpoint for a user's own sessions."""

    authentication_classes = (JWTAuthentication,)
    permission_classes = (IsAuthenticated,)
    serializer_class = SessionListSerializer

    def own_sessions(self) -> TokenSessionQuerySet:
        """Return the sessions of the user that asks, dead ones too."""
        return TokenSession.objects.filter(user=cast("Any", self.request.user))

    def current(self) -> UUID | None:
        """Return the id of the session that asks, ``None`` for a user who is known by other means than our token."""
        return claims.session_of(self.request.auth)


class SessionListView(SessionView):
    """The devices that a user is signed in on."""

    http_method_names = ["get", "head", "delete"]

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them, the last used first."""
        known = credentials.hashes(request.user)
        signed_in = self.own_sessions().live(models.now()).of_credentials(known)
        context = {**self.get_serializer_context(), "current": self.current()}
        serializer = self.get_serializer(signed_in.order_by("-rotated_at", "-pk"), many=True, context=context)
        return Response(serializer.data)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Sign out everywhere, here too."""
        sessions.revoke_all(request.user, request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class OtherSessionsView(SessionView):
    """All devices but this one."""

    http_method_names = ["delete"]

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Sign out everywhere else."""
        sessions.revoke_all(request.user, keep=self.current(), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionDetailView(SessionView):
    """One device."""

    http_method_names = ["delete"]

    def delete(self, request: Request, pk: str | UUID, **kwargs: Any) -> Response:
        """Sign it out; another user's is as unknown as one that never was."""
        try:
            session = self.own_sessions().filter(pk=UUID(str(pk))).first_or_none()
        except ValueError:
            session = None
        if session is None:
            raise drf.NotFound
        sessions.revoke(session, rotation.SIGNED_OUT, request)
        return Response(status=status.HTTP_204_NO_CONTENT)
