"""SARIF 2.1.0: what a log says, and that it is read as the standard means it."""

import json
from typing import Any

import pytest

from findings.scans import registry
from findings.scans.options import Options
from findings.scans.records import Absent, FindingRecord, Reject, Related, ScanError, Suppression
from findings.vocabulary import Category, Severity, SeveritySource
from tests.findings.scans.parsing import findings, log, read, result, sample


def _one(data: bytes) -> FindingRecord:
    (found,) = findings("sarif", data)
    return found


# The log


def test_a_sample_that_uses_everything_is_read_whole() -> None:
    info, records = read("sarif", sample("sarif/everything.sarif"))
    assert (info.scanner, info.scanner_version, info.branch) == ("sample", "2.4.0", "main")
    assert info.observed_at == "2026-11-20T02:10:00+00:00"
    assert info.complete
    assert [type(record).__name__ for record in records] == [*["FindingRecord"] * 4, "Absent", "FindingRecord"]
    rows = [
        (record.rule, record.severity, record.path, record.line, record.scanner)
        for record in records
        if isinstance(record, FindingRecord)
    ]
    assert rows == [
        ("S100", Severity.HIGH, "src/web/views.py", 40, "sample"),
        ("S200", Severity.HIGH, "tools/export.py", 3, "sample"),
        ("Y1", Severity.HIGH, "a.py", None, "sample"),
        ("X1", Severity.INFO, "b.py", None, "sample"),
        ("", Severity.MEDIUM, "", None, "second"),
    ]


@pytest.mark.parametrize("name", ["bandit", "ruff"])
def test_logs_that_other_tools_wrote_are_read_whole(name: str) -> None:
    info, records = read("sarif", sample(f"sarif/{name}.sarif"))
    assert info.scanner == name
    assert len(records) == 4
    for record in records:
        assert isinstance(record, FindingRecord)
        assert record.title
        assert record.path.endswith("app/export.py")
        assert record.line
        assert record.severity_source == SeveritySource.REPORT
    assert len({record.fingerprint for record in records if isinstance(record, FindingRecord)}) == 4


def test_several_runs_are_one_report_and_each_keeps_its_tool_and_rules() -> None:
    runs = [
        {
            "tool": {"driver": {"name": name, "rules": [{"id": "R1", "shortDescription": {"text": f"By {name}"}}]}},
            "results": [result()],
        }
        for name in ("First", "Second")
    ]
    found = findings("sarif", json.dumps({"version": "2.1.0", "runs": runs}).encode())
    assert [(one.scanner, one.title, one.pointer) for one in found] == [
        ("first", "By First", "/runs/0/results/0"),
        ("second", "By Second", "/runs/1/results/0"),
    ]
    assert found[0].fingerprint != found[1].fingerprint


@pytest.mark.parametrize(
    ("document", "code", "pointer"),
    [
        ({"version": "2.1.0"}, "wrong_shape", "/runs"),
        ({"version": "2.1.0", "runs": None}, "wrong_shape", "/runs"),
        ({"version": "1.0.0", "runs": []}, "unsupported_version", "/version"),
        ({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": 7}}}]}, "wrong_shape", "/runs/0/tool/driver/name"),
        ([], "wrong_shape", "/"),
    ],
)
def test_a_log_of_another_shape_is_refused_with_pointer_and_remedy(document: Any, code: str, pointer: str) -> None:
    with pytest.raises(ScanError) as caught:
        read("sarif", json.dumps(document).encode())
    assert (caught.value.code, caught.value.location["pointer"]) == (code, pointer)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ({"invocations": [{"executionSuccessful": False}]}, "failed"),
        (
            {"invocations": [{"executionSuccessful": False, "exitCodeDescription": "out of memory"}]},
            "failed: out of memory",
        ),
        ({"results": None}, "no list of results"),
        ({"externalPropertyFileReferences": {"results": [{}]}}, "in other files"),
    ],
)
def test_a_run_that_did_not_look_at_everything_is_incomplete_and_says_why(run: dict[str, Any], why: str) -> None:
    info, _ = read("sarif", log(**run))
    assert not info.complete
    assert why in info.incomplete_because


