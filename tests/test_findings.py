"""What an examination finds."""

from __future__ import annotations

import pytest

from drf_jwt_kit.findings import LONGEST, Finding, Status, described, milliseconds, unexamined


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no"), "ValueError: no"),
        (ValueError("first\nsecond"), "ValueError: first"),
        (ValueError(" \n"), "ValueError"),
        (KeyError(), "KeyError"),
    ],
    ids=repr,
)
def test_an_error_is_described_by_its_first_line(error: Exception, text: str) -> None:
    """What follows it is a statement or a traceback."""
    assert described(error) == text


def test_what_could_not_be_examined_is_an_error() -> None:
    """With why, and what to do."""
    finding = unexamined(ValueError("no"))
    assert (finding.status, finding.found) == (Status.ERROR, "Could not be examined: ValueError: no")
    assert finding.remedy


def test_a_long_error_is_cut() -> None:
    """Some quote whole statements."""
    assert described(ValueError("x" * 5000)) == f"ValueError: {'x' * 5000}"[:LONGEST]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.3664, "366 ms"), (0.0101, "10 ms"), (0.00252, "2.5 ms"), (0.000004, "0.004 ms")]
)
def test_a_duration_has_two_figures(seconds: float, text: str) -> None:
    """More would be noise."""
    assert milliseconds(seconds) == text


def test_a_finding_that_is_all_right_needs_no_remedy() -> None:
    """The field is there all the same: machines read it."""
    assert Finding(Status.OK, "well")._asdict() == {"status": "ok", "found": "well", "remedy": ""}
