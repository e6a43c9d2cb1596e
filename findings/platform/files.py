"""Which files there are, and which are not read and why: every file is one or the other. PURE."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 5_000_000
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


OF_TESTS = "of an application's tests alone"
# A folder of tests, as languages and their tools call it. `test` alone may be an environment (overlays/test): it is one
# of tests where a kind of tests stands below, or Maven and Gradle put it. Values of chart-testing stand in `ci`.
_TESTS = re.compile(
    r"(?:^|/)(?:(?:[\w.]+[-_])?tests|(?:e2e|integration|acceptance|functional|unit|system)[-_]test"
    r"|test[-_]?(?:data|yaml|json|cases|files|manifests|resources)|(?:test[-_]?)?fixtures"
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
    "a link to nothing", "no regular file", "no check reads a fact", OF_TESTS, *_FOLDERS.values(),
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
            if path.is_dir():
                yield Skipped(f"{shown}/", _FOLDERS[path.name])
                continue
            count += 1
            if count > MOST_FILES:
                yield Skipped(shown, f"more than {MOST_FILES} files")
                return
            asked = path == root  # a file that somebody names is read, whatever it is called
            yield _read(path, shown) if asked or not is_of_tests(shown) else Skipped(shown, OF_TESTS)


def is_of_tests(path: str) -> bool:
    """Whether a path below what was handed in is of tests, which say nothing about the platform."""
    return _TESTS.search(path) is not None or _TESTS_OF_PYTHON.search(path) is not None


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
        skipped = sorted(name for name in folders if name in _FOLDERS)
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
        if path.stat().st_size > MOST_BYTES:
            return Skipped(shown, f"larger than {MOST_BYTES // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        return Skipped(shown, f"cannot be read: {error.strerror}")
    return decoded(shown, data)


def decoded(shown: str, data: bytes) -> File | Skipped:
    """A file's bytes as text, or why not."""
    if len(data) > MOST_BYTES:
        return Skipped(shown, f"larger than {MOST_BYTES // 1_000_000} MB")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):  # as PowerShell writes what is sent to a file
        with suppress(UnicodeDecodeError):
            return File(shown, data.decode("utf-16"))
    if b"\x00" in data[:8192]:
        return Skipped(shown, "binary")
    try:
        return File(shown, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Skipped(shown, f"not UTF-8 at byte {error.start}")