def test_a_run_with_an_empty_list_of_results_is_complete() -> None:
    info, records = read("sarif", sample("sarif/empty.sarif"))
    assert info.complete
    assert records == []
    assert not read("sarif", b'{"version": "2.1.0", "runs": []}')[0].complete


@pytest.mark.parametrize(
    ("stated", "category"),
    [
        ("nightly/backend/2026-11-20", "nightly/backend"),
        ("nightly/", "nightly"),
        ("just-an-id", ""),
        (None, ""),
    ],
)
def test_automation_details_tell_two_runs_of_one_tool_apart(stated: str | None, category: str) -> None:
    assert read("sarif", log(automationDetails={"id": stated}))[0].category == category


def test_what_runs_do_not_agree_on_is_not_said_of_the_report() -> None:
    runs = [
        {
            "tool": {"driver": {"name": "Probe"}},
            "results": [],
            "automationDetails": {"id": f"{name}/1"},
            "versionControlProvenance": [{"branch": name}],
        }
        for name in ("one", "two")
    ]
    info, _ = read("sarif", json.dumps({"version": "2.1.0", "runs": runs}).encode())
    assert (info.category, info.branch) == ("", "")


def test_the_latest_end_of_an_invocation_is_when_it_was_observed() -> None:
    times = ["2026-11-20T02:10:00+02:00", "2026-11-20T01:00:00Z", "yesterday", None, "2026-11-20"]
    info, _ = read("sarif", log(invocations=[{"endTimeUtc": time} for time in times]))
    assert info.observed_at == "2026-11-20T01:00:00+00:00"


# Rules

_RULES = [
    {"id": "R0", "shortDescription": {"text": "Zero"}},
    {"id": "R1", "shortDescription": {"text": "One"}},
    {"id": "CA1000", "shortDescription": {"text": "A family of rules"}},
]
_PACKS = [{"name": "p", "rules": [{"id": "P0", "shortDescription": {"text": "Pack zero"}}]}]
_TOOL = {"driver": {"name": "Probe", "rules": _RULES}, "extensions": _PACKS}


@pytest.mark.parametrize(
    ("stated", "rule", "title"),
    [
        ({"ruleId": "R1"}, "R1", "One"),
        ({"ruleIndex": 1}, "R1", "One"),
        ({"ruleId": "R1", "ruleIndex": 1}, "R1", "One"),
        ({"ruleId": "R1", "ruleIndex": 0}, "R1", "One"),  # the index is a slip: the id is what it means
        ({"ruleId": "R1", "ruleIndex": 99}, "R1", "One"),
        ({"ruleId": "R1", "ruleIndex": -1}, "R1", "One"),
        ({"ruleId": "CA1000/1", "ruleIndex": 2}, "CA1000/1", "A family of rules"),
        ({"ruleId": "CA1000/1"}, "CA1000/1", "A family of rules"),
        ({"ruleId": "P0"}, "P0", "Pack zero"),
        ({"rule": {"index": 0, "toolComponent": {"index": 0}}}, "P0", "Pack zero"),
        ({"rule": {"index": 0, "toolComponent": {"name": "p"}}}, "P0", "Pack zero"),
        ({"rule": {"index": 1}}, "R1", "One"),
        ({"rule": {"id": "R1"}}, "R1", "One"),
        ({"ruleId": "R7"}, "R7", "Said here"),
        ({"ruleId": None, "ruleIndex": None}, "", "Said here"),
    ],
)
def test_a_rule_is_found_by_id_by_index_and_in_extensions(stated: dict[str, Any], rule: str, title: str) -> None:
    one = _one(log({"message": {"text": "Said here"}, **stated}, tool=_TOOL))
    assert (one.rule, one.title) == (rule, title)


def test_the_drivers_rule_wins_over_one_of_an_extension_with_its_id() -> None:
    packs = [{"name": "p", "rules": [{"id": "R1", "shortDescription": {"text": "Of the pack"}}]}]
    assert _one(log(result("R1"), tool={**_TOOL, "extensions": packs})).title == "One"


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        ({"shortDescription": {"text": "What is wrong"}}, "What is wrong"),
        ({"shortDescription": {"text": "R1: repeats the id"}}, "The message's first line"),
        ({"name": "SameName", "shortDescription": {"text": "SameName"}}, "The message's first line"),
        ({"shortDescription": {"markdown": "*Only* markdown"}}, "*Only* markdown"),
        ({}, "The message's first line"),
    ],
)
def test_the_title_is_what_a_person_would_say(rule: dict[str, Any], title: str) -> None:
    message = {"text": "The message's first line\nand its second"}
    assert _one(log(result(message=message), rules=[{"id": "R1", **rule}])).title == title


