"""Serializer fields: text that is taken as it was sent."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

MAX_PASSWORD = 4096


def _refuse_surrogates(value: str) -> None:
    """Refuse lone surrogates as DRF does, without going through a long text one character after another."""
    try:
        value.encode()
    except UnicodeEncodeError:
        ProhibitSurrogateCharactersValidator()(value)


class TextField(serializers.CharField):
    """A string that was sent as a string: numbers and booleans are not turned into one."""

    def __init__(self, **kwargs: Any) -> None:
        """Take a CharField's arguments."""
        super().__init__(**kwargs)
        slow = ProhibitSurrogateCharactersValidator
        self.validators = [_refuse_surrogates if isinstance(rule, slow) else rule for rule in self.validators]

    def to_internal_value(self, data: Any) -> str:
        """Return the string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PasswordField(TextField):
    """A password, taken exactly as it was sent, up to a length that is no burden to hash."""

    def __init__(self, **kwargs: Any) -> None:
        """Take a CharField's arguments; white space counts and nothing is echoed."""
        defaults = {"max_length": MAX_PASSWORD, "style": {"input_type": "password"}}
        super().__init__(**{**defaults, **kwargs, "trim_whitespace": False, "write_only": True})


class TokenField(TextField):
    """An encoded token."""

    def __init__(self, **kwargs: Any) -> None:
        """Take a CharField's arguments; a token is taken as it was sent."""
        super().__init__(**{**kwargs, "trim_whitespace": False})
