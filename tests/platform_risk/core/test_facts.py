"""Facts: what configuration and people stated, where both did, and what becomes of it when imports go and come."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from findings.models import Finding
from findings.platform import facts
from platform_risk.core.facts import selectors, services
from platform_risk.core.imports import services as imports
from platform_risk.core.models import AuditEvent, Environment, Fact, Service, User
from tests.factories import upload
from tests.findings.test_configuration import SCALER, handed, zipped

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]

SCRAPES = "scrape_configs: [{job_name: pods}]\nglobal: {scrape_interval: 30s}\n"
FACTS = "metrics: {series_per_pod: 100, pods: 50, price: 0.30}\n"


def get(client: Client, query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/facts/?{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_configuration_states_facts_with_their_place_and_date(api: Api, alice: User, checkout: Service) -> None:
    row = handed(zipped(prometheus_yml=SCRAPES, k8s__hpa_yaml=SCALER, **{"platform-risk_yaml": FACTS}), checkout)
    found = {each["name"]: each for each in get(api(alice), "service=checkout")}
    interval = found["metrics.interval_seconds"]
    assert (interval["value"], interval["unit"], interval["path"], interval["line"]) == (30, "s", "prometheus.yml", 2)
    assert interval["source"] == "file"
    assert interval["import"] == str(row.pk)
    assert interval["stated_at"].endswith("Z")
    assert found["metrics.series_per_pod"] | {"value": 100, "source": "facts"} == found["metrics.series_per_pod"]
    assert all(each["in_force"] for each in found.values())


def test_a_person_outdoes_a_file_and_both_are_shown(api: Api, alice: User, checkout: Service) -> None:
    handed(zipped(prometheus_yml=SCRAPES, **{"platform-risk_yaml": FACTS}), checkout)
    body = {"service": "checkout", "facts": {"metrics": {"series_per_pod": 250}}, "reason": "counted in production"}
    answer = api(alice).put("/api/v1/facts/", body, "application/json")
    assert answer.status_code == 200, answer.content
    found = get(api(alice), "service=checkout&name=metrics.series_per_pod")
    assert {(each["value"], each["source"], each["in_force"], each["stated_by"]) for each in found} == {
        (100, "facts", False, None),
        (250, "user", True, "alice"),
    }
    assert selectors.in_force(checkout)["metrics.series_per_pod"].value == 250
    event = AuditEvent.objects.get(kind="fact")
    assert (event.changes, event.reason) == ({"metrics.series_per_pod": [None, 250]}, "counted in production")


def test_what_a_person_states_answers_what_a_check_asks_for(alice: User, checkout: Service) -> None:
    files = zipped(prometheus_yml=SCRAPES)
    row = handed(files, checkout)
    asked = next(each for each in row.coverage["checks"] if each["id"] == "metric-volume")
    assert asked["unknown"][0]["provide"] == "facts: metrics.series_per_pod"
    services.state(checkout, {"metrics.series_per_pod": 1000, "metrics.pods": 50, "metrics.price": 0.3}, user=alice)
    # The very same file: it says something else now, so it is not taken for the same import.
    again = handed(files, checkout)
    assert again.duplicate_of is None
    finding = Finding.objects.get(service=checkout, check_id="metric-volume")
    said = next(each for each in finding.quantities[0]["inputs"] if each["name"] == "series_per_pod")
    assert (said["value"], said["source"]) == (1000, "facts")
    assert said["note"].startswith("stated by alice on ")
    assert handed(files, checkout).duplicate_of_id == again.pk


def test_undoing_an_import_brings_back_the_facts_before_it(checkout: Service, ada: User) -> None:
    handed(zipped(**{"platform-risk_yaml": FACTS}), checkout)
    second = handed(zipped(**{"platform-risk_yaml": FACTS.replace("100", "300")}), checkout)
    assert selectors.in_force(checkout)["metrics.series_per_pod"].value == 300
    imports.undo(second, user=ada)
    assert selectors.in_force(checkout)["metrics.series_per_pod"].value == 100


def test_the_same_file_again_writes_no_fact(checkout: Service) -> None:
    files = zipped(**{"platform-risk_yaml": FACTS})
    handed(files, checkout)
    before = Fact.objects.count()
    handed(files, checkout)
    assert Fact.objects.count() == before > 0


def test_what_is_stated_of_an_environment_holds_there_alone(alice: User, checkout: Service) -> None:
    live = Environment.objects.create(slug="live")
    services.state(checkout, {"zones": 3}, user=alice)
    services.state(checkout, {"zones": 2}, user=alice, environment=live)
    assert selectors.in_force(checkout)["zones"].value == 3
    assert selectors.in_force(checkout, live)["zones"].value == 2
    services.state(checkout, {"zones": None}, user=alice, environment=live)
    assert selectors.in_force(checkout, live)["zones"].value == 3
    assert Fact.objects.filter(ended_at__isnull=False).count() == 1


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("metrics.serie_per_pod", 1, "No check reads"),
        ("metrics.series_per_pod", "many", "is a number"),
        ("zones", -1, "at least 0"),
        ("suppress", "x", "No check reads"),
        ("metrics.price", {}, "a list of these"),
        ("metrics.price", {"a": 1}, "No check reads"),
        ("databases.aws_db_instance.main.max_connections", 1.5, "whole number"),
        ("deployment.holidays", ["yesterday"], "lists days"),
        ("a\x00b", 1, "dotted path"),
    ],
)
def test_a_fact_that_nothing_reads_is_refused_with_its_name(
    api: Api, alice: User, checkout: Service, name: str, value: Any, word: str
) -> None:
    answer = api(alice).put("/api/v1/facts/", {"service": "checkout", "facts": {name: value}}, "application/json")
    assert answer.status_code == 400
    assert word in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"].startswith("/facts/")
    assert not Fact.objects.exists()


def test_names_with_dots_of_their_own_are_found() -> None:
    assert facts.problem("databases.aws_db_instance.main.max_connections", 500) == ""
    assert facts.problem("databases.main.max_conections", 500)


def test_strangers_neither_see_nor_state_facts(api: Api, bob: User, checkout: Service, alice: User) -> None:
    services.state(checkout, {"zones": 3}, user=alice)
    assert get(api(bob), "") == []
    assert api(bob).get("/api/v1/facts/?service=checkout").status_code == 400
    body = {"service": "checkout", "facts": {"zones": 1}}
    assert api(bob).put("/api/v1/facts/", body, "application/json").status_code == 400
    assert Fact.objects.get().value == 3


def test_a_secret_in_a_facts_file_is_not_kept(checkout: Service) -> None:
    secret = "hvs." + "Ab1c" * 8
    upload(zipped(**{"platform-risk_yaml": f"secrets: {{vault: {{keys: [{secret}]}}}}\n"}), checkout,
           name="p.zip", kind="platform")  # fmt: skip
    assert Fact.objects.filter(name="secrets.vault.keys").exists()
    assert secret not in str(list(Fact.objects.values()))


# The page


def test_a_person_states_a_fact_where_a_check_asks_for_it(
    signed_in: Callable[[User], Client], alice: User, checkout: Service
) -> None:
    row = handed(zipped(prometheus_yml=SCRAPES), checkout)
    client = signed_in(alice)
    asked = client.get(f"/imports/{row.pk}/").content.decode()
    link = "/services/checkout/facts/?name=metrics.series_per_pod"
    assert link in asked
    page = client.get(link).content.decode()
    assert 'value="metrics.series_per_pod"' in page
    assert "prometheus.yml:2" in page
    sent = {"name": "metrics.series_per_pod", "value": "250", "reason": "counted"}
    page = client.post("/services/checkout/facts/", sent, follow=True).content.decode()
    assert "counted" in page
    assert f"/imports/{row.pk}/again/" in page
    assert selectors.in_force(checkout)["metrics.series_per_pod"].value == 250
    client.post("/services/checkout/facts/", sent | {"value": ""})
    assert "metrics.series_per_pod" not in selectors.in_force(checkout)


@pytest.mark.parametrize(
    ("typed", "stored"), [("true", True), ("[3, 4]", None), ("2026-01-01", "2026-01-01"), ("NaN", "NaN"), ("", None)]
)
def test_what_is_typed_is_read_as_json_has_it(
    signed_in: Callable[[User], Client], alice: User, checkout: Service, typed: str, stored: Any
) -> None:
    sent = {"name": "backups.restore_tested", "value": typed}
    answer = signed_in(alice).post("/services/checkout/facts/", sent)
    found = selectors.in_force(checkout).get("backups.restore_tested")
    assert (found.value if found else None) == stored
    assert answer.status_code == (422 if typed == "[3, 4]" else 302)


def test_who_only_sees_a_service_states_nothing(
    signed_in: Callable[[User], Client], alice: User, bob: User, checkout: Service
) -> None:
    alice.memberships.update(role="viewer")
    assert signed_in(alice).get("/services/checkout/facts/").status_code == 200
    sent = {"name": "zones", "value": "3"}
    assert signed_in(alice).post("/services/checkout/facts/", sent).status_code == 403
    assert signed_in(bob).get("/services/checkout/facts/").status_code == 404
    assert not Fact.objects.exists()
