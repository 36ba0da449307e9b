"""The one table: a row for each sign-in."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, NoReturn, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import DataError, models, router
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from . import claims, credentials
from .clients import MAX_USER_AGENT
from .conf import kit, leeway, simple_jwt
from .exceptions import Expired, Invalid, PasswordChanged, Revoked, UserInactive, UserNotFound

MAX_REASON = 32
HASHED_ANEW = "hashed_anew"  # why a row is dead that never was a session

# What a look for a name can fail of that its column cannot hold.
STUMBLES = (TypeError, ValueError, OverflowError, ValidationError, DataError)

# What a column cannot hold. A field's other validators may be newer than a value that it holds.
_LIMITS = (MinValueValidator, MaxValueValidator, MaxLengthValidator)


def time_ordered_uuid(milliseconds: int | None = None, randomness: bytes | None = None) -> UUID:
    """Return a version 7 UUID (RFC 9562 5.7), which sorts by the time it was made.

    ``milliseconds`` since the epoch (now) fill the first 48 bits, ``randomness`` (10 random
    bytes) the rest.
    """
    milliseconds = time.time_ns() // 1_000_000 if milliseconds is None else milliseconds
    value = milliseconds << 80 | int.from_bytes(randomness or secrets.token_bytes(10))
    value &= ~(0xF << 76 | 0b11 << 62)
    return UUID(int=value | 7 << 76 | 0b10 << 62)


def adopted_id(jti: str) -> UUID:
    """Return the id of the session that a token of simplejwt's becomes: always the same one.

    It sorts before all ids that the kit made up itself, as the token is older than they are.
    """
    return time_ordered_uuid(0, hashlib.sha256(jti.encode()).digest()[:10])


def user_with_id(text: str, *, hidden_too: bool = False) -> Any:
    """Return the user whose ``USER_ID_FIELD`` reads ``text``; ``hidden_too``, whom ``objects`` hides.

    Raises :class:`~drf_jwt_kit.exceptions.Invalid` unless ``text`` is exactly how that field writes
    a value it can hold, so that nothing strange reaches the database, and
    :class:`~drf_jwt_kit.exceptions.UserNotFound` where there is no such user: one whom a collation alone
    takes for it is another.
    """
    users, name = get_user_model(), simple_jwt().USER_ID_FIELD
    field: Any = users._meta.pk if name == "pk" else users._meta.get_field(name)
    try:
        value = field.to_python(text)
        for limit in field.validators:
            if isinstance(limit, _LIMITS):
                limit(value)
    except STUMBLES:
        raise Invalid from None
    if str(value) != text:
        raise Invalid
    manager = users._base_manager if hidden_too else users.objects
    try:
        user = manager.using(writing_database()).get(**{name: value})
    except users.DoesNotExist:
        raise UserNotFound from None
    except STUMBLES:
        raise Invalid from None
    if user_id(user) != text:
        raise UserNotFound
    return user


def unknown(user_id: str) -> NoReturn:
    """Raise why a session of the user with this id is not there: the user was deleted, or it was pruned."""
    user_with_id(user_id)
    raise Revoked


def can_be_user_name(name: str) -> bool:
    """Return whether the user model's ``USERNAME_FIELD`` may hold ``name``: a number holds no letters."""
    users = get_user_model()
    field: Any = users._meta.get_field(users.USERNAME_FIELD)
    try:
        field.clean(name, None)
    except STUMBLES:
        return False
    return True


def user_named(name: str) -> Any:
    """Return the user whom the model's manager finds by a name as it was sent, ``None`` where it finds nobody."""
    users: Any = get_user_model()
    manager = users._default_manager
    try:
        if hasattr(manager, "get_by_natural_key"):
            return manager.get_by_natural_key(name)
        return manager.get(**{users.USERNAME_FIELD: name})
    except (users.DoesNotExist, users.MultipleObjectsReturned, *STUMBLES):
        return None


def is_stored(user: Any) -> bool:
    """Return whether the row of ``user`` is still there, where sessions are written."""
    return bool(type(user)._base_manager.using(writing_database()).filter(pk=user.pk).exists())


def user_id(user: Any) -> str:
    """Return the user's id as tokens spell it."""
    return claims.name_of(user)


def writing_database() -> str:
    """Return the alias of the database that sessions are written to.

    They are read from there too, and their users with them: a replica may not know yet who was
    signed out.
    """
    return router.db_for_write(TokenSession)


def kept_until_at_least(moment: datetime) -> Case:
    """Return the later of a row's own ``kept_until`` and ``moment``: a row bars its own token to the end."""
    return Case(When(kept_until__gt=moment, then=F("kept_until")), default=Value(moment))


def _access_outlasts() -> timedelta:
    """Return how long an access token may be good after the refresh token of its session.

    Without rotation that token buys one to its very end. With it, the last one is bought by a retry in the
    grace period, right after a rotation.
    """
    names = simple_jwt()
    access: timedelta = names.ACCESS_TOKEN_LIFETIME
    refresh: timedelta = names.REFRESH_TOKEN_LIFETIME
    if not names.ROTATE_REFRESH_TOKENS:
        return leeway() + access
    return max(timedelta(0), kit().REFRESH_GRACE_PERIOD + access - refresh)


def _is_prunable(now: datetime) -> Q:
    """Return the condition under which no token can refer to a session any more."""
    past = now - leeway()
    return Q(Q(kept_until=None) | Q(kept_until__lte=past), expires_at__lte=past - _access_outlasts())