def test_a_message_that_only_repeats_the_title_is_left_out() -> None:
    one = _one(log(result(message={"text": "Said once"}), rules=[{"id": "R1"}]))
    assert (one.title, one.message) == ("Said once", "")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"id": "m", "arguments": ["x.py", "3"]}, "x.py is open 3 times {so}"),
        ({"id": "m"}, "{0} is open {1} times {{so}}"),
        ({"id": "m", "arguments": ["x.py"]}, "x.py is open {1} times {so}"),
        ({"id": "global", "arguments": []}, "For all rules"),
        ({"id": "unknown"}, ""),
        ({"text": "plain {0}"}, "plain {0}"),
        ({"markdown": "**bold**"}, "**bold**"),
    ],
)
def test_a_message_may_be_an_id_with_arguments(message: dict[str, Any], text: str) -> None:
    rules = [{"id": "R1", "messageStrings": {"m": {"text": "{0} is open {1} times {{so}}"}}}]
    driver = {"name": "Probe", "rules": rules, "globalMessageStrings": {"global": {"text": "For all rules"}}}
    one = _one(log(result(message=message), tool={"driver": driver}))
    assert one.title == (text or "R1")


# Severity


@pytest.mark.parametrize(
    ("default", "override", "own", "severity"),
    [
        (None, None, None, Severity.MEDIUM),  # warning is the standard's default
        ("note", None, None, Severity.LOW),
        ("error", None, None, Severity.HIGH),
        ("none", None, None, Severity.INFO),
        ("note", "error", None, Severity.HIGH),
        ("note", "error", "warning", Severity.MEDIUM),
        (None, None, "error", Severity.HIGH),
        (None, None, "fatal", Severity.MEDIUM),  # no level of the standard
    ],
)
def test_a_level_is_the_results_own_else_overridden_else_the_rules(
    default: str | None, override: str | None, own: str | None, severity: Severity
) -> None:
    rule = {"id": "R1", "defaultConfiguration": {"level": default}}
    overrides = [{"descriptor": {"id": "R1"}, "configuration": {"level": override}}] if override else []
    one = _one(log(result(level=own), rules=[rule], invocations=[{"ruleConfigurationOverrides": overrides}]))
    assert (one.severity, one.severity_source) == (severity, SeveritySource.REPORT)


def test_an_override_holds_for_the_invocation_that_the_result_comes_from() -> None:
    levels = ("error", "note")
    invocations = [
        {"ruleConfigurationOverrides": [{"descriptor": {"id": "R1"}, "configuration": {"level": level}}]}
        for level in levels
    ]
    results = [result(line=number + 1, provenance={"invocationIndex": number}) for number in range(2)]
    found = findings("sarif", log(*results, invocations=invocations))
    assert [one.severity for one in found] == [Severity.HIGH, Severity.LOW]


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        ("9.8", Severity.CRITICAL),
        (9, Severity.CRITICAL),
        (7.0, Severity.HIGH),
        ("6.9", Severity.MEDIUM),
        ("4.0", Severity.MEDIUM),
        ("0.1", Severity.LOW),
        ("0.0", Severity.INFO),
        ("11", Severity.LOW),  # no score: the level decides
        ("nan", Severity.LOW),
        ("high", Severity.LOW),
        (True, Severity.LOW),
        (None, Severity.LOW),
    ],
)
def test_security_severity_decides_in_the_bands_of_cvss(score: Any, severity: Severity) -> None:
    rule = {"id": "R1", "properties": {"security-severity": score}, "defaultConfiguration": {"level": "note"}}
    one = _one(log(result(), rules=[rule]))
    assert one.severity == severity


