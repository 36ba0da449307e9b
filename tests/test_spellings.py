"""User names: what counts as one, and what does not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drf_jwt_kit.spellings import fold

SAME = [
    *("ALICE", "Alice", "aLiCe", " alice", "alice ", "\talice\n", "al ice", "\u00a0alice\u3000", "\u2003alice"),
    *("\uff41\uff4c\uff49\uff43\uff45", "\uff21lice", "\u24d0lice", "\U0001d41alice", "\U0001d400lice"),
    *("\u00e1lice", "a\u0301lice", "\u00c1LICE", "al\u00efce", "alic\u0113", "a\u0301\u0323lice", "\u00c5lice"),
]


@pytest.mark.parametrize("spelling", SAME, ids=ascii)
def test_one_account_has_one_spelling(spelling: str) -> None:
    """THREATS: case, white space, full-width, diacritics: one counter."""
    assert fold(spelling) == fold("alice") == "alice"


# A collation of MariaDB's or MySQL's that takes each for the same name: no weight, or the weight of the plain letter.
COLLATED = [
    *("ali\u200bce", "ali\u00adce", "ali\u2060ce", "\ufeffalice", "ali\x01ce", "ali\x7fce", "ali\u034fce"),
    *("a\u20ddlice", "al\u0131ce", "alice\ufe0f", "alice\u061c"),
]


@pytest.mark.parametrize("spelling", COLLATED, ids=ascii)
def test_what_a_collation_ignores_is_no_other_spelling(spelling: str) -> None:
    """THREATS: each further spelling that the database takes for alice would be five more guesses."""
    assert fold(spelling) == "alice"


@pytest.mark.parametrize("spelling", ["user\u0661", "user\u0967", "user\u2776", "user\uff11", "user\u00b9"])
def test_a_digit_of_any_script_is_the_digit(spelling: str) -> None:
    """THREATS: the collations of MySQL 8 and MariaDB 11 take them for one."""
    assert fold(spelling) == "user1"


@pytest.mark.parametrize(
    ("first", "second"), [("stra\u00dfe", "STRASSE"), ("stra\u1e9ee", "strasse"), ("\u03a3\u03c3\u03c2", "\u03c3" * 3)]
)
def test_case_is_folded_as_unicode_does(first: str, second: str) -> None:
    """THREATS: one counter for each pair."""
    assert fold(first) == fold(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *[("alice", "alicf"), ("user1", "user2"), ("\u5f20", "\u7ae0"), ("a", ""), ("a-b", "ab"), ("a@b.c", "ab.c")],
        *[
            ("a_1", "a1"),
            ("a.b", "a,b"),
            ("\u0930\u093e\u092e", "\u0930\u092e"),
            ("a\u20ac", "a"),
            ("\U0001f600", "\U0001f601"),
        ],
    ],
)
def test_other_accounts_stay_others(first: str, second: str) -> None:
    """Folding does not throw accounts together that no database does."""
    assert fold(first) != fold(second)


# A letter becomes eighteen at most, and a folded name is to be short enough to be folded whole.
@given(st.text(max_size=14).map("a{}".format))
def test_folding_is_final(account: str) -> None:
    """What was folded stays as it is, in any case and decomposed or not."""
    folded = fold(account)
    assert fold(folded) == fold(unicodedata.normalize("NFD", account)) == folded
