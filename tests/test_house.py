"""Rules of the house that no linter knows: what files hold, and that documents speak of what is there."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from findings.scans import registry

ROOT = Path(__file__).resolve().parents[1]
OURS = ("*.py", "*.html", "*.js", "*.css", "*.md", "*.toml", "*.sql", "*.yml", "Makefile", "Dockerfile")
# Ways in which a workplace gets into a file: spelled so that this file does not hold them.
WORKPLACE = re.compile(
    "/" + "work/|/" + "tmp/(?!bash)|/" + "root/|shared/" + "(?:design|golden|samples|seed)|farm-" + "bench"
)


@cache
def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for line in listed.splitlines() if (path := ROOT / line).is_file()]


def of_kind(*globs: str) -> list[Path]:
    found = [path for path in committed() if any(path.match(glob) for glob in globs) and "vendor" not in path.parts]
    assert found
    return found


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_names_a_machine_or_the_workplace() -> None:
    found = {named(path) for path in of_kind(*OURS) if WORKPLACE.search(text(path))}
    assert found == set()


def test_lock_files_have_hashes_and_no_index() -> None:
    for path in of_kind("*.lock"):
        lines = text(path).splitlines()
        pins = [line for line in lines if re.match(r"[a-z0-9]", line, re.IGNORECASE)]
        assert len(pins) > 20
        assert all("==" in line and line.rstrip().endswith("\\") for line in pins), named(path)
        assert not [line for line in lines if "://" in line or "index-url" in line]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"\sstyle\s*=", "the content security policy forbids inline styles"),
        (r"<style\b", "the same"),
        (r"<script(?![^>]*\bsrc=)", "and inline scripts"),
        (r"\son[a-z]+\s*=\s*[\"']", "and handlers in attributes"),
        (r"\bhx-on|hx-vals=[\"']js:", "and htmx's evaluated attributes"),
        (r"https?://(?!example\.)[^\"'\s]+\.(?:js|css|woff2?)", "nothing comes from elsewhere"),
        (r"\{#(?:(?!#\}).)*$", "a comment of Django's ends on its line, or it is shown"),
        (r"\|safe\b|autoescape off", "what a report says is never taken for markup"),
        (r"target=\"_blank\"(?![^>]*>)(?!.*noopener)", "a page that opens another must not be steered by it"),
    ],
)
def test_no_template_has(pattern: str, why: str) -> None:
    found = [
        f"{named(path)}:{number}"
        for path in of_kind("templates/**/*.html", "templates/*.html")
        for number, line in enumerate(text(path).splitlines(), start=1)
        if re.search(pattern, line)
    ]
    assert found == [], why


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{named(path)}: {target}"
        for path in of_kind("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text(path))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_paths_that_documents_name_exist() -> None:
    room = r"`((?:findings|platform_risk|costs|tests|docs|demo|bench|static|templates)/[a-z0-9_./-]+)`"
    missing = [
        f"{named(path)}: {target}"
        for path in of_kind("README.md", "docs/*.md")
        for target in re.findall(room, text(path))
        if not (ROOT / target).exists()
    ]
    assert missing == []


def test_every_format_has_samples_tests_and_a_line_in_the_documents() -> None:
    documented = text(ROOT / "docs" / "formats.md")
    for name in registry.FORMATS:
        assert f"`{name}`" in documented, name
        assert list((ROOT / "tests" / "samples" / "scans" / name).iterdir()), name
        assert (ROOT / "tests" / "findings" / "scans" / f"test_{name.replace('-', '_')}.py").exists(), name


def test_every_target_of_make_that_the_documents_name_exists() -> None:
    makefile = text(ROOT / "Makefile")
    for path in of_kind("README.md", "docs/*.md"):
        for target in re.findall(r"`?\bmake ([a-z-]+)", text(path)):
            if target in ("it", "the"):
                continue
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{named(path)}: make {target}"


def test_nothing_is_left_to_do_in_a_comment() -> None:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    assert [
        named(path) for path in of_kind("*.py", "*.html", "*.js", "*.css", "*.sql") if marks.search(text(path))
    ] == []
