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
from findings import judging
from findings.models import Finding
from platform_risk.core.errors import Conflict
from platform_risk.core.imports import runner
from platform_risk.core.imports import services as imports
from platform_risk.core.models import Environment, Import, Service, Team, User
from platform_risk.planning import coverage
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


def folder(service: Service, to: dict[str, Any] | None = None, **files: str) -> Import:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            # Of a fixed day: the same files make the same archive, whenever they are written.
            archive.writestr(zipfile.ZipInfo(name.replace("_yaml", ".yaml")), text)
    row = upload(held.getvalue(), service, name="platform.zip", kind="platform", **(to or {}))
    assert row.state == "done", row.error
    return row


def states(api: Api, user: User, **query: str) -> dict[str, str]:
    answer = api(user).get("/api/v1/alert-coverage/", query)
    assert answer.status_code == 200
    return {row["mode"]: row["state"] for row in answer.json()["results"] if row["subject"].endswith("api")}


def test_each_failure_mode_is_noticed_unknown_or_noticed_by_nothing(
    checkout: Service, alice: User, bob: User, api: Api, signed_in: SignedIn
) -> None:
    folder(checkout, None, api_yaml=API, rules_yaml=RULES, **{"platform-risk.yaml": FACTS})
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
    pages = [api(alice).get("/api/v1/alert-coverage/", {"page_size": "3", "cursor": str(at)}).json() for at in (0, 3)]
    every = api(alice).get("/api/v1/alert-coverage/").json()["results"]
    assert [row for page in pages for row in page["results"]] == every
    assert (pages[0]["previous"], "cursor=3" in pages[0]["next"]) == (None, True)
    listed: Any = api(alice).get("/api/v1/alert-coverage/?format=csv&state=covered")
    assert b"PodsMissing (rules.yaml:5)" in listed.getvalue()
    body = signed_in(alice).get("/alert-coverage/?mode=memory-exhausted").content.decode()
    assert "what shop_memory_left measures is not known" in body
    assert "PodsMissing" not in signed_in(bob).get("/alert-coverage/").content.decode()


NO_RECEIVER = """route: {receiver: "null"}
receivers: [{name: "null"}]
"""


def test_alerts_that_tell_nobody_stand_on_the_page_of_who_may_see_them(
    checkout: Service, alice: User, bob: User, signed_in: SignedIn
) -> None:
    folder(checkout, api_yaml=API, rules_yaml=RULES)
    assert "Alerts that tell nobody" not in signed_in(alice).get("/alert-coverage/").content.decode()
    folder(checkout, api_yaml=API, rules_yaml=RULES, alertmanager_yaml=NO_RECEIVER)
    (found,) = coverage.silent(alice)
    for address, is_there in (("", True), ("?service=checkout", True), ("?team=payments", True), ("?service=x", True)):
        body = signed_in(alice).get(f"/alert-coverage/{address}").content.decode()
        assert (f'href="/findings/{found.pk}/"' in body.partition("Alerts that tell nobody")[2]) is is_there
    folder(make_service("web", checkout.team), api_yaml=API)
    body = signed_in(alice).get("/alert-coverage/?service=web").content.decode()
    assert "Alerts that tell nobody" not in body
    assert "Alerts that tell nobody" not in signed_in(bob).get("/alert-coverage/").content.decode()


def test_a_team_or_service_without_configuration_is_shown_nothing_and_not_everything(
    checkout: Service, search: Team, ada: User, alice: User, signed_in: SignedIn, api: Api
) -> None:
    folder(checkout, api_yaml=API, rules_yaml=RULES)
    make_service("index", search)
    for asked in ({"team": "search"}, {"service": "index"}):
        page = signed_in(ada).get("/alert-coverage/", asked)
        assert (page.context["asked"]["team"], page.context["asked"]["service"]) == (
            asked.get("team", ""), asked.get("service", ""),
        )  # fmt: skip
        assert (page.context["groups"], [gap.service for gap in page.context["gaps"]]) == ([], ["index"])
        assert "No such pair" in page.content.decode()
        told = api(ada).get("/api/v1/alert-coverage/freshness/", asked).json()["results"]
        assert [(gap["service"], gap["team"]) for gap in told] == [("index", "search")]
        lines = api(ada).get(page.context["gaps_export"]).getvalue().decode().splitlines()[1:]
        assert [line.split(",")[1] for line in lines] == ["index"]
    assert signed_in(alice).get("/alert-coverage/?team=search").context["asked"]["team"] == ""  # of no team of hers
    assert api(alice).get("/api/v1/alert-coverage/freshness/?team=search").status_code == 400


