"""Texts that a route's regex matches: what Django reads from it to reverse it, put to another use."""

from __future__ import annotations

import re
from itertools import count
from typing import NamedTuple

from django.utils.regex_helper import normalize

# One token: an escape, a class, the beginning of a group that captures, or any other character.
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<captures>\((?:\?P<(?P<name>\w+)>|(?!\?)))|.", re.DOTALL)
_LITERAL = re.compile(r"\^(?:[^\\.^$*+?{}\[\]|()]|\\\W)*\$?")
_PLACE = re.compile(r"%\((\w+)\)s")


class Form(NamedTuple):
    """A text with places in it, each for the value of a group."""

    text: str
    places: list[str]

    def filled(self, values: dict[str, str]) -> str:
        """Return the text with a value in each place."""
        return _PLACE.sub(lambda place: values.get(place[1], place[0]), self.text)


def forms(regex: str) -> list[Form]:
    """Return the forms of a regex that Django reverses; none of what it cannot read.

    Nor of what it misreads: to it a parenthesis behind a quantifier begins a group, also one that is escaped.
    """
    try:
        read = [Form(*form) for form in normalize(regex)]
    except (ValueError, IndexError):  # the second where a parenthesis stands in a class
        return []
    return [form for form in read if groups(regex).keys() >= set(form.places)]


def groups(regex: str) -> dict[str, str]:
    """Return the regex inside of each group that has a place in a form: those that capture, the outermost."""
    unnamed = count()
    opened: list[tuple[str, int]] = []
    inside: dict[str, str] = {}
    for token in _TOKEN.finditer(regex):
        if token[0] == ")" and opened:  # a comment has some that close nothing
            name, start = opened.pop()
            inside |= {name: regex[start : token.start()]} if name else {}
        elif token[0].startswith("("):
            captures = token["captures"] and not any(name for name, _start in opened)
            opened.append((token["name"] or f"_{next(unnamed)}" if captures else "", token.end()))
    return inside


def matches(inner: str, text: str) -> bool:
    """Return whether the regex inside of a group matches a whole text; one that rests on what is around it does not."""
    try:
        return re.fullmatch(inner, text) is not None
    except re.error:
        return False


def is_literal(regex: str) -> bool:
    """Return whether a regex matches, from the beginning on, one text alone."""
    return _LITERAL.fullmatch(regex) is not None


def shortest(regex: str) -> list[str]:
    """Return short texts that a regex may match, whatever it captures; of alternatives, the first."""
    kept: list[str] = []
    depth, left_out = 0, None  # how deep the alternatives stand that are left out now
    for token in _TOKEN.finditer(regex):
        depth += token[0].startswith("(") - (token[0] == ")")
        if left_out is not None and depth < left_out:
            left_out = None
        if token[0] == "|" and left_out is None:
            left_out = depth
        if left_out is None:
            kept.append("(?:" if token["captures"] else token[0])
    return [form.text for form in forms("".join(kept))]
