"""The subject of a round trip's tokens: a user who is made up, and saved without telling anybody."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.utils import timezone

from .models import writing_database

# The first class that a field is an instance of says what it may hold.
_VALUES: dict[type[models.Field[Any, Any]], Callable[[], Any]] = {
    models.EmailField: lambda: f"{secrets.token_hex(8)}@jwt-doctor.invalid",
    models.CharField: lambda: f"{secrets.token_hex(8)}-jwt-doctor",
    models.TextField: lambda: f"{secrets.token_hex(8)}-jwt-doctor",
    models.BooleanField: bool,
    models.IntegerField: lambda: secrets.randbelow(2**15),  # what the smallest of them holds
    models.FloatField: float,
    models.DecimalField: int,
    models.DateTimeField: timezone.now,
    models.DateField: lambda: timezone.now().date(),
    models.TimeField: time,
    models.DurationField: timedelta,
    models.UUIDField: uuid.uuid4,
    models.JSONField: dict,
    models.GenericIPAddressField: lambda: "192.0.2.1",  # RFC 5737: nobody's
}


class SubjectError(Exception):
    """The user model wants more than can be made up."""


def save(password_hash: str) -> Any:
    """Save a user of the project's model, and return it as the database has it.

    It is inserted in bulk, so none of the project's signals is sent. Raises :class:`SubjectError`, or
    what Django and the database raise where they want something else still.
    """
    users: Any = get_user_model()
    if users._meta.concrete_model._meta.parents:
        raise SubjectError(f"{users.__name__} has a parent with a table of its own")
    given: dict[str, Any] = {"password": password_hash, "is_active": True, users.USERNAME_FIELD: None}
    made = {field.attname: given.get(field.name) or value_for(field) for field in _fields(users, given)}
    rows = users._base_manager.using(writing_database())
    rows.bulk_create([users(**made)])
    return rows.get(**{users.USERNAME_FIELD: made[users.USERNAME_FIELD]})


def _fields(users: Any, given: dict[str, Any]) -> list[Any]:
    """Return the fields that are given a value, and those that no row can be without."""
    return [field for field in users._meta.concrete_fields if field.name in given or _is_required(field)]


def _is_required(field: Any) -> bool:
    """Return whether a row needs a value that neither Django nor the database fills in."""
    filled = field.has_default() or field.has_db_default() or field.generated or isinstance(field, models.AutoField)
    may_be_empty = field.null or (field.empty_strings_allowed and not field.unique)
    return not (filled or may_be_empty or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))


def value_for(field: Any) -> Any:
    """Return something that a field can hold, and most likely no other row has.

    For a relation it is what refers to a row that is there. Raises :class:`SubjectError`.
    """
    if field.is_relation:
        return _existing(field)
    for kind, make in _VALUES.items():
        if isinstance(field, kind):
            value = make()
            return value[: field.max_length] if isinstance(value, str) else value
    raise SubjectError(f"nobody knows what its field {field.name!r} may hold")


def _existing(field: Any) -> Any:
    """Return what refers to some row of the other table."""
    rows = field.related_model._base_manager.using(writing_database())
    value = rows.values_list(field.target_field.attname, flat=True).first()
    if value is None:
        raise SubjectError(f"there is no {field.related_model._meta.verbose_name} for its field {field.name!r}")
    return value
