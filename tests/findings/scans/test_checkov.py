"""Checkov's JSON, and that the same scan as SARIF gives the same findings."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from findings.scans import checkov_resources
from findings.scans.records import FindingRecord, Reject, ScanError, Suppression
from findings.vocabulary import Category, Severity, SeveritySource
from tests.findings.scans.parsing import DEMO, SAMPLES, check, checkov, findings, log, read, sample

_PAIRS = [(path, path.with_suffix(".json")) for path in sorted(DEMO.rglob("*.sarif"))]
_PAIRS += [(SAMPLES / "sarif" / "checkov.sarif", SAMPLES / "checkov" / "object.json")]


def _told(found: Iterable[FindingRecord]) -> list[tuple[Any, ...]]:
    """All that both reports tell: the JSON of `--compact` quotes no code, the SARIF of a Dockerfile has no resource."""
    return sorted(
        (
            one.fingerprint, one.title, one.severity, one.severity_source, one.category, one.rule, one.scanner,
            one.message, one.rule_name, one.help_uri, one.path, one.line or 0, one.end_line or 0, one.namespace,
            one.identifiers, one.suppression is None,
        )
        for one in found
    )  # fmt: skip


@pytest.mark.parametrize(("as_sarif", "as_json"), _PAIRS, ids=[f"{one.parent.name}-{one.stem}" for one, _ in _PAIRS])
def test_the_same_scan_as_sarif_and_as_json_gives_the_same_findings(as_sarif: Path, as_json: Path) -> None:
    ours, theirs = findings("sarif", as_sarif.read_bytes()), findings("checkov", as_json.read_bytes())
    assert len(ours) >= 4
    assert _told(ours) == _told(theirs)
    by_fingerprint = {one.fingerprint: one.resource for one in theirs}
    for one in ours:
        assert one.resource in ("", by_fingerprint[one.fingerprint])
    assert read("sarif", as_sarif.read_bytes())[0] == read("checkov", as_json.read_bytes())[0]


def test_every_scan_of_the_demo_has_its_pair() -> None:
    assert len(_PAIRS) > 8
    assert all(as_json.exists() for _, as_json in _PAIRS)


def test_a_list_holds_one_object_per_framework() -> None:
    found = findings("checkov", sample("checkov/list.json"))
    assert [(one.pointer, one.rule) for one in found] == [
        ("/0/results/failed_checks/0", "CKV_K8S_9"),
        ("/0/results/failed_checks/1", "CKV_K8S_14"),
        ("/1/results/failed_checks/0", "CKV_DOCKER_1"),
        ("/1/results/failed_checks/1", "CKV_DOCKER_7"),
    ]


def test_an_object_is_the_same_as_a_list_of_it() -> None:
    one = checkov(check(), check("CKV_K8S_9"))
    assert _told(findings("checkov", one)) == _told(findings("checkov", b"[" + one + b"]"))


def test_a_run_that_found_nothing_to_check_is_an_empty_complete_report() -> None:
    info, records = read("checkov", sample("checkov/nothing.json"))
    assert (info.scanner, info.scanner_version, info.complete) == ("checkov", "3.3.30", True)
    assert records == []


def test_files_that_checkov_could_not_parse_make_the_report_incomplete() -> None:
    info, _ = read("checkov", checkov(check(), summary={"parsing_errors": 2, "checkov_version": "3"}))
    assert not info.complete
    assert "2 of the files" in info.incomplete_because


def test_a_check_without_a_severity_is_rated_by_the_table() -> None:
    (one,) = findings("checkov", checkov(check("CKV_K8S_16", severity=None)))
    assert (one.severity, one.severity_source) == (Severity.CRITICAL, SeveritySource.RULE_TABLE)
    assert one.category == Category.SECURITY


def test_a_severity_that_the_platform_gave_wins() -> None:
    (one,) = findings("checkov", checkov(check("CKV_K8S_16", severity="LOW")))
    assert (one.severity, one.severity_source) == (Severity.LOW, SeveritySource.REPORT)


def test_a_rule_that_nobody_rated_is_medium_and_says_so_in_both_reports() -> None:
    (as_json,) = findings("checkov", checkov(check("CKV_OWN_1")))
    results = {"ruleId": "CKV_OWN_1", "level": "error", "message": {"text": "The name of CKV_OWN_1"}}
    (as_sarif,) = findings("sarif", log(results, tool={"driver": {"name": "Checkov"}}))
    for one in (as_json, as_sarif):
        assert (one.severity, one.severity_source) == (Severity.MEDIUM, SeveritySource.UNRATED)


def test_a_skipped_check_arrives_as_suppressed_with_its_words() -> None:
    skipped = check(check_result={"result": "SKIPPED", "suppress_comment": "behind the gateway"})
    (one,) = findings("checkov", checkov(skipped=[skipped]))
    assert one.suppression == Suppression("behind the gateway", "inSource")
    assert one.pointer == "/results/skipped_checks/0"


def test_a_vulnerable_package_is_told_with_version_and_identifier() -> None:
    details = {"id": "CVE-2022-1", "package_name": "django", "package_version": "1.2", "description": "Bad SQL"}
    (one,) = findings("checkov", checkov(check("CKV_CVE_1", vulnerability_details=details | {"id": "CVE-2022-1234"})))
    assert (one.package, one.package_version, one.identifiers, one.message) == (
        "django", "1.2", ("CVE-2022-1234",), "Bad SQL",
    )  # fmt: skip


def test_the_code_block_is_the_excerpt_with_its_first_line() -> None:
    (one,) = findings("checkov", checkov(check(code_block=[[7, "a: 1\n"], [8, "b: 2\n"]])))
    assert (one.excerpt, one.excerpt_line) == ("a: 1\nb: 2\n", 7)


@pytest.mark.parametrize("value", [None, [], [0, 0], [3], [-1, 2]])
def test_a_line_range_that_says_nothing_is_no_line(value: Any) -> None:
    (one,) = findings("checkov", checkov(check(file_line_range=value)))
    assert one.line == (3 if value == [3] else None)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (check(check_id=None), "no check_id"),
        (check(file_line_range="1-2"), "at /file_line_range"),
        (7, "Expected `object`"),
        (check(severity=7), "at /severity"),
    ],
)
def test_a_check_that_cannot_be_used_is_rejected_and_the_rest_goes_on(broken: Any, reason: str) -> None:
    records = read("checkov", checkov(check(), broken, check("CKV_K8S_9")))[1]
    assert [type(record) for record in records] == [FindingRecord, Reject, FindingRecord]
    reject = records[1]
    assert isinstance(reject, Reject)
    assert reject.pointer == "/results/failed_checks/1"
    assert reason in reject.reason


@pytest.mark.parametrize(
    ("document", "pointer"),
    [({"a": 1}, ""), ([{"results": {}}, {"a": 1}], "/1"), ({"results": []}, "/results"), ("text", "/")],
)
def test_json_of_another_shape_is_refused_with_pointer_and_remedy(document: Any, pointer: str) -> None:
    with pytest.raises(ScanError) as caught:
        read("checkov", json.dumps(document).encode())
    assert (caught.value.code, caught.value.location["pointer"]) == ("wrong_shape", pointer)
    assert caught.value.remedy


# Resources: one spelling from the JSON's name and from the SARIF's code

_DOCUMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    name: not-this
  name: api  # the one
  namespace: shop
spec:
  template:
    metadata:
      name: nor-this
"""


