"""Request bodies, parsed as the endpoints parse them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from rest_framework.exceptions import UnsupportedMediaType

from drf_jwt_kit.parsers import StrictFormParser, StrictJSONParser

PARSERS = [(StrictJSONParser, b"{}"), (StrictFormParser, b"")]


@pytest.mark.parametrize(("parser", "body"), PARSERS)
@pytest.mark.parametrize(
    "parameters", ["", ";", "; charset=utf-8", ';charset="UTF8"', "; x=y; charset=utf-8", "; a*=x''y", "; a*=; a*6=x''"]
)
def test_utf_8_is_read(parser: Any, body: bytes, parameters: str) -> None:
    """RFC 8259 8.1: UTF-8 unless another charset is named, whatever Python's parser of parameters makes of the rest."""
    assert parser().parse(BytesIO(body), parser.media_type + parameters) == {}


@pytest.mark.parametrize(("parser", "body"), PARSERS)
@pytest.mark.parametrize(
    "parameters", ["; charset=utf-16", "; charset=rot13", "; charset=", '; x; CHARSET = "ascii"', "; charset*=x''utf-8"]
)
def test_another_charset_is_a_415(parser: Any, body: bytes, parameters: str) -> None:
    """RFC 8259 8.1: another charset, or one that is none."""
    with pytest.raises(UnsupportedMediaType):
        parser().parse(BytesIO(body), parser.media_type + parameters)
