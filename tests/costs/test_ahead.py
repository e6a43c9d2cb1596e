"""Where spend goes: the month to its end, a year on, budgets, what is missing; and the tiles of other pages."""

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from costs import ahead, outlook, rollups, spending, tasks
from costs.models import BillScope, Budget, ChargeMonth
from platform_risk.core.models import Service, Team, User
from tests.costs.spending import spend, weekly

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
DAYS = 107  # 5 January to 21 April 2026
LAST = date(2026, 4, 21)


@pytest.fixture
def spent(payments: Team, search: Team, checkout: Service) -> None:
    spend(weekly(DAYS, 100), team=payments, service=checkout)
    spend(weekly(DAYS, 40, seed=2), team=search, name="Storage")
    spend(weekly(DAYS, 10, seed=3), name="Zones")
    recount()


def recount() -> None:
    rollups.recount(list(BillScope.objects.values_list("pk", flat=True)))


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.content[:500]
    return str(unescape(answer.content.decode()))


def test_the_month_ends_where_its_days_and_those_to_come_add_up(spent: None, ada: User) -> None:
    found = ahead.ahead(ada, "USD", "effective", date(2026, 4, 1))
    assert found.ends is not None
    low, high = found.ends.bounds[80]
    assert found.ends.known < low < found.ends.mean < high
    assert [each.first for each in (found.every[0], found.every[1], found.every[-1])] == [
        date(2026, 4, 1), date(2026, 5, 1), date(2027, 4, 1)
    ]  # fmt: skip
    assert found.year == sum(each.mean for each in found.months)
    assert all(each.is_whole for each in found.every)


