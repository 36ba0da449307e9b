"""The count that `make test` prints last: it must not flatter."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import matrix

REPORT = '<testsuites><testsuite tests="{0}" failures="{1}" errors="{2}" skipped="{3}"/></testsuites>'


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that stands for the reports of a run."""
    monkeypatch.setattr(matrix, "REPORTS", tmp_path)
    return tmp_path


def test_errors_count_as_failures(reports: Path) -> None:
    """A fixture that breaks is no pass."""
    (reports / "lowest.xml").write_text(REPORT.format(10, 1, 2, 3))

    assert matrix.report({"lowest": False}) == matrix.Count(passed=4, failed=3, skipped=3)


def test_counts_are_summed_over_environments(reports: Path) -> None:
    """The last line speaks for all pytest runs together."""
    (reports / "a.xml").write_text(REPORT.format(5, 0, 0, 1))
    (reports / "b.xml").write_text(REPORT.format(7, 0, 0, 0))

    assert str(matrix.report({"a": True, "b": True})) == "11 passed, 0 failed, 1 skipped"


@pytest.mark.parametrize("content", [None, "<testsuites><testsuite tests=", REPORT.format(5, 0, 0, 0)])
def test_environment_failing_without_a_failing_test_is_one_failure(reports: Path, content: str | None) -> None:
    """A linter, a crash before the first test, an uncovered line: none of them may read `0 failed`."""
    if content is not None:
        (reports / "lint.xml").write_text(content)

    assert matrix.report({"lint": False}).failed == 1


def test_pre_release_is_left_out_of_the_sum(reports: Path) -> None:
    """It is allowed to fail, so it may not make the sum look better or worse."""
    (reports / f"{matrix.PRE_RELEASE}.xml").write_text(REPORT.format(5, 5, 0, 0))

    assert matrix.report({matrix.PRE_RELEASE: True}) == matrix.Count()


@pytest.mark.parametrize(
    ("environment", "version"),
    [("py311-django52", "3.11"), ("py313-django61-postgresql", "3.13"), ("lowest", "3.11"), ("lint", None)],
)
def test_environment_is_bound_to_its_python(environment: str, version: str | None) -> None:
    """Names are tox's; what has no Python in its name runs on any."""
    assert matrix.required_python(environment) == version


def test_missing_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot run is said, never silently passed over."""
    monkeypatch.setattr(matrix, "python_is_here", lambda version: version != "3.12")

    assert matrix.reason_to_leave_out("py312-django60") == "no Python 3.12 here"


def test_silent_server_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Port 1 of this machine has no database behind it."""
    monkeypatch.setenv("PGPORT", "1")

    assert not matrix.server_answers("postgresql")


def test_pre_release_is_left_out_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two betas the index has nothing to try."""
    monkeypatch.delenv("DJANGO_PRE", raising=False)

    assert matrix.choose([matrix.PRE_RELEASE])[0] == []
