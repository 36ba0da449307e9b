"""The documentation, followed to the letter: its code runs, block after block, in one project for each page."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import pytest
from django.dispatch import Signal

import drf_jwt_kit
from drf_jwt_kit import conf, exceptions, signals

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
PACKAGE = Path(drf_jwt_kit.__file__).parent

FENCE = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w/]+\.py)\b")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)#?([^)\s]*)\)")
END = "-- end of output, exit status"

# The pages' project: what the tutorial starts from, with two users and a hasher that costs nothing.
SETTINGS = """
INSTALLED_APPS += ["rest_framework", "drf_jwt_kit"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""
URLS = """
from django.urls import include

urlpatterns += [path("api/", include("drf_jwt_kit.urls"))]
"""
USERS = """
from django.contrib.auth.models import User
for name in ("alice", "bob"):
    User.objects.create_user(name, f"{name}@example.com", "correct horse battery staple")
"""

# What the pages ask of curl, for machines that have none.
CURL = '''#!{python}
"""Send one request: -X, -H, -A, -d and -i, as curl does."""
import argparse, http.client, sys, urllib.parse
parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-X", dest="method")
parser.add_argument("-H", dest="headers", action="append", default=[])
parser.add_argument("-A", dest="agent", default="curl/0")
parser.add_argument("-d", dest="data")
parser.add_argument("-i", dest="include", action="store_true")
parser.add_argument("-s", dest="silent", action="store_true")
args = parser.parse_args()
url = urllib.parse.urlsplit(args.url if "//" in args.url else "http://" + args.url)
headers = {{"User-Agent": args.agent, **dict(header.split(": ", 1) for header in args.headers)}}
if args.data is not None:
    headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
connection = http.client.HTTPConnection(url.hostname, url.port)
method = args.method or ("GET" if args.data is None else "POST")
connection.request(method, url.path, body=args.data, headers=headers)
answer = connection.getresponse()
if args.include:
    print("HTTP/1.1", answer.status, answer.reason)
    print(answer.headers)
sys.stdout.write(answer.read().decode())
'''


class Block(NamedTuple):
    """One fenced block: its language, what stands behind that, and its text."""

    language: str
    flags: str
    text: str

    @property
    def runs(self) -> bool:
        """Return whether a reader does something with it."""
        return self.language in {"console", "python"} and self.flags != "no-run"

    @property
    def file(self) -> str | None:
        """Return the file that it belongs into: the comment on its first line says so."""
        named = FILE.match(self.text) if self.language == "python" else None
        return named and named[1]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [Block(language, flags.strip(), dedent(text).strip()) for _indent, language, flags, text in found]


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command behind a ``$`` with the output that the page shows for it."""
    for chunk in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = chunk.splitlines()
        length = 1 + next(index for index, line in enumerate(lines) if not line.endswith("\\"))
        yield "\n".join(lines[:length]), "\n".join(lines[length:])


def looks_like(shown: str, seen: str) -> bool:
    """Return whether the output is what a page shows: ``...`` is anything, white space is nothing."""
    pieces = ["".join(piece.split()) for piece in shown.split("...")]
    return re.fullmatch(".*".join(map(re.escape, pieces)), "".join(seen.split()), re.DOTALL) is not None


class Project:
    """A reader's folder: files written, commands typed and a server running, as a page says."""

    def __init__(self, folder: Path) -> None:
        """Open a shell in ``folder``."""
        self.folder = folder
        self.environ = self._environ()
        self.server: subprocess.Popen[str] | None = None
        self.port = ""
        self.shell = self._start("bash", "--norc", stdin=subprocess.PIPE)

    def _environ(self) -> dict[str, str]:
        """Return the reader's environment: this Python, this build of the kit, and a quiet curl."""
        bin_folder = self.folder / ".bin"
        bin_folder.mkdir(exist_ok=True)
        (self.folder / ".curlrc").write_text("silent\n", encoding="utf-8")
        if not shutil.which("curl"):
            (bin_folder / "curl").write_text(CURL.format(python=sys.executable), encoding="utf-8")
            (bin_folder / "curl").chmod(0o755)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        path = os.pathsep.join([str(bin_folder), str(Path(sys.executable).parent), environ["PATH"]])
        imports = {"PYTHONPATH": str(PACKAGE.parent), "PYTHONUNBUFFERED": "1"}
        return {**environ, **imports, "PATH": path, "HOME": str(self.folder), "CURL_HOME": str(self.folder)}

    def _start(self, *command: str, **kwargs: Any) -> subprocess.Popen[str]:
        """Start a process in the folder."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **kwargs,
        )

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        if not block.runs:
            return
        if block.language == "console":
            for command, shown in commands(block.text):
                self.type(command, shown)
        elif block.file:
            self.write(block.file, block.text)
        else:
            self.type(f"python manage.py shell -c {shlex.quote(block.text)}", "")

    def write(self, name: str, text: str) -> None:
        """Write at the end of a file."""
        self.stop()
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")

    def type(self, command: str, shown: str) -> None:
        """Type one command and compare what it prints, if the page shows that."""
        if re.match(r"pip |python -m (pip|venv) |source ", command):
            return  # the build under test is installed already
        if "manage.py runserver" in command:
            self.stop()
            self.serve()
            return
        if "localhost:8000" in command and self.server is None:
            self.serve()
        status, seen = self.run(command.replace("localhost:8000", f"localhost:{self.port}"))
        # A second may pass between making a token and saying how long it lasts.
        seen = seen.replace(":299,", ":300,").replace(":86399}", ":86400}")
        assert status == 0, f"{command}\n{seen}"
        shown = shown.replace("localhost:8000", f"localhost:{self.port}")
        assert not shown or looks_like(shown, seen), f"{command}\nshown: {shown}\nseen: {seen}"

    def run(self, command: str) -> tuple[int, str]:
        """Run a command in the shell, where variables stay, and return its status and output."""
        assert self.shell.stdin
        assert self.shell.stdout
        self.shell.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '\\n{END} %s\\n' $?\n")
        self.shell.stdin.flush()
        seen: list[str] = []
        for line in self.shell.stdout:
            if line.startswith(END):
                return int(line.removeprefix(END)), "".join(seen)
            seen.append(line)
        raise AssertionError("".join(seen))

    def serve(self) -> None:
        """Start the development server on a free port; it says which once it listens."""
        self.server = self._start(sys.executable, "manage.py", "runserver", "--noreload", "localhost:0")
        assert self.server.stdout
        seen: list[str] = []
        for line in self.server.stdout:
            if found := re.search(r"server at http://localhost:(\d+)/", line):
                self.port = found[1]
                return
            seen.append(line)
        raise AssertionError("".join(seen))

    def stop(self) -> None:
        """Stop the server: what it serves is about to change."""
        if self.server is not None:
            _end(self.server)
            self.server = None

    def close(self) -> None:
        """Stop everything."""
        self.stop()
        _end(self.shell)


def _end(process: subprocess.Popen[str]) -> None:
    """End a process and close its pipes."""
    process.terminate()
    with process:
        pass


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the project that the pages speak of, made once."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.type("django-admin startproject mysite .", "")
    project.write("mysite/settings.py", SETTINGS)
    project.write("mysite/urls.py", URLS)
    project.type("python manage.py migrate", "")
    project.type(f"python manage.py shell -c {shlex.quote(USERS)}", "")
    project.close()
    return project.folder


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Iterator[Project]:
    """Return a fresh copy of that project."""
    folder = shutil.copytree(finished_project, tmp_path / "project")
    project = Project(folder)
    yield project
    project.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Project]:
    """Return an empty folder."""
    project = Project(tmp_path)
    yield project
    project.close()


FOLLOWED = [page for page in PAGES if page.stem != "tutorial" and any(block.runs for block in blocks(page))]


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.stem)
def test_page_does_what_it_says(page: Path, project: Project) -> None:
    """Every command prints what the page shows; every file that it has the reader write works."""
    for block in blocks(page):
        project.follow(block)

    if any(block.file for block in blocks(page)):
        project.type("python manage.py check", "")


def test_tutorial_leads_from_nothing_to_signed_in_devices(empty: Project) -> None:
    """The reader of the tutorial begins in an empty folder."""
    for block in blocks(DOCS / "tutorial.md"):
        empty.follow(block)


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links to them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [*PAGES, *(ROOT / name for name in ("README.md", "CHANGELOG.md"))], ids=lambda page: page.stem
)
def test_links_lead_somewhere(page: Path) -> None:
    """A file that is there, and a heading in it."""
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_settings_page_has_every_key_with_its_default() -> None:
    """The one commented dict is the whole of it."""
    (shown,) = (block.text for block in blocks(DOCS / "settings.md") if "DRF_JWT_KIT = {" in block.text)
    namespace: dict[str, Any] = {}
    exec(shown, namespace)  # noqa: S102 - our own page

    assert namespace["DRF_JWT_KIT"] == dataclasses.asdict(conf.Settings())


def test_checks_page_has_every_id() -> None:
    """The hint of a check sends its reader there."""
    modules = [path.read_text(encoding="utf-8") for path in PACKAGE.glob("*checks.py")]
    ids = set(re.findall(r"\"([EW]\d{3})\"", " ".join(modules)))

    assert ids
    assert {name.lower() for name in ids} == anchors(DOCS / "checks.md") - {"system-checks"}


def test_errors_page_has_every_reason() -> None:
    """A front end that handles the table handles everything."""
    section = (DOCS / "errors.md").read_text(encoding="utf-8").partition("## Reasons")[2].partition("\n## ")[0]

    assert {cls.reason for cls in exceptions.Refused.__subclasses__()} == set(
        re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    ) - {"reason"}


def test_signals_page_has_every_signal() -> None:
    """One for each security event."""
    named = {name for name, value in vars(signals).items() if isinstance(value, Signal)}

    assert named
    assert all(f"| `{name}` |" in (DOCS / "signals.md").read_text(encoding="utf-8") for name in named)


def test_api_page_names_what_can_be_imported() -> None:
    """Each module of the page has the names that its section begins a line with."""
    sections = re.split(r"^## `(drf_jwt_kit\.\w+)`$", (DOCS / "api.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    modules = dict(zip(sections[1::2], sections[2::2], strict=True))

    assert len(modules) > 5
    for module, text in modules.items():
        lines = re.findall(r"^(?:`\w+[^`]*`(?:,? (?:and )?)?)+", text, re.MULTILINE)
        names = {name for line in lines for name in re.findall(r"`(\w+)", line)}
        assert names
        assert not [name for name in names if not hasattr(import_module(module), name)]
