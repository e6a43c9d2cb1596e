"""The pages that sum up: overview, service and team. Their figures are those of the lists they lead to."""

import gzip
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from findings.models import Estimate, Finding
from findings.tasks import compact_rollups
from platform_risk.core.models import Environment, OwnershipRule, Scope, Service, Team, User
from tests.costs.spending import spend
from tests.factories import make_finding, make_import, make_service, make_user, sarif, sarif_result, upload
from tests.platform_risk.pages import Markup, faults, figures_that_lie, text_of

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
LONG_AGO = date(2020, 1, 1)
ROLES = {"vic": "Viewer", "alice": "Member", "mary": "Manager"}
PAGES = ("/", "/services/checkout/", "/teams/payments/", "/services/", "/teams/")


@pytest.fixture
def platform(checkout: Service, alice: User, mary: User, search: Team) -> Service:
    """Findings in every state that a figure could get wrong."""
    for lane in ("immediate", "critical", "critical", "important", "optimization"):
        make_finding(checkout, lane=lane, title=f"Open, {lane}")
    make_finding(checkout, lane="immediate", title="On a branch", branch="feature/x", due_on=LONG_AGO)
    make_finding(checkout, lane="immediate", title="Overdue and owned", due_on=LONG_AGO, owner=alice)
    make_finding(checkout, lane="critical", title="Overdue and dismissed", due_on=LONG_AGO, status="dismissed")
    make_finding(checkout, title="Snoozed", status="snoozed", snoozed_until=date(2030, 1, 1))
    make_finding(checkout, title="Snoozed on a branch", status="snoozed", branch="feature/x")
    make_finding(checkout, title="In work", status="in_progress", owner=mary)
    make_finding(checkout, title="Fixed", status="fixed")
    make_finding(checkout, title="Of no team", team=None, team_from="")
    make_finding(checkout, title="Given away", team=search, team_from="user")
    make_finding(make_service("orphan"), title="Of no team, in a service of none", lane="immediate")
    make_finding(make_service("index", search), title="In another team", lane="immediate", due_on=LONG_AGO)
    return checkout


@pytest.mark.parametrize("name", ["vic", "mary", "ada"])
def test_every_figure_is_the_number_of_the_list_it_leads_to(
    platform: Service, vic: User, ada: User, signed_in: SignedIn, name: str
) -> None:
    client = signed_in(User.objects.get(username=name))
    counted: dict[str, int] = {}
    assert {url: figures_that_lie(client, url, counted) for url in PAGES} == {url: [] for url in PAGES}


def test_figures_stay_true_after_rollups_are_compacted(platform: Service, mary: User, signed_in: SignedIn) -> None:
    compact_rollups()
    Finding.objects.filter(title="Open, important").update(lane="immediate", lane_reason="Changed")
    assert figures_that_lie(signed_in(mary), "/") == []


def test_the_lanes_show_their_worst_open_findings_of_default_branches(
    platform: Service, mary: User, signed_in: SignedIn
) -> None:
    make_finding(platform, lane="critical", severity="critical", title="The worst of its lane")
    page = Markup(text_of(signed_in(mary), "/"))
    titles = [each.text for each in page.links("/findings/") if "ol" in each.inside and "main" in each.inside]
    assert titles.index("The worst of its lane") < titles.index("Open, critical")
    assert "Overdue and owned" in titles
    assert not {"On a branch", "Overdue and dismissed", "Snoozed", "Fixed", "In another team"} & set(titles)


