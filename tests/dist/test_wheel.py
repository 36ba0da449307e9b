"""What users install: the package alone, with metadata that tells the truth."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    """Return the names of the files in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """Return the wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_holds_the_package_and_its_metadata_only(names: list[str]) -> None:
    """No tests, no example project, nothing at the top that could shadow a user's module."""
    tops = {name.split("/")[0] for name in names}

    assert len(tops) == 2
    assert tops == {"drf_jwt_kit", next(top for top in tops if top.endswith(".dist-info"))}


def test_holds_every_file_of_the_sources(names: list[str]) -> None:
    """Migrations, commands, `py.typed`: all of src/, but for what Python and gettext leave there."""
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert "drf_jwt_kit/py.typed" in expected
    assert expected <= set(names)


def test_compiled_catalogues_come_with_their_sources(names: list[str]) -> None:
    """Hatchling leaves out what git ignores, unless told otherwise."""
    catalogues = {name for name in names if name.endswith(".po")}

    assert {name.removesuffix(".po") + ".mo" for name in catalogues} <= set(names)


def test_holds_nothing_compiled_or_private(names: list[str]) -> None:
    """No byte code, no databases, no keys, no dot files."""
    endings = (".pyc", ".sqlite3", ".pem", ".key", ".env")

    assert not [name for name in names if name.endswith(endings) or "/." in name]


def test_licence_is_an_spdx_expression_with_its_text(metadata: Message, names: list[str]) -> None:
    """PEP 639: the expression, and the file it names."""
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]


def test_supports_the_pythons_it_is_tested_on(metadata: Message) -> None:
    """DESIGN.md 11: 3.11 and up; a classifier for each version of the matrix and no other."""
    prefix = "Programming Language :: Python :: 3."
    classifiers = metadata.get_all("Classifier", [])

    assert metadata["Requires-Python"] == ">=3.11"
    assert {line.removeprefix(prefix) for line in classifiers if line.startswith(prefix)} == {
        "11",
        "12",
        "13",
    }


def test_supports_the_djangos_it_is_tested_on(metadata: Message) -> None:
    """DESIGN.md 11: the LTS and both lines after it."""
    prefix = "Framework :: Django :: "
    classifiers = metadata.get_all("Classifier", [])

    versions = {line.removeprefix(prefix) for line in classifiers if line.startswith(prefix)}

    assert versions == {"5.2", "6.0", "6.1"}


def test_offers_the_three_extras(metadata: Message) -> None:
    """What a plain installation leaves out can be asked for by name."""
    assert set(metadata.get_all("Provides-Extra", [])) == {"argon2", "crypto", "openapi"}


def test_floors_are_those_the_lowest_environment_runs(metadata: Message) -> None:
    """A lower bound that nothing runs on is a promise that nobody keeps."""
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    lowest = tox.partition("[testenv:lowest]")[2].partition("\n\n")[0]
    pins = {line.strip().replace("==", ">=") for line in lowest.splitlines() if "==" in line}
    required = metadata.get_all("Requires-Dist", [])

    floors = {line.lower().replace(",<6", "").replace("<6,", "") for line in required if "extra ==" not in line}

    assert floors == {pin.lower() for pin in pins}


def test_simplejwt_is_bounded_above(metadata: Message) -> None:
    """The kit subclasses simplejwt's classes: its next major release may change them."""
    (simplejwt,) = (line for line in metadata.get_all("Requires-Dist", []) if "simplejwt" in line)

    assert "<6" in simplejwt


def test_readme_is_the_long_description(metadata: Message) -> None:
    """The page on the package index is the README of this very version."""
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert (
        metadata.get_payload(decode=True).decode("utf-8").strip()
        == (ROOT / "README.md").read_text(encoding="utf-8").strip()
    )


def test_version_is_that_of_the_package(metadata: Message, wheel: Path, tmp_path: Path) -> None:
    """One place holds the version: `drf_jwt_kit.__version__`."""
    assert run_beside_the_package(wheel, tmp_path, "print(drf_jwt_kit.__version__)") == metadata["Version"]


def test_import_imports_nothing_else(wheel: Path, tmp_path: Path) -> None:
    """Issue 2, 1: no Django, no settings, no side effect before the app is asked for."""
    imported = run_beside_the_package(wheel, tmp_path, "print(*sorted(set(sys.modules) - before - {'drf_jwt_kit'}))")

    assert imported == ""


def run_beside_the_package(wheel: Path, folder: Path, code: str) -> str:
    """Run code in an interpreter that has the unpacked wheel and no site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    lead = f"import sys; sys.path.insert(0, {str(folder)!r}); before = set(sys.modules); import drf_jwt_kit; "
    command = [sys.executable, "-I", "-S", "-c", lead + code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_groups_and_extras_resolve_to_names_once() -> None:
    """The development group holds each of the other groups but the browser's and the fuzzer's."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    included = {entry["include-group"] for entry in groups["dev"] if isinstance(entry, dict)}

    assert included == set(groups) - {"dev", "browser", "fuzz"}
