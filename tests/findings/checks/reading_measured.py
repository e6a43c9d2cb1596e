"""Which check reads which field: each field of each sample is taken out, and a check whose answer changes reads it.

`python -m tests.findings.checks.reading_measured` writes findings/checks/data/reads.tsv and docs/coverage.md anew.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from findings.checks import reads
from findings.checks.base import Check, Fail, Pass
from findings.checks.reads import CALL, SETTING, Read
from findings.checks.registry import CHECKS
from findings.platform import files, kubernetes, reader, terraform, yaml_reader
from findings.platform.files import File
from findings.platform.model import Block, Platform
from findings.platform.yaml_reader import Document, Map, Seq

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "tests" / "samples" / "checks"
DATA = ROOT / "findings" / "checks" / "data" / "reads.tsv"
PAGE = ROOT / "docs" / "coverage.md"
WHOLE = "(that it is there)"
TRIES = 3  # a field that changes nothing in so many samples of a check is not tried again
_YAML = (".yaml", ".yml", ".json")
# Below these, keys are names that somebody chose.
_ANY = ("labels", "matchLabels", "data", "stringData", "selector", "services", "environment")
_FILES = {
    "prometheus.yml": "prometheus.yml",
    "alertmanager.yml": "alertmanager.yml",
    "definition.yml": "entity definition",
}


@dataclass
class Known:
    found: set[Read] = field(default_factory=set)
    tried: dict[Read, int] = field(default_factory=dict)

    def wants(self, read: Read) -> bool:
        if read in self.found or self.tried.get(read, 0) >= TRIES:
            return False
        self.tried[read] = self.tried.get(read, 0) + 1
        return True


def answer(platform: Platform, check: Check) -> list[tuple[Any, ...]]:
    """What a check says, without lines."""
    told: list[tuple[Any, ...]] = []
    for verdict in check.run(platform):
        if isinstance(verdict, Fail):
            # What it says of the cause differs, too, where a file is read only to tell it.
            figures = tuple((each.name, repr(each.value)) for each in verdict.quantities)
            told.append(("fail", verdict.subject, verdict.title, verdict.why, str(verdict.severity), figures))
        elif isinstance(verdict, Pass):
            told.append(("pass", verdict.subject))
        else:
            told.append(("unknown", verdict.subject, verdict.reason))
    return sorted(told)


def measure(known: Known, checks: Iterable[str] = CHECKS) -> None:
    for check in checks:
        for sample in sorted((SAMPLES / check).iterdir()):
            given = [each for each in files.walk([sample]) if isinstance(each, File) and each.path != "expect"]
            of_documents(known, CHECKS[check], given)
            of_the_rest(known, CHECKS[check], given)


# -- YAML and JSON: a document without one of its keys


def of_documents(known: Known, check: Check, given: list[File]) -> None:
    roots = {each.path: documents(each) for each in given if is_yaml(each)}
    base: list[tuple[Any, ...]] | None = None
    for path, found in roots.items():
        for number, root in enumerate(found):
            for spot in ((), *spots(root)):
                wanted = Read(kind_of(root, path), shown(spot) or WHOLE, check.meta.id)
                if not known.wants(wanted):
                    continue
                base = base if base is not None else answer(again(given, roots, {}), check)
                changed = [*found]
                changed[number] = without(root, spot) if spot else {"nothing": None}
                if answer(again(given, roots, {path: changed}), check) != base:
                    known.found.add(wanted)


def is_yaml(file: File) -> bool:
    return file.path.endswith(_YAML) and file.path.rpartition("/")[2] not in reader.FACTS_NAMES


def documents(file: File) -> list[Any]:
    found = [each.root for each in yaml_reader.read(file.text) if isinstance(each, Document)]
    if any(terraform.is_plan(root) for root in found) or file.path.endswith(".tf.json"):
        return []
    return [item for root in found for item in (root["items"] if is_list(root) else [root])]


def is_list(root: Any) -> bool:
    return isinstance(root, Map) and str(root.get("kind", "")).endswith("List") and isinstance(root.get("items"), Seq)


def again(given: list[File], roots: Mapping[str, list[Any]], changed: Mapping[str, list[Any]]) -> Platform:
    """The platform with some documents put differently; JSON is YAML."""
    texts = []
    for file in given:
        found = changed.get(file.path, roots.get(file.path))
        text = file.text if not found else "\n---\n".join(json.dumps(root) for root in found) + "\n"
        texts.append(File(file.path, text))
    return reader.read(texts)


def kind_of(root: Any, path: str) -> str:
    objects = list(kubernetes.resources(root, path))
    if objects:
        return objects[0].kind
    name = path.rpartition("/")[2]
    if name in _FILES:
        return _FILES[name]
    if isinstance(root, Map) and isinstance(root.get("groups"), Seq):
        return "Grafana rules" if root.get("apiVersion") == 1 else "Prometheus rules"
    if isinstance(root, Map) and isinstance(root.get("services"), Map):
        return "docker-compose"
    return "settings file"


def spots(node: Any, path: tuple[Any, ...] = (), depth: int = 0) -> Iterator[tuple[Any, ...]]:
    if isinstance(node, Map):
        for key, value in node.items():
            if depth or key not in ("apiVersion", "kind"):
                yield (*path, key)
            yield from spots(value, (*path, key), depth + 1)
    elif isinstance(node, Seq):
        for number, value in enumerate(node):
            yield from spots(value, (*path, number), depth + 1)


def shown(spot: tuple[Any, ...]) -> str:
    """spec.rules[].host; names that somebody chose are *."""
    text = ""
    for before, part in zip(("", *spot), spot, strict=False):
        if isinstance(part, int):
            text += "[]"
        elif before in _ANY:
            text += ".*"
        else:
            text += f".{part}" if text else str(part)
    return text


def without(node: Any, spot: tuple[Any, ...]) -> Any:
    first, *rest = spot
    if not rest:
        return {key: value for key, value in node.items() if key != first}
    if isinstance(node, dict):
        return {key: without(value, tuple(rest)) if key == first else value for key, value in node.items()}
    return [without(value, tuple(rest)) if number == first else value for number, value in enumerate(node)]


# -- Terraform, and what is no tree: taken out of the platform


def of_the_rest(known: Known, check: Check, given: list[File]) -> None:
    platform = reader.read(given)
    base: list[tuple[Any, ...]] | None = None
    for wanted, changed in (*of_blocks(platform, check), *of_settings(platform, check), *of_calls(platform, check)):
        if known.wants(wanted):
            base = base if base is not None else answer(platform, check)
            if answer(changed, check) != base:
                known.found.add(wanted)


def of_blocks(platform: Platform, check: Check) -> Iterator[tuple[Read, Platform]]:
    for number, block in enumerate(platform.blocks):
        if block.type not in ("resource", "module", ""):
            continue
        kind = block.kind if block.type == "resource" else block.type or "Terraform fragment"
        rest = (*platform.blocks[:number], *platform.blocks[number + 1 :])
        yield Read(kind, WHOLE, check.meta.id), replace(platform, blocks=rest)
        for name, changed in thinner(block):
            others = [*platform.blocks]
            others[number] = changed
            yield Read(kind, name, check.meta.id), replace(platform, blocks=tuple(others))


def thinner(block: Block) -> Iterator[tuple[str, Block]]:
    for name in block.attributes:
        rest = {key: value for key, value in block.attributes.items() if key != name}
        yield name, replace(block, attributes=rest)
    for number, inner in enumerate(block.blocks):
        for name, changed in thinner(inner):
            yield (
                f"{inner.type}.{name}",
                replace(block, blocks=(*block.blocks[:number], changed, *block.blocks[number + 1 :])),
            )


def of_settings(platform: Platform, check: Check) -> Iterator[tuple[Read, Platform]]:
    for setting in platform.settings:
        if not setting.value.place.path.endswith(_YAML):
            rest = tuple(each for each in platform.settings if each is not setting)
            yield Read(SETTING, setting.name, check.meta.id), replace(platform, settings=rest)


def of_calls(platform: Platform, check: Check) -> Iterator[tuple[Read, Platform]]:
    for number, call in enumerate(platform.calls):
        for name in call.arguments:
            rest = {key: value for key, value in call.arguments.items() if key != name}
            calls = [*platform.calls]
            calls[number] = replace(call, arguments=rest)
            wanted = Read(CALL, f"{call.name.rpartition('.')[2]}({name}=)", check.meta.id)
            yield wanted, replace(platform, calls=tuple(calls))


def measured() -> list[Read]:
    known = Known()
    measure(known)
    return sorted(known.found)


def main() -> None:
    rows = ["kind\tfield\tcheck", *("\t".join(each) for each in measured())]
    DATA.write_text("\n".join(rows) + "\n", encoding="utf-8")
    reads.reads.cache_clear()
    PAGE.write_text(reads.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
