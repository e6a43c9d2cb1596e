"""The fragments of the analysis, all in one folder: each gives its failure mode, or says which fact is missing."""

from pathlib import Path

import pytest

from findings.checks import engine
from findings.checks.registry import CHECKS
from findings.platform import files, reader
from findings.platform.files import File
from findings.platform.model import Platform

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "checks"


def blocks() -> list[Path]:
    return sorted(path for path in SAMPLES.glob("*/*_analysis*") if path.is_file())


@pytest.fixture(scope="module")
def together() -> Platform:
    read = [each for path in blocks() for each in files.walk([path])]
    named = [
        File(f"{path.parent.name}/{each.path}", each.text)
        for path, each in zip(blocks(), read, strict=True)
        if isinstance(each, File)
    ]
    return reader.read(named)


def test_each_fragment_of_the_analysis_is_here() -> None:
    assert {path.parent.name for path in blocks()} == {
        "kafka-consumers", "cell-failover", "secret-in-env", "network-egress", "image-trust", "alert-delay",
        "autoscaling", "cpu-throttling", "kafka-durability", "deployment-windows", "entity-churn",
    }  # fmt: skip
    assert len(blocks()) == 11


def test_together_they_hide_nothing_and_none_is_skipped(together: Platform) -> None:
    assert not together.skipped
    alone = {block.parent.name for block in blocks() if block.name.startswith("fail")}
    assert alone <= {found.check.meta.id for found in engine.run(together).found}


@pytest.mark.parametrize("block", blocks(), ids=lambda path: path.parent.name)
def test_a_block_among_all_the_others_is_judged_as_it_is_alone(block: Path, together: Platform) -> None:
    check = CHECKS[block.parent.name]
    path = f"{block.parent.name}/{block.name}"
    outcome = engine.run(together, [check])
    failed = [found for found in outcome.found if any(place.path == path for place in found.fail.places)]
    unsure = [each for each in outcome.tallies[0].unsure if each.place.path == path]
    if block.name.startswith("fail"):
        assert failed
    else:
        assert not failed
        assert unsure
