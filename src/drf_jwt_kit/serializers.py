"""Request bodies of the endpoints, and what is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any, NoReturn

from django.contrib.auth import authenticate, user_logged_in, user_login_failed
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db import DatabaseError
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt import serializers as simplejwt

from . import claims, clients, denials, gate, introspection, issuance, models, refusals, revocation, sessions
from .conf import REFRESH_TOKEN, onto_kit, simple_jwt
from .exceptions import Refused, ServiceUnavailable
from .fields import PasswordField, TextField, TokenField
from .hashers import spend_as_on_others
from .models import TokenSession
from .reports import log_failure, without_secrets
from .sessions import TokenPair
from .spellings import MAX_NAME, in_log
from .throttling import Attempt
from .tokens import RefreshToken, Token

security = logging.getLogger("drf_jwt_kit.security")


class Discreet:
    """A serializer that does not show what was posted, as DRF's ``repr`` and its frames do (law 10)."""

    def is_valid(self, *, raise_exception: bool = False) -> bool:
        """Validate; a failure shows nothing of what was posted."""
        try:
            return bool(super().is_valid(raise_exception=raise_exception))  # type: ignore[misc]
        except Exception as error:
            without_secrets(error)
            raise

    def __repr__(self) -> str:
        """Return the name of the class."""
        return f"<{type(self).__name__}>"


def pair_as_data(pair: TokenPair) -> dict[str, Any]:
    """Return a pair as the endpoints answer it; lifetimes in seconds."""
    data = {"access": str(pair.access), "expires_in": pair.access.seconds_left}
    if pair.refresh is not None:
        data |= {"refresh": str(pair.refresh), "refresh_expires_in": pair.refresh.seconds_left}
    return data


def sign_in(serializer_class: type[Any], user: Any, request: Any) -> dict[str, Any]:
    """Let an authenticated user through the gate, start the session and return the answer of the endpoint.

    What ``serializer_class`` puts on a token in ``get_token`` are the session's claims from now on.
    """
    return pair_as_data(_let_in(serializer_class, user, request))


def _let_in(serializer_class: type[Any], user: Any, request: Any, again: Callable[[], Any] | None = None) -> TokenPair:
    """Return the tokens; ``again`` authenticates the same user anew, should the stored one have changed meanwhile."""
    denials.ensure_in_time(request, user)
    fixed = gate.let_through(request, user)
    pair = _begin(user, request, again, fixed=fixed, source=issuance.source_of(serializer_class))
    if attempt := Attempt.of(request):
        attempt.sessions.append(pair.session)
    try:
        user_logged_in.send(sender=type(user), request=request, user=pair.session.user)
    except Exception:  # a receiver denies it, or fails
        denials.end(pair.session, request)
        raise
    return pair


def _begin(user: Any, request: Any, again: Callable[[], Any] | None, *, tries: int = 3, **session: Any) -> TokenPair:
    """Start the session; where it was ended at once, start one of the user whom ``again`` returns.

    The user changed meanwhile. Often the password is the same, hashed anew by a sign-in beside this one, or all
    devices were just signed out. Only the password that was sent can tell.
    """
    try:
        return sessions.begin(user, request, **session)
    except Refused:
        anew = again() if again and tries > 1 else None
        if anew is None or anew.pk != user.pk:
            raise
    return _begin(anew, request, again, tries=tries - 1, **session)


def _fail(request: Any, error: Exception) -> NoReturn:
    """Raise what a backend, a hasher or a receiver that fails, rather than denies, is answered with (law 8)."""
    denials.note_failure(request, error)
    if refusals.is_answer(error):
        raise error
    log_failure("An authentication backend failed.", error, in_words=refusals.is_about_settings())
    raise ServiceUnavailable from error


def _as_text(name: Any) -> str:
    """Return a name as text, whatever a project's field or ``validate`` made of it."""
    return "" if name is None else str(name)


