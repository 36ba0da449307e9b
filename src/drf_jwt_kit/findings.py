"""What an examination finds: how bad it is, in one sentence, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

LONGEST = 300  # characters of an error's text: some quote whole statements


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"  # to be known, and perhaps meant
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """One thing that was found. ``remedy`` is empty where there is nothing to do."""

    status: Status
    found: str
    remedy: str = ""


def described(error: BaseException) -> str:
    """Return an error's name and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return ": ".join([type(error).__name__, *lines[:1]])[:LONGEST]


def unexamined(error: BaseException) -> Finding:
    """Return what is left to say where an error kept anybody from looking."""
    return Finding(Status.ERROR, f"Could not be examined: {described(error)}", "Mend that, then run this again.")


def milliseconds(seconds: float) -> str:
    """Return a duration as people read it."""
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"
