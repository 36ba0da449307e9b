"""Run the test matrix with the Pythons and services of this machine, and count what the tests said.

``python scripts/matrix.py [environment ...]`` runs every environment of tox.ini, or the named ones.
What cannot run here is named, with the reason. The last line is ``N passed, N failed, N skipped``:
the sum over the JUnit files of this run. An environment that fails without a failing test (a linter,
a crash) counts as one failure. The exit status is 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "test-reports"
PRE_RELEASE = "py313-djangopre"
PRIMARY_PYTHON = "3.13"
PYTHON_OF = {"lowest": "3.11", "types": PRIMARY_PYTHON, "coverage": PRIMARY_PYTHON}
SERVERS = {"postgresql": ("PGHOST", "PGPORT", 5432), "mariadb": ("MYSQL_HOST", "MYSQL_PORT", 3306)}


class Count(NamedTuple):
    """What one or more pytest runs said, errors among the failures."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def plus(self, other: Count) -> Count:
        """Return the sum of both counts."""
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_file(report: Path) -> Count:
    """Count the tests of one JUnit file; one that is cut short is a failure."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))
    except ET.ParseError:
        return Count(failed=1)
    total, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return Count(max(0, total - failures - errors - skipped), failures + errors, skipped)


def required_python(environment: str) -> str | None:
    """Return the Python version an environment is bound to, if it is bound to one."""
    if found := re.match(r"py(\d)(\d+)-", environment):
        return f"{found[1]}.{found[2]}"
    return PYTHON_OF.get(environment)


def python_is_here(version: str) -> bool:
    """Tell whether this Python starts: pyenv's shims are on the path even where they do not."""
    try:
        started = subprocess.run([f"python{version}", "-c", ""], capture_output=True, check=False)
    except OSError:
        return False
    return started.returncode == 0


def server_answers(name: str) -> bool:
    """Tell whether the database server accepts connections where the tests look for it."""
    host, port, default = SERVERS[name]
    address = (os.environ.get(host, "127.0.0.1"), int(os.environ.get(port, default)))
    try:
        socket.create_connection(address, timeout=2).close()
    except OSError:
        return False
    return True


def newest_pre_release() -> str | None:
    """Return the version of Django's pre-release if it is newer than every release, else None."""
    options = ["--quiet", "--no-header", "--no-deps", "--prerelease=allow"]
    command = ["uv", "pip", "compile", *options, f"--python-version={PRIMARY_PYTHON}", "-"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environ = os.environ | {"PATH": path}
    found = subprocess.run(command, input="Django", capture_output=True, text=True, check=False, env=environ)
    version = re.search(r"(?im)^django==(\S+)", found.stdout)
    return version[1] if version and re.search(r"(a|b|rc)\d+$", version[1]) else None


def tests_mention(text: str) -> bool:
    """Tell whether any test file holds this text."""
    return any(text in path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))


def reason_to_leave_out(environment: str) -> str | None:
    """Say why an environment cannot run here, or None if it can."""
    version = required_python(environment)
    if version and not python_is_here(version):
        return f"no Python {version} here"
    server = environment.rpartition("-")[2]
    if server in SERVERS and not os.environ.get("REQUIRE_SERVICES") and not server_answers(server):
        return f"no {server} server here"
    if environment.endswith("-browser") and not tests_mention("mark.chromium"):
        return "no test drives a browser"
    if environment == PRE_RELEASE and not os.environ.get("DJANGO_PRE"):
        return "no pre-release of Django found on the package index"
    return None


def choose(listed: list[str]) -> tuple[list[str], dict[str, str]]:
    """Part the environments that can run here from those that cannot, with the reason."""
    chosen: list[str] = []
    left_out: dict[str, str] = {}
    for environment in listed:
        if reason := reason_to_leave_out(environment):
            left_out[environment] = reason
        else:
            chosen.append(environment)
    return chosen, left_out


def choose_from_tox() -> tuple[list[str], dict[str, str]]:
    """Choose among tox.ini's environments, Django's pre-release last."""
    command = [sys.executable, "-m", "tox", "list", "-d", "-q", "--no-desc"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return choose([*listed, PRE_RELEASE])


def run_tox(environments: list[str]) -> dict[str, bool]:
    """Run the environments one after the other; return which of them succeeded."""
    result = REPORTS / "tox.json"
    # A chosen environment that tox would skip has not been tested: that is a failure.
    options = ["--skip-missing-interpreters", "false", "--result-json", str(result)]
    command = [sys.executable, "-m", "tox", "run", *options, "-e", ",".join(environments)]
    subprocess.run(command, cwd=ROOT, check=False, env=os.environ | {"JUNIT_DIR": str(REPORTS)})
    try:
        runs = json.loads(result.read_text(encoding="utf-8"))["testenvs"]
    except (OSError, ValueError, KeyError):
        runs = {}
    return {name: bool(runs.get(name, {}).get("result", {}).get("success")) for name in environments}


def count_environment(environment: str, succeeded: bool) -> Count:
    """Count one environment's tests; failing without a failing test is one failure."""
    report = REPORTS / f"{environment}.xml"
    count = count_file(report) if report.exists() else Count()
    if succeeded or count.failed:
        return count
    print(f"failed without a failing test: {environment}")
    return count._replace(failed=1)


def report(results: dict[str, bool]) -> Count:
    """Print a line for each environment that ran tests, and return the sum."""
    total = Count()
    for environment, succeeded in results.items():
        count = count_environment(environment, succeeded)
        print(f"{environment}: {count if any(count) else 'ok'}")
        if environment != PRE_RELEASE:
            total = total.plus(count)
    return total


def main() -> int:
    """Run the matrix and print the count as the last line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("environments", nargs="*", help="environments of tox.ini; all that can run here")
    named = parser.parse_args().environments
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir()
    if version := newest_pre_release():
        os.environ["DJANGO_PRE"] = f"=={version}"
    if not sys.stdout.isatty():
        os.environ.setdefault("NO_COLOR", "1")
    environments, left_out = (named, {}) if named else choose_from_tox()
    total = report(run_tox(environments))
    for environment, reason in left_out.items():
        print(f"left out: {environment} ({reason})")
    (REPORTS / "count.txt").write_text(f"{total}\n", encoding="utf-8")
    print(total, flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
