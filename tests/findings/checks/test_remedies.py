"""Remedies and checks name one another, and both exist."""

from findings.checks.registry import CHECKS
from findings.checks.remedies import remedies
from findings.vocabulary import Lane


def test_every_remedy_that_a_check_names_exists() -> None:
    named = {remedy for check in CHECKS.values() for remedy in check.meta.remedies}
    assert named <= set(remedies())


def test_every_check_that_a_remedy_fixes_exists_and_names_it() -> None:
    for remedy in remedies().values():
        for check in remedy.fixes_checks:
            assert check in CHECKS, (remedy.id, check)
            assert remedy.id in CHECKS[check].meta.remedies, (remedy.id, check)


def test_remedies_have_a_title_an_effort_and_a_lane_of_ours() -> None:
    assert len(remedies()) >= 20
    for remedy in remedies().values():
        assert remedy.title
        assert 0 < remedy.effort_days <= 20
        assert remedy.lane in {"", *Lane}