def row(service: str, state: str, subject: str = "Deployment/shop/api", mode: str = "memory-exhausted") -> coverage.Row:
    return coverage.Row(service, "payments", None, subject, mode, "Memory runs out", state, (), "", "", None, 1, None)


def test_what_fails_alike_is_one_line_and_the_worst_comes_first() -> None:
    found = [
        row("a", "covered"), row("b", "unknown"), row("c", "none"), row("c", "none", "Deployment/shop/web"),
        row("c", "covered", mode="signal-lost"), row("d", "none"),
    ]  # fmt: skip
    assert coverage.worst_first(found) == ["c", "d", "b", "a"]
    assert coverage.grid(found).services == ["c", "d", "b", "a"]
    (group,) = coverage.groups([each for each in found if each.service == "c"])
    assert [(line.state, len(line.rows)) for line in group.lines] == [("none", 2), ("covered", 1)]
    assert (group.none, group.unknown, group.covered) == (2, 0, 1)
    wanted = coverage.Filter(teams=frozenset({"search"}))
    assert not any(wanted.lets(each) for each in found)


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
    with django_assert_max_num_queries(13) as few:
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


# Alerts of one import that watch what another one describes

WATCHING = """groups:
  - name: cluster
    rules:
      - {alert: DeploymentShort, expr: 'kube_deployment_status_replicas_available{namespace="shop"} < 1', for: 2m}
      - {alert: Crashing, expr: 'increase(kube_pod_container_status_restarts_total{namespace="shop"}[10m]) > 3'}
      - {alert: RolloutStuck, expr: 'kube_deployment_status_condition{condition="Progressing", status="false"} == 1'}
      - {alert: MemoryFull, expr: 'container_memory_working_set_bytes{namespace="shop"} > 1e9'}
      - {alert: TargetDown, expr: up == 0, for: 5m}
"""


@pytest.fixture
def monitoring(search: Team) -> Service:
    return make_service("monitoring", search)


def judge() -> list[Import]:
    """What a worker does after alert rules have changed."""
    made = judging.judge_again()
    for pk in made:
        runner.run(pk)
    return list(Import.objects.filter(pk__in=made))


def missing(service: Service) -> dict[str, str]:
    found = Finding.objects.filter(service=service, check_id="alert-coverage", withdrawn_by__isnull=True)
    return {row.resource: row.status for row in found}


def test_alerts_of_another_import_count_until_it_is_undone(
    checkout: Service, monitoring: Service, alice: User, bob: User, ada: User, api: Api, signed_in: SignedIn
) -> None:
    own = folder(checkout, api_yaml=API, rules_yaml=RULES.replace("PodsMissing", "OwnPods"))
    assert missing(checkout) == {"Deployment/shop/api": "new"}
    Finding.objects.filter(service=checkout).update(status="triaged")
    assert judge() == []

    watching = folder(monitoring, rules_yaml=WATCHING)  # of another team, which alice does not see
    (again,) = judge()
    assert (again.state, again.again_of, again.closed, again.created_by) == ("done", own, 1, None)
    assert missing(checkout) == {"Deployment/shop/api": "fixed"}
    assert (judge(), judge()) == ([], [])

    # Each sees that it is noticed; whose alert it is, and where, only who may see that import.
    assert set(states(api, alice).values()) == {"covered"}
    told = {row["mode"]: row["alerts"] for row in api(alice).get("/api/v1/alert-coverage/").json()["results"]}
    (alert,) = told["containers-restarting"]
    assert (alert["name"], alert["path"], alert["service"]) == ("an alert of another import", "", None)
    assert {each["service"] for each in told["replicas-unavailable"]} == {"checkout", None}
    pages = signed_in(alice).get("/alert-coverage/").content.decode()
    pages += api(alice).get(f"/api/v1/imports/{again.pk}/").content.decode()
    pages += "".join(str(each) for each in Finding.objects.filter(service=checkout).values())
    assert "Crashing" not in pages
    assert "OwnPods" not in signed_in(bob).get("/alert-coverage/").content.decode()
    body = signed_in(ada).get("/alert-coverage/?service=checkout").content.decode()
    assert "Crashing" in body
    assert f"monitoring, import {watching.pk}" in body
    csv: Any = api(ada).get("/api/v1/alert-coverage/?format=csv&mode=containers-restarting")
    assert b"Crashing (monitoring, rules.yaml:5)" in csv.getvalue()

    # The same rules again change nothing; without them everything is as it was, to the word.
    assert folder(monitoring, rules_yaml=WATCHING).duplicate_of == watching
    assert judge() == []
    imports.undo(watching, user=ada)
    assert judge() == []
    assert missing(checkout) == {"Deployment/shop/api": "triaged"}
    again.refresh_from_db()
    assert (again.undone_by, again.undone_at is not None) == (None, True)
    folder(monitoring, rules_yaml=WATCHING)
    assert [each.closed for each in judge()] == [1]
    assert missing(checkout) == {"Deployment/shop/api": "fixed"}


