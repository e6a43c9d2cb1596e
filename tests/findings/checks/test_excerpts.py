"""Excerpts of what public repositories hold, written anew: every check runs, and nothing but what is wrong is found.

The first line says it: `# scan: fails=CHECK,CHECK unsure=CHECK`, one name per finding; of a folder, the file `scan`.
"""

from pathlib import Path

import pytest

from findings.checks import engine
from findings.platform import files, reader

EXCERPTS = sorted((Path(__file__).resolve().parents[2] / "samples" / "excerpts").iterdir())


def stated(excerpt: Path) -> dict[str, list[str]]:
    first = (excerpt / "scan" if excerpt.is_dir() else excerpt).read_text(encoding="utf-8").splitlines()[0]
    words = first.removeprefix("# scan: ").split()
    return {name: [each for each in value.split(",") if each] for name, _, value in (w.partition("=") for w in words)}


def test_there_are_excerpts_that_fail_and_such_that_do_not() -> None:
    alarms = [stated(excerpt)["fails"] for excerpt in EXCERPTS]
    assert len(EXCERPTS) >= 12
    assert min(map(len, alarms)) == 0
    assert len({check for each in alarms for check in each}) >= 10


@pytest.mark.parametrize("excerpt", EXCERPTS, ids=lambda path: path.stem)
def test_of_all_checks_those_fail_that_should(excerpt: Path) -> None:
    wanted = stated(excerpt)
    platform = reader.read(each for each in files.walk([excerpt]) if each.path != "scan")
    assert not platform.skipped
    outcome = engine.run(platform)
    assert sorted(found.check.meta.id for found in outcome.found) == wanted["fails"]
    unsure = {tally.check.meta.id for tally in outcome.tallies if tally.unsure}
    assert set(wanted.get("unsure", ())) <= unsure


@pytest.mark.parametrize(
    ("name", "check", "severity", "title"),
    [
        ("node_never_given_up", "single-replica", "medium", "One pod: gate is down until its lost node is back"),
        ("exported_cluster", "single-replica", "low",
         "One pod: quotes is down for at least 350 s when its node is lost"),
        ("started_and_hasty", "probes", "low",
         ("Requests keep coming to search while it does not answer; "
          "search is restarted after 6 s without an answer, and 1 more within 10 s")),
        ("kept_from_others", "disruption-budget", "medium",
         "No node with one of its pods can be drained: 2 budgets select them"),
        ("kept_from_others", "topology-spread", "low", "All 3 pods may stand on one node"),
        ("quotas_of_several", "resource-quota", "medium", "The quota stops its autoscalers at 75 % of their maximum"),
    ],
)  # fmt: skip
def test_one_workload_has_one_finding_of_a_check_in_plain_words(
    name: str, check: str, severity: str, title: str
) -> None:
    (excerpt,) = (each for each in EXCERPTS if each.stem == name)
    outcome = engine.run(reader.read(files.walk([excerpt])))
    (found,) = (each for each in outcome.found if each.check.meta.id == check)
    assert (found.severity, found.fail.title) == (severity, title)
