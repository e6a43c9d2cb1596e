"""Usage through the import life cycle: once, late, undone, refused; and projections that begin from it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from costs import pricing
from costs.models import UsageFigure, UsageScope
from platform_risk.core.imports import runner, services
from platform_risk.core.models import Environment, Fact, Import, Service, User
from platform_risk.joint.receiving import kind_of
from tests.database import applied
from tests.factories import upload

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]


def groups(stored: int = 1610612736000, **more: Any) -> bytes:
    first = {"logGroupName": "/app", "storedBytes": stored, "arn": "arn:aws:logs:us-east-1:111:log-group:/app:*"}
    second = {"logGroupName": "/stg", "retentionInDays": 30, "storedBytes": 48318382080}
    return json.dumps({"logGroups": [first, second, {"x": 1}], **more}).encode()


def incoming(*days: str) -> bytes:
    data = {"Label": "IncomingBytes /app", "Timestamps": [f"{day}T00:00:00Z" for day in days],
            "Values": [10 * 2**30 for _ in days]}  # fmt: skip
    return json.dumps({"MetricDataResults": [data]}).encode()


def usage(content: bytes, service: Service | None, at: int = 1, **to: Any) -> Import:
    when = datetime(2026, 6, at, tzinfo=UTC)
    row = upload(content, service, kind="usage", observed_at=when, name="usage.json", **to)
    assert row.state == "done", row.error
    return row


def test_usage_is_counted_and_the_same_file_again_changes_nothing(
    checkout: Service, ada: User, signed_in: Callable[[User], Client]
) -> None:
    first = usage(groups(), checkout)
    assert services.counts(first) == {
        "read": 5, "collapsed": 0, "new": 4, "changed": 0, "unchanged": 0, "closed": 0, "reopened": 0, "rejected": 1,
    }  # fmt: skip
    assert (first.format, first.is_applied) == ("cloudwatch-log-groups", True)
    before = applied()
    again = usage(groups(), checkout, 2)
    assert again.duplicate_of_id == first.pk
    assert {name: rows for name, rows in applied().items() if "usagescope" not in name} == {
        name: rows for name, rows in before.items() if "usagescope" not in name
    }
    page = signed_in(ada).get(f"/imports/{first.pk}/")
    assert (page.context["tabs"], len(page.context["figures"].rows)) == ({"figures": 4, "rejected": 1}, 4)
    assert b"for ever" in page.content
    assert b"Reopened" not in page.content
    changed = usage(groups(stored=5), checkout, 3)
    assert (changed.changed, changed.unchanged, changed.new) == (1, 3, 0)
    one_less = json.dumps({"logGroups": [{"logGroupName": "/app", "storedBytes": 5}]}).encode()
    assert usage(one_less, checkout, 4, billing_account="111").closed == 2


def stored() -> dict[str, Any]:
    return dict(UsageFigure.objects.states().filter(measure="stored_bytes").values_list("subject", "value"))


def listed(**bytes_by_name: Any) -> bytes:
    return json.dumps(
        {"logGroups": [{"logGroupName": f"/{name}", "storedBytes": value} for name, value in bytes_by_name.items()]}
    ).encode()


def test_a_figure_that_can_no_longer_be_read_holds_on_as_of_when_it_was_read(
    checkout: Service, alice: User, ada: User, signed_in: Callable[[User], Client]
) -> None:
    first = usage(listed(app=5, stg=7), checkout)
    for at in (2, 3):
        row = usage(listed(app=at, stg="many"), checkout, at)
        assert (row.closed, row.rejected, row.is_complete) == (0, 1, False)
        assert "could not be read" in row.incomplete_because
        assert stored() == {"/app": at, "/stg": 7}
    held = UsageFigure.objects.states().get(subject="/stg", measure="stored_bytes")
    assert held.said_by == first
    told = signed_in(ada).get(f"/imports/{row.pk}/").context["figures"].rows
    assert {figure.subject for figure in told} == {"/app"}, "the page of an import shows what its file says"
    services.undo(row, user=alice)
    assert stored() == {"/app": 2, "/stg": 7}
    gone = usage(listed(app=5), checkout, 4)
    assert (gone.closed, stored()) == (2, {"/app": 5})


def test_a_file_that_is_said_to_be_a_part_leaves_what_it_does_not_name(checkout: Service) -> None:
    usage(listed(app=5, stg=7), checkout)
    assert usage(listed(app=6), checkout, 2, complete="no").closed == 0
    assert stored() == {"/app": 6, "/stg": 7}
    unreadable = listed(app=6, stg="many")
    held = usage(unreadable, checkout, 3)
    again = usage(unreadable, checkout, 4)
    assert (again.duplicate_of, again.is_complete, stored()) == (held, False, {"/app": 6, "/stg": 7})
    assert usage(unreadable, checkout, 5, complete="yes").closed > 0, "what the page names as the way out"
    assert stored() == {"/app": 6}


def test_undoing_brings_back_what_was_before(checkout: Service, alice: User) -> None:
    first = usage(groups(), checkout)
    second = usage(groups(stored=5), checkout, 2)
    stored = UsageFigure.objects.states().filter(measure="stored_bytes", subject="/app")
    assert stored.get().value == 5
    services.undo(second, user=alice, reason="wrong account")
    assert stored.get().value == 1610612736000
    assert UsageScope.objects.get().last_applied_id == first.pk
    services.undo(first, user=alice)
    assert not UsageFigure.objects.states().exists()


def test_days_add_up_over_imports_and_an_older_one_takes_nothing_back(checkout: Service) -> None:
    usage(incoming("2026-06-01", "2026-06-02"), checkout, 3)
    usage(incoming("2026-06-02", "2026-06-03"), checkout, 4)
    late = usage(incoming("2026-05-30"), checkout, 2)
    assert late.is_late
    assert UsageScope.objects.get().last_applied_id != late.pk
    days = UsageFigure.objects.filter(measure="ingested_bytes").days()
    assert [figure.day.isoformat() for figure in days if figure.day] == [
        "2026-05-30", "2026-06-01", "2026-06-02", "2026-06-03",
    ]  # fmt: skip


def test_a_broken_file_says_where_and_what_to_do_and_changes_nothing(checkout: Service) -> None:
    row = upload(b'{\n "logGroups": [1,]\n}', checkout, kind="usage", name="x.json")
    assert (row.state, row.error["code"]) == ("failed", "not_json")
    assert row.error["location"]["line"] == 2
    assert "comma" in row.error["remedy"]
    wrong = upload(groups(), checkout, kind="usage", format="mimirtool")
    assert wrong.state == "failed"
    assert not UsageFigure.objects.exists()


def test_secrets_in_labels_are_never_kept(checkout: Service) -> None:
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    rows = [{"name": f"token={key}", "value": 3}]
    body = {"status": "success", "data": {"headStats": {"numSeries": 3}, "seriesCountByLabelValuePair": rows}}
    usage(json.dumps(body).encode(), checkout)
    assert not [row for rows_ in applied().values() for row in rows_ if key in row]


def test_what_an_upload_is_follows_from_its_content_or_its_format() -> None:
    def kind(content: bytes, **names: str) -> str:
        return kind_of(SimpleUploadedFile("a", content), names)

    assert kind(groups()) == "usage"
    assert kind(b"a_total 5\n", format="openmetrics") == "usage"
    assert kind(b'{"runs": []}', service="checkout") == "scan"
    assert kind(b"{}") == "scan"


def test_usage_comes_in_through_the_api_for_a_service_or_for_all(
    alice: User, mary: User, checkout: Service, api: Api
) -> None:
    def post(user: User, **more: str) -> Any:
        return api(user).post("/api/v1/imports/", {"file": SimpleUploadedFile("g.json", groups()), **more})

    assert post(alice, kind="usage").status_code == 403  # what is of no service concerns all
    made = post(alice, kind="usage", service="checkout")
    assert made.status_code == 202, made.content
    assert post(mary, export="aws").json()["kind"] == "usage"
    runner.run(int(made.json()["id"]))
    assert api(alice).get(f"/api/v1/imports/{made.json()['id']}/").json()["counts"]["new"] == 4


def get(client: Client, vector: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1/costs/projections/{vector}/", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_logs_begin_from_what_was_imported_by_group_with_the_provider_s_price(
    checkout: Service, alice: User, bob: User, api: Api
) -> None:
    pricing.fill_built_in()
    usage(groups(), checkout)
    usage(incoming("2026-06-01", "2026-06-02"), checkout, 3)
    body = get(api(alice), "logs", months=12)
    assert body["price"]["item"] == "CloudWatch Logs, storage"
    assert body["inputs"]["gb_per_day"] == 10
    group = {each["group"]: each for each in body["groups"]}
    assert (group["/app"]["stored_gb"], group["/app"]["cost_per_month_now"]) == (1500, "45.00")
    assert (group["/app"]["retention_days"], group["/app"]["retention_known"]) == (None, True)
    assert (group["/stg"]["stored_gb"], group["/stg"]["cost_per_month_now"]) == (45, "1.35")
    assert body["sources"]["retention_days"]["value"] is None
    assert body["rows"][0]["quantity"] == 1545 + 10 * 30
    ingest = next(rate for rate in pricing.rates() if rate.item.startswith("CloudWatch Logs, ingest (Standard"))
    assert get(api(alice), "logs", months=2, price=ingest.pk)["rows"][1]["cost"] == "155.00"  # 31 days
    assert get(api(bob), "logs")["rows"] == []


def test_where_sources_disagree_both_are_told_and_the_rule_decides(checkout: Service, alice: User, api: Api) -> None:
    for name, value in (("metrics.pods", 50), ("metrics.interval_seconds", 30), ("metrics.series_per_pod", 100)):
        Fact.objects.create(service=checkout, name=name, value=value, source="user", stated_by=alice,
                            stated_at=datetime(2026, 6, 9, tzinfo=UTC))  # fmt: skip
    pod = {"kind": "Pod", "metadata": {"name": "a", "namespace": "shop", "uid": "a"}, "status": {"phase": "Running"}}
    usage(json.dumps({"items": [pod, pod | {"metadata": {"name": "b", "uid": "b"}}]}).encode(), checkout)
    body = get(api(alice), "metrics")
    pods = body["sources"]["pods"]
    assert (pods["value"], pods["kind"]) == ("2", "measured")
    assert [(other["value"], other["kind"]) for other in pods["others"]] == [("50", "stated")]
    assert "measured counts before" in body["rule"]
    assert body["price"] is None
    assert body["rows"][0]["cost"] is None
    assert body["rows"][0]["quantity"] == 2 * 100 * 86_400 * 30 // 30
    assert any("usage and no cost" in words for words in body["assumptions"])


def pods(*born: str) -> bytes:
    """A list of pods by when each was created, in June."""
    items = [
        {"kind": "Pod", "metadata": {"name": f"p{at}", "uid": f"p{at}", "creationTimestamp": f"2026-06-{day}:00:00Z"},
         "status": {"phase": "Running"}}
        for at, day in enumerate(born)
    ]  # fmt: skip
    return json.dumps({"kind": "List", "items": items}).encode()


def test_lists_of_pods_that_come_day_by_day_tell_arrivals_together(checkout: Service, alice: User, api: Api) -> None:
    first = usage(pods("01T01", "01T02"), checkout, 2)
    assert "One list alone" in first.format_reason
    second = usage(pods("01T02", "02T05", "02T06", "02T07"), checkout, 3)  # as of midnight: three came on the second
    assert "One list alone" not in second.format_reason
    usage(pods("02T07", "03T08", "03T09", "03T10", "03T11", "03T12"), checkout, 4)
    told = get(api(alice), "entities")["sources"]["churn_per_day"]
    assert told["value"] == "4"
    day = UsageFigure.objects.filter(measure="entities_new").get(day="2026-06-04")
    assert (str(day.value), day.note) == (
        "5.0000000000",
        "at least: created since the list of 2026-06-03 00:00 and still there",
    )


def test_lists_of_pods_of_several_services_and_environments_add_up(checkout: Service, ada: User, api: Api) -> None:
    basket = Service.objects.create(slug="basket", name="Basket", team=checkout.team)
    production, staging = (Environment.objects.get_or_create(slug=each)[0] for each in ("production", "staging"))
    for at, service, environment, count in (
        (2, checkout, production, 2), (2, basket, production, 3), (3, basket, staging, 1), (3, basket, None, 4),
    ):  # fmt: skip
        usage(pods(*(f"01T{hour:02}" for hour in range(count))), service, at, environment=environment, source="kubectl")
    usage(pods("01T01"), checkout, 3, environment=production, source="newer")  # of the same pods
    told = get(api(ada), "metrics")["sources"]
    assert (told["pods"]["value"], told["pods"]["as_of"], told["pods"]["others"]) == ("9", "2026-06-03", [])
    assert told["pods"]["source"].startswith("added up: basket 4, basket in production 3")
    assert told["environments"]["value"] == "1"
    assert "3 environments together" in told["environments"]["source"]
    assert get(api(ada), "entities")["sources"]["live"]["value"] == "9"
    usage(pods(*(f"01T{hour:02}" for hour in range(20))), None, 4, source="cluster")
    told = get(api(ada), "metrics")["sources"]["pods"]
    assert (told["value"], [each["value"] for each in told["others"]]) == ("20", ["9"])


def test_how_long_a_pod_lives_is_not_how_long_its_entity_outlives_it(checkout: Service, alice: User, api: Api) -> None:
    one, two = json.loads(pods("01T01")), json.loads(pods("01T01", "01T02"))
    lists = [{"observed_at": "2026-06-01T00:00:00Z"} | one, {"observed_at": "2026-06-02T00:00:00Z"} | two]
    usage("\n".join(json.dumps(each) for each in lists).encode(), checkout)
    assert "lifetime_days" in get(api(alice), "entities")["missing"]
    Fact.objects.create(service=checkout, name="entities.lifetime_days", value=8, source="user", stated_by=alice,
                        stated_at=datetime(2026, 6, 9, tzinfo=UTC))  # fmt: skip
    body = get(api(alice), "entities")
    assert (body["inputs"]["lifetime_days"], body["figures"]["zombies"], body["rows"][-1]["quantity"]) == (8, 8, 10)
    # The lives of entities have those of their pods in them: what lives is not counted twice.
    usage(b"id,first_seen,last_seen\na,2026-06-01,2026-06-04\nb,2026-06-03,2026-06-04\n", checkout, 5)
    measured = get(api(alice), "entities")
    assert (measured["inputs"]["lifetime_days"], measured["inputs"]["live"]) == (3, 0)
    assert measured["sources"]["live"]["others"][0]["value"] == "2"


def test_the_page_says_whose_price_it_is_that_stands_in(
    checkout: Service, alice: User, signed_in: Callable[[User], Client]
) -> None:
    pricing.fill_built_in()
    page = signed_in(alice).get("/costs/projections/?vector=entities&begin=imported").content.decode()
    assert "the sample platform’s stands in" in page
    assert "there is usage and no cost" not in page
    logs = signed_in(alice).get("/costs/projections/?vector=logs").content.decode()
    assert "S3 Standard, Infrequent Access" in logs, "every price is among the readings"


def test_all_series_there_are_stand_beside_those_of_one_target(checkout: Service, alice: User, api: Api) -> None:
    usage(pods("01T01", "01T02"), checkout)
    usage(b"a 1\nb 1\nc 1\n", checkout, 2)
    head = {"status": "success", "data": {"headStats": {"numSeries": 10}}}
    usage(json.dumps(head).encode(), checkout, 3)
    told = get(api(alice), "metrics")["sources"]["series_per_pod"]
    assert (told["value"], [each["value"] for each in told["others"]]) == ("5", ["3"])
    assert "10 series ÷ 2 pods" in told["source"]


def test_of_the_same_day_the_newest_is_taken(checkout: Service, alice: User, api: Api) -> None:
    for hour, source in ((3, "a"), (5, "b"), (4, "c")):
        at = datetime(2026, 6, 1, hour, tzinfo=UTC)
        body = b"".join(b"m%d 1\n" % number for number in range(hour))
        upload(body, checkout, kind="usage", observed_at=at, name="usage.prom", export=source)
    assert get(api(alice), "metrics")["sources"]["series_per_pod"]["value"] == "5"


def test_what_comes_in_unknown_of_a_group_has_no_future_cost(checkout: Service, alice: User, api: Api) -> None:
    pricing.fill_built_in()
    usage(groups(), checkout)
    usage(incoming("2026-06-01"), checkout, 3)
    usage(b'[{"index": "logs-1", "store.size": "5", "pri.store.size": "5"}]', checkout, 4)
    body = get(api(alice), "logs")
    group = {each["group"]: each for each in body["groups"]}
    assert (group["/stg"]["cost_per_month_now"], group["/stg"]["cost_last_month"]) == ("1.35", None)
    assert group["/app"]["cost_last_month"] is not None
    assert any("elasticsearch is by group and not in it" in words for words in body["assumptions"])


def test_what_nobody_said_is_asked_for(alice: User, api: Api) -> None:
    body = get(api(alice), "entities")
    assert body["rows"] == []
    assert set(body["missing"]) == {"churn_per_day", "lifetime_days"}
    assert body["steady_state"] == {"quantity": None, "cost_per_month": None, "reached_month": None}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [({"months": 0}, "months"), ({"price": 9}, "price"), ({"service": "none"}, "service"), ({"x": 1}, "x")],
)
def test_what_makes_no_sense_is_named(alice: User, api: Api, query: dict[str, Any], parameter: str) -> None:
    answer = api(alice).get("/api/v1/costs/projections/logs/", query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == parameter