class TokenSessionQuerySet(models.QuerySet["TokenSession"]):
    """Queries over sessions."""

    def live(self, now: datetime) -> Self:
        """Return those that a refresh token can still continue, as far as their rows tell."""
        within = Q(absolute_expires_at=None) | Q(absolute_expires_at__gt=now)
        return self.filter(within, revoked_at=None, expires_at__gt=now - leeway())

    def prunable(self, now: datetime) -> Self:
        """Return those that no token can refer to any more."""
        return self.filter(_is_prunable(now))

    def still_prunable(self, now: datetime) -> Self:
        """Return the same in a way that no index helps with, so rows are found by what else is asked for."""
        return self.filter(Case(When(_is_prunable(now), then=True), default=False))

    def swept(self, user: Any, reasons: tuple[str, ...], issued_at: datetime) -> Self:
        """Return those that ended with all others of ``user`` after ``issued_at``."""
        return self.filter(user=user, revoked_at__gte=issued_at, revoke_reason__in=reasons)

    def telling(self) -> Self:
        """Return those whose credentials are of one password: live ones, and what a re-hash wrote down."""
        return self.filter(Q(revoked_at=None) | Q(revoke_reason=HASHED_ANEW))

    def of_credentials(self, hashes: Iterable[str]) -> Self:
        """Return those that began with one of the credentials ``hashes``."""
        words = Concat(Value(" "), F("credential_hash"), Value(" "), output_field=models.TextField())
        any_of = reduce(or_, (Q(_words__contains=f" {one} ") for one in hashes))
        return self.alias(_words=words).filter(any_of)

    def first_or_none(self) -> TokenSession | None:
        """Return the only row or ``None``, without ordering the query."""
        return next(iter(self), None)


_Manager = models.Manager.from_queryset(TokenSessionQuerySet)


class TokenSessionManager(_Manager["TokenSession"]):
    """Sessions, always of the database that is written to."""

    def get_queryset(self) -> TokenSessionQuerySet:
        """Return the sessions of the writing database."""
        return TokenSessionQuerySet(self.model, using=self._db or writing_database())


class TokenSession(models.Model):
    """One sign-in on one device, from the first token to the last.

    No token is stored, nor anything that one could be made from without the signing key: the
    refresh token of the current generation follows from ``id``, ``generation``, ``rotated_at`` and
    ``expires_at``.
    """

    id = models.UUIDField(primary_key=True, default=time_ordered_uuid, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    generation = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    rotated_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True, help_text=_("When its refresh token expires."))
    absolute_expires_at = models.DateTimeField(null=True, help_text=_("The end that no refresh extends."))
    kept_until = models.DateTimeField(
        null=True, help_text=_("Older tokens of simplejwt are barred by this row until then.")
    )
    revoked_at = models.DateTimeField(null=True)
    revoke_reason = models.CharField(max_length=MAX_REASON, blank=True, default="")
    credential_hash = models.TextField()
    claims = models.JSONField(default=dict, help_text=_("Claims fixed at sign-in."))
    claims_source = models.CharField(max_length=255, blank=True, default="")
    user_agent = models.CharField(max_length=MAX_USER_AGENT, blank=True, default="")
    ip_address = models.GenericIPAddressField(null=True)

    objects = TokenSessionManager()

    class Meta:
        """Names for the admin."""

        verbose_name = _("token session")
        verbose_name_plural = _("token sessions")

    def __str__(self) -> str:
        """Return the id."""
        return str(self.pk)

    @classmethod
    def of(cls, user: Any, now: datetime, **values: Any) -> Self:
        """Return a session of ``user`` that begins ``now``, not saved.

        The user may have been read from a replica, across which a router may allow no relation.
        """
        lifetime = kit().SESSION_LIFETIME
        absolute_end = None if lifetime is None else now.replace(microsecond=0) + lifetime
        known = credentials.joined(*credentials.renewed_from(user), credentials.hashes(user)[0])
        session = cls(
            user_id=user.pk, created_at=now, absolute_expires_at=absolute_end, credential_hash=known, **values
        )
        TokenSession._meta.get_field("user").set_cached_value(session, user)
        return session

    def ensure_live(self, now: datetime) -> None:
        """Raise the reason why no token of this session counts now, if there is one.

        That the user is inactive comes first: it says more than that the session was ended because of it. What ended
        it is told next, as a row that has ended knows nothing of how the password was hashed since.
        """
        if simple_jwt().CHECK_USER_IS_ACTIVE and not self.user.is_active:
            raise UserInactive
        if self.revoked_at is not None:
            raise PasswordChanged if self.revoke_reason == PasswordChanged.reason else Revoked
        if not self.knows_credentials():
            raise PasswordChanged
        if self.absolute_expires_at is not None and self.absolute_expires_at <= now:
            raise Expired

    def knows_credentials(self) -> bool:
        """Return whether the user's credentials are those of the sign-in."""
        stored = self.credential_hash.split()
        return any(constant_time_compare(mine, known) for known in credentials.hashes(self.user) for mine in stored)

    def extend(self, now: datetime, validity: timedelta) -> None:
        """Let the refresh token of this generation begin at ``now`` and last for ``validity``.

        It never outlasts the session itself (law 11). Tokens count whole seconds, and so does the
        end of a refresh token here.
        """
        self.rotated_at = now
        self.expires_at = now.replace(microsecond=0) + validity
        if self.absolute_expires_at is not None:
            self.expires_at = min(self.expires_at, self.absolute_expires_at)


def now() -> datetime:
    """Return the time that sessions are judged by."""
    return timezone.now()
