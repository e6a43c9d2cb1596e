"""docs/checks.md is what the checks say of themselves."""

from pathlib import Path

from findings.checks import reference
from findings.checks.registry import CHECKS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "checks.md"


def test_the_page_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == reference.text(), "python -m findings.checks.reference > docs/checks.md"


def test_every_check_has_a_section_that_the_table_leads_to() -> None:
    written = PAGE.read_text(encoding="utf-8")
    for check in CHECKS:
        assert f"(#{check})" in written
        assert f"\n## {check}\n" in written