def test_a_results_own_score_wins_over_its_rules() -> None:
    rule = {"id": "R1", "properties": {"security-severity": "9.8"}}
    assert _one(log(result(properties={"security-severity": "3"}), rules=[rule])).severity == Severity.LOW


@pytest.mark.parametrize(
    ("kind", "severity"), [("fail", Severity.HIGH), ("review", Severity.INFO), ("open", Severity.INFO)]
)
def test_only_a_failure_has_a_level(kind: str, severity: Severity) -> None:
    assert _one(log(result(kind=kind, level="error"))).severity == severity


@pytest.mark.parametrize("kind", ["pass", "notApplicable", "informational"])
def test_what_is_no_failure_is_no_finding(kind: str) -> None:
    assert read("sarif", log(result(kind=kind)))[1] == [Absent("/runs/0/results/0")]


# What else a result says


@pytest.mark.parametrize(("state", "there"), [("new", True), ("unchanged", True), ("updated", True), ("absent", False)])
def test_a_result_that_the_baseline_calls_absent_is_gone(state: str, there: bool) -> None:
    (record,) = read("sarif", log(result(baselineState=state)))[1]
    assert isinstance(record, FindingRecord) == there
    assert isinstance(record, Absent) != there


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([], None),
        (None, None),
        ([{"kind": "inSource"}], Suppression("", "inSource")),
        ([{"kind": "external", "status": "accepted", "justification": "fixture"}], Suppression("fixture", "external")),
        ([{"kind": "inSource"}, {"kind": "external", "status": "underReview"}], None),
        ([{"kind": "external", "status": "rejected", "justification": "no"}], None),
        ([{"justification": "a"}, {"justification": "b"}, {"justification": "a"}], Suppression("a\nb", "")),
    ],
)
def test_a_suppression_counts_unless_it_is_under_review_or_rejected(
    stated: list[dict[str, Any]] | None, expected: Suppression | None
) -> None:
    assert _one(log(result(suppressions=stated))).suppression == expected


_BASES = {
    "ROOT": {"uri": "file:///home/ci/build/"},
    "SRC": {"uri": "src/", "uriBaseId": "ROOT"},
    "DEEP": {"uri": "pkg", "uriBaseId": "SRC"},
    "A": {"uri": "a/", "uriBaseId": "B"},
    "B": {"uri": "b/", "uriBaseId": "A"},
}