def test_undoing_an_import_undoes_what_was_read_of_it_again(
    checkout: Service, monitoring: Service, alice: User, ada: User, api: Api
) -> None:
    first = folder(checkout, api_yaml=API)
    assert (missing(checkout), set(states(api, alice).values())) == ({}, {"unknown"})
    folder(monitoring, rules_yaml=WATCHING.replace('namespace="shop"', 'namespace="elsewhere"'))
    folder(monitoring, rules_yaml="\n".join(WATCHING.splitlines()[:-3]))
    (again,) = judge()
    # An alert elsewhere tells of an outage of it, so what no alert tells of is missing.
    assert states(api, alice) == {
        "replicas-unavailable": "covered", "containers-restarting": "covered", "rollout-stuck": "none",
        "memory-exhausted": "none", "signal-lost": "none",
    }  # fmt: skip
    assert missing(checkout) == {"Deployment/shop/api": "new"}
    assert (imports.can_undo(first), imports.can_undo(again)) == (True, False)
    with pytest.raises(Conflict, match=f"import {first.pk}"):
        imports.undo(again, user=ada)
    imports.undo(first, user=ada)
    assert missing(checkout) == {}
    assert states(api, alice) == {}
    assert judge() == []


def test_what_an_older_version_kept_is_read_again(checkout: Service, alice: User, api: Api) -> None:
    row = folder(checkout, api_yaml=API, rules_yaml=RULES)
    known = states(api, alice)
    older = {"is_whole": True, "rules": [{"name": "PodsMissing"}], "cells": []}
    Import.objects.filter(pk=row.pk).update(coverage=row.coverage | {"alerts": older})
    assert states(api, alice) == {}
    (again,) = judge()
    assert (again.again_of, states(api, alice)) == (row, known)


def test_rules_reach_their_own_environment_and_nobody_where_they_say_so(
    checkout: Service, monitoring: Service, alice: User, api: Api
) -> None:
    production, staging = (Environment.objects.create(slug=name, name=name) for name in ("production", "staging"))
    folder(checkout, api_yaml=API)
    folder(monitoring, {"environment": production}, rules_yaml=WATCHING)
    assert states(api, alice)["replicas-unavailable"] == "covered"  # it names no environment: it may be that one
    folder(checkout, {"environment": staging}, api_yaml=API.replace("name: api", "name: web"))
    told = api(alice).get("/api/v1/alert-coverage/", {"mode": "replicas-unavailable"}).json()["results"]
    assert {row["subject"]: row["state"] for row in told} == {
        "Deployment/shop/api": "covered", "Deployment/shop/web": "unknown",
    }  # fmt: skip
    only_own = {"platform-risk.yaml": "alerting: {only_own: true}\n"}
    folder(monitoring, {"environment": production}, rules_yaml=WATCHING, **only_own)
    assert states(api, alice)["replicas-unavailable"] == "unknown"
    Service.objects.filter(pk=monitoring.pk).update(is_demo=True)
    folder(monitoring, {"environment": production}, rules_yaml=WATCHING)
    assert states(api, alice)["replicas-unavailable"] == "unknown"  # the demo's alerts watch the demo
    Service.objects.filter(pk=monitoring.pk).update(is_demo=False)
    assert states(api, alice)["replicas-unavailable"] == "covered"
