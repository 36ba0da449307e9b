"""What packagers unpack: everything needed to build, test and document the kit."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def names(sdist: Path) -> set[str]:
    """Return the files of the sdist, without the folder that holds them all."""
    with tarfile.open(sdist) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "tox.ini",
        "Makefile",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "SECURITY.md",
        "PKG-INFO",
    ],
)
def test_holds_the_files_of_the_root(names: set[str], name: str) -> None:
    """A packager can run the two commands from it."""
    assert name in names


@pytest.mark.parametrize(
    "name",
    [
        "src/drf_jwt_kit/py.typed",
        "tests/dist/test_sdist.py",
        "docs/conf.py",
        "example_project/manage.py",
        "scripts/matrix.py",
    ],
)
def test_holds_sources_tests_docs_and_example(names: set[str], name: str) -> None:
    """One file of each folder stands for the folder."""
    assert name in names


def test_holds_nothing_left_over(names: set[str]) -> None:
    """No databases, no byte code, no environments, no reports."""
    litter = ("__pycache__", ".sqlite3", ".venv", ".tox", "test-reports", ".coverage")

    assert not [name for name in names if any(piece in name for piece in litter)]
