"""What holds for every check: odd values end no scan, order and white space change no finding."""

import itertools
import random
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from findings.checks import engine
from findings.checks.registry import CHECKS
from findings.platform import files, reader
from findings.platform.files import File
from tests.findings.checks import reading_measured as measured

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "checks"
ODD: list[Any] = [
    None, [], {}, "x", "", -1, 0, True, 1e308, "9" * 400, [None], [["x"]], {"a": {"b": [1]}}, {"name": None},
    "50%", "1.5.2",
]  # fmt: skip
# Spots of a file; every field that any sample has is tried below, whatever the number.
SPOTS = [3, pytest.param(40, marks=pytest.mark.drill)]
SHAPES: list[Any] = [["x", {"y": None}], {"x": ["y"]}, "x", 7, None]


def texts(sample: Path) -> list[File]:
    return [each for each in files.walk([sample]) if isinstance(each, File) and each.path != "expect"]


def every() -> list[Path]:
    found = sorted(path for folder in SAMPLES.iterdir() for path in folder.iterdir())
    assert found
    return found


def name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def findings(given: list[File]) -> set[tuple[str, str]]:
    return told(engine.run(reader.read(given)).found)


def told(found: Iterable[engine.Found]) -> set[tuple[str, str]]:
    return {(each.fingerprint, each.fail.title) for each in found}


@pytest.mark.parametrize("sample", [path for path in every() if path.is_dir()], ids=name)
def test_the_order_of_files_changes_no_finding(sample: Path) -> None:
    given = texts(sample)
    assert findings(given) == findings(given[::-1])


@pytest.mark.parametrize("sample", every(), ids=name)
def test_two_more_lines_before_it_move_the_lines_of_a_finding_and_change_nothing_else(sample: Path) -> None:
    given = texts(sample)
    moved = [each if each.path.endswith(".json") else File(each.path, "# one more\n\n" + each.text) for each in given]
    before, after = (engine.run(reader.read(each)).found for each in (given, moved))
    assert told(after) == told(before)
    pairs = zip(before, after, strict=True)
    for first, second in pairs:
        assert len(first.fail.places) == len(second.fail.places)
        for place, later in zip(first.fail.places, second.fail.places, strict=True):
            assert later.path == place.path
            if place.line is not None and not place.path.endswith((".json", "Dockerfile")):
                assert later.line in (place.line + 2, place.line)


def nodes(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from nodes(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from nodes(value, (*path, number))


def replaced(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    if isinstance(node, dict):
        return {key: replaced(each, path[1:], value) if key == path[0] else each for key, each in node.items()}
    return [replaced(each, path[1:], value) if number == path[0] else each for number, each in enumerate(node)]


def yaml_files() -> list[tuple[Path, File]]:
    return [(sample, file) for sample in every() for file in texts(sample) if file.path.endswith((".yaml", ".yml"))]


@pytest.mark.parametrize("count", SPOTS)
@pytest.mark.parametrize("sample", sorted({sample for sample, _ in yaml_files()}), ids=name)
def test_an_odd_value_anywhere_ends_no_scan(sample: Path, count: int) -> None:
    chosen = random.Random(sample.name)  # the same in every run
    for file in texts(sample):
        if not file.path.endswith((".yaml", ".yml")):
            continue
        others = [each for each in texts(sample) if each is not file]
        documents = list(yaml.safe_load_all(file.text))
        spots = list(_spots(documents))
        for number, path in chosen.sample(spots, min(count, len(spots))):
            changed = [*documents]
            changed[number] = replaced(documents[number], path, chosen.choice(ODD))
            platform = reader.read([File(file.path, yaml.dump_all(changed, Dumper=yaml.CSafeDumper)), *others])
            outcome = engine.run(platform)
            assert len(outcome.tallies) > 1


@pytest.mark.parametrize("check", CHECKS)
def test_no_field_of_any_kind_ends_a_check_when_it_has_another_shape(check: str) -> None:
    """Every field that the check's samples have, once: where the random ones above have not come by yet."""
    tried: set[tuple[str, str]] = set()
    for sample in sorted((SAMPLES / check).iterdir()):
        given = texts(sample)
        roots = {each.path: measured.documents(each) for each in given if measured.is_yaml(each)}
        for path, found in roots.items():
            for number, root in enumerate(found):
                for spot in measured.spots(root):
                    field = (measured.kind_of(root, path), measured.shown(spot))
                    if field in tried:
                        continue
                    tried.add(field)
                    for value in SHAPES:
                        changed = [*found]
                        changed[number] = replaced(root, spot, value)
                        list(CHECKS[check].run(measured.again(given, roots, {path: changed})))


def _spots(documents: list[Any]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    for number, document in enumerate(documents):
        yield from ((number, path) for path in nodes(document))


IN_TERRAFORM = [path for path in every() if any(each.path.endswith(".tf") for each in texts(path))]
# What may stand in place of a value.
ODD_TERRAFORM = (
    "null", "[]", "{}", '"x"', '""', "-1", "0", "true", "aws_x.y.z", '"9999999999999999999999"', "[null]", "{ a = 1 }",
)  # fmt: skip
A_LINE = 3  # of them for a line: one after the other, so that those of the next line are others


@pytest.mark.parametrize("sample", IN_TERRAFORM, ids=name)
def test_an_odd_value_in_terraform_ends_no_scan(sample: Path) -> None:
    scanned_with_odd_values(sample, A_LINE)


@pytest.mark.drill
@pytest.mark.parametrize("sample", IN_TERRAFORM, ids=name)
def test_no_odd_value_on_any_line_of_terraform_ends_a_scan(sample: Path) -> None:
    scanned_with_odd_values(sample, len(ODD_TERRAFORM))


def scanned_with_odd_values(sample: Path, of_a_line: int) -> None:
    given = texts(sample)
    values = itertools.cycle(ODD_TERRAFORM)
    for _ in range(zlib.crc32(name(sample).encode()) % len(ODD_TERRAFORM)):  # not the same one first in every sample
        next(values)
    for file in given:
        others = [each for each in given if each.path != file.path]
        lines = file.text.splitlines()
        for number, line in enumerate(lines):
            before, equals, _ = line.partition(" = ")
            if not equals:
                continue
            for value in itertools.islice(values, of_a_line):
                text = "\n".join([*lines[:number], f"{before} = {value}", *lines[number + 1 :]])
                platform = reader.read([File(file.path, text), *others])
                assert len(engine.run(platform).tallies) > 1