@pytest.mark.parametrize(
    ("artifact", "path"),
    [
        ({"uri": "main.py"}, "main.py"),
        ({"uri": "./x/../main.py"}, "main.py"),
        ({"uri": "main.py", "uriBaseId": "ROOT"}, "main.py"),
        ({"uri": "main.py", "uriBaseId": "SRC"}, "src/main.py"),
        ({"uri": "main.py", "uriBaseId": "DEEP"}, "src/pkg/main.py"),
        ({"uri": "main.py", "uriBaseId": "UNKNOWN"}, "main.py"),
        ({"uri": "main.py", "uriBaseId": "A"}, "b/a/main.py"),  # a circle ends
        ({"uri": "file:///home/ci/build/src/main.py"}, "src/main.py"),
        ({"uri": "file:///elsewhere/main.py", "uriBaseId": "SRC"}, "elsewhere/main.py"),
        ({"uri": "with%20blank.py"}, "with blank.py"),
        ({"uri": "a\\b.py"}, "a/b.py"),
        ({"index": 0}, "src/listed.py"),
        ({"index": 7}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_paths_are_relative_to_what_the_report_calls_its_root(artifact: Any, path: str) -> None:
    place = {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 3}}}
    artifacts = [{"location": {"uri": "listed.py", "uriBaseId": "SRC"}}]
    one = _one(log(result(locations=[place]), originalUriBaseIds=_BASES, artifacts=artifacts))
    assert one.path == path


def test_related_places_and_where_code_flows_begin_are_kept_and_no_more_than_fifty() -> None:
    def at(uri: str, line: int, text: str) -> dict[str, Any]:
        place = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
        return {"physicalLocation": place, "message": {"text": text}}

    flow = {"threadFlows": [{"locations": [{"location": at("in.py", 2, "comes in")}, {"location": at("x.py", 3, "")}]}]}
    one = _one(log(result(relatedLocations=[at("r.py", 1, "see")], codeFlows=[flow])))
    assert one.related == (Related("r.py", 1, "see"), Related("in.py", 2, "comes in"))
    many = _one(log(result(relatedLocations=[at(f"{number}.py", 1, "") for number in range(200)])))
    assert len(many.related) == 50


def test_the_excerpt_is_the_code_around_with_its_first_line() -> None:
    region = {"startLine": 40, "snippet": {"text": "marked"}}
    context = {"startLine": 38, "snippet": {"text": "around"}}
    both = {"artifactLocation": {"uri": "a.py"}, "region": region, "contextRegion": context}
    one = _one(log(result(locations=[{"physicalLocation": both}])))
    assert (one.excerpt, one.excerpt_line, one.line) == ("around", 38, 40)
    del both["contextRegion"]
    one = _one(log(result(locations=[{"physicalLocation": both}])))
    assert (one.excerpt, one.excerpt_line) == ("marked", 40)


def test_logical_locations_name_a_resource_or_a_symbol() -> None:
    known = [{"name": "main", "fullyQualifiedName": "shop.main", "kind": "function"}]
    place = result()["locations"][0]
    places = [place | {"logicalLocations": [{"index": 0}, {"name": "aws_s3_bucket.a", "kind": "resource"}]}]
    one = _one(log(result(locations=places), logicalLocations=known))
    assert (one.symbol, one.resource) == ("shop.main", "aws_s3_bucket.a")


def test_identifiers_come_from_rule_tags_and_taxa_each_once() -> None:
    rule = {"id": "CVE-2021-44228", "properties": {"tags": ["external/cwe/cwe-079", "GHSA-JFH8-C2JP-5V3Q"]}}
    one = _one(log(result("CVE-2021-44228", taxa=[{"id": "502"}, {"id": "CWE-79"}]), rules=[rule]))
    assert one.identifiers == ("CVE-2021-44228", "CWE-79", "GHSA-jfh8-c2jp-5v3q", "CWE-502")


@pytest.mark.parametrize(
    ("tool", "properties", "category"),
    [
        ("Probe", {}, Category.SECURITY),
        ("ESLint", {}, Category.ARCHITECTURE),
        ("hadolint", {}, Category.OPERATIONS),
        ("ESLint", {"tags": ["security"]}, Category.SECURITY),
        ("ESLint", {"security-severity": "5"}, Category.SECURITY),
        ("Probe", {"tags": ["Performance"]}, Category.PERFORMANCE),
        ("Probe", {"tags": ["performance", "security"]}, Category.SECURITY),
        ("Probe", {"tags": "performance"}, Category.SECURITY),
    ],
)
def test_the_category_follows_from_tags_and_tool(tool: str, properties: Any, category: Category) -> None:
    rules = [{"id": "R1", "properties": properties}]
    assert _one(log(result(), tool={"driver": {"name": tool, "rules": rules}})).category == category


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "data:text/html,x", "https://a b", "ftp://x/y", "HTTPS//x"])
def test_a_help_address_that_is_none_is_left_out(uri: str) -> None:
    assert _one(log(result(), rules=[{"id": "R1", "helpUri": uri}])).help_uri == ""


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"ruleId": "R1", "message": {"text": 7}}, "at /message/text"),
        ({"ruleId": "R1", "message": {"text": "x"}, "locations": {}}, "at /locations"),
        ("text", "Expected `object`"),
        ({"message": {"text": ""}}, "neither a rule nor a message"),
        ({}, "neither a rule nor a message"),
    ],
)
def test_a_result_that_cannot_be_used_is_rejected_with_its_place_and_the_rest_goes_on(broken: Any, reason: str) -> None:
    first, second, third = read("sarif", log(result(), broken, result("R2")))[1]
    assert isinstance(first, FindingRecord)
    assert isinstance(second, Reject)
    assert second.pointer == "/runs/0/results/1"
    assert reason in second.reason
    assert isinstance(third, FindingRecord)


def test_records_can_be_read_twice_and_progress_reaches_the_end() -> None:
    data = sample("sarif/everything.sarif")
    report = registry.FORMATS["sarif"].open(data, Options())
    once = list(report.records())
    assert report.position == len(data)
    assert list(report.records()) == once
