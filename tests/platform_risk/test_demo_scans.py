"""Checkov's reports over the sample platform are in an order that does not change from run to run."""

import copy
import importlib.util
import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DEMO = Path(__file__).resolve().parents[2] / "demo"
REPORTS = sorted((DEMO / "scans").glob("*/*"))


def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo_scan", DEMO / "scan.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def shuffled(node: Any, dice: random.Random) -> Any:
    """Lists of checks, keys, rules and results, in another order, as Checkov might have written them."""
    report = copy.deepcopy(node)
    if isinstance(report, list):  # one report for each kind of file
        return [shuffled(each, dice) for each in report]
    for run in report.get("runs", ()):
        rules = run["tool"]["driver"]["rules"]
        dice.shuffle(rules)
        dice.shuffle(run["results"])
        for result in run["results"]:
            result["ruleIndex"] = next(number for number, rule in enumerate(rules) if rule["id"] == result["ruleId"])
    for found in report.get("results", {}).values():
        for check in found:
            dice.shuffle((check.get("check_result") or {}).get("evaluated_keys") or [])
        dice.shuffle(found)
    return report


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_report_is_written_the_same_whatever_order_it_came_in(path: Path) -> None:
    ordered = module().ordered
    text = path.read_text(encoding="utf-8")
    assert json.dumps(ordered(shuffled(json.loads(text), random.Random(7)))) == text


def test_there_are_two_reports_of_each_service_and_week() -> None:
    assert len(REPORTS) == 16