def test_forecasts_are_computed_before_anybody_looks(
    spent: None, alice: User, vic: User, ada: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Alice and vic see the same, ada sees everything.
    assert tasks.look_ahead() == 2
    for name in ("coherent", "forecast"):
        monkeypatch.setattr(outlook, name, lambda *_: pytest.fail("somebody has to wait for a forecast"))
    for user in (alice, vic, ada):
        assert "2026" in page(signed_in(user), "/costs/")
        assert "forecast" in page(signed_in(user), "/costs/tile/").lower()
        assert "c-expected" in page(signed_in(user), "/costs/projection/")
    assert tasks.look_ahead() == 2


def test_below_two_weeks_a_sentence_says_what_is_missing(search: Team, ada: User, signed_in: SignedIn) -> None:
    spend(weekly(9, 40), team=search)
    recount()
    assert ahead.ahead(ada, "USD", "billed", date(2026, 1, 1)).year is None
    body = page(signed_in(ada), "/costs/")
    assert body.count("There are 9 days of spend; a forecast takes at least 14.") == 3
    assert "not forecast" in body


def test_the_first_page_of_costs_says_where_it_goes_what_it_may_cost_and_what_is_missing(
    spent: None, ada: User, alice: User, payments: Team, signed_in: SignedIn
) -> None:
    Budget.objects.create(amount=Decimal(3000))
    Budget.objects.create(team=payments, amount=Decimal(100))
    scope = BillScope.objects.get()
    BillScope.objects.update(is_provisional=True)
    body = page(signed_in(ada), "/costs/")
    figures = [json.loads(text) for text in re.findall(r'data-figure="(.*?)"></div>', body, re.DOTALL)]
    assert {trace["name"] for trace in figures[0]["data"]} == {
        "spent", "80 %, low", "80 % interval", "expected", "budget, of what is billed"
    }  # fmt: skip
    assert re.search(r"(Not expected|Expected) to cross", body)
    assert "Used up on " in body
    assert "April 2026 to" not in body
    assert "May 2026 to April 2027" in body
    assert f"{scope.export}, {scope.billing_account}" in body
    assert "nothing has come since 22 April 2026" in body
    assert "Provisional:</b> January 2026" in body
    hers = page(signed_in(alice), "/costs/")
    assert "nothing has come since 22 April 2026" in hers
    assert scope.billing_account + "<" not in hers
    assert "3,000.00" not in hers
    assert "Zones" not in page(signed_in(alice), "/costs/?by=cloud_service")


def test_before_the_first_bill_nothing_is_known_which_is_not_nothing(
    spent: None, ada: User, signed_in: SignedIn
) -> None:
    body = page(signed_in(ada), "/costs/")
    table = body.partition("Spent and expected by month")[2].partition("</table>")[0]
    row = re.search(r"Dec 2025</th><td class=\"num\">([^<]*)<", table)
    assert row is not None
    assert row[1] == "–"
    assert "bills begin in January 2026" in body


def test_a_gap_is_told_before_the_figures(payments: Team, alice: User, signed_in: SignedIn) -> None:
    spend(weekly(10, 40), team=payments)
    spend(weekly(10, 40), team=payments, first=date(2026, 1, 20))
    recount()
    body = page(signed_in(alice), "/costs/")
    assert "no charge from 15 January 2026 to 19 January 2026" in body


def test_a_tile_has_what_its_user_sees_and_no_more(
    spent: None, ada: User, alice: User, payments: Team, search: Team, checkout: Service
) -> None:
    month = ChargeMonth.objects.filter(month=date(2026, 4, 1))
    whole = sum((row.effective for row in month), Decimal(0))
    everything, hers, service = ahead.tile(ada), ahead.tile(alice), ahead.tile_of(alice, checkout)
    assert everything is not None
    assert hers is not None
    assert service is not None
    assert (everything.so_far, everything.last, everything.currency) == (whole, LAST, "USD")
    assert hers.so_far == service.so_far == sum(row.effective for row in month.filter(key__team=payments))
    assert service.ahead.ends is not None
    assert service.ahead.ends.known == service.so_far
    assert (service.compared, service.trend is not None) == (spending.compared(LAST), True)
    assert ahead.tile_of(alice, search) is None


def test_findings_and_costs_of_a_service_and_of_a_team_meet_on_its_page(
    spent: None, alice: User, payments: Team, checkout: Service, signed_in: SignedIn
) -> None:
    for path, kind in (("/services/checkout/", "service=checkout"), ("/teams/payments/", "team=payments")):
        body = page(signed_in(alice), path)
        assert "April so far" in body
        link = re.search(r'href="(/costs/explorer/[^"]+)"', body)
        assert link is not None
        assert kind in link[1]
        assert "Compute" in page(signed_in(alice), link[1])


def test_a_page_of_costs_costs_the_same_however_much_was_spent(
    spent: None, ada: User, search: Team, signed_in: SignedIn, django_assert_num_queries: Any
) -> None:
    client = signed_in(ada)
    paths = ("/costs/", "/costs/explorer/", "/costs/reconciliation/", "/costs/showback/", "/services/checkout/")
    counts = {}
    for path in paths:
        page(client, path)
        with django_assert_num_queries(40, exact=False) as captured:
            page(client, path)
        counts[path] = len(captured)
    for number in range(20):
        spend(weekly(30, 5, seed=number), team=search, name=f"Service {number}", account=f"acct-{number}")
    recount()
    for path in paths:
        page(client, path)
        with django_assert_num_queries(counts[path]):
            page(client, path)


def test_what_another_version_kept_is_computed_again(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(key: str) -> Any:
        raise ModuleNotFoundError(key)

    monkeypatch.setattr(cache, "get", gone)
    assert outlook.cached(ada, "x", [], lambda: 7) == 7


def test_every_new_day_is_seen_at_once(search: Team, ada: User) -> None:
    spend(weekly(DAYS, 40), team=search)
    recount()
    before = ahead.tile(ada)
    spend([1000], team=search, name="More", first=LAST + timedelta(days=1))
    recount()
    after = ahead.tile(ada)
    assert before is not None
    assert after is not None
    assert after.so_far == before.so_far + 1000


def test_the_overviews_tile_says_what_is_spent_and_what_it_will_come_to(
    spent: None, ada: User, signed_in: SignedIn
) -> None:
    told = page(signed_in(ada), "/costs/tile/")
    assert "forecast to its end" in told
    was, came = spending.compared(LAST)
    assert f"; {came:%B} " in told, "of which months the change is, for it is not the running one's"
    assert f" % on {was:%B}" in told
    assert "/costs/tile/" in page(signed_in(ada), "/")


def test_a_charge_on_a_day_to_come_is_no_history(spent: None, ada: User, signed_in: SignedIn) -> None:
    spend([5.0], name="Mistyped", first=date(2099, 6, 3))
    recount()
    assert max(outlook.spend(ada, "USD").by_day) == LAST
    assert ahead.ahead(ada, "USD", "effective", date(2026, 4, 1)).ends is not None
    assert "not forecast" not in page(signed_in(ada), "/costs/")
    assert '<h2 id="teams-title">April 2026</h2><p>effective cost in USD</p>' in page(
        signed_in(ada), "/costs/showback/"
    )
