"""Pages of spend, and what they are made of."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from costs import allocation, money, reconciling, sharing, showing_back, spending
from costs.allocation import Catalogue, Key
from costs.changing import Change, KeyChange, taken_apart
from costs.cube_query import DIMENSIONS, Question
from costs.models import SharedCost
from costs.ownership import reallocate
from platform_risk.core import ownership
from platform_risk.core.models import AuditEvent, Service, Team, User
from platform_risk.management import demo_bill
from tests.costs.bills.reduced import FOCUS, focus
from tests.costs.test_load import applied, tagged
from tests.factories import make_service, make_user
from tests.platform_risk.pages import text_of

SignedIn = Callable[[User], Client]
AMOUNTS = st.one_of(st.none(), st.decimals(-1000, 1000, places=6), st.decimals(-(10**18), 10**18, places=12))


@given(st.lists(st.tuples(st.sampled_from("ab"), AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), max_size=8))
def test_the_parts_of_a_change_add_up_to_it(keys: list[tuple[str, Any, Any, Any, Any]]) -> None:
    changes = taken_apart(KeyChange(*key) for key in keys)
    for change in changes:
        parts = (change.new, change.gone, change.price, change.volume, change.unknown)
        assert money.added(parts) == change.change
    total = money.less(
        money.added(key[2] or Decimal(0) for key in keys), money.added(key[1] or Decimal(0) for key in keys)
    )
    assert money.added(change.change for change in changes) == total


def test_twice_as_much_is_volume_and_twice_as_dear_is_price() -> None:
    more = KeyChange("more", Decimal(10), Decimal(20), Decimal(5), Decimal(10))
    dearer = KeyChange("dearer", Decimal(10), Decimal(20), Decimal(5), Decimal(5))
    (first, second) = sorted(taken_apart([more, dearer]), key=lambda change: change.name)
    assert [first.price, first.volume, second.price, second.volume] == [10, 0, 0, 10]
    assert taken_apart([KeyChange("x", None, Decimal(3)), KeyChange("x", Decimal(4), None)]) == [
        Change("x", Decimal(4), Decimal(3), new=Decimal(3), gone=Decimal(-4))
    ]


WEIGHTS = st.dictionaries(st.integers(1, 9), st.decimals(-10, 1000, places=4), max_size=6)


@given(st.decimals(-10_000, 10_000, places=9), WEIGHTS, st.sampled_from(["proportional", "even"]))
def test_shared_cost_is_split_without_a_rest(amount: Decimal, weights: dict[int, Decimal], how: str) -> None:
    parts = allocation.split(amount, weights, how)
    assert set(parts) == set(weights)
    if parts:
        assert sum(parts.values(), Decimal(0)) == amount


def test_whose_a_charge_is_goes_rule_shared_service_tag() -> None:
    known = Catalogue(
        rules=[(ownership.Rule(1, "account", "dev-*", 7), None), (ownership.Rule(2, "label", "tier=core", 8), 3)],
        shared=[allocation.Shared(5, "tag", "cost-center=all*", "even")],
        services={"checkout": (3, 9), "lone": (4, None)},
        teams={"core": 6},
        environments={"production": 2},
    )

    def of(account: str = "", namespace: str = "", **tags: str) -> tuple[Any, ...]:
        key = Key(account, "EC2", "", namespace, {name.replace("_", "-"): value for name, value in tags.items()})
        found = allocation.allocate(key, known)
        return found.service, found.team, found.team_from, found.environment, found.shared

    assert of("dev-1", app="Checkout", env="production") == (3, 7, "rule", 2, None)
    assert of(namespace="checkout", tier="core") == (3, 8, "rule", None, None)
    assert of(namespace="lone", tier="core", team="core") == (4, 6, "tag", None, None)
    assert of(service="checkout", cost_center="all teams") == (3, None, "", None, 5)
    assert of(service="checkout", team="core") == (3, 9, "service", None, None)
    assert of(service="unheard-of", team="unheard-of") == (None, None, "", None, None)


def test_the_demo_bill_is_the_same_for_the_same_day_and_its_total_is_known() -> None:
    lines = list(demo_bill.lines(date(2026, 6, 30)))
    assert sum(Decimal(line["BilledCost"]) for line in lines) == Decimal("352092.110787")
    assert sum(Decimal(line["EffectiveCost"]) for line in lines) == Decimal("351458.866486")
    assert len({line["ResourceId"] for line in lines if line["ChargeCategory"] == "Usage"}) == 200
    assert {line["BillingPeriodStart"][:7] for line in lines} == {
        *(f"2025-{month:02}" for month in range(6, 13)), *(f"2026-{month:02}" for month in range(1, 7)),
    }  # fmt: skip

    def spent(service: str, begin: str, end: str, kind: str = "") -> Decimal:
        return sum(
            (
                Decimal(line["BilledCost"])
                for line in lines
                if begin <= line["ChargePeriodStart"][:10] < end
                and service in line["Tags"]
                and kind in line["ServiceName"]
            ),
            Decimal(0),
        )

    # The step, and three odd days.
    before, after = (
        spent("data-processor", "2025-11-01", "2025-12-01"),
        spent("data-processor", "2026-02-01", "2026-03-01"),
    )
    assert after > before * Decimal("1.5")
    odd = spent("data-collector", "2026-05-21", "2026-05-24", "Virtual Private")
    assert odd > 10 * spent("data-collector", "2026-05-11", "2026-05-14", "Virtual Private")


JULY = {
    "BillingPeriodStart": "2026-07-01T00:00:00Z", "ChargePeriodStart": "2026-07-01T00:00:00Z", "EffectiveCost": "7",
    "ResourceId": "i-2",
}  # fmt: skip


@pytest.fixture
def costs(db: None, ada: User, checkout: Service, search: Team) -> None:
    make_service("orphan", None)
    lines = [
        tagged(service="checkout"), {**tagged(team="search"), "EffectiveCost": "9"}, {"EffectiveCost": "5"},
        {**JULY, **tagged(service="checkout")}, {**JULY, "ServiceName": "Transit <b>", "SubAccountId": "hub"},
        {"BillingCurrency": "EUR", "EffectiveCost": "3"},
        {**JULY, "ChargePeriodStart": "2026-07-31T00:00:00Z", "EffectiveCost": "1"},
    ]  # fmt: skip
    applied(ada, focus(*lines, base={**FOCUS, "EffectiveCost": "2"}))


def test_the_page_of_an_import_that_restates_a_month_says_what_it_was_before(
    costs: None, ada: User, signed_in: SignedIn
) -> None:
    again = applied(ada, focus({"BilledCost": "1234.5"}, {**JULY, "BilledCost": "0"}))
    page = " ".join(text_of(signed_in(ada), f"/imports/{again.pk}/").split())
    assert "Billed before" in page
    assert "<b>1,234.50</b> USD" in page


def test_any_two_dimensions_over_any_period_add_up_and_can_be_narrowed(costs: None, ada: User) -> None:
    names = list(DIMENSIONS)
    for begin, end, total in ((date(2026, 6, 1), date(2026, 8, 1), 31), (date(2026, 6, 15), date(2026, 7, 31), 14)):
        for at, name in enumerate(names):
            question = Question(begin, end, (name,), ("USD",))
            found = spending.explore(ada, question, names[at - 1], "month", "effective")
            assert found.total == sum(row[2] for row in found.rows) == total, name
            for first, _, own in found.rows:
                if first not in (spending.NOBODY, spending.UNNAMED):
                    alone = replace(question, filters={name: (first,)})
                    assert spending.explore(ada, alone, "time", "day", "effective").total == own, name


PAGES = (
    "/costs/", "/costs/?by=team&cost=billed", "/costs/?currency=EUR",
    "/costs/changed-resources/", "/costs/explorer/",
    "/costs/explorer/?rows=team&columns=region&step=day&from=2026-07-01",
    "/costs/explorer/?service=checkout&from=2026-06-15&to=2026-07-10&columns=account", "/costs/reconciliation/",
    "/costs/reconciliation/?versions=all", "/costs/showback/", "/costs/showback/?month=2026-06&cost=billed",
)  # fmt: skip


def test_every_page_of_spend_answers_and_shows_no_more_than_one_may_see(
    costs: None, ada: User, alice: User, bob: User, mary: User, signed_in: SignedIn
) -> None:
    for user in (ada, alice, bob, mary):
        client = signed_in(user)
        for page in PAGES:
            answer = client.get(page)
            asks_for_others = user is bob and "service=checkout" in page
            no_euros = user in (alice, bob) and "EUR" in page
            assert answer.status_code == (404 if asks_for_others or no_euros else 200), (page, user)
            body = answer.content.decode()
            assert "Transit <b>" not in body, "escaped"
            if user in (alice, bob):
                assert "Transit" not in body, page
            if user is bob:
                assert "checkout" not in body, page


def test_what_is_nobodys_is_not_shown_as_nothing_to_who_may_not_see_it(
    costs: None, alice: User, mary: User, signed_in: SignedIn
) -> None:
    def tile(user: User) -> str:
        page = text_of(signed_in(user), "/costs/").partition("Nobody’s, July")[2].partition("</div>")[0]
        return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page)).strip()

    assert tile(mary).startswith("8.00 USD given to no team")
    assert tile(alice) == "not shown what is given to no team is for managers to see"


@pytest.mark.parametrize("page", ["/costs/", "/costs/showback/", "/findings/"])
def test_who_may_hand_in_nothing_is_not_asked_to(vic: User, mary: User, signed_in: SignedIn, page: str) -> None:
    words = ("Hand in a bill", "Import a report")
    for user, asked in ((make_user("nobody"), False), (vic, False), (mary, True)):
        body = signed_in(user).get(page).content.decode().split("<main")[1]
        assert any(each in body for each in words) is asked, user


def test_pages_before_any_bill_say_what_to_do(mary: User, signed_in: SignedIn) -> None:
    for page in ("/costs/", "/costs/showback/", "/costs/reconciliation/"):
        assert b"Hand in a bill" in signed_in(mary).get(page).content
    assert b"Nothing was spent" in signed_in(mary).get("/costs/explorer/").content


@pytest.mark.parametrize(
    "address",
    [
        "/costs/?by=mood", "/costs/?cost=x", "/costs/?currency=ZZZ", "/costs/explorer/?from=x",
        "/costs/explorer/?rows=x",
        "/costs/showback/?month=2026-13",
        "/costs/explorer/?from=0001-01-01", "/costs/explorer/?service=nobody",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_404(costs: None, ada: User, signed_in: SignedIn, address: str) -> None:
    assert signed_in(ada).get(address).status_code == 404


def test_tables_come_as_csv_with_every_digit(costs: None, ada: User, signed_in: SignedIn) -> None:
    client = signed_in(ada)
    explored = client.get(
        "/costs/explorer/?rows=team&columns=time&from=2026-06-01&to=2026-07-31&step=month&format=csv&currency=USD"
    )
    assert explored.content.decode().splitlines() == [
        "Team,Jun 2026,Jul 2026,total,currency", "nobody’s,5,8,13,USD", "payments,2,7,9,USD", "search,9,0,9,USD",
    ]  # fmt: skip
    turned = "/costs/explorer/?rows=team&columns=time&from=2026-07-31&to=2026-06-01&step=month&format=csv&currency=USD"
    assert client.get(turned).content == explored.content, "days in either order"
    changes = client.get("/costs/?by=cloud_service&currency=USD&format=csv").content.decode().splitlines()
    assert changes[1].startswith("EC2,16,8,")
    resources = client.get("/costs/changed-resources/?currency=USD&format=csv").content.decode().splitlines()
    assert {line.split(",")[0] + line.split(",")[2] for line in resources[1:]} == {"i-1gone", "i-2new"}
    lines = client.get("/costs/reconciliation/?format=csv").content.decode().splitlines()
    assert len(lines) == 4
    assert all(line.endswith(",0") for line in lines[1:])


def test_amounts_are_reconciled_with_thousands_and_every_digit_and_plain_in_the_csv(
    ada: User, signed_in: SignedIn
) -> None:
    large = "12345678901234567.000000000000000001"
    bad = {"BilledCost": "-1000.25", "ChargePeriodStart": "soon", "BillingPeriodStart": ""}
    row = applied(ada, focus({"BilledCost": large}, {"BilledCost": "-1234.5", "ChargeCategory": "Credit"}, bad))
    client = signed_in(ada)
    grouped = "12,345,678,901,234,567.000000000000000001"
    for address in ("/costs/reconciliation/", f"/imports/{row.pk}/"):
        page = client.get(address).content.decode()
        assert f">{grouped}" in page
        assert ">-1,234.5" in page
        assert large not in page
    lines = client.get("/costs/reconciliation/?format=csv").content.decode()
    assert f",{large}," in lines
    assert ",-1234.5," in lines, "a credit is a number for a spreadsheet, too"
    assert money.less(Decimal(large), Decimal("-1000.25")) == Decimal("12345678901235567.250000000000000001")


def test_what_was_not_loaded_of_bills_and_usage_stands_on_the_reconciliation(
    ada: User, alice: User, signed_in: SignedIn
) -> None:
    undated = {"BilledCost": "1000.25", "ChargePeriodStart": "soon", "BillingPeriodStart": ""}
    bill = applied(ada, focus({}, undated, {"BilledCost": "2"}))
    points = [[1780272000, "1"], [1780272060, "NaN"]]
    matrix = {"resultType": "matrix", "result": [{"metric": {"__name__": "up"}, "values": points}]}
    content = json.dumps({"status": "success", "data": matrix}).encode()
    usage = applied(ada, content, name="range.json", kind="usage")
    found = signed_in(ada).get("/costs/reconciliation/").context["unloaded"]
    assert [(each.row, each.missing) for each in found] == [(usage, ()), (bill, (("USD", Decimal("1000.25")),))]
    page = signed_in(ada).get("/costs/reconciliation/").content.decode()
    assert "1,000.25 USD" in page
    assert f"/imports/{usage.pk}/?tab=rejected" in page
    assert "not loaded</h2>" not in signed_in(alice).get("/costs/reconciliation/").content.decode()
    # A newer whole month takes its place: nothing of it is in force.
    applied(ada, focus({"BilledCost": "3"}))
    assert [each.row for each in signed_in(ada).get("/costs/reconciliation/").context["unloaded"]] == [usage]


def test_a_list_by_month_has_gaps_of_months_alone(ada: User) -> None:
    listed = "\n".join(
        ("Month,Service,Cost,Currency", *(f"{month} 2026,Chat,5,EUR" for month in ("May", "Jun", "Aug")))
    )
    applied(ada, listed.encode(), kind="bill", billing_account="chat")
    gap, silent = reconciling.gaps(ada)
    assert (gap.first, gap.last, gap.is_silent) == (date(2026, 7, 1), date(2026, 7, 31), False)
    assert (silent.first, silent.is_silent) == (date(2026, 9, 1), True)


def test_what_is_paid_ahead_makes_no_gap_and_hides_no_silence(ada: User) -> None:
    year = timezone.now().year
    applied(ada, focus({}, {"ChargePeriodStart": f"{year + 1}-12-31T00:00:00Z"}))
    (gap,) = reconciling.gaps(ada)
    assert (gap.is_silent, gap.first) == (True, date(2026, 6, 2))


def test_shared_cost_is_split_over_the_teams_and_nobodys_stays_visible(
    costs: None, ada: User, alice: User, mary: User, payments: Team, search: Team, signed_in: SignedIn
) -> None:
    with pytest.raises(Exception, match="administrator"):
        sharing.create(user=mary, kind="account", pattern="hub", split="even")
    client = signed_in(ada)
    assert client.post("/costs/showback/", {"kind": "account", "pattern": "", "split": "even"}).status_code == 422
    assert client.post("/costs/showback/", {"kind": "account", "pattern": "hub", "split": "even"}).status_code == 302
    assert AuditEvent.objects.filter(kind="shared_cost", action="created").exists()
    reallocate()
    found = showing_back.showback(ada, date(2026, 7, 1), "USD", "effective")
    assert [(row.name, row.direct, row.shared) for row in found.rows] == [("Payments", Decimal(7), Decimal(7))]
    assert (found.nobodys, found.total) == (Decimal(1), Decimal(15))
    text = client.get("/costs/showback/?month=2026-07&currency=USD&format=csv").content.decode()
    assert text.splitlines() == [
        "month,team,direct,shared,total,currency", "2026-07,Payments,7,7,14,USD", "2026-07,,1,0,1,USD",
    ]  # fmt: skip
    assert "Nobody" not in signed_in(alice).get("/costs/showback/?month=2026-07").content.decode().split("<main")[1]
    rule = SharedCost.objects.get()
    assert signed_in(alice).post(f"/costs/showback/shared/{rule.pk}/delete/").status_code == 404
    client.post(f"/costs/showback/shared/{rule.pk}/delete/")
    assert not SharedCost.objects.exists()
