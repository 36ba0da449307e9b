"""User names as they were typed: one spelling to count under, and one that a log may have."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME = 254

# Letters that some collations take for plain ones although Unicode does not decompose them.
_PLAIN = str.maketrans(
    {"\u0131": "i", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ł": "l", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)

# Letters and marks that nothing shows of (Unicode, Default_Ignorable_Code_Point) and no category tells.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")

# RFC 7515 3.1: base64url segments, first a JSON object with an "alg". Possessive: no name takes long.
_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])e[wy][A-Za-z0-9_-]{16,}+(?:\.[A-Za-z0-9_-]*+){2,}+")


def fold(account: str) -> str:
    """Return one spelling for all that a person might take for the same account.

    That leaves out case, accents, white space and what has no width; digits of all scripts are one.
    """
    decomposed = unicodedata.normalize("NFKD", account[:MAX_NAME].casefold()).casefold().translate(_PLAIN)
    seen = (str(unicodedata.digit(letter, letter)) for letter in decomposed if _tells_apart(letter))
    return "".join(seen) or account[:MAX_NAME]


def _tells_apart(letter: str) -> bool:
    """Return whether a name is another one for it; marks that combine with nothing are vowels of some scripts."""
    category = unicodedata.category(letter)
    unseen = category == "Me" or category[0] in "ZC" or unicodedata.combining(letter)
    return not unseen and not _UNSEEN.match(letter)


def in_log(account: str) -> str:
    """Return an account as a log may have it: not without end, and without a token sent by mistake (law 10)."""
    return _TOKEN.sub("[token]", account)[:MAX_NAME]
