"""Reading request bodies, and choosing what to read and answer."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import QueryDict
from rest_framework import exceptions as drf
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import FormParser, JSONParser
from rest_framework.request import Request
from rest_framework.utils.json import strict_constant

# RFC 9110 8.3.1. Python's own parser of parameters, which is Django's, raises on some that are none.
_CHARSET = re.compile(r';[ \t]*charset\*?[ \t]*=[ \t]*"?([^";\s]*)', re.IGNORECASE)


class JSONNegotiation(BaseContentNegotiation):
    """Answer JSON whatever the client accepts: an error page helps nobody here."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the parser for the request's media type."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the only renderer."""
        return renderers[0], renderers[0].media_type


def _refuse_other_charsets(media_type: str | None) -> None:
    """Refuse a charset other than UTF-8: Python knows some that are no charsets."""
    if any(charset.lower() not in {"utf-8", "utf8"} for charset in _CHARSET.findall(media_type or "")):
        raise drf.UnsupportedMediaType(media_type or "")


class StrictJSONParser(JSONParser):
    """JSON in UTF-8 (RFC 8259 8.1), as deep as Python reads it."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Return the value; 400 where it is not JSON, 415 for another charset."""
        _refuse_other_charsets(media_type)
        try:
            return json.loads(stream.read().decode("utf-8"), parse_constant=strict_constant)
        except (ValueError, RecursionError):
            raise drf.ParseError("JSON parse error") from None


class StrictFormParser(FormParser):
    """A form in UTF-8, as RFC 7009 2.1 has it."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """Return the fields; 415 for another charset."""
        _refuse_other_charsets(media_type)
        return QueryDict(stream.read(), encoding="utf-8")
