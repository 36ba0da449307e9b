"""Rules: what each key of ``DRF_JWT_KIT`` may be set to."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

# No date is after the year 9999, so no lifetime is as long as it can be written.
LONGEST = timedelta(days=100 * 365)


class Rate(NamedTuple):
    """How many (``limit``) in how long (``period``, in seconds)."""

    limit: int
    period: int

    @classmethod
    def of(cls, text: str | None) -> Rate | None:
        """Return the rate that ``text`` spells, such as ``"5/5m"``."""
        if text is None:
            return None
        limit, period = text.split("/")
        return cls(int(limit), int(period[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[period[-1]])


class Problem(NamedTuple):
    """One fault in ``DRF_JWT_KIT``: the key, what is wrong with it and how to mend it."""

    key: str
    fault: str
    hint: str | None


def is_lifetime(value: Any) -> bool:
    """Return whether something can last that long."""
    return isinstance(value, timedelta) and timedelta(seconds=1) <= value <= LONGEST


class _Rule(NamedTuple):
    accepts: Callable[[Any], bool]
    wanted: str


def _whole_number(value: Any, least: int) -> bool:
    return type(value) is int and value >= least


_RATE_FORM = re.compile(r"[1-9][0-9]{0,8}/[1-9][0-9]{0,8}[smhd]")


def _is_rate(value: Any) -> bool:
    """Return whether ``value`` spells a rate whose period a cache can keep a count for."""
    if not isinstance(value, str) or not _RATE_FORM.fullmatch(value):
        return False
    rate = Rate.of(value)
    return rate is not None and rate.period <= LONGEST.total_seconds()


_BOOLEAN = _Rule(lambda value: type(value) is bool, "True or False")
_PATH = _Rule(
    lambda value: value is None or (isinstance(value, str) and "." in value),
    "a dotted path such as 'accounts.tokens.claims', or None",
)
_RATE = _Rule(
    lambda value: value is None or _is_rate(value),
    "a rate such as '5/5m' (count/period in s, m, h or d, up to 100 years), or None",
)

_RULES: Mapping[str, _Rule] = {
    "ANONYMOUS_STATUS": _Rule(lambda value: type(value) is int and value in (401, 403), "403 or 401"),
    "PROTECT_BY_DEFAULT": _BOOLEAN,
    "PROTECT_EVERY_VIEW": _BOOLEAN,
    "REFRESH_GRACE_PERIOD": _Rule(
        lambda value: isinstance(value, timedelta) and timedelta(0) <= value <= LONGEST,
        "a timedelta that is not negative (0 is strict), and up to 100 years",
    ),
    "SESSION_LIFETIME": _Rule(
        lambda value: value is None or is_lifetime(value),
        "a timedelta of a second to 100 years, or None for no end",
    ),
    "MAX_SESSIONS_PER_USER": _Rule(
        lambda value: value is None or _whole_number(value, 1), "a whole number of at least 1, or None"
    ),
    "RECORD_USER_AGENT": _BOOLEAN,
    "RECORD_IP_ADDRESS": _BOOLEAN,
    "ACCEPT_SESSIONLESS_ACCESS": _BOOLEAN,
    "CLAIMS": _PATH,
    "SIGN_IN_GATE": _PATH,
    "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": _RATE,
    "LOGIN_FAILURES_PER_ADDRESS": _RATE,
    "LOGIN_FAILURES_PER_ACCOUNT": _RATE,
    "TRUSTED_PROXIES": _Rule(lambda value: _whole_number(value, 0), "a whole number of at least 0"),
    "THROTTLE_FAILS_OPEN": _BOOLEAN,
}


def did_you_mean(name: str, known: Iterator[str] | Mapping[str, Any]) -> str | None:
    """Return a hint naming the known key that ``name`` is closest to, or ``None``."""
    close = difflib.get_close_matches(name.upper(), list(known), n=1)
    return f"Did you mean {close[0]!r}?" if close else None


def problems(values: Any) -> Iterator[Problem]:
    """Yield every fault in ``values``, the project's ``DRF_JWT_KIT``."""
    if not isinstance(values, Mapping):
        yield Problem("", "DRF_JWT_KIT must be a dict.", None)
        return
    for key, value in values.items():
        if key not in _RULES:
            yield Problem(str(key), f"DRF_JWT_KIT has no key {key!r}.", did_you_mean(str(key), _RULES))
        elif not _RULES[key].accepts(value):
            fault = f"DRF_JWT_KIT[{key!r}] must be {_RULES[key].wanted}, not {value!r}."
            yield Problem(key, fault, None)
