"""Shared cost and showback: stated rules, parts that add up to the month, and everybody sees their own."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from costs import ownership
from costs.models import ChargeMonth, SharedCost
from costs.money import added
from platform_risk.core.models import AuditEvent, Team, User
from tests.costs.bills.reduced import focus
from tests.factories import upload_bill

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
SignedIn = Callable[[User], Client]
RULES, SHOWBACK = "/api/v1/shared-costs/", "/api/v1/costs/showback/"
JSON = "application/json"


def line(billed: str, team: str = "", account: str = "dev", **more: str) -> dict[str, str]:
    tags = f'{{"team": "{team}"}}' if team else ""
    return {"BilledCost": billed, "EffectiveCost": billed, "Tags": tags, "SubAccountId": account, **more}


def shares(client: Client, **asked: str) -> dict[str | None, tuple[str, str, str]]:
    answer = client.get(SHOWBACK, asked)
    assert answer.status_code == 200, answer.content
    return {
        row["team"]: (row["direct_billed"], row["shared_billed"], row["billed"]) for row in answer.json()["results"]
    }


def test_what_is_shared_is_split_by_what_each_team_spends_and_nobodys_stays_visible(
    api: Api, ada: User, mary: User, alice: User, bob: User
) -> None:
    upload_bill(
        focus(line("30", "payments"), line("10", "search"), line("8", account="network"), line("5"), line("1", "gone"))
    )
    assert shares(api(ada)) == {
        "payments": ("30", "0", "30"), "search": ("10", "0", "10"), None: ("14", "0", "14"),
    }  # fmt: skip
    made = api(ada).post(RULES, {"kind": "account", "pattern": "net*", "note": "transit"}, JSON)
    assert made.status_code == 201, made.content
    assert (made.json()["split"], ownership.reallocate()) == ("proportional", 1)
    expected = {"payments": ("30", "6", "36"), "search": ("10", "2", "12"), None: ("6", "0", "6")}
    assert shares(api(ada)) == expected
    assert shares(api(ada), month="2026-06") == shares(api(ada), month="2026-06-30") == expected
    assert api(ada).get(SHOWBACK, {"month": "2026-13"}).status_code == 400
    # A team's part is the same whoever looks; others' rows, and nobody's, are not for all.
    assert shares(api(alice)) == {"payments": expected["payments"]}
    assert shares(api(bob)) == {"search": expected["search"]}
    assert shares(api(mary)) == {"payments": expected["payments"], None: expected[None]}
    api(ada).patch(made["Location"], {"split": "even"}, JSON)
    assert shares(api(ada))["search"] == ("10", "4", "14")
    assert api(ada).delete(made["Location"]).status_code == 204
    ownership.reallocate()
    assert shares(api(ada))[None] == ("14", "0", "14")
    assert list(AuditEvent.objects.filter(kind="shared_cost").order_by("id").values_list("action", flat=True)) == [
        "created", "changed", "deleted",
    ]  # fmt: skip


def test_the_overview_says_how_much_of_what_is_nobodys_a_rule_splits(
    ada: User, payments: Team, signed_in: SignedIn
) -> None:
    SharedCost.objects.create(kind="account", pattern="net*", split="even")
    upload_bill(focus(line("30", "payments"), line("8", account="network"), line("5")))
    body = signed_in(ada).get("/costs/").content.decode()
    tile = body.partition("Nobody’s, ")[2].partition("</div>")[0]
    assert "<b>13.00<small>USD</small></b>" in tile
    assert "8.00 of it" in tile


def test_the_rows_of_all_teams_add_up_to_the_month_to_the_last_digit(api: Api, ada: User, payments: Team) -> None:
    for slug in ("a", "b", "c"):
        Team.objects.create(slug=slug, name=slug)
    SharedCost.objects.create(kind="account", pattern="s1", split="proportional")
    SharedCost.objects.create(kind="account", pattern="s2", split="even")
    upload_bill(
        focus(
            *(line(f"{number}.000000000001", team) for number, team in enumerate("abc", start=1)),
            line("-3", "b"),
            line("100000000000000000.123456789012", account="s1"),
            line("0.1", account="s2"),
            line("7", account="s2", BillingCurrency="EUR"),
        )
    )
    rows = api(ada).get(SHOWBACK).json()["results"]
    for currency in ("USD", "EUR"):
        mine = [row for row in rows if row["currency"] == currency]
        month = ChargeMonth.objects.filter(currency=currency).values_list("billed", "effective")
        assert added(Decimal(row["billed"]) for row in mine) == added(billed for billed, _ in month)
        assert added(Decimal(row["effective"]) for row in mine) == added(effective for _, effective in month)
    # In euros nobody spends anything of their own: what is shared stays with nobody.
    assert [(row["team"], row["shared_billed"]) for row in rows if row["currency"] == "EUR"] == [(None, "7")]


def test_a_month_is_asked_for_by_any_of_its_days_and_exported(api: Api, ada: User, payments: Team) -> None:
    upload_bill(focus(line("1", "payments"), line("2", "payments", ChargePeriodStart="2026-05-31T00:00:00Z")))
    client = api(ada)
    assert shares(client) == {"payments": ("1", "0", "1")}
    assert shares(client, month="2026-05-09") == {"payments": ("2", "0", "2")}
    assert shares(client, month="2026-05-09", currency="EUR") == {}
    lines = b"".join(client.get(f"{SHOWBACK}?format=csv")).decode().splitlines()
    assert lines[1] == "2026-06-01,payments,1,0,1,1,0,1,USD"
    assert client.get(SHOWBACK, {"month": "June"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "tag", "pattern": "*=x"}, "/pattern"),
        ({"kind": "tag", "pattern": "  "}, "/pattern"),
        ({"kind": "planet", "pattern": "x"}, "/kind"),
        ({"kind": "account", "pattern": "x", "split": "all"}, "/split"),
        ({"kind": "account", "pattern": "x", "colour": "red"}, "/colour"),
    ],
)
def test_a_rule_that_makes_no_sense_is_named(api: Api, ada: User, body: dict[str, Any], pointer: str) -> None:
    answer = api(ada).post(RULES, body, JSON)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_the_same_rule_is_stated_once_by_administrators_and_read_by_managers(
    api: Api, ada: User, mary: User, alice: User
) -> None:
    body = {"kind": "cloud_service", "pattern": "Support"}
    assert api(ada).post(RULES, body, JSON).status_code == 201
    assert api(ada).post(RULES, body, JSON).status_code == 400
    assert api(mary).post(RULES, body | {"pattern": "x"}, JSON).status_code == 403
    (shown,) = api(mary).get(RULES).json()["results"]
    assert shown["pattern"] == "Support"
    assert api(mary).delete(f"{RULES}{shown['id']}/").status_code == 403
    assert api(alice).get(RULES).json()["results"] == []
    assert api(alice).delete(f"{RULES}{shown['id']}/").status_code == 404


def test_costs_follow_when_an_environment_comes(
    ada: User, api: Api, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("costs.tasks.reallocate.delay", lambda: asked.append(ownership.reallocate()))
    upload_bill(focus({**line("3"), "Tags": '{"env": "qa"}'}))
    with django_capture_on_commit_callbacks(execute=True):
        assert api(ada).post("/api/v1/environments/", {"slug": "qa", "name": "QA"}, JSON).status_code == 201
    assert asked == [1]