def test_a_lane_begins_with_the_greatest_loss_then_the_most_bad_minutes_whatever_the_severity(
    checkout: Service, alice: User, signed_in: SignedIn
) -> None:
    Service.objects.filter(pk=checkout.pk).update(value_per_bad_minute=10)
    other = make_service("index", checkout.team)  # no value: minutes alone
    found = {
        "Severe, little": make_finding(checkout, title="Severe, little", severity="critical", check_id="backups"),
        "Costly": make_finding(checkout, title="Costly", check_id="db-connections"),
        "Without a price": make_finding(other, title="Without a price", severity="critical", check_id="dns"),
        "Without a price, less": make_finding(other, title="Without a price, less", check_id="probes"),
    }
    weights = dict(zip(found, ((5.0, "50"), (9.0, "900"), (300.0, None), (2.0, None)), strict=True))
    for title, finding in found.items():
        minutes, loss = weights[title]
        Estimate.objects.create(
            key=finding.risk_key, service=finding.service, check_id=finding.check_id, severity=finding.severity,
            bad_minutes=minutes, annual_loss=loss, currency="USD" if loss else "",
        )  # fmt: skip
    for url in ("/", "/teams/payments/"):
        page = Markup(text_of(signed_in(alice), url))
        shown = [each.text for each in page.links("/findings/") if "ol" in each.inside and "main" in each.inside]
        assert shown == ["Costly", "Severe, little", "Without a price", "Without a price, less"][: len(shown)], url
        assert len(shown) >= 3


def test_the_first_view_weighs_less_than_150_kilobytes_and_goes_out_compressed(
    platform: Service, mary: User, signed_in: SignedIn
) -> None:
    client = signed_in(mary)
    page = Markup(text_of(client, "/"))
    addresses = [each.attributes["href"] for each in page.all("link") if each.attributes.get("rel") == "stylesheet"]
    addresses += [each.attributes["src"] for each in page.all("script") if "src" in each.attributes]
    assert len(addresses) > 3
    assert not any("plotly" in address for address in addresses)
    found = [finders.find(address.removeprefix("/static/")) for address in addresses]
    parts = [page.source.encode(), *(Path(str(each)).read_bytes() for each in found)]
    assert sum(len(gzip.compress(part, 6)) for part in parts) < 150_000
    sent = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert sent["Content-Encoding"] == "gzip"
    assert len(sent.content) < len(page.source) / 3
    assert "Content-Encoding" not in client.get("/api/v1/findings/", headers={"Accept-Encoding": "gzip"})


