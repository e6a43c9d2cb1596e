"""What a scan tells programs: JSON by the contract, SARIF that others and our own import take, JUnit, a table."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from findings.checks import engine, telling
from findings.checks.registry import CHECKS
from findings.platform import files, reader
from findings.platform.files import File
from findings.risk import lanes
from findings.scans import registry
from findings.scans.options import Options
from findings.scans.records import FindingRecord
from findings.vocabulary import Lane
from platform_risk.quantities.sourced import Place
from tests.findings.checks import reading

SAMPLES = Path(__file__).resolve().parents[2] / "samples"

TOKENS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    spec:
      containers:
        - name: api
          image: registry.example/api:1
          env:
            - {name: VAULT_TOKEN, valueFrom: {secretKeyRef: {name: vault, key: token}}}
            # platform-risk: ignore secret-in-env: it ends after an hour
            - {name: GITHUB_TOKEN, valueFrom: {secretKeyRef: {name: github, key: token}}}
"""
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: "open <&> ü", namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}
"""


def told(known: frozenset[str] = frozenset()) -> telling.Telling:
    platform = reading.platform(api_yaml=TOKENS, policy_yaml=POLICY, broken_yaml="a: [", notes_txt="hello")
    checks = [CHECKS["secret-in-env"], CHECKS["network-egress"]]
    return telling.told("9.9", platform, engine.run(platform, checks), lanes.decide, known=dict.fromkeys(known, ""))


def test_json_has_the_fields_of_the_contract() -> None:
    shown = json.loads(telling.FORMATS["json"](told()))
    assert shown["tool"] == {"name": "platform-risk", "version": "9.9"}
    assert shown["files"]["read"] == 2
    assert {each["path"] for each in shown["files"]["skipped"]} == {"broken.yaml", "notes.txt"}
    assert all(each["reason"] for each in shown["files"]["skipped"])
    check = shown["checks"][0]
    assert {"id", "seed", "title", "failed", "passed", "unknown"} <= set(check)
    assert set(check["unknown"][0]) == {"subject", "reason", "provide", "path", "line"}
    fields = {"fingerprint", "check", "seed", "title", "severity", "category", "outcome", "lane", "lane_reason",
              "subject", "locations", "quantities", "why", "remedy", "remedies", "references"}  # fmt: skip
    for finding in shown["findings"]:
        assert fields <= set(finding)
        assert set(finding["locations"][0]) == {"path", "line"}
        for quantity in finding["quantities"]:
            assert {"name", "value", "unit", "formula", "inputs"} <= set(quantity)
            assert all({"name", "value", "unit", "source"} <= set(each) for each in quantity["inputs"])


def test_the_worst_lane_comes_first() -> None:
    order = [list(Lane).index(each.lane) for each in told().findings]
    assert order == sorted(order)
    assert len(set(order)) > 1


def test_failures_come_by_severity_then_by_check_and_subject() -> None:
    twice = "---".join(TOKENS.replace("name: api,", f"name: {name},").replace("vault,", f"{name},") for name in "ba")
    platform = reading.platform(a_yaml=twice, policy_yaml=POLICY, main_tf='resource "aws_ecr_repository" "a" {}\n')
    checks = [CHECKS[name] for name in ("secret-in-env", "image-trust", "network-egress")]
    told_of = [
        (str(each.severity), each.check.meta.id, each.fail.subject) for each in engine.run(platform, checks).found
    ]
    assert told_of == [
        ("critical", "secret-in-env", "Secret/shop/a"), ("critical", "secret-in-env", "Secret/shop/b"),
        ("high", "network-egress", "NetworkPolicy/shop/open <&> ü"), ("medium", "secret-in-env", "Secret/shop/github"),
        ("low", "image-trust", "aws_ecr_repository.a"),
    ]  # fmt: skip


def test_a_comment_beside_the_place_suppresses_one_check_there_and_nothing_else() -> None:
    shown = telling.as_json(told())
    suppressed = {each["subject"]: each.get("suppressed") for each in shown["findings"]}
    assert suppressed["Secret/shop/github"] == {"reason": "it ends after an hour", "expires_on": None}
    assert suppressed["Secret/shop/vault"] is None


def test_what_the_baseline_holds_or_somebody_suppressed_does_not_count() -> None:
    everything = frozenset(each.found.fingerprint for each in told().findings)
    assert told().reaches(Lane.IMMEDIATE)
    assert not told(everything).reaches(Lane.OPTIMIZATION)
    but_one = everything - {next(each.found.fingerprint for each in told().findings if each.lane == Lane.IMMEDIATE)}
    assert told(but_one).reaches(Lane.OPTIMIZATION)


def test_a_lane_is_reached_by_what_is_worse_and_not_by_what_is_milder() -> None:
    mild = [each for each in told().findings if each.lane != Lane.IMMEDIATE]
    worst = [each for each in told().findings if each.lane == Lane.IMMEDIATE]
    only = telling.Telling("1", told().platform, (), tuple(mild))
    assert not only.reaches(Lane.IMMEDIATE)
    assert telling.Telling("1", told().platform, (), tuple(worst)).reaches(Lane.OPTIMIZATION)


# The schema of the standard itself: docs.oasis-open.org/sarif/sarif/v2.1.0, errata 01.
SARIF = jsonschema.Draft4Validator(
    json.loads((SAMPLES / "standards" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8")),
    format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER,
)


def sarif() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(telling.FORMATS["sarif"](told()))
    return parsed


def test_sarif_is_valid_by_the_standards_own_schema() -> None:
    SARIF.validate(sarif())


def test_the_schema_refuses_what_is_no_sarif() -> None:
    broken = sarif()
    broken["runs"][0]["results"][0]["level"] = "dreadful"
    assert not SARIF.is_valid(broken)


def test_what_is_said_of_all_failing_samples_together_is_valid_sarif() -> None:
    samples = sorted(path for path in (SAMPLES / "checks").glob("*/fail*") if path.is_file())
    given = [File(f"{number}/{each.path}", each.text) for number, path in enumerate(samples)
             for each in files.walk([path]) if isinstance(each, File)]  # fmt: skip
    platform = reader.read(given)
    outcome = engine.run(platform)
    assert len({each.check.meta.id for each in outcome.found}) > 20
    SARIF.validate(json.loads(telling.FORMATS["sarif"](telling.told("1", platform, outcome, lanes.decide))))


def test_sarif_names_a_related_place_once_though_two_objects_stand_there() -> None:
    places = (Place("a.yaml", 1, "x"), Place("b.yaml", 2, "y"), Place("b.yaml", 2, "z"))
    base = told()
    first = base.findings[0]
    found = replace(first.found, fail=replace(first.found.fail, places=places))
    shown = telling.as_sarif(replace(base, findings=(replace(first, found=found),)))
    SARIF.validate(shown)
    assert len(shown["runs"][0]["results"][0]["relatedLocations"]) == 1


def test_sarifs_results_point_to_their_rules() -> None:
    run = sarif()["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["results"]
    assert all(rules[each["ruleIndex"]] == each["ruleId"] for each in run["results"])


def test_sarif_tells_what_is_unknown_and_what_was_skipped_as_notifications() -> None:
    notes = sarif()["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    texts = [note["message"]["text"] for note in notes]
    assert any("cannot be told" in text and "facts: " in text for text in texts)
    assert any("Not read" in text for text in texts)


def test_sarif_comes_through_our_own_import_as_it_was() -> None:
    scan = told()
    report = registry.FORMATS["sarif"].open(telling.FORMATS["sarif"](scan).encode(), Options())
    records = list(report.records())
    assert report.info.scanner == "platform-risk"
    assert report.info.complete
    got = {}
    for record in records:
        assert isinstance(record, FindingRecord)
        got[(record.rule, record.resource)] = (
            record.severity, record.category, record.path, record.line, record.suppression is not None,
        )  # fmt: skip
    wanted = {}
    for each in scan.findings:
        meta, fail = each.found.check.meta, each.found.fail
        wanted[(meta.id, fail.subject)] = (
            each.found.severity, meta.category, fail.places[0].path, fail.places[0].line,
            each.found.suppressed is not None,
        )  # fmt: skip
    assert got == wanted


def test_sarifs_fingerprints_stay_while_lines_move() -> None:
    def prints(text: str) -> set[str]:
        platform = reading.platform(api_yaml=text)
        scan = telling.told("1", platform, engine.run(platform, [CHECKS["secret-in-env"]]), lanes.decide)
        results = telling.as_sarif(scan)["runs"][0]["results"]
        return {each["fingerprints"][telling.FINGERPRINT] for each in results}

    assert prints(TOKENS) == prints("# a comment\n\n" + TOKENS)


# JUnit and the table


def test_junits_counts_are_those_of_its_cases() -> None:
    root = ElementTree.fromstring(telling.FORMATS["junit"](told()))
    cases = root.findall("./testsuite/testcase")
    assert int(root.get("tests", "")) == len(cases)
    assert int(root.get("failures", "")) == len(root.findall("./testsuite/testcase/failure")) == 2
    assert int(root.get("skipped", "")) == len(root.findall("./testsuite/testcase/skipped"))
    assert "open <&> ü" in "".join(case.get("name", "") for case in cases)


def test_junit_holds_no_letter_that_xml_forbids() -> None:
    text = POLICY.replace("open <&> ü", r"a\u0001b")
    platform = reading.platform(policy_yaml=text)
    scan = telling.told("1", platform, engine.run(platform), lanes.decide)
    root = ElementTree.fromstring(telling.FORMATS["junit"](scan))
    assert "a\ufffdb" in ElementTree.tostring(root, encoding="unicode")


@pytest.mark.parametrize("width", [None, 80])
def test_the_table_tells_lane_place_and_what_cannot_be_told(width: int | None) -> None:
    table = telling.as_table(told(), width)
    assert "immediate     secret-in-env: VAULT_TOKEN is in the environment of 1 workload" in table
    assert "api.yaml:12" in table
    assert "(suppressed)" in table
    assert "Cannot be told:" in table
    assert "Files: 2 read, 2 skipped" in table
    if width:
        assert max(len(line) for line in table.splitlines()) <= width


def test_the_table_sends_no_commands_to_a_terminal() -> None:
    platform = reading.platform(policy_yaml=POLICY.replace("open <&> ü", r"a\u001b[31mb"))
    table = telling.as_table(telling.told("1", platform, engine.run(platform), lanes.decide))
    assert "\x1b" not in table
    assert "[31mb" in table
