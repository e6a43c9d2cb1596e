"""A JSON list of findings with whatever keys it has."""

import json
from typing import Any

import pytest

from findings.scans import findings_json
from findings.scans.records import FindingRecord, Reject, ScanError
from findings.vocabulary import Category, Severity, SeveritySource
from tests.findings.scans.parsing import findings, read, sample


def _list(*items: Any) -> bytes:
    return json.dumps(items).encode()


def test_a_list_of_objects_is_read_with_what_it_says() -> None:
    _, records = read("findings-json", sample("findings-json/list.json"))
    first, second, third = records
    assert isinstance(first, FindingRecord)
    assert (first.severity, first.path, first.line) == (Severity.HIGH, "admin/urls.py", 12)
    assert (first.identifiers, first.tags) == (("CWE-308",), ("auth", "admin"))
    assert isinstance(second, FindingRecord)
    assert (second.severity, second.category) == (Severity.CRITICAL, Category.DATA_CONSISTENCY)
    assert (second.path, second.line) == ("orders/api.py", 88)
    assert third == Reject("/2", "It has no title.", '{"name": "no title here", "severity": "low"}')


def test_an_object_may_hold_the_list_and_items_may_nest() -> None:
    first, second = findings("findings-json", sample("findings-json/wrapped.json"))
    assert (first.rule, first.title, first.pointer) == ("R-7", "One zone holds every broker", "/findings/0")
    assert (first.path, first.line, first.rule_help) == ("kafka/brokers.yaml", 3, "Spread them over three zones")
    assert (second.path, second.severity) == ("", Severity.INFO)


@pytest.mark.parametrize("name", findings_json.LISTS)
def test_the_list_may_stand_under_each_of_the_usual_names(name: str) -> None:
    data = json.dumps({"version": 1, name: [{"title": "a", "severity": "low"}]}).encode()
    (one,) = findings("findings-json", data)
    assert one.pointer == f"/{name}/0"


def test_keys_that_appear_in_later_objects_are_columns_too() -> None:
    first, second = findings("findings-json", _list({"title": "a"}, {"title": "b", "severity": "high"}))
    assert (first.severity_source, second.severity_source) == (SeveritySource.UNRATED, SeveritySource.REPORT)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (7, "Expected `object`"),
        (None, "Expected `object`"),
        ([], "Expected `object`"),
        ({"severity": "low"}, "no title"),
        ({"title": None}, "no title"),
        ({"title": {"text": "nested"}}, "no title"),
    ],
)
def test_an_item_that_cannot_be_used_is_rejected_and_the_rest_goes_on(broken: Any, reason: str) -> None:
    records = read("findings-json", _list({"title": "a"}, broken, {"title": "b"}))[1]
    assert [type(record) for record in records] == [FindingRecord, Reject, FindingRecord]
    reject = records[1]
    assert isinstance(reject, Reject)
    assert reject.pointer == "/1"
    assert reason in reject.reason


def test_a_list_without_a_title_asks_for_a_mapping() -> None:
    with pytest.raises(ScanError) as caught:
        read("findings-json", _list({"was": "a", "severity": "low"}))
    assert caught.value.code == "mapping_needed"
    assert caught.value.location["headers"] == ["was", "severity"]


def test_an_empty_list_is_an_empty_report() -> None:
    assert read("findings-json", b"[]")[1] == []
    assert read("findings-json", b'{"findings": []}')[1] == []


@pytest.mark.parametrize("document", [{}, {"findings": {}}, {"findings": None}, {"other": [{"title": "a"}]}, 7, "a"])
def test_json_that_holds_no_list_is_refused_with_the_remedy(document: Any) -> None:
    with pytest.raises(ScanError) as caught:
        read("findings-json", json.dumps(document).encode())
    assert caught.value.code == "wrong_shape"
    assert caught.value.remedy


def test_nesting_beyond_what_a_column_can_name_is_left_out_without_harm() -> None:
    deep: Any = "x"
    for _ in range(150):
        deep = {"k": deep}
    (one,) = findings("findings-json", _list({"title": "a", "more": deep}))
    assert one.title == "a"
    flat = findings_json.flat({"a": {"b": {"c": {"d": {"e": 1}}}}, "l": [1, {"x": 2}, "y", None, True], "n": None})
    assert flat == {"l": "1, y, True", "n": ""}


def test_an_object_of_very_many_keys_is_read_in_bounds() -> None:
    assert len(findings_json.flat({str(number): number for number in range(10_000)})) <= 300