def test_a_lane_shows_a_few_and_leads_to_the_rest(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    for number in range(7):
        make_finding(checkout, lane="important", title=f"Important {number}")
    page = Markup(text_of(signed_in(alice), "/"))
    in_lane = [each for each in page.links("/findings/") if each.text.startswith("Important ") and "ol" in each.inside]
    assert len(in_lane) == 4
    assert "All 7" in page.source


def test_with_nothing_there_yet_the_overview_says_how_to_begin(alice: User, signed_in: SignedIn) -> None:
    page = Markup(text_of(signed_in(alice), "/"))
    steps = [each.text for each in page.all("h2") if "ol" in each.inside]
    assert steps == ["Bring in a scanner's report", "Hand in the platform's folder", "Add a bill"]
    assert {"/imports/", "/imports/?kind=platform", "/imports/?kind=bill"} <= {
        each.attributes["href"] for each in page.all("a") if "ol" in each.inside and "main" in each.inside
    }
    assert "Silent sources" not in page.source


def test_whose_team_has_costs_alone_sees_an_overview_with_them(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    assert checkout.team is not None
    spend([12.5], team=checkout.team)
    body = text_of(signed_in(alice), "/")
    assert "Bring in a scanner's report" not in body
    assert 'hx-get="/costs/tile/"' in body


def test_in_an_empty_workspace_every_page_says_what_it_needs_and_leads_there(ada: User, signed_in: SignedIn) -> None:
    client = signed_in(ada)
    lead_to = {
        "/findings/": "/imports/", "/risk/": "/imports/", "/risk/exceedance/": "/imports/",
        "/risk/inputs/": "/services/", "/remedies/": "/imports/?kind=platform", "/alert-coverage/": "/imports/",
        "/incidents/": "/incidents/new/", "/reviews/": "/imports/", "/costs/": "/imports/",
    }  # fmt: skip
    for url, wanted in lead_to.items():
        page = Markup(text_of(client, url))
        assert 'class="empty"' in page.source, url
        links = [each.attributes.get("href", "") for each in page.all("a") if "main" in each.inside]
        assert any(link.startswith(wanted) for link in links), (url, links)


def test_a_viewer_is_told_to_ask_instead_of_being_sent_to_a_form(vic: User, signed_in: SignedIn) -> None:
    page = Markup(text_of(signed_in(vic), "/"))
    assert "/imports/" not in {each.attributes["href"] for each in page.all("a") if "main" in each.inside}
    assert "ask your manager" in page.source


def test_who_is_in_no_team_is_told_so_instead_of_that_nothing_has_come_in(
    platform: Service, signed_in: SignedIn
) -> None:
    body = text_of(signed_in(make_user("nobody")), "/")
    assert ("You are in no team yet" in body, "Nothing has come in yet" in body) == (True, False)


def test_the_overview_ends_its_empty_state_with_the_first_import(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    row = make_import(checkout, alice)
    body = text_of(signed_in(alice), "/")
    assert "Bring in a report" not in body
    assert f'href="/imports/{row.pk}/"' in body


def test_what_is_overdue_comes_first_then_what_is_immediate_then_what_nobody_has(
    mary: User, checkout: Service, signed_in: SignedIn
) -> None:
    def advice() -> str:
        return Markup(text_of(signed_in(mary), "/")).all("strong")[0].text

    make_finding(checkout, lane="important", team=None, team_from="", title="Of no team")
    assert advice() == "1 open finding belongs to no team."
    make_finding(checkout, lane="immediate", due_on=date(2030, 1, 1))
    assert advice() == "1 finding cannot wait."
    make_finding(checkout, due_on=LONG_AGO)
    make_finding(checkout, due_on=LONG_AGO)
    assert advice() == "2 open findings are past the due date."


def silence(service: Service, days: int) -> Scope:
    scope = Scope.objects.get(target__service=service)
    Scope.objects.filter(pk=scope.pk).update(last_seen_at=timezone.now() - timedelta(days=days))
    return scope


def test_a_source_that_sent_nothing_for_too_long_is_named_on_the_overview_and_at_its_service(
    alice: User, bob: User, checkout: Service, signed_in: SignedIn, settings: Any
) -> None:
    settings.SILENT_SOURCE_DAYS = 5
    make_import(checkout)
    silence(checkout, 4)
    assert "Everything has reported" in text_of(signed_in(alice), "/")
    assert "Silent</span>" not in text_of(signed_in(alice), "/services/checkout/")
    scope = silence(checkout, 6)
    body = text_of(signed_in(alice), "/")
    assert f"{scope.source} has gone silent" in body
    assert f"{timezone.now() - timedelta(days=6):%Y-%m-%d}" in body
    assert "Silent</span>" in text_of(signed_in(alice), "/services/checkout/")
    make_import(make_service("index", bob.memberships.get().team))
    assert "Everything has reported" in text_of(signed_in(bob), "/")
    make_service("never", checkout.team)
    spend([1.0] * 3 + [2.0], team=checkout.team, first=timezone.now().date() - timedelta(days=60))
    body = text_of(signed_in(alice), "/")
    assert "nothing has ever looked at it" in body
    assert "the bill ends early" in body
    assert "has ever looked at it" not in text_of(signed_in(bob), "/")


def test_a_source_is_one_row_with_every_environment_that_it_reports_from(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    rows = []
    for name in ("staging", "production"):
        environment, _ = Environment.objects.get_or_create(slug=name)
        rows.append(upload(sarif(sarif_result()), checkout, environment=environment))
    page = Markup(text_of(signed_in(alice), "/services/checkout/"))
    name = Scope.objects.filter(target__service=checkout).values_list("source", flat=True).distinct().get()
    assert sum(each.text.startswith(f"{name}main") for each in page.all("td")) == 1
    tags = {each.text for each in page.links("/imports/") if "td" in each.inside}
    assert {"staging", "production"} <= tags
    assert {f"/imports/{row.pk}/" for row in rows} <= {each.attributes["href"] for each in page.links("/imports/")}


def test_a_branch_that_ended_is_not_called_silent(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    make_import(checkout)
    silence(checkout, 60)
    Service.objects.filter(pk=checkout.pk).update(default_branch="trunk")
    checkout.targets.update(is_default_branch=False)
    assert "Silent</span>" not in text_of(signed_in(alice), "/services/checkout/")
    assert "has gone silent" not in text_of(signed_in(alice), "/")


def test_the_services_to_look_at_begin_with_the_one_that_cannot_wait(
    mary: User, payments: Team, checkout: Service, signed_in: SignedIn
) -> None:
    for _ in range(3):
        make_finding(checkout, lane="optimization")
    make_finding(make_service("ledger", payments), lane="immediate")
    make_service("quiet", payments)
    page = Markup(text_of(signed_in(mary), "/"))
    shown = [each.text for each in page.links("/services/") if "ul" in each.inside and "main" in each.inside]
    # Below them stands what nothing has looked at yet.
    assert (shown[:2], sorted(shown[2:])) == (["ledger", "checkout"], ["checkout", "ledger", "quiet"])


def test_services_are_listed_with_what_is_expected_of_their_year(
    checkout: Service, alice: User, signed_in: SignedIn
) -> None:
    finding = make_finding(checkout)
    make_service("idle", checkout.team)
    Estimate.objects.create(
        key=finding.risk_key, service=checkout, severity=finding.severity, bad_minutes=92.554, annual_loss="1234",
        currency="USD",
    )  # fmt: skip
    body = " ".join(text_of(signed_in(alice), "/services/").split())
    assert '/services/checkout/#risk">92.6<span' in body
    assert "1,234 USD" in body
    assert body.count('class="num">–</td>') == 1  # nothing is known of the other: no 0


# --- a service


def test_a_service_says_what_is_known_of_it(
    alice: User, payments: Team, search: Team, checkout: Service, signed_in: SignedIn
) -> None:
    Service.objects.filter(pk=checkout.pk).update(slo="0.9990000", value_per_bad_minute="1250.5", criticality="high")
    Environment.objects.create(slug="production")
    OwnershipRule.objects.create(position=1, kind="path", pattern="/db/", team=search, service=checkout)
    OwnershipRule.objects.create(position=2, kind="path", pattern="/all/", team=search)
    body = text_of(signed_in(alice), "/services/checkout/")
    for words in (
        "High",
        "99.9 %",
        "43.2 bad minutes in 30 days",
        "1,250.5",
        "/db/",
        "Payments",
        "Nothing has reported",
    ):
        assert words in body
    assert "/all/" not in body


@pytest.mark.parametrize(
    ("name", "edit", "imports"), [("vic", False, False), ("alice", False, True), ("mary", True, True)]
)
def test_a_service_offers_what_the_role_allows(
    vic: User, alice: User, mary: User, checkout: Service, signed_in: SignedIn, name: str, edit: bool, imports: bool
) -> None:
    body = text_of(signed_in(User.objects.get(username=name)), "/services/checkout/")
    assert ('href="/services/checkout/edit/"' in body) is edit
    assert ("Import a report" in body) is imports


@pytest.mark.parametrize("url", ["/services/checkout/", "/teams/payments/"])
def test_a_team_finds_nothing_of_another(bob: User, checkout: Service, signed_in: SignedIn, url: str) -> None:
    text_of(signed_in(bob), url, status=404)


def test_a_service_of_no_team_is_for_managers(alice: User, mary: User, checkout: Service, signed_in: SignedIn) -> None:
    make_service("orphan")
    text_of(signed_in(alice), "/services/orphan/", status=404)
    assert "Of no team" in text_of(signed_in(mary), "/services/orphan/")


def test_before_anything_reported_a_service_does_not_claim_that_nothing_is_open(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    assert text_of(signed_in(alice), "/services/checkout/").count("Not known: nothing has reported") == 4
    make_import(checkout)
    body = text_of(signed_in(alice), "/services/checkout/")
    assert "Not known" not in body
    assert body.count("Nothing open") == 3


# --- a team


def test_a_team_names_its_people_with_role_and_work(
    platform: Service, mary: User, vic: User, signed_in: SignedIn
) -> None:
    former = make_user("former", payments="member")
    User.objects.filter(pk=former.pk).update(is_active=False)
    page = Markup(text_of(signed_in(vic), "/teams/payments/"))
    people = {
        name: each.text for each in page.all("li") for name in ("alice", "mary", "vic") if f"of {name}" in each.text
    }
    assert {name: (role in people[name]) for name, role in ROLES.items()} == dict.fromkeys(ROLES, True)
    owned = {each.text: each.attributes["href"] for each in page.links("/findings/") if " of " in each.text}
    assert owned["1 open findings of mary"] == "/findings/?q=is%3Aopen+team%3Apayments+owner%3Amary+-is%3Aother_branch"
    assert "0 open findings of vic" in owned
    assert "former" not in page.source
    assert "/users/" not in {each.attributes["href"] for each in page.all("a")}


def test_a_team_has_a_scorecard_of_its_services_and_its_findings(
    platform: Service, payments: Team, mary: User, signed_in: SignedIn
) -> None:
    client = signed_in(mary)
    Service.objects.filter(pk=platform.pk).update(slo="0.999")
    make_service("billing", payments)
    body = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text_of(client, "/teams/payments/").partition("Scorecard")[2]))
    for words in (
        "Services promise an SLO 1 of 2: not billing No",
        "Services say what a bad minute costs 0 of 2: not billing, checkout No",
        "Expected downtime fits the SLO not known Unknown",
        "Every source reports nothing has reported Unknown",
        "Nothing immediate is open 2 No",
        "Nothing is overdue 1 No",
    ):
        assert words in body, body[:900]


def test_only_its_manager_and_admins_are_offered_to_edit_a_team(
    mary: User, alice: User, ada: User, signed_in: SignedIn
) -> None:
    edit = 'href="/teams/payments/edit/"'
    assert edit in text_of(signed_in(mary), "/teams/payments/")
    assert edit in text_of(signed_in(ada), "/teams/payments/")
    assert edit not in text_of(signed_in(alice), "/teams/payments/")


# --- all of them


@pytest.mark.parametrize("url", ["/", "/services/checkout/", "/teams/payments/"])
def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    mary: User,
    payments: Team,
    checkout: Service,
    signed_in: SignedIn,
    django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
    url: str,
) -> None:
    def grow(number: int) -> None:
        service = make_service(f"service-{number}", payments)
        for lane in ("immediate", "critical", "important", "optimization"):
            make_finding(service, lane=lane, owner=make_user(f"{lane}-{number}", payments="member"), due_on=LONG_AGO)
            make_finding(checkout, lane=lane)
        make_import(service)
        make_import(checkout)
        OwnershipRule.objects.create(
            position=number, kind="path", pattern=f"/{number}/", team=payments, service=checkout
        )

    client = signed_in(mary)
    grow(1)
    with django_assert_max_num_queries(36) as few:
        text_of(client, url)
    for number in range(2, 6):
        grow(number)
    with django_assert_num_queries(len(few)):
        text_of(client, url)


@pytest.mark.parametrize("url", PAGES)
def test_what_a_report_says_is_shown_as_text(mary: User, platform: Service, signed_in: SignedIn, url: str) -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    make_finding(platform, lane="immediate", severity="critical", title=attack)
    Service.objects.filter(pk=platform.pk).update(name=attack)
    Team.objects.filter(slug="payments").update(name=attack)
    User.objects.filter(username="alice").update(first_name=attack)
    OwnershipRule.objects.create(
        position=1, kind="path", pattern="/x/", team=Team.objects.get(slug="payments"), service=platform, note=attack
    )
    body = text_of(signed_in(mary), url)
    assert "&lt;script&gt;alert(1)" in body
    assert faults(body) == []
