"""What is told of failures, and what is not."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from rest_framework import exceptions as drf
from rest_framework import serializers

from drf_jwt_kit import reports


class Stumbles(serializers.Serializer[Any]):
    """A serializer with a bug; DRF's frames around it hold what was posted."""

    password = serializers.CharField()

    def validate(self, attrs: Any) -> Any:
        """Fail with one error because of another, and that one while DRF was validating too."""
        try:
            serializers.CharField().run_validation({"no": "text"})
        except drf.ValidationError as first:
            raise ZeroDivisionError from first


def test_no_frame_of_drfs_shows_anything_in_a_chain_of_errors() -> None:
    """Law 10: an error report shows the variables of every error in the chain, not of the last one alone."""
    with pytest.raises(ZeroDivisionError) as caught:
        Stumbles(data={"password": "hunter2"}).is_valid()
    clean = reports.without_secrets(caught.value)
    assert clean is caught.value
    for error in (clean, clean.__cause__):
        frames = [frame for frame, _line in traceback.walk_tb(error.__traceback__)]
        of_drfs = [frame for frame in frames if frame.f_globals["__name__"].startswith("rest_framework.")]
        assert of_drfs
        assert not any(frame.f_locals for frame in of_drfs)
        assert any(frame.f_locals for frame in frames)


def stumble(message: str) -> Exception:
    """Return an error of Django's that is equal to any other of its words, with DRF's frames."""
    try:
        Stumbles(data={"password": "hunter2"}).is_valid()
    except ZeroDivisionError as error:
        return ValidationError(message, params={"group": Group()}).with_traceback(error.__traceback__)
    raise AssertionError


def test_errors_that_cannot_be_compared_are_told_apart() -> None:
    """2.2: Django compares some by what they hold, which may not be hashable; a group has several."""
    inner, first, second = stumble("x"), stumble("x"), stumble("x")
    first.__cause__ = second
    group = ExceptionGroup("both", [first, inner])
    reports.without_secrets(group)
    for error in (first, second, inner):
        shown = [repr(frame.f_locals) for frame, _line in traceback.walk_tb(error.__traceback__)]
        assert not any("hunter2" in text for text in shown if "Stumbles" not in text)


def going_on() -> Iterator[Any]:
    """Keep an error and go on."""
    try:
        _ = 1 / 0
    except ArithmeticError as error:
        kept = error
    yield kept
    yield 2


def test_a_generator_that_goes_on_is_not_emptied() -> None:
    """A library of somebody else's around DRF may do so."""
    module = {"__name__": "rest_framework.own", "ArithmeticError": ArithmeticError}
    generator = FunctionType(going_on.__code__, module)()
    reports.without_secrets(next(generator))
    assert list(generator) == [2]


def test_an_error_that_is_its_own_cause_is_no_end() -> None:
    """Python lets it be."""
    with pytest.raises(ValueError, match="x") as caught:
        int("x")
    caught.value.__cause__ = caught.value
    assert reports.without_secrets(caught.value) is caught.value


def test_a_failure_is_logged_without_frames(caplog: Any) -> None:
    """Law 10: error trackers read the variables from a record's traceback, so it has none, only text."""
    with pytest.raises(ConnectionError) as caught:
        raise ConnectionError("the directory is down")
    reports.log_failure("It failed.", caught.value)
    (record,) = caplog.records
    assert record.exc_info is None
    assert "It failed." in record.getMessage()
    assert "the directory is down" in record.getMessage()


def refuse_to_say() -> None:
    """Fail for another failure's sake, each with a password in its words."""
    try:
        int("hunter2")
    except ValueError as first:
        raise ConnectionError("GET /?password=aHVudGVyMg== failed") from first


def test_a_failure_whose_words_may_hold_a_secret_is_logged_without_them(caplog: Any) -> None:
    """Law 10: a directory's error may quote what it was asked, in any encoding; where it failed is told."""
    with pytest.raises(ConnectionError) as caught:
        refuse_to_say()
    reports.log_failure("It failed.", caught.value, in_words=False)
    (written,) = caplog.messages
    errors = [line for line in written.splitlines() if not line.startswith(" ")]
    assert errors == ["It failed.", "builtins.ValueError", "builtins.ConnectionError"]
    assert "in refuse_to_say" in written


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OperationalError("connection refused"), True),
        (InterfaceError("connection already closed"), True),
        (OperationalError(2006, "Server has gone away"), True),
        (OperationalError(1213, "Deadlock found"), True),
        (OperationalError(1292, "Truncated incorrect DECIMAL value: 'hunter2'"), False),
        (OperationalError(1366, "Incorrect string value: 'hunter2'"), False),
        (OperationalError(), True),
        (IntegrityError("Key (code)=(hunter2) already exists."), False),
    ],
    ids=repr,
)
def test_a_databases_failure_is_told_in_words_where_they_are_its_own(caplog: Any, error: Exception, told: bool) -> None:
    """Law 10: MySQL repeats a value that a column does not take, PostgreSQL a row."""
    reports.log_database_failure(error)
    (written,) = caplog.messages
    assert written.startswith("The database failed.")
    assert "hunter2" not in written
    assert (str(error) in written) == told
