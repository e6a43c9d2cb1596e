"""Remedies: what they close and avoid, the plan, what is claimed and seen, who may see and change them."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from findings import estimating, placements
from findings.actions import Transition
from findings.checks.remedies import remedies as listed
from findings.models import Estimate, Finding
from findings.services import act
from findings.vocabulary import Status
from platform_risk.core.models import AuditEvent, Service, Team, User
from platform_risk.planning import plans, remedies
from platform_risk.planning.models import Remedy
from tests.costs.spending import spend
from tests.factories import make_finding, make_service

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
SignedIn = Callable[[User], Client]
JSON = "application/json"


def priced(service: Service) -> None:
    Service.objects.filter(pk=service.pk).update(value_per_bad_minute=Decimal(10), slo=Decimal("0.999"))


def found(service: Service, check: str, **fields: Any) -> Finding:
    finding = make_finding(
        service, check_id=check, rule=check, risk_class="stability", category="architecture", **fields
    )
    estimating.follow([finding.pk])
    return finding


def means(finding: Finding) -> tuple[float, Decimal]:
    """Bad minutes and loss of a year."""
    estimate = Estimate.objects.get(key=finding.risk_key)
    assert estimate.bad_minutes is not None
    assert estimate.annual_loss is not None
    return estimate.bad_minutes, estimate.annual_loss


def cost(service: Service) -> Finding:
    quantity = {"name": "cost_first_year", "value": 1200, "unit": "USD", "formula": "x", "inputs": []}
    finding = make_finding(
        service, check_id="log-retention", rule="log-retention", risk_class="cost", category="cost",
        quantities=[quantity],
    )  # fmt: skip
    estimating.follow([finding.pk])
    return finding


@pytest.fixture
def platform(checkout: Service, search: Team) -> Service:
    """Two findings that pooling closes, one that breakers close too, one of another team."""
    priced(checkout)
    for _ in range(2):
        found(checkout, "db-connections")
    found(checkout, "request-timeouts")
    found(make_service("index", search), "db-connections")
    return checkout


def test_the_list_that_comes_along_is_all_there(db: None) -> None:
    rows = {each.slug: each for each in Remedy.objects.all()}
    assert rows.keys() == listed().keys()
    for slug, wanted in listed().items():
        row = rows[slug]
        assert (row.title, row.lane, int(row.effort_days), tuple(row.checks), row.how) == (
            wanted.title, wanted.lane, wanted.effort_days, wanted.fixes_checks, wanted.how,
        )  # fmt: skip


def test_the_best_come_first_and_say_what_they_avoid_together(
    platform: Service, alice: User, bob: User, signed_in: SignedIn
) -> None:
    best = plans.best(alice, 5)
    per_day = [step.per_day for step, _ in best.steps]
    assert per_day == sorted(per_day, reverse=True)
    assert sum(step.gain for step, _ in best.steps) == pytest.approx(best.steps[-1][0].gain_so_far)
    assert best.share == pytest.approx(1.0)
    assert best.findings == 3
    card = signed_in(alice).get("/best-remedies/").content.decode()
    assert [remedy.title for _, remedy in best.steps] == re.findall(r'class="t" href="[^"]*">([^<]+)', card)
    assert "close 3 findings" in card
    assert "close 1 finding." in signed_in(bob).get("/best-remedies/").content.decode()


def test_a_remedy_tells_what_it_closes_and_avoids_and_the_filter_finds_exactly_that(
    platform: Service, alice: User, bob: User, ada: User, api: Api
) -> None:
    counts = {}
    for user in (alice, bob, ada):
        shown = api(user).get("/api/v1/remedies/connection-pooling/").json()
        listed_ = api(user).get("/api/v1/findings/", {"q": shown["closes"]["query"]}).json()["results"]
        assert len(listed_) == shown["closes"]["findings"]
        counts[user.username] = shown["closes"]["findings"], tuple(shown["closes"]["services"])
    assert counts == {"alice": (2, ("checkout",)), "bob": (1, ("index",)), "ada": (3, ("checkout", "index"))}
    shown = api(alice).get("/api/v1/remedies/connection-pooling/").json()
    minutes, loss = means(Finding.objects.filter(check_id="db-connections", service=platform)[:1].get())
    assert shown["bad_minutes_avoided_per_year"] == pytest.approx(2 * minutes)
    assert shown["annual_loss_avoided"] == str(2 * loss)
    assert (shown["currency"], shown["saved_per_month"]) == ("USD", None)
    assert shown["bad_minutes_avoided_per_day"] == pytest.approx(2 * minutes / 3)
    assert api(bob).get("/api/v1/remedies/connection-pooling/").json()["annual_loss_avoided"] is None


def test_money_saved_a_month_comes_from_the_projections_of_its_findings(checkout: Service, alice: User) -> None:
    cost(checkout)
    cost(checkout)
    (row,) = remedies.rows(alice, list(Remedy.objects.filter(slug="log-retention")))
    assert row.figures.saved == 200
    assert row.figures.saved_currency == "USD"
    assert row.figures.minutes is None


def test_what_two_remedies_close_counts_once_in_the_plan(platform: Service, alice: User, api: Api) -> None:
    told = api(alice).get("/api/v1/remedies/plan/", {"days": "100"}).json()
    assert told["unit"] == "minutes"
    total = sum(means(each)[0] for each in Finding.objects.filter(service=platform))
    assert told["gain"] == pytest.approx(total)
    assert told["gain"] == pytest.approx(told["total"])
    rates = [step["gain_per_day"] for step in told["curve"]]
    assert rates == sorted(rates, reverse=True)
    few = api(alice).get("/api/v1/remedies/plan/", {"days": "2", "worth": "money"}).json()
    assert few["unit"] == "USD"
    assert sum(step["days"] for step in few["steps"]) <= 2
    assert few["gain"] <= few["bound"]
    assert api(alice).get("/api/v1/remedies/plan/", {"days": "x"}).status_code == 400


def test_the_spread_is_that_of_the_same_years_and_its_mean_near_the_expected_one(
    platform: Service, alice: User
) -> None:
    pooling = Remedy.objects.get(slug="connection-pooling")
    drawn = remedies.avoided(alice, pooling)
    (row,) = remedies.rows(alice, [pooling])
    assert drawn is not None
    assert drawn.minutes is not None
    assert drawn.minutes.mean == pytest.approx(row.figures.minutes, rel=0.05)
    assert drawn.minutes.p5 >= 0
    assert drawn.losses["USD"].mean == pytest.approx(float(row.figures.loss or 0), rel=0.05)
    assert drawn == remedies.avoided(alice, pooling)


def test_a_done_remedy_is_held_against_what_later_imports_see(platform: Service, alice: User, mary: User) -> None:
    pooling = remedies.change(Remedy.objects.get(slug="connection-pooling"), user=mary, state="done", reason="merged")
    assert sum(each["findings"] for each in pooling.claimed) == 3

    def checked() -> Any:
        return remedies.rows(alice, [Remedy.objects.get(pk=pooling.pk)])[0].checked

    assert (checked().claimed, checked().open, checked().verdict) == (2, 2, "unchecked")
    one = Finding.objects.filter(check_id="db-connections", service=platform)[:1]
    act(Finding.objects.filter(pk__in=[one[0].pk]), Transition(to=Status.FIXED), user=alice, source="api")
    target = Finding.objects.get(pk=one[0].pk).target
    scope = target.scopes.create(source="probe", last_seen_at=timezone.now())
    assert (checked().closed_since, checked().open, checked().verdict) == (1, 1, "partly")
    assert checked().last_seen_at == scope.last_seen_at
    again = remedies.change(pooling, user=mary, state="planned")
    assert (again.done_at, again.claimed) == (None, None)


def test_shared_remedies_are_changed_by_managers_a_teams_own_by_its_members(
    api: Api, alice: User, vic: User, mary: User, bob: User, payments: Team
) -> None:
    body = {"slug": "own", "title": "Own", "effort_days": "1.5", "checks": ["dns"], "team": "payments"}
    assert api(vic).post("/api/v1/remedies/", body, JSON).status_code == 403
    assert api(alice).post("/api/v1/remedies/", {**body, "team": None}, JSON).status_code == 403
    made = api(alice).post("/api/v1/remedies/", body, JSON)
    assert (made.status_code, made.json()["effort_days"], made.json()["state"]) == (201, "1.5", "proposed")
    assert api(bob).get("/api/v1/remedies/own/").status_code == 404
    assert api(bob).patch("/api/v1/remedies/own/", {"title": "x"}, JSON).status_code == 404
    assert "Own" not in api(bob).get("/api/v1/remedies/?format=csv").getvalue().decode()
    changed = api(alice).patch("/api/v1/remedies/own/", {"state": "planned", "owner": "alice", "reason": "now"}, JSON)
    assert (changed.json()["state"], changed.json()["owner"]) == ("planned", "alice")
    event = AuditEvent.objects.filter(kind="remedy", action="changed").get()
    assert event.changes == {"state": ["proposed", "planned"], "owner": [None, "alice"]}
    assert event.reason == "now"
    assert api(alice).patch("/api/v1/remedies/dns-resilience/", {"state": "done"}, JSON).status_code == 403
    shared = api(mary).patch("/api/v1/remedies/dns-resilience/", {"owner": "mary"}, JSON)
    assert shared.json()["owner"] == "mary"
    assert api(bob).get("/api/v1/remedies/dns-resilience/").json()["owner"] is None
    assert api(alice).delete("/api/v1/remedies/own/").status_code == 204


@pytest.mark.parametrize(
    ("field", "value"),
    [("checks", ["nothing"]), ("checks", []), ("effort_days", "0"), ("slug", "plan"), ("slug", "A b"),
     ("owner", "nobody"), ("state", "x"), ("color", "red")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_its_field(api: Api, ada: User, field: str, value: Any) -> None:
    body = {"slug": "own", "title": "Own", "effort_days": "1", "checks": ["dns"]} | {field: value}
    answer = api(ada).post("/api/v1/remedies/", body, JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")


def test_the_pages_show_plan_list_spread_and_forms(platform: Service, mary: User, signed_in: SignedIn) -> None:
    client = signed_in(mary)
    body = client.get("/remedies/?days=4").content.decode()
    assert "What to do with 4 engineer-days" in body
    assert re.search(r'class="c-curve" d="M', body)
    assert "check%3Adb-connections" in body
    assert (
        "No open finding that a remedy closes has a price" not in client.get("/remedies/?worth=money").content.decode()
    )
    assert "None is declined" in client.get("/remedies/?state=declined").content.decode()
    assert "In half of all years" in client.get("/remedies/connection-pooling/").content.decode()
    fields = {"title": "New", "slug": "fresh", "effort_days": "2", "checks": ["dns", "probes"], "state": "proposed"}
    assert client.post("/remedies/new/", {**fields, "effort_days": "0"}).status_code == 422
    assert client.post("/remedies/new/", fields).status_code == 302
    assert client.post("/remedies/fresh/edit/", {**fields, "state": "done", "reason": "r"}).status_code == 302
    assert "Claimed and seen" in client.get("/remedies/fresh/").content.decode()
    assert client.post("/remedies/fresh/delete/").status_code == 302
    assert not Remedy.objects.filter(slug="fresh").exists()


@pytest.mark.parametrize("days", ["1,5", "NaN", "-1", "1e400", "a\x00"])
def test_days_that_are_no_number_are_told_beside_the_usual_plan(
    platform: Service, mary: User, signed_in: SignedIn, days: str
) -> None:
    answer = signed_in(mary).get("/remedies/", {"days": days})
    assert answer.status_code == 400
    body = answer.content.decode()
    assert f"“{days}” is no number of days from 0 to 10,000, such as 2.5." in body
    assert "What to do with 10 engineer-days" in body


def test_money_that_was_claimed_is_held_against_the_bills_before_and_since(
    checkout: Service, alice: User, mary: User, bob: User, api: Api, signed_in: SignedIn
) -> None:
    cost(checkout)
    remedy = remedies.change(Remedy.objects.get(slug="log-retention"), user=mary, state="done", reason="Done")
    assert remedy.claimed is not None
    assert [(each["currency"], each["monthly"]) for each in remedy.claimed] == [("USD", "100.00")]
    (money,) = api(alice).get("/api/v1/remedies/log-retention/").json()["checked"]["money"]
    assert (money["claimed"], money["seen"], money["verdict"]) == ("100.00", None, "cannot be told")
    assert "no day since" in money["why"]

    done_at = timezone.now() - timedelta(days=40)
    Remedy.objects.filter(pk=remedy.pk).update(done_at=done_at)
    first = done_at.date() - timedelta(days=30)
    spend([5.0] * 31 + [1.5] * 30, team=checkout.team, service=checkout, name="Amazon CloudWatch", first=first)
    spend([50.0] * 31 + [90.0] * 30, team=checkout.team, service=checkout, name="Amazon RDS", first=first)
    (money,) = api(alice).get("/api/v1/remedies/log-retention/").json()["checked"]["money"]
    assert (money["before"], money["after"], money["seen"]) == ("152.08", "45.62", "106.46")
    assert (money["days_before"], money["days_after"], money["verdict"]) == (28, 28, "confirmed")
    body = signed_in(alice).get("/remedies/log-retention/").content.decode()
    assert "Money: claimed and seen" in body
    assert "106.46 USD" in body
    assert api(bob).get("/api/v1/remedies/log-retention/").json()["checked"]["money"] == []  # of another team


def test_the_list_costs_the_same_however_many_findings_there_are(
    platform: Service, alice: User, signed_in: SignedIn, django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    client = signed_in(alice)
    with django_assert_max_num_queries(16) as few:
        client.get("/remedies/")
    for check in ("probes", "dns", "db-connections"):
        found(platform, check)
    with django_assert_num_queries(len(few)):
        client.get("/remedies/")


def test_a_declined_remedy_closes_nothing_in_the_matrix_after_remedies(
    platform: Service, alice: User, mary: User
) -> None:
    def left() -> int:
        return placements.matrix(alice, view="after").placed

    with_all = left()
    for slug in ("connection-pooling", "circuit-breakers", "request-timeouts"):
        remedies.change(Remedy.objects.get(slug=slug), user=mary, state="declined", reason="Not worth it")
    assert (with_all, left()) == (0, 3)
