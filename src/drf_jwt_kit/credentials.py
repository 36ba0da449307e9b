"""Credentials: what tells whether a user's password is still that of a sign-in. Nothing signs in with it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from .exceptions import PasswordChanged

MAX_HASH = 128
_WORD = re.compile(f"[!-~]{{1,{MAX_HASH}}}")
MAX_HASHES = 500 * MAX_HASH  # of one password: all re-hashes that run at once, and those before them

# Where a user keeps the hashes of the credentials before it renewed the password's, and the new password's.
RENEWED = "_drf_jwt_kit_renewed"

# Where a user keeps a password that was stored meanwhile, and that nobody has tried.
UNSEEN = "_drf_jwt_kit_unseen"


def hashes(user: Any) -> list[str]:
    """Return the keyed hashes of the user's credential state: under today's key, then older ones.

    They are Django's own for its sessions, so a user model's ``get_session_auth_hash`` may add what
    else should end a session.
    """
    return [_word(hashed) for hashed in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())]


def _word(hashed: str) -> str:
    """Return a hash as a row holds it among others: one that is no single word, or a long one, as its digest."""
    return hashed if _WORD.fullmatch(hashed) else hashlib.sha256(hashed.encode()).hexdigest()


def renewed_from(user: Any) -> list[str]:
    """Return what the user's credentials hashed to before this instance renewed the password's hash."""
    old, new = getattr(user, RENEWED, ((), ""))
    return [*old] if new == user.password else []


def ensure_seen(user: Any) -> None:
    """Raise :class:`~drf_jwt_kit.exceptions.PasswordChanged` for a password that came from elsewhere at the sign-in."""
    if hasattr(user, UNSEEN) and getattr(user, UNSEEN) == user.password:
        raise PasswordChanged


def joined(*known: str) -> str:
    """Return distinct hashes as a row holds them: apart by spaces, the latest last, as many as fit."""
    distinct = list(dict.fromkeys(known))
    while len(" ".join(distinct)) > MAX_HASHES:
        distinct.pop(0)
    return " ".join(distinct)
