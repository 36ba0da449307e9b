"""Regexes of routes: their forms, their groups, and short texts that they match."""

from __future__ import annotations

import re

import pytest

from drf_jwt_kit import regexes


@pytest.mark.parametrize(
    ("regex", "inside"),
    [
        (r"^notes/(?P<pk>\d+)/$", {"pk": r"\d+"}),
        (r"^(\d+)/(?:x|(y))/(z)$", {"_0": r"\d+", "_1": "y", "_2": "z"}),
        (r"^(?P<outer>a(?P<inner>b)(c))(d)$", {"outer": "a(?P<inner>b)(c)", "_0": "d"}),
        (r"^\((?P<x>[^()]+)\)(?!(q))$", {"x": "[^()]+", "_0": "q"}),
        (r"^(?P<x>[]()[]\))$", {"x": r"[]()[]\)"}),
        ("(?x)^(?P<x>a)$  # a comment :)\n", {"x": "a"}),
    ],
)
def test_groups_are_found_by_their_place(regex: str, inside: dict[str, str]) -> None:
    """By name, or by the number that Django gives those without one."""
    assert regexes.groups(regex) == inside


@pytest.mark.parametrize(("inner", "expected"), [(r"\d", True), (r"\d\d", False), ("(?P=x)", False), ("1  # [", False)])
def test_the_inside_of_a_group_may_match_alone(inner: str, expected: bool) -> None:
    """One that names another group, or ends in a comment, is no regex alone, and no error here."""
    assert regexes.matches(inner, "1") is expected


@pytest.mark.parametrize(
    "regex",
    [
        "",
        "^notes/$",
        r"^(?P<hex>[0-9a-f]{32})/(\d{4}-\d\d)\.json$",
        "^(a|b)/(?:c(d|e)|f)g|h$",
        r"^(?P<outer>x(?P<inner>\d))\|[|]/$",
        r"^100%/(?P<pk>\d+)/$",
    ],
)
def test_a_short_text_matches(regex: str) -> None:
    """Whatever is captured; of alternatives, the first is taken."""
    assert [text for text in regexes.shortest(regex) if re.search(regex, text)] != []


def test_alternatives_are_left_out_where_they_stand() -> None:
    """Those of a group end with it."""
    assert regexes.shortest("^(a|b(c|d)|e)(f|g)h|i$") == ["afh"]


@pytest.mark.parametrize(
    "regex",
    [
        "(?i)^a$",
        r"^(?P<q>x)?(?(q)y|z)$",
        "^(?P<x>[)])$",
        r"^report\d+\(draft\)/$",
        r"^(\d)/report\d+\(draft\)/$",
        r"^a+\(?P<x>b\)$",
    ],
)
def test_what_django_cannot_reverse_has_no_form(regex: str) -> None:
    """It is no error here."""
    assert regexes.forms(regex) == []


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        (r"^a/b-c_d\.csv$", True),
        ("^a/", True),
        ("^$", True),
        (r"^\$", True),
        ("a$", False),
        ("^a.csv$", False),
        (r"^a\d$", False),
        ("^ab?$", False),
        ("^a|b$", False),
        ("^[ab]$", False),
        ("(?i)^a$", False),
        (r"^a\Z", False),
    ],
)
def test_a_regex_may_match_one_text_alone(regex: str, expected: bool) -> None:
    """From its beginning, letter by letter; what is not sure to do so counts as one that does not."""
    assert regexes.is_literal(regex) is expected


def test_a_form_is_filled() -> None:
    """Every place, and nothing else that looks like one to Python."""
    (form,) = regexes.forms(r"^100%/(?P<pk>\d+)/(?P=pk)/$")
    assert form.filled({"pk": "7"}) == "100%/7/7/"
    (form,) = regexes.forms(r"^%\(a\)s/(?P<pk>\d+)$")
    assert form.filled({"pk": "7"}) == "%(a)s/7"
