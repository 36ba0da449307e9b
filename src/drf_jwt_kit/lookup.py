"""One query that brings a session together with its user, as cheaply as Django can.

Every authenticated request makes it, and Django spends several times longer on writing its SQL than
the database on answering. So the SQL is written once for each connection and run with another id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Manager

from .models import TokenSession, writing_database

_NIL = UUID(int=0)

# The SQL is kept on its connection, and goes with it.
_ATTRIBUTE = "_drf_jwt_kit_lookup"


def session_with_user(sid: UUID, *, hidden_too: bool = False) -> TokenSession | None:
    """Return one session with its user, ``None`` where either is not there.

    Where the user model's ``objects`` hides rows (deleted softly, say), their sessions are hidden
    with them, as simplejwt never found such users; unless they are to be ended, ``hidden_too``. What such
    a manager hides may differ from request to request, so its SQL is written each time.
    """
    users = get_user_model().objects
    if type(users).get_queryset is not Manager.get_queryset and not hidden_too:
        sessions = TokenSession.objects.select_related("user").filter(
            pk=sid, user__in=users.all().using(writing_database())
        )
        return sessions.first_or_none()
    connection = connections[writing_database()]
    lookup: _Lookup | None = getattr(connection, _ATTRIBUTE, None)
    if lookup is None or not lookup.fits(users.model):
        lookup = _Lookup(connection, users.model)
        setattr(connection, _ATTRIBUTE, lookup)
    return lookup.get(sid)


class _Lookup:
    """The query, compiled for one connection: what ``select_related("user").get(pk=sid)`` runs."""

    def __init__(self, connection: Any, user_model: type[Any]) -> None:
        self.connection = connection
        self.user_model, self.use_tz = user_model, settings.USE_TZ
        queryset = TokenSession.objects.select_related("user").filter(pk=_NIL)
        compiler: Any = queryset.query.get_compiler(connection=connection)
        self.sql, (*self.before, _nil) = compiler.as_sql()
        self.session_columns = _Columns(TokenSession, compiler.klass_info, compiler.select)
        (user_info,) = compiler.klass_info["related_klass_infos"]
        self.user_columns = _Columns(user_model, user_info, compiler.select)
        self.converters = compiler.get_converters([expression for expression, _sql, _alias in compiler.select])
        self.adapt: Callable[..., Any] = TokenSession._meta.pk.get_db_prep_value

    def fits(self, user_model: type[Any]) -> bool:
        """Return whether it was compiled for the settings as they are now."""
        return self.user_model is user_model and self.use_tz == settings.USE_TZ

    def get(self, sid: UUID) -> TokenSession | None:
        """Run the query."""
        with self.connection.cursor() as cursor:
            cursor.execute(self.sql, [*self.before, self.adapt(sid, self.connection)])
            row = cursor.fetchone()
        if row is None:
            return None
        values = list(row)
        for index, (converters, expression) in self.converters.items():
            for convert in converters:
                values[index] = convert(values[index], expression, self.connection)
        session: TokenSession = self.session_columns.instance(self.connection.alias, values)
        user = self.user_columns.instance(self.connection.alias, values)
        TokenSession._meta.get_field("user").set_cached_value(session, user)
        return session


class _Columns:
    """Where in a row the fields of one model stand."""

    def __init__(self, model: type[Any], klass_info: dict[str, Any], select: Sequence[Any]) -> None:
        self.from_db: Callable[..., Any] = model.from_db
        indexes = klass_info["select_fields"]
        self.slice = slice(indexes[0], indexes[-1] + 1)
        self.names = [select[index][0].target.attname for index in indexes]

    def instance(self, alias: str, values: list[Any]) -> Any:
        """Return the instance that a row holds."""
        return self.from_db(alias, self.names, values[self.slice])
