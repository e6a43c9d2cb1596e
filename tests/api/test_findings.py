"""The contract of /findings/."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from findings import selectors
from findings.api import rows
from findings.api.serializers import FindingSerializer
from findings.models import Finding
from platform_risk.core.api.fields import shown_time
from platform_risk.core.models import Service, Team, User
from tests.factories import make_finding, make_service, make_team, sarif, sarif_result, upload

URL = "/api/v1/findings/"
Api = Callable[..., Client]


def later(days: int = 30) -> str:
    return (timezone.now().date() + timedelta(days=days)).isoformat()


def test_a_finding_has_every_field_of_the_contract(api: Api, alice: User, checkout: Service) -> None:
    finding = make_finding(checkout, identifiers=["CVE-2026-1"], image="nginx:1")
    shown = api(alice).get(f"{URL}{finding.pk}/").json()
    names = (
        "id number title severity severity_source lane lane_reason status regressed category class outcome rule check"
        " scanners service environment branch team owner likelihood impact band annual_loss bad_minutes_per_year"
        " location identifiers quantities remedies first_seen_at last_seen_at due_on fingerprint version updated_at"
    )
    assert set(names.split()) <= set(shown)
    assert shown["id"] == str(finding.pk)
    assert shown["number"] == finding.pk
    assert shown["service"] == "checkout"
    assert shown["team"] == "payments"
    assert {"path", "line", "resource", "image", "package", "version", "endpoint"} <= set(shown["location"])
    assert shown["annual_loss"] is None


def test_the_schema_names_exactly_what_is_shown(checkout: Service) -> None:
    make_finding(checkout)
    shown = rows.row(rows.complete(Finding.objects.all()).get())
    assert set(shown) == set(FindingSerializer().fields)


def test_last_seen_is_the_same_in_sql_and_in_python(checkout: Service) -> None:
    upload(sarif(sarif_result("R1"), sarif_result("R2"), at="2026-11-01T10:00:00Z"), checkout)
    upload(sarif(sarif_result("R1"), at="2026-11-02T10:00:00Z"), checkout)
    found = rows.complete(selectors.with_context(Finding.objects.all()))
    assert len(found) == 2
    for finding in found:
        assert rows.row(finding)["last_seen_at"] == shown_time(selectors.last_seen_at(finding))


def test_lists_are_paged_by_key_in_both_directions(api: Api, alice: User, checkout: Service) -> None:
    numbers = [make_finding(checkout).pk for _ in range(5)]
    client = api(alice)
    first = client.get(f"{URL}?page_size=2&ordering=number").json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    assert [row["number"] for page in (first, second, third) for row in page["results"]] == numbers
    assert third["next"] is None
    assert client.get(second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize(
    ("ordering", "wanted"),
    [
        ("severity", ["c", "a", "d", "b"]),
        ("-severity", ["b", "d", "a", "c"]),
        ("lane", ["a", "b", "c", "d"]),
        ("due_on", ["d", "c", "a", "b"]),
        ("-due", ["b", "a", "c", "d"]),
    ],
)
def test_lists_are_in_the_order_asked_for_on_every_page(
    api: Api, alice: User, checkout: Service, ordering: str, wanted: list[str]
) -> None:
    """The worst first; what is due on no day is due last of all."""
    for title, severity, lane, due in (
        ("a", "high", "immediate", "2026-12-03"), ("b", "low", "critical", None),
        ("c", "critical", "important", "2026-12-02"), ("d", "medium", "important", "2026-12-01"),
    ):  # fmt: skip
        make_finding(checkout, title=title, severity=severity, lane=lane, due_on=due)
    client, url, titles = api(alice), f"{URL}?page_size=1&ordering={ordering}", []
    while url:
        page = client.get(url).json()
        titles += [row["title"] for row in page["results"]]
        url = page["next"]
    assert titles == wanted


def test_lists_are_ordered_by_when_findings_were_last_seen_whoever_saw_them(
    api: Api, alice: User, checkout: Service
) -> None:
    day = timezone.now() - timedelta(days=9)
    both, gone, last = (sarif_result(rule, f"{rule}.py") for rule in ("both", "gone", "last"))
    upload(sarif(both, gone), checkout, source="x", observed_at=day)
    upload(sarif(both), checkout, source="y", observed_at=day + timedelta(days=2))
    upload(sarif(last), checkout, source="z", observed_at=day + timedelta(days=3))
    upload(sarif(both), checkout, source="x", observed_at=day + timedelta(days=4))
    make_finding(checkout, rule="written", first_seen_at=day + timedelta(days=1))
    client = api(alice)
    for ordering, wanted in (("-last_seen_at", "both last written gone"), ("last_seen", "gone written last both")):
        url, found = f"{URL}?page_size=1&ordering={ordering}", []
        while url:
            page = client.get(url).json()
            found += page["results"]
            url = page["next"]
        assert [row["rule"] for row in found] == wanted.split()
        times = [row["last_seen_at"] for row in found]
        assert times == sorted(times, reverse=ordering.startswith("-"))


@pytest.mark.parametrize("size", ["0", "501", "many", "-1", "9" * 40])
def test_a_page_size_out_of_bounds_is_refused(api: Api, alice: User, size: str) -> None:
    answer = api(alice).get(URL, {"page_size": size})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "page_size"


def test_filters_of_one_name_are_any_of_and_of_several_names_all_of(api: Api, alice: User, checkout: Service) -> None:
    a = make_finding(checkout, lane="immediate")
    b = make_finding(checkout, lane="critical")
    make_finding(checkout, lane="important")
    make_finding(checkout, lane="critical", status="triaged")
    got = api(alice).get(URL + "?lane=immediate&lane=critical&status=new").json()["results"]
    assert {row["number"] for row in got} == {a.pk, b.pk}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("service=nowhere", "service"),
        ("team=search", "team"),
        ("environment=mars", "environment"),
        ("owner=nobody", "owner"),
        ("lane=urgent", "lane"),
        ("ordering=mood", "ordering"),
        ("import=7", "import"),
        ("import=x", "import"),
        ("updated_since=yesterday", "updated_since"),
        ("updated_since=2026-01-01T00:00:00", "updated_since"),
        ("updated_since=2026-13-01", "updated_since"),
        ("updated_since=2026-99-01T00:00:00Z", "updated_since"),
        ("cursor=abc", "cursor"),
        ("cursor=%00", "cursor"),
        ("format=xml", "format"),
        ("severty=high", "severty"),
        ("q=%00", "q"),
        ("rule=%00", "rule"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_by_name(
    api: Api, alice: User, search: Team, query: str, parameter: str
) -> None:
    answer = api(alice).get(f"{URL}?{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) >= {"type", "title", "status", "detail", "errors"}
    assert problem["errors"][0]["parameter"] == parameter


def test_updated_since_is_inclusive_and_takes_any_zone(api: Api, alice: User, checkout: Service) -> None:
    old, new = make_finding(checkout), make_finding(checkout)
    Finding.objects.filter(pk=old.pk).update(updated_at="2026-11-01T10:00:00Z")
    Finding.objects.filter(pk=new.pk).update(updated_at="2026-11-01T12:00:00.000001Z")
    for since in ("2026-11-01T12:00:00.000001Z", "2026-11-01T14:00:00.000001+02:00"):
        got = api(alice).get(URL, {"updated_since": since}).json()["results"]
        assert [row["number"] for row in got] == [new.pk]
    for day, found in (("2026-11-01", 2), ("2026-11-02", 0)):  # from its beginning, in UTC
        assert len(api(alice).get(URL, {"updated_since": day}).json()["results"]) == found
    # A plus sign that was not escaped
    got = api(alice).get(f"{URL}?updated_since=2026-11-01T14:00:00.000001+02:00").json()["results"]
    assert [row["number"] for row in got] == [new.pk]


def test_closed_findings_are_listed_too(api: Api, alice: User, checkout: Service) -> None:
    make_finding(checkout, status="verified")
    assert len(api(alice).get(URL).json()["results"]) == 1


def test_csv_has_a_header_and_neutralised_formulas(api: Api, alice: User, checkout: Service) -> None:
    for title in ("=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx", "plain", "-2"):
        make_finding(checkout, title=title)
    answer = api(alice).get(URL, {"format": "csv", "ordering": "number"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["title"] for row in read] == ["'=1+1", "'+cmd", "'-2+3", "'@SUM(A1)", "'\tx", "'\rx", "plain", "-2"]
    assert read[0]["location_path"] == "k8s/api.yaml"


@pytest.mark.parametrize(
    "how", [{"query_params": {"format": "jsonl"}}, {"accept": "application/x-ndjson"}, {"accept": "application/jsonl"}]
)
def test_jsonl_streams_the_whole_filtered_list(api: Api, alice: User, checkout: Service, how: dict[str, Any]) -> None:
    for _ in range(3):
        make_finding(checkout)
    make_finding(checkout, lane="important")
    query = {"lane": "critical", "page_size": "1", **how.get("query_params", {})}
    headers = {"accept": how["accept"]} if "accept" in how else {}
    answer = api(alice).get(URL, query, headers=headers)
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 3
    assert json.loads(lines[0])["lane"] == "critical"


def test_an_export_of_any_length_takes_the_same_number_of_queries(
    api: Api, alice: User, checkout: Service, django_assert_num_queries: Any
) -> None:
    seed = make_finding(checkout)
    copies = []
    for number in range(1200):
        copy = Finding(
            **{f.attname: getattr(seed, f.attname) for f in Finding._meta.concrete_fields if not f.generated}
        )
        copy.pk, copy.fingerprint = None, f"{number:032x}"
        copies.append(copy)
    Finding.objects.bulk_create(copies)
    client = api(alice)
    client.get(URL, {"page_size": 1})  # the token's last use is noted once a minute
    with django_assert_num_queries(3):  # token, roles, the list itself
        answer = client.get(URL, {"format": "csv"})
        count = b"".join(answer.streaming_content).count(b"\n")  # type: ignore[attr-defined]
    assert count == 1202


def test_a_page_of_findings_takes_three_queries(
    api: Api, alice: User, checkout: Service, django_assert_num_queries: Any
) -> None:
    for _ in range(30):
        make_finding(checkout)
    client = api(alice)
    client.get(URL)
    with django_assert_num_queries(3):
        assert len(client.get(URL).json()["results"]) == 30


def test_what_a_person_writes_becomes_a_finding(api: Api, alice: User, checkout: Service) -> None:
    body = {
        "title": "Two writers, one queue",
        "description": "Seen in the review.",
        "category": "data_consistency",
        "severity": "high",
        "service": "checkout",
        "evidence": "queue.py: no lock",
    }
    answer = api(alice).post(URL, body, "application/json")
    assert answer.status_code == 201
    shown = answer.json()
    assert answer["Location"] == f"{URL}{shown['id']}/"
    assert shown["class"] == "data_loss"
    assert shown["severity_source"] == "user"
    assert shown["scanners"] == ["manual"]
    assert shown["message"] == "Seen in the review."


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "x" * 301}, "/title"),
        ({"title": "a\x00b"}, "/title"),
        ({"title": "\ud800"}, "/title"),
        ({"severity": "\ud800"}, "/severity"),
        ({"severity": "grave"}, "/severity"),
        ({"service": "nowhere"}, "/service"),
        ({"environment": "mars"}, "/environment"),
        ({"line": 2**31}, "/line"),
        ({"line": 10**400}, "/line"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_its_place(
    api: Api, alice: User, checkout: Service, change: dict[str, Any], pointer: str
) -> None:
    body = {"title": "t", "category": "security", "severity": "high", "service": "checkout", **change}
    answer = api(alice).post(URL, json.dumps(body), "application/json")
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert not Finding.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"title": NaN}', b'{"line": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_object_is_a_problem_and_no_crash(
    api: Api, alice: User, checkout: Service, body: bytes
) -> None:
    answer = api(alice).generic("POST", URL, body, "application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_owner_team_severity_and_tags_are_changed_and_kept_in_the_history(
    api: Api, alice: User, checkout: Service
) -> None:
    finding = make_finding(checkout)
    client = api(alice)
    url = f"{URL}{finding.pk}/"
    body = {"owner": "alice", "severity": "critical", "tags": ["b", "a"], "comment": "Mine."}
    answer = client.patch(url, body, "application/json")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["owner"], shown["severity"], shown["severity_source"]) == ("alice", "critical", "user")
    assert shown["tags"] == ["a", "b"]
    assert shown["version"] == finding.version + 1
    changes: dict[str, Any] = {}
    for event in client.get(f"{url}history/").json()["results"]:
        changes |= event["changes"]
        assert (event["actor"], event["source"], event["reason"]) == ("alice", "api", "Mine.")
    assert changes["owner"] == [None, "alice"]
    assert changes["severity"] == ["high", "critical"]


def test_null_takes_the_owner_away(api: Api, alice: User, checkout: Service) -> None:
    finding = make_finding(checkout, owner=alice)
    shown = api(alice).patch(f"{URL}{finding.pk}/", {"owner": None}, "application/json").json()
    assert shown["owner"] is None


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_the_owner_is_somebody_of_ones_teams(api: Api, alice: User, bob: User, checkout: Service, name: str) -> None:
    finding = make_finding(checkout)
    answer = api(alice).patch(f"{URL}{finding.pk}/", {"owner": name}, "application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "/owner", "detail": f"No user “{name}” in your teams."}]


def test_a_stale_change_is_refused_and_a_fresh_one_is_not(api: Api, alice: User, checkout: Service) -> None:
    finding = make_finding(checkout)
    client = api(alice)
    url = f"{URL}{finding.pk}/"
    tag = client.get(url)["ETag"]
    changed = client.patch(url, {"tags": ["a"]}, "application/json", headers={"if-match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag
    stale = client.patch(url, {"tags": ["b"]}, "application/json", headers={"if-match": tag})
    assert stale.status_code == 412
    assert stale["Content-Type"] == "application/problem+json"
    either = client.patch(url, {"tags": ["b"]}, "application/json", headers={"if-match": f'"0", {changed["ETag"]}'})
    assert either.status_code == 200
    assert client.patch(url, {"tags": []}, "application/json").status_code == 200


def test_a_transition_that_is_not_allowed_names_those_that_are(api: Api, alice: User, checkout: Service) -> None:
    finding = make_finding(checkout, status="dismissed")
    answer = api(alice).post(f"{URL}{finding.pk}/transitions/", {"to": "fixed"}, "application/json")
    assert answer.status_code == 409
    assert answer.json()["allowed"] == ["new"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"to": "dismissed", "reason": "because"}, "/reason"),
        ({"to": "snoozed"}, "/until"),
        ({"to": "snoozed", "until": "2020-01-01"}, "/until"),
        ({"to": "accepted"}, "/expires_on"),
        ({"to": "gone"}, "/to"),
    ],
)
def test_a_decision_needs_what_belongs_to_it(
    api: Api, alice: User, checkout: Service, body: dict[str, Any], pointer: str
) -> None:
    finding = make_finding(checkout)
    answer = api(alice).post(f"{URL}{finding.pk}/transitions/", body, "application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_transition_answers_with_the_finding(api: Api, alice: User, checkout: Service) -> None:
    finding = make_finding(checkout)
    body = {"to": "accepted", "reason": "budget", "comment": "Next year.", "expires_on": later()}
    answer = api(alice).post(f"{URL}{finding.pk}/transitions/", body, "application/json")
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["status"], shown["acceptance_expires_on"]) == ("accepted", later())


def test_comments_are_kept_in_their_order(api: Api, alice: User, checkout: Service) -> None:
    url = f"{URL}{make_finding(checkout).pk}/comments/"
    client = api(alice)
    for text in ("One.", "Two."):
        assert client.post(url, {"text": text}, "application/json").status_code == 201
    said = client.get(url).json()["results"]
    assert [(each["author"], each["text"]) for each in said] == [("alice", "One."), ("alice", "Two.")]


def test_a_small_bulk_answers_for_each_finding(api: Api, alice: User, checkout: Service) -> None:
    mine = make_finding(checkout)
    done = make_finding(checkout, status="verified")
    foreign = make_finding(make_service("index", make_team("search")))
    ids = [str(mine.pk), str(done.pk), str(foreign.pk)]
    body = {"ids": ids, "action": "dismiss", "reason": "inaccurate", "comment": "Test data."}
    answer = api(alice).post(f"{URL}bulk/", body, "application/json")
    assert answer.status_code == 200
    assert [(each["id"], each["result"]) for each in answer.json()["results"]] == [
        (ids[0], "applied"),
        (ids[1], "refused"),
        (ids[2], "not_found"),
    ]
    mine.refresh_from_db()
    foreign.refresh_from_db()
    assert (mine.status, foreign.status) == ("dismissed", "new")


def test_a_bulk_by_filter_can_be_taken_back(api: Api, alice: User, checkout: Service) -> None:
    findings = [make_finding(checkout, lane="immediate") for _ in range(3)]
    other = make_finding(checkout)
    client = api(alice)
    body = {"q": "lane:immediate", "action": "update", "owner": "alice", "add_tags": ["sprint-9"]}
    shown = client.post(f"{URL}bulk/", body, "application/json").json()
    assert shown["applied"] == 3
    assert Finding.objects.filter(owner=alice, tags=["sprint-9"]).count() == 3
    url = f"{URL}bulk/{shown['id']}/"
    assert client.get(url).json()["state"] == "done"
    undone = client.post(f"{url}undo/", {}, "application/json")
    assert undone.status_code == 200
    assert undone.json()["undone_at"]
    assert Finding.objects.filter(owner=None, tags=[]).count() == len(findings) + 1
    assert client.post(f"{url}undo/", {}, "application/json").status_code == 409
    other.refresh_from_db()
    assert other.version == 1


def test_a_large_bulk_waits_for_a_worker(
    api: Api, alice: User, checkout: Service, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr("findings.services.ITEMIZED", 1)
    handed: list[int] = []
    monkeypatch.setattr("findings.tasks.run_bulk.delay", handed.append)
    for _ in range(2):
        make_finding(checkout)
    with django_capture_on_commit_callbacks(execute=True):
        answer = api(alice).post(f"{URL}bulk/", {"q": "", "action": "triage"}, "application/json")
    assert answer.status_code == 202
    assert answer["Location"] == f"{URL}bulk/{answer.json()['id']}/"
    assert [str(each) for each in handed] == [answer.json()["id"]]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "triage"}, "/ids"),
        ({"action": "triage", "ids": ["1"], "q": ""}, "/ids"),
        ({"action": "update", "q": ""}, "/action"),
        ({"action": "transition", "q": ""}, "/to"),
        ({"action": "triage", "q": "lane:urgent"}, "/q"),
        ({"action": "explode", "q": ""}, "/action"),
        ({"action": "dismiss", "q": ""}, "/reason"),
        ({"action": "triage", "ids": ["one"]}, "/ids/0"),
    ],
)
def test_a_bulk_that_makes_no_sense_is_refused(
    api: Api, alice: User, checkout: Service, body: dict[str, Any], pointer: str
) -> None:
    make_finding(checkout)
    answer = api(alice).post(f"{URL}bulk/", body, "application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
