"""Which files there are, and which are not read and why: every file is one or the other. PURE."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 5_000_000
MOST_OF_EXPORT = 64_000_000  # of what kubectl or Terraform prints of all there is
MOST_FILES = 50_000
_FOLDERS = {
    ".git": "version control", ".hg": "version control", ".svn": "version control", "node_modules": "dependencies",
    ".terraform": "downloaded modules", ".venv": "dependencies", "venv": "dependencies", "__pycache__": "byte code",
    ".tox": "dependencies", ".mypy_cache": "a cache", ".pytest_cache": "a cache", ".ruff_cache": "a cache",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    path: str  # relative to what was given, with forward slashes
    text: str


_ELSEWHERE = "a link to a folder elsewhere: give it as a path too"
OF_TESTS = "of an application's tests alone"
DATA = "data, no settings"

# How such an export begins; other documents of that size are data.
_EXPORT = re.compile(rb"""\s*[\[{]?\s*["']?(?:apiVersion|kind|items|format_version)["']?\s*:""")
_DOCUMENTS = (".json", ".yaml", ".yml")

# A folder of tests, as languages and their tools call it. `test` alone may be an environment (overlays/test): it is one
# of tests where a kind of tests stands below, or Maven and Gradle put it. Values of chart-testing stand in `ci`.
_TESTS = re.compile(
    r"(?:^|/)(?:(?:[\w.]+[-_])?tests(?:[-_]\w+)?|(?:e2e|integration|acceptance|functional|unit|system)[-_]test"
    r"|test[-_]?(?:data|yaml|json|cases|files|manifests|resources)|(?:test[-_]?)?fixtures|(?:\w+_)?test[-_]?utils?"
    r"|__(?:tests|fixtures|snapshots|mocks)__"
    r"|src/(?:test|integrationTest|testFixtures|\w+Test)"
    r"|test/(?:[^/]+/)*?(?:e2e|integration|acceptance|functional|unit|system)(?:[-_]\w+)?)/"
    r"|(?:^|/)ci/[^/]+-values\.ya?ml\Z"
)
# Of Python, where nothing is an environment: by the names that pytest and unittest go by, too.
_TESTS_OF_PYTHON = re.compile(
    r"(?:(?:^|/)(?:test|testing|qa)/(?:[^/]+/)*[^/]+|(?:^|/)(?:test_[^/]*|[^/]*_test|tests?|conftest))\.py\Z"
)

# Reasons that leave nothing to be desired: what is skipped for another one was not looked at and should have been.
_BY_DESIGN = (
    "no kind of file", "a lock file", "empty", "binary", "larger than", "a template of", "the facts are those of",
    "a link to nothing", "a link to what is read", "no regular file", "no check reads a fact", OF_TESTS, DATA,
    "an older version of", *_FOLDERS.values(),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Skipped:
    path: str
    reason: str
    line: int | None = None

    @property
    def is_error(self) -> bool:
        return not self.reason.startswith(_BY_DESIGN)


def walk(paths: Iterable[Path]) -> Iterator[File | Skipped]:
    """Files below each path, in the order of their names, so that two runs see the same."""
    count = 0
    for root in paths:
        base = root if root.is_dir() else root.parent
        for path in [root] if root.is_file() else _below(root):
            shown = path.relative_to(base).as_posix()
            if path != root and path.is_symlink() and _is_read(path, root):
                yield Skipped(shown, "a link to what is read")
                continue
            if path.is_dir():
                yield Skipped(f"{shown}/", _FOLDERS.get(path.name, _ELSEWHERE))
                continue
            count += 1
            if count > MOST_FILES:
                yield Skipped(shown, f"more than {MOST_FILES} files")
                return
            asked = path == root  # a file that somebody names is read, whatever it is called
            if asked:
                yield _read(path, shown)
            else:
                yield Skipped(shown, OF_TESTS) if is_of_tests(shown) else without_tests(_read(path, shown))


def is_of_tests(path: str) -> bool:
    """Whether a path below what was handed in is of tests, which say nothing about the platform."""
    return _TESTS.search(path) is not None or _TESTS_OF_PYTHON.search(path) is not None


_IMPORTS_PYTEST = re.compile(r"^(?:import|from)[ \t]+pytest\b", re.MULTILINE)


def without_tests(read: File | Skipped) -> File | Skipped:
    """Python that cannot be loaded without pytest runs under it alone, whatever it is called."""
    if isinstance(read, File) and read.path.endswith(".py") and _IMPORTS_PYTEST.search(read.text):
        return Skipped(read.path, OF_TESTS)
    return read


def _is_read(link: Path, root: Path) -> bool:
    """Whether a link leads to what is below the root as well: judged there, and not a second time."""
    try:
        target = link.resolve(strict=True).relative_to(root.resolve())
    except (OSError, ValueError):  # nothing is there, or it is not below
        return False
    return not _FOLDERS.keys() & {*target.parts}


def in_skipped_folder(path: str) -> Skipped | None:
    """The folder on a file's path that is not read, if there is one: for files that no folder was walked for."""
    parts = path.split("/")
    for number, part in enumerate(parts[:-1], start=1):
        if part in _FOLDERS:
            return Skipped("/".join(parts[:number]) + "/", _FOLDERS[part])
    return None


def _below(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        skipped = sorted(name for name in folders if name in _FOLDERS or (here / name).is_symlink())
        folders[:] = sorted(name for name in folders if name not in _FOLDERS)
        for name in skipped:
            yield here / name
        for name in sorted(names):
            yield here / name


def _read(path: Path, shown: str) -> File | Skipped:
    if path.is_symlink() and not path.exists():
        return Skipped(shown, "a link to nothing")
    if not path.is_file():
        return Skipped(shown, "no regular file")
    try:
        with path.open("rb") as file:
            large = too_large(shown, path.stat().st_size, file.read(HEAD))
            if large is not None:
                return large
            file.seek(0)
            data = file.read()
    except OSError as error:
        return Skipped(shown, f"cannot be read: {error.strerror}")
    return decoded(shown, data)


HEAD = 200


def too_large(shown: str, size: int, head: bytes) -> Skipped | None:
    """Why a file of so many bytes, which begins so, is not read; None when it is."""
    if size <= MOST_BYTES:
        return None
    if not shown.endswith(_DOCUMENTS) or not _EXPORT.match(head):
        return Skipped(shown, f"larger than {MOST_BYTES // 1_000_000} MB")
    if size <= MOST_OF_EXPORT:
        return None
    return Skipped(shown, f"an export of more than {MOST_OF_EXPORT // 1_000_000} MB: divide it, by namespace or kind")


def decoded(shown: str, data: bytes) -> File | Skipped:
    """A file's bytes as text, or why not."""
    large = too_large(shown, len(data), data[:HEAD])
    if large is not None:
        return large
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # as PowerShell writes what is sent to a file
        with suppress(UnicodeDecodeError):
            return File(shown, data.decode("utf-16"))
    if b"\x00" in data[:8192]:
        return Skipped(shown, "binary")
    try:
        return File(shown, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Skipped(shown, f"not UTF-8 at byte {error.start}")
