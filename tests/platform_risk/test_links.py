"""Whoever reads a page is led nowhere that is refused: also who has findings in another team's service, or no team."""

from collections import deque
from collections.abc import Callable

import pytest
from django.test import Client

from findings import estimating
from findings.models import Finding
from platform_risk.core.models import Service, Team, User
from tests.factories import make_finding, make_user, sarif, sarif_result, upload
from tests.platform_risk.pages import Markup, shape

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
BEGIN = ("/", "/findings/", "/risk/", "/risk/exceedance/", "/remedies/", "/reviews/", "/incidents/", "/alert-coverage/")
MOST = 160


@pytest.fixture
def shared(checkout: Service, search: Team, alice: User) -> None:
    """Findings of team payments' service, one of which is given to team search."""
    Service.objects.filter(pk=checkout.pk).update(slo="0.999", value_per_bad_minute=10)
    upload(sarif(sarif_result("RULE_1"), sarif_result("RULE_2")), checkout, user=alice)
    Finding.objects.filter(service=checkout, rule="RULE_2").update(team=search, team_from="rule")
    given = make_finding(checkout, team=search, team_from="user", check_id="db-connections", risk_class="stability")
    estimating.follow([given.pk, *Finding.objects.values_list("pk", flat=True)])


def refused(client: Client) -> dict[str, int]:
    """Addresses that pages lead to from `BEGIN` on, and that answer so: one of each shape is followed."""
    ahead, known, found = deque(BEGIN), set(BEGIN), {}
    followed: set[tuple[str, ...]] = set()
    for _ in range(MOST):
        if not ahead:
            break
        url = ahead.popleft()
        answer = client.get(url, follow=True)
        if answer.status_code >= 400:
            found[url] = answer.status_code
        if "html" not in answer.get("Content-Type", ""):
            continue
        for link in Markup(answer.content.decode()).links("/"):
            address = link.attributes["href"].partition("#")[0]
            if address in known or address.startswith(("/static/", "/api/", "/sign-out/")):
                continue
            known.add(address)
            if shape(address) not in followed:
                followed.add(shape(address))
                ahead.append(address)
    return found


@pytest.mark.parametrize("name", ["bob", "alice", "nobody"])
def test_no_page_leads_to_what_is_refused(shared: None, bob: User, signed_in: SignedIn, name: str) -> None:
    make_user("nobody")
    assert refused(signed_in(User.objects.get(username=name))) == {}


def test_who_has_findings_in_another_teams_service_filters_by_its_name_and_sees_no_more_of_it(
    shared: None, bob: User, checkout: Service, signed_in: SignedIn
) -> None:
    client = signed_in(bob)
    page = client.get("/findings/?q=service:checkout&view=flat")
    assert {each.team.slug for each in page.context["page"].rows} == {"search"}
    assert len(page.context["page"].rows) == 2  # those given to the team
    assert client.get("/services/checkout/").status_code == 404
    assert client.get("/findings/?q=service:nowhere").status_code == 400


def test_who_is_in_no_team_finds_an_empty_list_in_every_order(shared: None, signed_in: SignedIn) -> None:
    client = signed_in(make_user("nobody"))
    orders = (
        "q=is:open&view=flat&ordering=-bad_minutes",
        "view=flat&ordering=-annual_loss",
        "view=flat&ordering=-last_seen_at",
    )
    for query in ("", "q=is:open+-is:other_branch", "q=word", *orders):
        assert client.get(f"/findings/?{query}").status_code == 200, query
