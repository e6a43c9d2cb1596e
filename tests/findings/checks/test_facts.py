"""Facts: every one that a check asks for or reads is in the schema and in the documents."""

import json
import math
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from findings.platform import facts as facts_of_people
from findings.platform import yaml_reader

ROOT = Path(__file__).resolve().parents[3]
SCHEMA: dict[str, Any] = json.loads((ROOT / "findings/platform/data/platform-risk.schema.json").read_text())
DOCUMENT = (ROOT / "docs" / "scan.md").read_text()
READ = re.compile(r"""facts\.(?:get|number)\(\s*f?"([a-z][\w.{}\[\]]*)\"""")
ASKED = re.compile(r"""f?"facts: ([a-z][\w.{}\[\]-]*)""")


def leaves(node: dict[str, Any], path: str = "") -> Iterator[str]:
    if isinstance(node.get("additionalProperties"), dict):
        yield from leaves(node["additionalProperties"], f"{path}.NAME")
    elif "properties" in node:
        for name, inner in node["properties"].items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    else:
        yield path


LEAVES = set(leaves(SCHEMA))


def stated(pattern: re.Pattern[str]) -> set[str]:
    """Paths in the code, names that are filled in as NAME; those that are filled in wholly are left out."""
    found = set()
    for folder in ("checks", "platform"):
        for path in (ROOT / "findings" / folder).glob("*.py"):
            for match in pattern.findall(path.read_text()):
                parts = re.sub(r"\{[^{}]*\}", "NAME", match).split(".")
                if parts[0] != "NAME" and parts[-1] != "NAME":
                    found.add(".".join(parts))
    return found


def is_known(path: str) -> bool:
    glob = path.replace("NAME", "*")
    return any(fnmatchcase(each, glob) or fnmatchcase(each, f"{glob}.*") for each in LEAVES)


def test_every_fact_that_code_reads_is_in_the_schema() -> None:
    read = stated(READ)
    assert len(read) > 20
    assert {path for path in read if not is_known(path)} == set()


def test_every_fact_that_an_unknown_asks_for_is_in_the_schema() -> None:
    asked = stated(ASKED)
    assert len(asked) > 10
    assert {path for path in asked if not is_known(path)} == set()


def test_every_fact_of_the_schema_is_in_the_documents() -> None:
    listed = set(re.findall(r"^\| `([\w.]+)` \| ", DOCUMENT, re.MULTILINE))
    assert LEAVES - listed == {"suppress"}


def test_the_documents_examples_are_valid_facts() -> None:
    blocks = re.findall(r"(?:^    .*\n)+", DOCUMENT, re.MULTILINE)
    checked = 0
    for block in blocks:
        text = "\n".join(line[4:] for line in block.splitlines())
        (document, *_) = yaml_reader.read(text)
        root = getattr(document, "root", None)
        if isinstance(root, dict) and set(root) <= set(SCHEMA["properties"]):
            jsonschema.Draft202012Validator(SCHEMA).validate(root)
            checked += 1
    assert checked == 2


@pytest.mark.parametrize("facts", [{"slo": {"taget": 99}}, {"services": {"api": {"max_pods": "many"}}}, {"zones": -1}])
def test_a_fact_that_nothing_reads_is_no_valid_one(facts: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(facts)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_what_is_no_finite_number_is_no_fact(value: float) -> None:
    assert facts_of_people.problem("slo.window_days", value) == "slo.window_days is a finite number."


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("kafka.topics.NAME.partitions", 12, "says NAME where the name of what it is about belongs"),
        ("services..threads", 8, "No check reads a fact services..threads"),
        ("slo.target", 100, "slo.target is below 100"),
        ("slo.target", 0, "slo.target is above 0"),
        ("slo.window_days", 0, "slo.window_days is above 0"),
        ("kafka.messages_per_second", 10**24, "is at most 1,000,000,000,000,000"),
        ("entities.currency", "euro", "entities.currency is a currency of ISO 4217 by its three capitals, as USD"),
        ("logs.currency", "USD\n", "logs.currency is a currency of ISO 4217"),
    ],
)
def test_a_fact_of_nothing_or_beyond_sense_is_refused(name: str, value: Any, said: str) -> None:
    assert said in facts_of_people.problem(name, value)
