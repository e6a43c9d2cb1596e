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
