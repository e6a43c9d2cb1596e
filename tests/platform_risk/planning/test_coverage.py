"""Alert coverage by page and API: what an import of configuration brings, undo takes back and strangers do not see."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from costs.models import BillScope, DayTotal
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Import, Service, User
from tests.factories import make_service, make_target, upload

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
SignedIn = Callable[[User], Client]

API = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {replicas: 3, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: api}]}}}
"""
RULES = """groups:
  - name: g
    interval: 30s
    rules:
      - alert: PodsMissing
        expr: kube_deployment_status_replicas_available < 1
        for: 2m
      - alert: Own
        expr: shop_memory_left < 5
"""
FACTS = "alerting: {prometheus: {scrape_interval_seconds: 30, group_wait_seconds: 10}}\n"


def folder(service: Service, **files: str) -> Import:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_yaml", ".yaml"), text)
    row = upload(held.getvalue(), service, name="platform.zip", kind="platform")
    assert row.state == "done", row.error
    return row


def states(api: Api, user: User, **query: str) -> dict[str, str]:
    answer = api(user).get("/api/v1/alert-coverage/", query)
    assert answer.status_code == 200
    return {row["mode"]: row["state"] for row in answer.json()["results"] if row["subject"].endswith("api")}


def test_each_failure_mode_is_noticed_unknown_or_noticed_by_nothing(
    checkout: Service, alice: User, bob: User, api: Api, signed_in: SignedIn
) -> None:
    folder(checkout, api_yaml=API, rules_yaml=RULES, **{"platform-risk.yaml": FACTS})
    assert states(api, alice) == {
        "replicas-unavailable": "covered", "containers-restarting": "none", "rollout-stuck": "none",
        "memory-exhausted": "unknown", "signal-lost": "none",
    }  # fmt: skip
    (row,) = api(alice).get("/api/v1/alert-coverage/", {"state": "covered", "service": "checkout"}).json()["results"]
    (alert,) = row["alerts"]
    assert (alert["name"], alert["path"], alert["line"]) == ("PodsMissing", "rules.yaml", 5)
    assert (row["best_seconds"], row["worst_seconds"]) == (130, 190)
    assert api(bob).get("/api/v1/alert-coverage/").json()["results"] == []
    assert api(bob).get("/api/v1/alert-coverage/", {"service": "checkout"}).status_code == 400
    pages = [api(alice).get("/api/v1/alert-coverage/", {"page_size": "5", "cursor": str(at)}).json() for at in (0, 5)]
    every = api(alice).get("/api/v1/alert-coverage/").json()["results"]
    assert [row for page in pages for row in page["results"]] == every
    assert (pages[0]["previous"], "cursor=5" in pages[0]["next"]) == (None, True)
    listed: Any = api(alice).get("/api/v1/alert-coverage/?format=csv&state=covered")
    assert b"PodsMissing (rules.yaml:5)" in listed.getvalue()
    body = signed_in(alice).get("/alert-coverage/?mode=memory-exhausted").content.decode()
    assert "what shop_memory_left measures is not known" in body
    assert "PodsMissing" not in signed_in(bob).get("/alert-coverage/").content.decode()


def test_undo_puts_back_what_was_known_before(checkout: Service, alice: User, ada: User, api: Api) -> None:
    folder(checkout, api_yaml=API)
    assert set(states(api, alice).values()) == {"unknown"}  # no rules in the files: nothing can be missing
    second = folder(checkout, api_yaml=API, rules_yaml=RULES)
    assert states(api, alice)["replicas-unavailable"] == "covered"
    imports.undo(second, user=ada)
    assert set(states(api, alice).values()) == {"unknown"}


def test_an_import_adds_no_query(
    checkout: Service, alice: User, signed_in: SignedIn, django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    client = signed_in(alice)
    folder(checkout, api_yaml=API, rules_yaml=RULES)
    with django_assert_max_num_queries(12) as few:
        client.get("/alert-coverage/")
    folder(make_service("web", checkout.team), api_yaml=API, rules_yaml=RULES)
    with django_assert_num_queries(len(few)):
        assert "web" in client.get("/alert-coverage/").content.decode()


def test_what_is_not_known_any_more_is_told_to_who_may_see_it(
    checkout: Service, alice: User, bob: User, api: Api, signed_in: SignedIn
) -> None:
    now = timezone.now()
    silent = make_target(checkout).scopes.create(source="probe", last_seen_at=now - timedelta(days=40))
    make_service("never", checkout.team)
    bill = BillScope.objects.create(export="e", billing_account="main", period=now.date().replace(day=1))
    for age in (60, 59, 57):
        DayTotal.objects.create(
            scope=bill, day=now.date() - timedelta(days=age), provider="AWS", cloud_service="EC2", service=checkout,
            team=checkout.team, charge_category="Usage", currency="USD", billed=1, effective=1,
        )  # fmt: skip
    told = api(alice).get("/api/v1/alert-coverage/freshness/").json()["results"]
    assert {(gap["kind"], gap["service"]) for gap in told} == {
        ("unscanned", "never"), ("silent", "checkout"), ("bill_gap", None), ("bill_late", None),
    }  # fmt: skip
    assert told[0]["since"] is None
    (gap,) = [each["words"] for each in told if each["kind"] == "bill_gap"]
    assert ", 1 of the days have no charges" in gap
    assert api(bob).get("/api/v1/alert-coverage/freshness/").json()["results"] == []
    assert "It has sent nothing for 40 days" in signed_in(alice).get("/alert-coverage/").content.decode()
    silent.last_seen_at = now
    silent.save()
    assert "silent" not in {
        each["kind"] for each in api(alice).get("/api/v1/alert-coverage/freshness/").json()["results"]
    }
