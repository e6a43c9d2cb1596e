"""What makes two results one finding, and what keeps two apart."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.scans import fingerprint
from tests.findings.scans.parsing import check, checkov, findings, log, result


def _prints(*results: dict[str, Any], **run: Any) -> list[str]:
    return [one.fingerprint for one in findings("sarif", log(*results, **run))]


def _coded(code: str, line: int = 1, **fields: Any) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": "a.py"}, "region": {"startLine": line, "snippet": {"text": code}}}
    return result(locations=[{"physicalLocation": place}], **fields)


def test_a_fingerprint_is_32_hexadecimal_digits() -> None:
    (one,) = _prints(result())
    assert len(one) == 32
    assert int(one, 16)


def test_the_parts_are_kept_apart() -> None:
    assert fingerprint.of("ab", "c") != fingerprint.of("a", "bc")
    assert fingerprint.of("a", "") != fingerprint.of("a")


def test_it_stays_when_a_line_moves() -> None:
    assert _prints(_coded("call()", 3)) == _prints(_coded("call()", 300))


def test_it_stays_when_the_code_is_indented_or_wrapped_otherwise() -> None:
    assert _prints(_coded("if a:\n    call()")) == _prints(_coded("  if  a: call()\n"))


def test_it_stays_when_numbers_in_a_message_change_and_there_is_no_code() -> None:
    first, second = (result(message={"text": f"{count} of 20 pods"}) for count in (7, 12))
    assert _prints(first) == _prints(second)


def test_it_stays_when_the_tool_is_upgraded() -> None:
    def tool(version: str, words: str) -> dict[str, Any]:
        rules = [{"id": "R1", "name": words, "shortDescription": {"text": words}, "help": {"text": words}}]
        return {"driver": {"name": "Probe", "version": version, "rules": rules}}

    old = _prints(_coded("call()"), tool=tool("1.0", "Old words"))
    assert _prints(_coded("call()"), tool=tool("2.0", "New words")) == old


def test_it_stays_when_the_severity_or_the_order_of_results_changes() -> None:
    first, second = _coded("one()", 1), _coded("two()", 2)
    straight, turned = _prints(first, second), _prints(second | {"level": "error"}, first)
    assert turned == straight[::-1]


@pytest.mark.parametrize(
    "other",
    [
        _coded("call()", ruleId="R2"),
        _coded("other()"),
        result(uri="b.py"),
        result(locations=[{"logicalLocations": [{"fullyQualifiedName": "a.f"}]}]),
    ],
)
def test_it_tells_rules_places_symbols_and_code_apart(other: dict[str, Any]) -> None:
    assert _prints(_coded("call()")) != _prints(other)


def test_it_tells_tools_apart() -> None:
    assert _prints(result(), tool={"driver": {"name": "One"}}) != _prints(result(), tool={"driver": {"name": "Two"}})


def test_the_tools_own_fingerprint_wins_over_everything_else() -> None:
    own: dict[str, Any] = {"fingerprints": {"match/v1": "0123456789abcdef"}}
    assert _prints(_coded("call()", **own)) == _prints(_coded("other()", 9, **own))
    assert _prints(_coded("call()", **own)) != _prints(_coded("call()", fingerprints={"match/v1": "fedcba9876543210"}))


def test_a_partial_fingerprint_counts_within_its_file() -> None:
    partial: dict[str, Any] = {"partialFingerprints": {"primaryLocationLineHash": "39fa2ee980eb94b0:1"}}
    assert _prints(_coded("call()", 3, **partial)) == _prints(_coded("changed()", 4, **partial))
    assert _prints(_coded("call()", **partial)) != _prints(result(uri="b.py", **partial))


@pytest.mark.parametrize(
    ("stated", "own"),
    [
        ({}, ""),
        ({"a": "requires login"}, ""),
        ({"a": "short"}, ""),
        ({"a": "0123456789"}, "a=0123456789"),
        ({"hash/v1": "1111111111", "hash/v2": "2222222222"}, "hash/v2=2222222222"),
        ({"hash/v10": "1111111111", "hash/v9": "2222222222"}, "hash/v10=1111111111"),
        ({"b": "1111111111", "a": "2222222222"}, "a=2222222222"),
        ({"a/v2": "requires login", "a/v1": "1111111111"}, "a/v1=1111111111"),
    ],
)
def test_of_several_own_fingerprints_the_newest_usable_counts(stated: dict[str, str], own: str) -> None:
    assert fingerprint.own(stated) == own


def test_equal_results_at_different_lines_are_told_apart_by_order() -> None:
    lines = (3, 30, 300)
    prints = _prints(*(_coded("call()", line) for line in lines))
    assert len(set(prints)) == 3
    # All of them move: the same three findings.
    assert _prints(*(_coded("call()", line + 7) for line in lines)) == prints
    # The last one is gone: the others stay what they were.
    assert _prints(*(_coded("call()", line) for line in lines[:2])) == prints[:2]


def test_equal_results_at_one_line_are_duplicates() -> None:
    prints = _prints(_coded("call()", 3), _coded("call()", 30), _coded("call()", 3), _coded("call()", 30))
    assert prints[:2] == prints[2:]
    assert len(set(prints)) == 2


def test_checkovs_is_made_of_rule_path_and_resource_and_of_no_line_and_no_name() -> None:
    def one(**fields: Any) -> str:
        return findings("checkov", checkov(check(**fields)))[0].fingerprint

    base = one()
    assert one(file_line_range=[50, 80], check_name="Renamed", guideline="https://example.com", severity="LOW") == base
    assert len({base, one(rule="CKV_K8S_9"), one(repo_file_path="/b.yaml"), one(resource="Deployment.a.b")}) == 4


@pytest.mark.parametrize("format_name", ["findings-csv", "findings-json"])
def test_a_lists_is_made_of_what_a_person_knows_the_row_by(format_name: str) -> None:
    def one(**row: str) -> str:
        row = {"title": "Open port", "severity": "low", "path": "a.yaml", "line": "3", "rule": "R1"} | row
        table = f"{','.join(row)}\n{','.join(row.values())}\n".encode()
        data = table if format_name == "findings-csv" else json.dumps([row]).encode()
        return findings(format_name, data)[0].fingerprint

    base = one()
    assert one(severity="critical", line="99", description="More words") == base
    assert len({base, one(title="Other"), one(path="b.yaml"), one(rule="R2")}) == 4
    own = one(fingerprint="0123456789")
    assert own == one(fingerprint="0123456789", title="Renamed")
    assert own != base


@given(st.lists(st.tuples(st.sampled_from("ab"), st.none() | st.integers(1, 4)), max_size=20))
def test_as_many_are_told_apart_as_there_are_places(results: list[tuple[str, int | None]]) -> None:
    occurrences = fingerprint.Occurrences()
    prints = [occurrences.of(fingerprint.of(name), line) for name, line in results]
    assert len(set(prints)) == len(set(results))
    for one, two in zip(zip(results, prints, strict=True), zip(results[1:], prints[1:], strict=True), strict=False):
        assert (one[0] == two[0]) == (one[1] == two[1])