class TokenObtainPairSerializer(Discreet, simplejwt.TokenObtainPairSerializer):
    """Sign in with a user name and a password.

    Subclass it, or simplejwt's own, to put claims on the token in ``get_token`` (they are computed
    again at every refresh), to authenticate by other fields, or to add to the answer in
    ``validate``.
    """

    token_class = RefreshToken
    signed_in: dict[str, Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Declare the two fields; the first is named after the user model's."""
        super().__init__(*args, **kwargs)
        self._kit_sessions: list[TokenSession] = []
        self.fields[self.username_field] = TextField(write_only=True, max_length=MAX_NAME)
        self.fields["password"] = PasswordField()

    @classmethod
    def many_init(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse a list: its passwords would be tried for one attempt."""
        raise ImproperlyConfigured(f"{cls.__name__} signs one user in: it cannot be used with many=True.")

    @classmethod
    def get_token(cls, user: Any) -> Token:
        """Return the token that carries the user's claims. Override it to add some."""
        token: Token = onto_kit(cls.token_class, REFRESH_TOKEN).for_user(user)
        return token

    @sensitive_variables()
    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Validate. Where a project's ``validate`` denies after all, nobody gets the tokens, and their session ends."""
        try:
            return super().run_validation(data)
        except Exception:
            for session in self._kit_sessions:
                denials.end(session, self.context.get("request"))
            raise

    @sensitive_variables()
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Authenticate, then sign in. The attempt is counted here where the kit's view has not done it."""
        request = self.context.get("request")
        credentials = {name: attrs[name] for name in (self.username_field, "password")}
        is_counted = request is None or Attempt.of(request) is not None
        name, view = _as_text(credentials[self.username_field]), getattr(request, "parser_context", {}).get("view")
        outcome = getattr(view, "_kit_outcome", None)
        with nullcontext() if is_counted else denials.counted(request, name, lambda: self.fields, outcome):
            return self._sign_in(credentials, request)

    @sensitive_variables()
    def _sign_in(self, credentials: dict[str, str], request: Any) -> dict[str, Any]:
        """Sign in; a user who changes on the way is as unknown as any other."""
        denials.read_name(request, credentials, _as_text(credentials[self.username_field]))
        authenticated = partial(self._authenticate, credentials, request)
        self.user = authenticated()
        try:
            pair = _let_in(type(self), self.user, request, authenticated)
        except Refused:
            self._deny(credentials, request)
        except DatabaseError:
            if models.is_stored(self.user):
                raise
            self._deny(credentials, request)
        self._kit_sessions.append(pair.session)
        self.signed_in = pair_as_data(pair)
        return dict(self.signed_in)

    @sensitive_variables()
    def _authenticate(self, credentials: dict[str, str], request: Any) -> Any:
        """Return the user whom Django's authentication backends know by these credentials.

        Only they decide. One that fails, rather than denies, lets nobody in (law 8).
        """
        try:
            user = authenticate(request=request, **credentials)
        except PermissionDenied:  # of a receiver that has heard of a failure, and had enough of them
            self._deny(credentials, request, told=True)
        except Exception as error:  # noqa: BLE001 - backends, hashers and receivers raise what they like
            if refusals.is_about_credentials(
                error, _as_text(credentials[self.username_field]), credentials["password"]
            ):
                self._deny(credentials, request)
            _fail(request, error)
        if not simple_jwt().USER_AUTHENTICATION_RULE(user):
            self._deny(credentials, request, told=user is None)
        return user

    @sensitive_variables()
    def _deny(self, credentials: dict[str, str], request: Any, *, told: bool = False) -> NoReturn:
        """Refuse, alike for whoever is behind the name, and tell of it where ``authenticate()`` has not ``told``.

        A hasher or a receiver that fails here is answered as one that fails there.
        """
        name = _as_text(credentials[self.username_field])
        named = models.user_named(name)
        if attempt := Attempt.of(request):
            attempt.was_denied = True
            denials.means(attempt, named)
        try:
            spend_as_on_others(named, credentials["password"])
            if not told:
                known = {**credentials, "password": "*" * 8}
                with suppress(PermissionDenied):  # of a receiver, as above
                    user_login_failed.send(sender=__name__, credentials=known, request=request)
        except Exception as error:  # noqa: BLE001 - as above
            _fail(request, error)
        address = clients.address(request) if request is not None else None
        event = {"event": "sign_in_failed", "address": address}
        security.warning("sign_in_failed username=%r address=%s", in_log(name), address, extra=event)
        raise AuthenticationFailed(self.error_messages["no_active_account"], "no_active_account")


class TokenRefreshSerializer(Discreet, simplejwt.TokenRefreshSerializer):
    """Exchange a refresh token for the next pair."""

    refresh = TokenField()
    token_class = RefreshToken
    _kit_rotated = False

    @sensitive_variables()
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Rotate. Override it to add to the answer."""
        refresh = onto_kit(self.token_class, REFRESH_TOKEN)(attrs["refresh"])
        pair = sessions.rotate(refresh, self.context.get("request"))
        self._kit_rotated = True
        return pair_as_data(pair)


class TokenVerifySerializer(Discreet, simplejwt.TokenVerifySerializer):
    """Ask whether a token would be accepted right now."""

    token = TokenField(write_only=True)

    @sensitive_variables()
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raise why it would not."""
        introspection.ensure_acceptable(attrs["token"])
        return {}


class TokenRevokeSerializer(Discreet, serializers.Serializer[Any]):
    """End the session of a token, whatever the token (RFC 7009)."""

    token = TokenField(write_only=True)

    @sensitive_variables()
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """End it, if there is one."""
        revocation.revoke_token(attrs["token"], self.context.get("request"))
        return {}


class TokenBlacklistSerializer(Discreet, simplejwt.TokenBlacklistSerializer):
    """End the session of a refresh token that is still good: simplejwt's way to sign out."""

    refresh = TokenField(write_only=True)
    token_class = RefreshToken

    @sensitive_variables()
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raise why the token is refused, or end its session."""
        refresh = onto_kit(self.token_class, REFRESH_TOKEN)(attrs["refresh"])
        sessions.sign_out(refresh, self.context.get("request"))
        return {}


class SessionListSerializer(serializers.ModelSerializer[TokenSession]):
    """A signed-in device, as its user sees it."""

    current = serializers.SerializerMethodField()
    last_used_at = serializers.DateTimeField(source="rotated_at")

    class Meta:
        """What is shown."""

        model = TokenSession
        fields = ("id", "current", "created_at", "last_used_at", "expires_at", "user_agent", "ip_address")
        read_only_fields = fields

    def get_current(self, session: TokenSession) -> bool:
        """Return whether this is the session that asks, as the view tells or the request's token."""
        if "current" in self.context:
            return bool(session.pk == self.context["current"])
        return session.pk == claims.session_of(getattr(self.context.get("request"), "auth", None))
