"""Risk through the API: figures that equal the lists behind them, statements with their sources, and who may see."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from django.test import Client

from findings import estimating, placements, risk_presentation, selectors, services, simulating
from findings.actions import Transition, Update
from findings.models import Estimate, Finding, RiskInput, RiskPolicy, RiskRollup, Simulation
from findings.query import Query, parse
from findings.risk import lanes
from findings.risk.estimates import matrix_of
from findings.vocabulary import RiskClass, Severity, Status
from platform_risk.core.catalog.services import change_service
from platform_risk.core.models import AuditEvent, Service, Target, Team, User
from platform_risk.planning import remedies
from tests.factories import (
    make_finding,
    make_remedy,
    make_risk_input,
    make_service,
    make_team,
    sarif,
    sarif_result,
    upload,
)
from tests.platform_risk.pages import text_of

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
JSON = "application/json"


def estimated(service: Service, **fields: Any) -> Finding:
    """A finding with its figures, as every way of writing one leaves it."""
    severity, risk_class = fields.get("severity", "high"), fields.get("risk_class", "security")
    decided = lanes.decide(Severity(severity), RiskClass(risk_class))
    due = date(2026, 11, 1) + timedelta(days=lanes.DUE_DAYS[decided.lane])
    placed = {"lane": decided.lane, "lane_reason": decided.reason, "due_on": None if "branch" in fields else due}
    finding = make_finding(service, **placed | fields)
    estimating.follow([finding.pk])
    return finding


@pytest.fixture
def platform(checkout: Service, search: Team) -> Service:
    Service.objects.filter(pk=checkout.pk).update(slo=Decimal("0.999"), criticality="critical")
    for severity in ("critical", "high", "high", "medium", "low"):
        estimated(checkout, severity=severity)
    estimated(checkout, check_id="db-connections", risk_class="stability", severity="critical", quantities=refused(60))
    estimated(checkout, risk_class="cost", check_id="log-retention", quantities=cost(36_000))
    estimated(checkout, severity="high", status="dismissed")
    estimated(checkout, severity="high", branch="feature/x")
    estimated(make_service("index", search), severity="critical")
    estimated(make_service("orphan"), severity="critical")
    return checkout


def refused(percent: float) -> list[dict[str, Any]]:
    term = {"name": "max", "value": 1, "unit": "", "source": "file", "path": "a.yaml", "line": 3}
    return [{"name": "connections_refused_percent", "value": percent, "unit": "%", "formula": "x", "inputs": [term]}]


def cost(amount: int, source: str = "facts") -> list[dict[str, Any]]:
    term = {"name": "price", "value": 0.03, "unit": "USD", "source": source}
    return [{"name": "cost_first_year", "value": amount, "unit": "USD", "formula": "x", "inputs": [term]}]


def listed(client: Client, **query: Any) -> int:
    answer = client.get("/api/v1/findings/", {"is": ["open"], "page_size": 500, **query})
    assert answer.status_code == 200, answer.content
    return sum(row["is_default_branch"] for row in answer.json()["results"])


@pytest.mark.parametrize("name", ["vic", pytest.param("mary", marks=pytest.mark.drill), "bob", "ada"])
def test_each_cell_holds_as_many_findings_as_the_filtered_list(
    platform: Service, vic: User, mary: User, bob: User, ada: User, api: Api, name: str
) -> None:
    client = api(User.objects.get(username=name), "read")
    opened = listed(client)
    for unit in ("minutes", "money"):
        for view in ("current", "inherent", "after"):
            matrix = client.get("/api/v1/risk/matrix/", {"view": view, "unit": unit}).json()
            assert len(matrix["cells"]) == 25
            names = {f"{unit}-{view}-{cell['likelihood']}-{cell['impact']}": cell["count"] for cell in matrix["cells"]}
            for name_, count in names.items():
                assert not count or listed(client, cell=name_) == count, name_
            # Those with nothing in them at once: a list of several cells holds what any of them holds.
            assert listed(client, cell=[name_ for name_, count in names.items() if not count]) == 0
            assert listed(client, cell=list(names)) == sum(names.values())
            assert listed(client, cell=f"{unit}-{view}-none") == matrix["unplaced"]
            assert sum(cell["count"] for cell in matrix["cells"]) + matrix["unplaced"] + matrix["closed"] == opened
    current = client.get("/api/v1/risk/matrix/").json()
    for cell in current["cells"]:
        # The words of the cell find what its name has found above; where nothing is, asked by who sees the most.
        if cell["count"] or name == "ada":
            query = {"likelihood": cell["likelihood"], "impact": cell["impact"], "band": cell["band"]}
            assert listed(client, **query) == cell["count"]
    assert listed(client, band="none") == current["unplaced"]


def test_a_filtered_matrix_counts_what_the_filter_finds(platform: Service, ada: User, api: Api) -> None:
    client = api(ada, "read")
    for query in ({"service": "checkout"}, {"severity": "critical"}, {"q": "lane:critical -service:index"}):
        matrix = client.get("/api/v1/risk/matrix/", query).json()
        counted = sum(cell["count"] for cell in matrix["cells"]) + matrix["unplaced"]
        assert counted == listed(client, **query) > 0, query
    assert client.get("/api/v1/risk/matrix/", {"view": "later"}).status_code == 400
    assert client.get("/api/v1/risk/matrix/", {"service": "nowhere"}).status_code == 400


def test_sums_equal_a_recount_of_the_findings_a_user_sees(platform: Service, ada: User, vic: User, api: Api) -> None:
    for user in (ada, vic):
        rows = list(Finding.objects.visible_to(user).open().on_default_branch().select_related("estimate"))
        found = [row.estimate for row in rows if row.estimate]
        summary = api(user, "read").get("/api/v1/risk/summary/").json()
        minutes = sum(each.bad_minutes or 0 for each in found)
        assert summary["open"] == len(rows)
        assert summary["bad_minutes_per_year"]["mean"] == pytest.approx(minutes)
        assert summary["hidden_share"] == pytest.approx(sum(each.hidden_minutes or 0 for each in found) / minutes)
        assert Decimal(summary["annual_loss"]["mean"]) == sum(each.annual_loss or 0 for each in found)
        lacking = {each["input"]: each["findings"] for each in summary["missing"]}
        assert lacking["minute_value"] == sum("minute_value" in each.missing for each in found)
    everything = api(ada, "read").get("/api/v1/risk/summary/").json()
    parts = [
        api(ada, "read").get("/api/v1/risk/summary/", {"service": slug}).json()
        for slug in ("checkout", "index", "orphan")
    ]
    assert sum(part["open"] for part in parts) == everything["open"]
    whole = everything["bad_minutes_per_year"]["mean"]
    assert sum(part["bad_minutes_per_year"]["mean"] for part in parts) == pytest.approx(whole)


def test_rollups_of_risk_equal_a_recount_after_all_that_people_do(platform: Service, mary: User, ada: User) -> None:
    rows = Finding.objects.filter(service=platform)
    services.act(rows, Transition(to=Status.TRIAGED), user=mary, source="api")
    services.act(rows.filter(severity="low"), Update(fields={"severity": "critical"}), user=mary, source="api")
    gone = services.act(
        rows.filter(severity="high"), Transition(to=Status.DISMISSED, reason="inaccurate"), user=mary, source="api"
    )
    services.act(rows, Update(fields={"lane": "immediate"}, comment="Audit"), user=mary, source="api")
    services.take_back(gone, user=mary, source="api")
    services.compact_rollups()
    counted: dict[tuple[Any, ...], int] = {}
    for row in Finding.objects.filter(withdrawn_by=None).open().on_default_branch():
        key = (row.service_id, row.team_id, row.lane, row.risk_key)
        counted[key] = counted.get(key, 0) + 1
    rollup = RiskRollup.objects.values_list("service_id", "team_id", "lane", "risk_key", "count")
    assert {tuple(row[:4]): row[4] for row in rollup} == counted
    assert not Finding.objects.filter(estimate__key__isnull=True).exists()


def test_a_default_makes_minutes_but_never_money(platform: Service, ada: User, api: Api) -> None:
    client = api(ada, "read")
    rows = client.get("/api/v1/findings/", {"is": "open", "page_size": "100"}).json()["results"]
    for row in rows:
        if row["class"] == "cost":
            assert row["annual_loss"] == {
                "mean": "36000.00", "p5": "36000.00", "p50": "36000.00", "p95": "36000.00", "currency": "USD",
            }  # fmt: skip
            assert row["bad_minutes_per_year"] is None
        else:
            assert row["annual_loss"] is None
            assert row["bad_minutes_per_year"] > 0
            assert row["band"] in ("low", "medium", "high", "critical")
            assert row["risk_reason"].startswith("By default")
    assumed = estimated(platform, risk_class="cost", check_id="log-retention", quantities=cost(9_000, "assumption"))
    assert client.get(f"/api/v1/findings/{assumed.pk}/").json()["annual_loss"] is None


def test_the_value_of_a_minute_makes_money_of_minutes_at_once(platform: Service, mary: User, api: Api) -> None:
    client = api(mary)
    before = client.get("/api/v1/risk/summary/", {"service": "checkout"}).json()
    assert client.patch("/api/v1/services/checkout/", {"value_per_bad_minute": "450.00"}, JSON).status_code == 200
    after = client.get("/api/v1/risk/summary/", {"service": "checkout"}).json()
    minutes = before["bad_minutes_per_year"]["mean"]
    assert after["bad_minutes_per_year"]["mean"] == pytest.approx(minutes)
    assert float(after["annual_loss"]["mean"]) == pytest.approx(36_000 + 450 * minutes, rel=1e-4)
    assert [each["input"] for each in before["missing"]] == ["minute_value"]
    assert after["missing"] == []
    row = client.get("/api/v1/findings/", {"check": "db-connections"}).json()["results"][0]
    assert Decimal(row["annual_loss"]["p95"]) >= Decimal(row["annual_loss"]["mean"]) > 0
    change_service(platform, user=mary, currency="EUR", value_per_bad_minute=Decimal(400), reason="We bill in euros")
    euro = client.get("/api/v1/risk/summary/", {"service": "checkout"}).json()
    assert euro["annual_loss"]["currency"] == "EUR"
    assert float(euro["annual_loss"]["mean"]) == pytest.approx(400 * minutes, rel=1e-4)  # the logs' dollars are none


def test_what_a_person_states_wins_over_what_is_measured_and_that_over_what_is_assumed(
    platform: Service, alice: User, vic: User, bob: User, api: Api
) -> None:
    client = api(alice)
    finding = Finding.objects.get(check_id="db-connections")
    open_ = client.get(f"/api/v1/findings/{finding.pk}/risk/").json()
    origins = {each["name"]: (each["origin"], each["mean"]) for each in open_["inputs"]}
    assert origins["users_affected"] == ("measured", pytest.approx(0.6))
    assert origins["frequency"][0] == "default"
    body = {
        "service": "checkout", "check": "db-connections", "name": "frequency", "kind": "incidents",
        "numbers": {"incidents": "3", "years": "2"}, "source": "Postmortems 2025 and 2026", "confidence": "high",
    }  # fmt: skip
    assert api(vic).post("/api/v1/risk/inputs/", body, JSON).status_code == 403
    assert api(bob).post("/api/v1/risk/inputs/", body, JSON).status_code == 400
    made = client.post("/api/v1/risk/inputs/", body, JSON)
    assert made.status_code == 201, made.content
    assert made.json()["words"] == "3 incidents in 2 years"
    own = {"finding": str(finding.pk), "name": "users_affected", "kind": "range", "source": "Load test of 12 May",
           "numbers": {"lo": "0.1", "mode": "0.2", "hi": "0.3"}}  # fmt: skip
    assert client.post("/api/v1/risk/inputs/", own, JSON).status_code == 201
    open_ = client.get(f"/api/v1/findings/{finding.pk}/risk/").json()
    told = {each["name"]: each for each in open_["inputs"]}
    assert told["frequency"] | {"mean": 0} == {
        "name": "frequency", "mean": 0, "least": 0.0, "most": None, "origin": "check", "source": "facts",
        "note": "Postmortems 2025 and 2026", "author": "alice", "stated_on": told["frequency"]["stated_on"],
        "confidence": "high",
    }  # fmt: skip
    assert told["frequency"]["mean"] == pytest.approx(3.5 / 3)
    assert (told["users_affected"]["origin"], told["users_affected"]["mean"]) == ("finding", pytest.approx(0.2))
    row = client.get(f"/api/v1/findings/{finding.pk}/").json()
    (minutes,) = [each for each in open_["quantities"] if each["name"] == "bad_minutes_per_year"]
    assert row["bad_minutes_per_year"] == pytest.approx(minutes["value"])
    assert row["lane_source"] == "risk"
    assert AuditEvent.objects.filter(kind="risk_input", action="stated", actor=alice).count() == 2


def test_a_statement_is_changed_and_taken_back_and_the_figures_follow(platform: Service, alice: User, api: Api) -> None:
    client = api(alice)
    finding = Finding.objects.filter(severity="low", service=platform).get()
    before = client.get(f"/api/v1/findings/{finding.pk}/").json()
    body = {"finding": str(finding.pk), "name": "frequency", "kind": "number", "numbers": {"value": "12"},
            "source": "It happens every month"}  # fmt: skip
    made = client.post("/api/v1/risk/inputs/", body, JSON).json()
    stated = client.get(f"/api/v1/findings/{finding.pk}/").json()
    assert (stated["likelihood"], stated["lane_source"]) == (4, "risk")
    assert stated["bad_minutes_per_year"] > before["bad_minutes_per_year"]
    url = f"/api/v1/risk/inputs/{made['id']}/"
    changed = client.patch(url, {"kind": "number", "numbers": {"value": 0.01}, "reason": "Fixed since"}, JSON)
    assert changed.status_code == 200, changed.content
    assert client.get(f"/api/v1/findings/{finding.pk}/").json()["likelihood"] == 1
    assert client.delete(url).status_code == 204
    after = client.get(f"/api/v1/findings/{finding.pk}/").json()
    kept = ("likelihood", "impact", "band", "bad_minutes_per_year", "lane", "lane_reason", "lane_source", "due_on")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"kind": "range", "numbers": {"lo": 3, "mode": 2, "hi": 5}}, "/numbers"),
    ({"kind": "range", "numbers": {"value": 3}}, "/numbers"),
    ({"kind": "interval", "numbers": {"lo": 0, "hi": 5}}, "/numbers"),
    ({"kind": "incidents", "numbers": {"incidents": 1.5, "years": 2}}, "/numbers"),
    ({"name": "users_affected", "numbers": {"value": 1.5}}, "/numbers"),
    ({"name": "recover", "numbers": {"value": 1e9}}, "/numbers"),  # nanoseconds, perhaps; a century has fewer minutes
    ({"numbers": {"value": 600_000}}, "/numbers"),
    ({"name": "fixed_cost", "currency": "EUR"}, "/currency"),
    ({"name": "slo"}, "/name"),
    ({"source": " "}, "/source"),
    ({"stated_on": "2999-01-01"}, "/stated_on"),
    ({"service": "elsewhere"}, "/service"),
)


@pytest.mark.parametrize(("wrong", "pointer"), WRONG)
def test_what_cannot_be_is_refused_with_its_place(
    checkout: Service, alice: User, api: Api, wrong: dict[str, Any], pointer: str
) -> None:
    body = {"service": "checkout", "name": "frequency", "kind": "number", "numbers": {"value": 2}, "source": "x"}
    answer = api(alice).post("/api/v1/risk/inputs/", body | wrong, JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith(pointer), answer.json()


def test_findings_are_ordered_by_minutes_and_money_what_is_not_known_last(
    platform: Service, ada: User, mary: User, api: Api
) -> None:
    change_service(platform, user=mary, value_per_bad_minute=Decimal(100))
    client = api(ada, "read")
    for name, of in (("bad_minutes", "bad_minutes_per_year"), ("annual_loss", "annual_loss")):
        seen: list[float] = []
        url = f"/api/v1/findings/?ordering=-{name}&page_size=3"
        while url:
            page = client.get(url).json()
            amounts = [row[of]["mean"] if isinstance(row[of], dict) else row[of] for row in page["results"]]
            seen += [-1.0 if amount is None else float(amount) for amount in amounts]
            url = page["next"] or ""
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == Finding.objects.count()
        assert -1.0 in seen


def test_a_portfolio_is_drawn_once_and_its_means_stay_exact(platform: Service, mary: User, api: Api) -> None:
    client = api(mary, "read")
    before = client.get("/api/v1/risk/summary/").json()
    assert before["simulation"]["state"] == "queued"
    assert before["bad_minutes_per_year"]["p95"] is None
    again = client.get("/api/v1/risk/summary/").json()
    assert again["simulation"]["input_hash"] == before["simulation"]["input_hash"]
    row = Simulation.objects.get()
    Simulation.objects.update(years=4_000)
    simulating.run(row.pk)
    simulating.run(row.pk)
    after = client.get("/api/v1/risk/summary/").json()
    assert after["simulation"] | {"state": "done"} == after["simulation"]
    minutes = after["bad_minutes_per_year"]
    assert minutes["mean"] == before["bad_minutes_per_year"]["mean"]
    assert minutes["p5"] <= minutes["p50"] <= minutes["p95"]
    assert after["annual_loss"]["p99"] == "36000.00"
    curves = client.get("/api/v1/risk/exceedance/").json()
    points = next(each["points"] for each in curves["curves"] if each["unit"] == "minutes")
    assert [each["probability"] for each in points] == sorted((each["probability"] for each in points), reverse=True)
    assert 0 <= next(each["probability"] for each in curves["breach"] if each["service"] == "checkout") <= 1
    Estimate.objects.update(input_hash="other")
    assert client.get("/api/v1/risk/summary/").json()["simulation"]["state"] == "queued"


def test_the_same_inputs_and_seed_give_the_same_years_whatever_ids_their_rows_have(ada: User, api: Api) -> None:
    def stand_up(slugs: list[str], salted: str) -> None:
        note = {"note": f"[redacted secret {salted}]"}
        teams = {slug: make_team(f"team-{slug}") for slug in slugs}
        for slug in slugs:
            service = make_service(slug, teams[slug], slo=Decimal("0.999"), value_per_bad_minute=90)
            for number, percent in sorted(enumerate((20, 60, 90)), reverse=slug == slugs[0]):
                row = estimated(
                    service, check_id="db-connections", risk_class="stability", severity="critical",
                    fingerprint=f"{slug}{number}", quantities=[refused(percent)[0] | note],
                )  # fmt: skip
                if percent == 60:
                    make_risk_input(service, finding=row)
                    estimating.follow_finding(row.pk)

    def years() -> tuple[Any, Any]:
        client = api(ada, "read")
        client.get("/api/v1/risk/summary/")
        Simulation.objects.update(years=4_000)
        row = Simulation.objects.get()
        simulating.run(row.pk)
        row.refresh_from_db()
        remedy = make_remedy(f"pool-{row.pk}", checks=["db-connections"])
        return row.result, remedies.avoided(ada, remedy)

    stand_up(["checkout", "index", "search"], "f986f182")
    first, ids = years(), set(Estimate.objects.values_list("key", flat=True))
    for model in (Simulation, RiskRollup, RiskInput, Finding, Estimate, Target, Service, Team):
        model.objects.all().delete()
    stand_up(["search", "index", "checkout"], "b4561494")
    again = years()
    assert not ids & set(Estimate.objects.values_list("key", flat=True))
    assert set(first[0]["services"]) == {"checkout", "index", "search"}
    assert again == first


def test_years_whose_inputs_changed_meanwhile_are_not_kept(platform: Service, mary: User, api: Api) -> None:
    api(mary, "read").get("/api/v1/risk/summary/")
    row = Simulation.objects.get()
    change_service(platform, user=mary, slo=Decimal("0.99"))
    simulating.run(row.pk)
    assert not Simulation.objects.exists()


def test_a_lane_set_by_hand_keeps_its_reason_and_outlives_figures_and_imports(
    checkout: Service, alice: User, mary: User, api: Api
) -> None:
    row = upload(sarif(sarif_result()), checkout)
    finding = Finding.objects.get(created_by_import=row)
    client, url = api(alice), f"/api/v1/findings/{finding.pk}/"
    before = client.get(url).json()
    assert client.patch(url, {"lane": "immediate"}, JSON).status_code == 400
    set_ = client.patch(url, {"lane": "immediate", "comment": "The auditor waits for it"}, JSON).json()
    assert (set_["lane"], set_["lane_source"]) == ("immediate", "user")
    assert "auditor" in set_["lane_reason"]
    assert set_["due_on"] < before["due_on"]
    body = {"service": "checkout", "name": "frequency", "kind": "number", "numbers": {"value": 0.001}, "source": "x"}
    assert client.post("/api/v1/risk/inputs/", body, JSON).status_code == 201
    upload(sarif(sarif_result(level="note")), checkout)
    assert client.get(url).json()["lane"] == "immediate"
    back = client.patch(url, {"lane": None}, JSON).json()
    assert back["lane_source"] == "risk"
    history = client.get(f"{url}history/").json()["results"]
    assert any(each["changes"].get("lane") == [before["lane"], "immediate"] for each in history)


def test_costs_above_the_threshold_rise_and_other_thresholds_are_tried_before_they_apply(
    platform: Service, ada: User, alice: User, api: Api
) -> None:
    estimating.decide_lanes(platform.pk)
    finding = Finding.objects.get(risk_class="cost")
    assert (finding.lane, finding.lane_from) == ("important", "risk")
    limits = {"thresholds": {"cost_rises_from": "50000"}}
    assert api(alice).post("/api/v1/risk/policy/preview/", limits, JSON).status_code == 403
    moves = api(ada).post("/api/v1/risk/policy/preview/", limits, JSON).json()["moves"]
    assert moves == [{"from": "important", "to": "optimization", "findings": 1}]
    finding.refresh_from_db()
    assert finding.lane == "important"
    assert api(alice).put("/api/v1/risk/policy/", {**limits, "reason": "x"}, JSON).status_code == 403
    tolerance = [{"amount": "100000", "probability": 0.1}, {"amount": "500000", "probability": 0.01}]
    changed = api(ada).put("/api/v1/risk/policy/", {**limits, "tolerance": tolerance, "reason": "Too many"}, JSON)
    assert changed.status_code == 200, changed.content
    finding.refresh_from_db()
    assert (finding.lane, finding.lane_from) == ("optimization", "")
    assert api(alice, "read").get("/api/v1/risk/policy/").json()["thresholds"]["cost_rises_from"] == "50000.000000"
    rising = [{"amount": "1", "probability": 0.1}, {"amount": "2", "probability": 0.5}]
    assert api(ada).put("/api/v1/risk/policy/", {"tolerance": rising, "reason": "x"}, JSON).status_code == 400


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1e9999", "0", "-1"])
def test_a_tolerance_that_is_no_amount_is_refused_at_its_field(
    ada: User, signed_in: Callable[[User], Client], amount: str
) -> None:
    limits = {"cost_rises_from": "12000", "immediate_from": "250000", "immediate_budget_share": "1"}
    form = {**limits, "critical_budget_share": "0.25", "currency": "USD", "reason": "r", "apply": "1"}
    answer = signed_in(ada).post("/risk/lanes/", {**form, "tolerance": f"{amount} 0.1\n7 0.05"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["tolerance"][0].startswith("An amount above 0 and below ")
    assert not RiskPolicy.objects.exists()
    assert signed_in(ada).post("/risk/lanes/", {**form, "tolerance": "1e5 0.1"}).status_code == 302
    assert RiskPolicy.objects.get().tolerance == [["100000", 0.1]]


def test_a_tolerance_line_is_in_a_currency_that_exists(
    ada: User, api: Api, signed_in: Callable[[User], Client]
) -> None:
    limits = {"cost_rises_from": "12000", "immediate_from": "250000", "immediate_budget_share": "1"}
    form = {**limits, "critical_budget_share": "0.25", "tolerance": "7 0.05", "reason": "r"}
    for currency in ("usd", "XXY"):
        answer = signed_in(ada).post("/risk/lanes/", {**form, "currency": currency})
        assert answer.status_code == 422
        assert answer.context["form"].errors["currency"][0].startswith("There is no such currency: a code of ISO 4217")
    sent = {"tolerance": [{"amount": "7", "probability": 0.05}], "currency": "XXY", "reason": "r"}
    refused = api(ada).put("/api/v1/risk/policy/", sent, JSON)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/currency")
    assert not RiskPolicy.objects.exists()


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"kind": "number"}, "value", "“One number” needs it."),
        ({"kind": "range", "lo": "1", "hi": "2"}, "mode", "“From, to, most likely” needs it."),
        ({"kind": "range", "lo": "5", "mode": "2", "hi": "9"}, "mode", "It is less than “From”."),
        ({"kind": "interval", "lo": "1", "hi": "2"}, "kind", "This is stated as “One number”, “From, to, most likely”"),
        ({"kind": "incidents", "incidents": "1.5", "years": "2"}, "incidents", "A whole number."),
        ({"kind": "incidents", "incidents": "1", "years": "0"}, "years", "More than no years."),
        ({"kind": "number", "value": "1000000"}, "value", "525,960 events a year at most."),
        ({"name": "users_affected", "kind": "number", "value": "35"}, "value", "A share lies between 0 and 1: 0.35"),
        ({"name": "recover", "kind": "number", "value": "1e12"}, "value", "52,596,000 minutes at most."),
    ],
)
def test_what_is_wrong_with_an_input_is_said_at_its_field_in_words_of_the_form(
    alice: User, checkout: Service, signed_in: Callable[[User], Client], sent: dict[str, str], field: str, said: str
) -> None:
    form = {"service": "checkout", "name": "frequency", "basis": "b", "confidence": "medium", **sent}
    answer = signed_in(alice).post("/risk/inputs/", form)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert answer.context["form"].errors[field][0].startswith(said)
    assert not RiskInput.objects.exists()


def test_what_was_stated_before_there_was_a_bound_goes_on_counting(checkout: Service) -> None:
    finding = make_finding(checkout, check_id="db-connections", risk_class="stability")
    make_risk_input(service=checkout, check_id="db-connections", name="frequency", numbers={"value": "600000"})
    estimating.follow([finding.pk])
    estimating.refresh(checkout.pk)
    assert Estimate.objects.get(key=Finding.objects.get(pk=finding.pk).risk_key).frequency == 600_000


def test_what_was_stated_is_said_with_its_unit(
    alice: User, checkout: Service, signed_in: Callable[[User], Client]
) -> None:
    form = {"service": "checkout", "name": "recover", "kind": "range", "lo": "10", "mode": "20", "hi": "60"}
    client = signed_in(alice)
    assert "Until recovered, in minutes" in text_of(client, "/risk/inputs/")
    assert client.post("/risk/inputs/", {**form, "basis": "b", "confidence": "medium"}).status_code == 302
    page = text_of(client, "/risk/inputs/")
    assert "Until recovered: 10 to 60 minutes, most likely 20. The figures follow it." in page
    own = text_of(client, f"/risk/inputs/{RiskInput.objects.get().pk}/")
    assert "in minutes: stated by alice" in " ".join(own.split())


def test_a_reason_with_a_nul_takes_an_input_back_all_the_same(
    alice: User, checkout: Service, signed_in: Callable[[User], Client]
) -> None:
    row = make_risk_input(service=checkout, name="frequency", numbers={"value": "2"})
    assert signed_in(alice).post(f"/risk/inputs/{row.pk}/withdraw/", {"reason": "wrong\0ly"}).status_code == 302
    assert AuditEvent.objects.get(action="withdrew").reason == "wrongly"


def test_a_team_s_group_leads_to_its_own_findings_though_others_have_some_in_the_service(
    api: Api, alice: User, checkout: Service, search: Team
) -> None:
    mine, theirs = (make_finding(checkout, check_id="dns", rule="dns", team=team) for team in (checkout.team, search))
    estimating.follow([mine.pk, theirs.pk])
    (row,) = api(alice).get("/api/v1/risk/groups/", {"team": "payments"}).json()["results"]
    found = api(alice).get("/api/v1/findings/", {"q": row["q"]}).json()["results"]
    assert (row["findings"], [each["id"] for each in found]) == (1, [str(mine.pk)])


def test_a_table_is_saved_as_the_page_was_asked_for_it(
    checkout: Service, alice: User, signed_in: Callable[[User], Client]
) -> None:
    made = [make_finding(checkout, rule=rule, check_id=rule) for rule in ("dns", "dns", "backups")]
    estimating.follow([each.pk for each in made])
    client = signed_in(alice)
    page = client.get("/risk/", {"q": "check:dns", "order": "findings"})
    matrix, groups = (client.get(page.context["exports"][name]) for name in ("matrix", "groups"))
    rows = list(csv.DictReader(b"".join(matrix).decode().splitlines()))
    assert sum(int(row["count"]) for row in rows) == sum(each.count for each in page.context["matrix"].cells) == 2
    listed = list(csv.DictReader(b"".join(groups).decode().splitlines()))
    assert [row["check"] for row in listed] == ["dns", "backups"]


def test_an_import_leaves_no_finding_without_figures(checkout: Service) -> None:
    upload(sarif(*(sarif_result(f"R{number}", level="warning") for number in range(5)), sarif_result("X")), checkout)
    assert not Finding.objects.filter(estimate__key__isnull=True).exists()
    assert Estimate.objects.filter(service=checkout).count() == 2


def test_upkeep_finds_what_nothing_computed_and_drops_what_nothing_uses(checkout: Service, alice: User) -> None:
    kept, changed = make_finding(checkout), make_finding(checkout, severity="low")
    assert estimating.upkeep() == 2
    services.change(changed, Update(fields={"severity": "high"}), user=alice, source="api")
    Estimate.objects.update(version="older", bad_minutes=None)
    assert estimating.upkeep() == 1
    assert Estimate.objects.get().bad_minutes is not None
    kept.refresh_from_db()
    assert kept.estimate == Estimate.objects.get()


def test_an_input_of_a_check_that_there_is_not_is_refused_for_it_would_never_count(
    platform: Service, alice: User, api: Api
) -> None:
    sent = {"service": "checkout", "name": "recover", "kind": "number", "numbers": {"value": "5"}, "source": "A drill"}
    refused = api(alice).post("/api/v1/risk/inputs/", sent | {"check": "db-conections"}, JSON)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/check")
    assert api(alice).post("/api/v1/risk/inputs/", sent | {"check": "db-connections"}, JSON).status_code == 201


@pytest.mark.parametrize("slo", ["0", "1"])
def test_an_objective_without_a_budget_to_spend_is_refused_not_taken_for_none(
    platform: Service, mary: User, api: Api, slo: str
) -> None:
    refused = api(mary).patch("/api/v1/services/checkout/", {"slo": slo}, JSON)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/slo")
    assert api(mary).get("/api/v1/services/checkout/").json()["slo"] == "0.999"


def test_a_currency_that_does_not_exist_is_refused(platform: Service, mary: User, api: Api) -> None:
    refused = api(mary).patch("/api/v1/services/checkout/", {"currency": "ABC"}, JSON)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/currency")
    assert api(mary).patch("/api/v1/services/checkout/", {"currency": "CHF"}, JSON).json()["currency"] == "CHF"


@pytest.mark.parametrize("unit", ["minutes", "money"])
@pytest.mark.parametrize("view", ["current", "inherent", "after"])
@pytest.mark.parametrize("words", ["", "severity:high", "tag:none", "-service:checkout"])
def test_the_scatter_holds_what_the_matrix_of_the_same_view_and_filter_counts(
    platform: Service, ada: User, unit: str, view: str, words: str
) -> None:
    Service.objects.filter(pk=platform.pk).update(value_per_bad_minute=Decimal(10))
    estimated(platform, check_id="db-connections", rule="db-connections", risk_class="stability")
    estimating.follow(list(Finding.objects.values_list("pk", flat=True)))
    query, scales = parse(words), matrix_of(unit)
    matrix = placements.matrix(ada, unit=unit, view=view, query=query)
    standings = placements.standings(ada, unit=unit, view=view, query=query)
    for cell in matrix.cells:
        here = [each for each in standings if (each.likelihood, each.impact) == (cell.likelihood, cell.impact)]
        assert sum(each.count for each in here) == cell.count
    for each in standings:
        assert scales.likelihood.level(each.frequency) == each.likelihood
        assert scales.impact.level(each.per_event) == each.impact


def test_a_dot_of_the_scatter_counts_what_its_list_shows_whatever_the_severities(platform: Service, ada: User) -> None:
    for severity, path in (("high", "a"), ("high", "b"), ("medium", "c"), ("low", "d")):
        estimated(platform, rule="CVE-2026-7", severity=severity, path=path, check_id="")
    estimating.follow(list(Finding.objects.values_list("pk", flat=True)))
    scatter, standings = risk_presentation.scatter(ada, "minutes", "current", Query())
    assert sum(each.count for each in standings) == placements.matrix(ada).placed
    for dot in scatter.dots:
        q = parse_qs(urlparse(dot.url).query)["q"][0]
        assert f": {selectors.found(parse(q), ada).count():,} finding" in dot.label
    assert len(
        {(each.check, each.risk_class, each.service, each.likelihood, each.impact) for each in standings}
    ) == len(standings)


def test_a_risk_that_never_happens_stands_in_no_place_of_the_inherent_scatter(platform: Service, ada: User) -> None:
    make_risk_input(platform, user=ada, basis="It cannot", name="frequency", numbers={"value": "0"})
    estimating.follow(list(Finding.objects.values_list("pk", flat=True)))
    for unit in ("minutes", "money"):
        found = placements.standings(ada, unit=unit, view="inherent")
        assert all(each.frequency > 0 and each.per_event > 0 for each in found)


def test_the_curve_is_no_file_before_the_years_are_drawn(platform: Service, mary: User, api: Api) -> None:
    early = api(mary).get("/api/v1/risk/exceedance/?format=csv")
    assert (early.status_code, early["Content-Type"]) == (409, "application/problem+json")
    assert api(mary).get("/api/v1/risk/exceedance/").json()["curves"] == []
