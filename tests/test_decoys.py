"""What is put in a secret's place where the right one is not to be tried."""

from __future__ import annotations

import math
import sys
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drf_jwt_kit.decoys import disguise


def another(secret: Any) -> Any:
    """Return what is put in the place of a secret."""
    data = {"password": secret, "device": "phone"}
    disguise(data, ["password"])
    assert data["device"] == "phone"
    return data["password"]


SHAPES = [str.isdigit, str.isascii, str.isalnum, str.isalpha, str.isupper, str.islower, str.isspace, str.isprintable]


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_another_secret_has_the_same_shape(secret: str) -> None:
    """THREATS, enumeration: rules for what a password looks like say the same of both."""
    other = another(secret)
    assert len(other) == len(secret)
    assert [shape(other) for shape in SHAPES] == [shape(secret) for shape in SHAPES]
    assert [shape(one) for one in other for shape in SHAPES] == [shape(one) for one in secret for shape in SHAPES]


@given(st.text(min_size=1, max_size=40))
def test_another_secret_is_another(secret: str) -> None:
    """THREATS: the right one is not tried; what no serializer takes for one may stay as it is."""
    is_one = bool(secret.strip()) and (secret.isprintable() or any("!" <= letter <= "~" for letter in secret))
    assert (another(secret) != secret) is is_one
    assert len(another(secret)) == len(secret)


@given(st.integers(min_value=0, max_value=10**30))
def test_another_number_has_as_many_digits(secret: int) -> None:
    """THREATS, enumeration: a serializer that takes numbers for texts says the same of both."""
    other = another(secret)
    assert other != secret
    assert len(str(other)) == len(str(secret))


@given(st.floats(min_value=1e-300, max_value=1e308))
def test_another_fraction_is_written_alike(secret: float) -> None:
    """THREATS, enumeration: a serializer that takes fractions says the same of both, and of whole ones."""
    other = another(secret)
    assert other != secret
    assert math.isfinite(other)
    if 1 <= secret < 10**14 and len(repr(secret)) <= 16:  # as many digits as any float has
        assert repr(other).partition(".")[2] == repr(secret).partition(".")[2]
        assert len(repr(other)) == len(repr(secret))


@pytest.mark.parametrize("secret", [float("inf"), float("-inf"), float("nan")])
def test_what_no_float_can_hold_is_no_secret(secret: float) -> None:
    """2.2: Python reads ``1e999`` as the first, and JSON of a project's parser may have the others."""
    assert repr(another(secret)) == repr(secret)


@given(st.uuids().map(str) | st.uuids().map(lambda key: key.hex.upper()))
def test_another_key_is_a_key(secret: str) -> None:
    """THREATS, enumeration: a serializer that takes UUIDs says the same of both."""
    assert UUID(another(secret)) != UUID(secret)


def test_secrets_are_found_as_deep_as_they_are() -> None:
    """2.2: Python reads JSON deeper than it calls; what is neither text nor number is no secret."""
    deep: Any = "271828"
    for _ in range(5000):
        deep = [{"card": deep}, True, None]
    deep = another(deep)
    for _ in range(5000):
        assert deep[1:] == [True, None]
        deep = deep[0]["card"]
    assert deep != "271828"
    assert len(deep) == 6


@pytest.mark.parametrize("secret", ["", " ", "\0", "\t\n", "\ud800", " \u3000"], ids=ascii)
def test_what_is_no_secret_stays_as_it_is(secret: str) -> None:
    """2.1: an empty password is a 400 for whomever."""
    assert another(secret) == secret


@pytest.mark.parametrize("letter", ["a", "0", "\u5f20", "\U0001f600", " "], ids=ascii)
def test_a_large_secret_is_changed_in_no_more_than_a_few_steps(letter: str) -> None:
    """THREATS, a megabyte of password: no letter is looked at by itself."""
    calls = []

    def count(frame: object, event: str, argument: object) -> None:
        calls.append(event)

    secret = letter * 1_000_000
    sys.setprofile(count)
    try:
        another(secret)
    finally:
        sys.setprofile(None)
    assert len(calls) < 200


def test_many_secrets_cost_no_more_than_a_few_steps_each() -> None:
    """THREATS: a body may have a hundred thousand fields."""
    calls = []
    data: dict[str, Any] = {str(number): "271828" for number in range(1000)}
    sys.setprofile(lambda frame, event, argument: calls.append(event))
    try:
        disguise(data, list(data))
    finally:
        sys.setprofile(None)
    assert len(calls) < 10 * len(data)
    assert "271828" not in data.values()