@pytest.mark.parametrize(
    ("code", "rule", "resource"),
    [
        (_DOCUMENT, "CKV_K8S_9", "Deployment.shop.api"),
        (_DOCUMENT, "CKV2_K8S_6", "Pod.shop.api"),
        ('metadata: \n  name: "a"\nkind: Service\n', "", "Service.default.a"),
        ("kind: List\n", "", ""),
        ('resource "aws_s3_bucket" "logs" {\n}\n', "", "aws_s3_bucket.logs"),
        ('data "aws_iam_policy_document" "all" {', "", "aws_iam_policy_document.all"),
        ('module "vpc" {', "", "vpc"),
        ('provider "aws" {\n  alias = "eu"\n}', "", "aws.eu"),
        ('provider "aws" {\n}', "", "aws.default"),
        ("FROM alpine\n", "", ""),
        ("", "", ""),
    ],
)
def test_code_tells_which_resource_it_declares(code: str, rule: str, resource: str) -> None:
    assert checkov_resources.in_code(code, rule) == resource


@pytest.mark.parametrize(
    ("name", "rule", "framework", "path", "resource"),
    [
        ("Deployment.shop.api", "", "kubernetes", "a.yaml", "Deployment.shop.api"),
        ("Pod.shop.api.app-api", "CKV2_K8S_6", "kubernetes", "a.yml", "Pod.shop.api"),
        ("Deployment.shop.api", "", "kubernetes", "a.json", ""),
        ("module.a.module.b.aws_s3_bucket.logs[0]", "", "terraform", "a.tf", "aws_s3_bucket.logs"),
        ("/Dockerfile.FROM", "", "dockerfile", "Dockerfile", ""),
    ],
)
def test_a_name_is_brought_to_the_same_spelling(name: str, rule: str, framework: str, path: str, resource: str) -> None:
    assert checkov_resources.as_named(name, rule, framework, path) == resource


def test_the_namespace_is_that_of_a_kubernetes_resource() -> None:
    assert checkov_resources.namespace_of("Deployment.shop.api") == "shop"
    assert checkov_resources.namespace_of("aws_s3_bucket.logs") == ""
