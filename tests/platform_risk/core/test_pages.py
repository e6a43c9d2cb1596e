"""Pages of services, teams, environments, the account, users and the audit: who may, what is written, what is said."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from findings.models import Finding
from platform_risk.core.access.audit import record
from platform_risk.core.models import (
    AuditEvent,
    Environment,
    Membership,
    OwnershipRule,
    Service,
    Team,
    Token,
    User,
)
from tests.factories import PASSWORD, make_finding, make_import, make_service, make_team, make_token, make_user
from tests.platform_risk.pages import Markup, faults, text_of

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
SERVICE = {"slug": "ledger", "default_branch": "main", "criticality": "high", "currency": "USD"}
ATTACK = '"><script>alert(1)</script>'


def invalid(answer: Any) -> list[str]:
    """The fields that a page marks as wrong, each with words of its own."""
    assert answer.status_code == 422, answer.status_code
    page = Markup(answer.content.decode())
    marked = [each.attributes for each in page.elements if each.attributes.get("aria-invalid") == "true"]
    assert all(page.by_id(f"{each['id']}_error").text.strip() for each in marked)
    assert faults(page.source) == []
    return [each["name"] for each in marked]


# --- services


def test_a_member_creates_a_service_of_the_team(alice: User, payments: Team, signed_in: SignedIn) -> None:
    answer = signed_in(alice).post("/services/", SERVICE | {"team": payments.pk, "slo": "99.95"})
    assert answer.headers["Location"] == "/services/ledger/"
    service = Service.objects.get()
    assert (service.team, str(service.slo), service.criticality) == (payments, "0.9995000", "high")
    assert AuditEvent.objects.get().actor == alice


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"slug": "Not a name"}, ["slug"]),
        ({"slug": "checkout"}, ["slug"]),
        ({"slug": ""}, ["slug"]),
        ({"slo": "101"}, ["slo"]),
        ({"currency": "dollars"}, ["currency"]),
        ({"criticality": "huge", "default_branch": ""}, ["default_branch", "criticality"]),
        ({"team": "999999"}, ["team"]),
    ],
)
def test_what_is_wrong_with_a_service_is_said_at_its_field(
    alice: User,
    payments: Team,
    checkout: Service,
    signed_in: SignedIn,
    change: dict[str, str],
    fields: list[str],
) -> None:
    answer = signed_in(alice).post("/services/", {**SERVICE, "team": payments.pk, **change})
    assert invalid(answer) == fields
    assert "open" in Markup(answer.content.decode()).all("details")[-1].attributes
    assert list(Service.objects.all()) == [checkout]


def test_a_member_of_one_team_creates_nothing_in_another(alice: User, search: Team, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    assert invalid(client.post("/services/", SERVICE | {"team": search.pk})) == ["team"]
    assert client.post("/services/", SERVICE).status_code == 403  # of no team: a manager's
    assert not Service.objects.exists()


def test_a_viewer_has_no_form_for_a_service_and_may_create_none(vic: User, payments: Team, signed_in: SignedIn) -> None:
    client = signed_in(vic)
    assert "New service" not in text_of(client, "/services/")
    assert client.post("/services/", SERVICE).status_code == 403
    assert not Service.objects.exists()


def test_a_manager_changes_a_service(mary: User, payments: Team, checkout: Service, signed_in: SignedIn) -> None:
    client = signed_in(mary)
    Service.objects.filter(pk=checkout.pk).update(slo="0.999")
    page = Markup(text_of(client, "/services/checkout/edit/"))
    assert page.by_id("id_slo").attributes["value"] == "99.9"
    data = SERVICE | {
        "slug": "checkout",
        "team": payments.pk,
        "name": "Checkout of the shop",
        "default_branch": "trunk",
    }
    assert client.post("/services/checkout/edit/", data).headers["Location"] == "/services/checkout/"
    checkout.refresh_from_db()
    assert (checkout.name, checkout.default_branch, checkout.slo) == ("Checkout of the shop", "trunk", None)
    assert AuditEvent.objects.get().changes["default_branch"] == ["main", "trunk"]
    assert invalid(client.post("/services/checkout/edit/", data | {"slug": "No way"})) == ["slug"]


@pytest.mark.parametrize("name", ["vic", "alice"])
def test_only_managers_change_or_delete_a_service(
    vic: User, alice: User, checkout: Service, signed_in: SignedIn, name: str
) -> None:
    client = signed_in(User.objects.get(username=name))
    body = text_of(client, "/services/checkout/edit/", status=403)
    assert "takes the role manager in its team" in body
    assert faults(body) == []
    assert client.post("/services/checkout/edit/", SERVICE).status_code == 403
    assert client.post("/services/checkout/delete/", {"delete-confirm": "checkout"}).status_code == 403
    assert Service.objects.filter(slug="checkout").exists()


def test_a_service_of_another_team_is_not_there(bob: User, checkout: Service, signed_in: SignedIn) -> None:
    client = signed_in(bob)
    text_of(client, "/services/checkout/edit/", status=404)
    assert client.post("/services/checkout/delete/", {"delete-confirm": "checkout"}).status_code == 404
    assert "checkout" not in text_of(client, "/services/")


def test_deleting_a_service_takes_its_name_and_everything_of_it(
    mary: User, checkout: Service, signed_in: SignedIn
) -> None:
    make_import(checkout)
    client = signed_in(mary)
    answer = client.post("/services/checkout/delete/", {"delete-confirm": "chekcout"})
    assert invalid(answer) == ["delete-confirm"]
    assert Finding.objects.exists()
    assert client.post("/services/checkout/delete/", {"delete-confirm": "checkout"}).headers["Location"] == "/services/"
    assert not Service.objects.exists()
    assert not Finding.objects.exists()
    assert "checkout was deleted" in text_of(client, "/services/")


# --- teams


def test_an_administrator_makes_changes_and_deletes_teams(ada: User, signed_in: SignedIn) -> None:
    client = signed_in(ada)
    assert client.post("/teams/", {"slug": "edge", "name": "Edge"}).headers["Location"] == "/teams/edge/"
    assert invalid(client.post("/teams/", {"slug": "edge", "name": "Again"})) == ["slug"]
    assert client.post("/teams/edge/edit/", {"slug": "edge", "name": "The edge"}).status_code == 302
    assert "The edge" in text_of(client, "/teams/")
    service = make_service("router", Team.objects.get())
    finding = make_finding(service)
    assert client.post("/teams/edge/delete/").headers["Location"] == "/teams/"
    assert not Team.objects.exists()
    finding.refresh_from_db()
    service.refresh_from_db()
    assert (service.team, finding.team) == (None, None)


def test_a_manager_renames_the_team_and_may_not_delete_it(mary: User, signed_in: SignedIn) -> None:
    client = signed_in(mary)
    assert "Delete" not in Markup(text_of(client, "/teams/payments/edit/")).by_id("main").text
    assert client.post("/teams/payments/edit/", {"slug": "payments", "name": "Money"}).status_code == 302
    assert Team.objects.get().name == "Money"
    assert invalid(client.post("/teams/payments/edit/", {"slug": "payments", "name": ""})) == ["name"]
    assert client.post("/teams/payments/delete/").status_code == 403
    assert Team.objects.exists()


def test_members_neither_make_nor_change_teams(alice: User, search: Team, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    assert "New team" not in text_of(client, "/teams/")
    assert client.post("/teams/", {"slug": "mine", "name": "Mine"}).status_code == 403
    assert client.get("/teams/payments/edit/").status_code == 403
    assert client.get("/teams/search/edit/").status_code == 404
    assert client.post("/teams/search/delete/").status_code == 404
    assert sorted(Team.objects.values_list("slug", flat=True)) == ["payments", "search"]


def test_the_list_of_teams_is_of_one_s_own(alice: User, search: Team, ada: User, signed_in: SignedIn) -> None:
    assert "/teams/search/" not in text_of(signed_in(alice), "/teams/")
    assert "/teams/search/" in text_of(signed_in(ada), "/teams/")
    assert "You are in no team" in text_of(signed_in(make_user("lonely")), "/teams/")


# --- environments


def test_environments_are_made_by_members_changed_by_managers_and_deleted_by_administrators(
    vic: User, alice: User, mary: User, ada: User, signed_in: SignedIn
) -> None:
    assert signed_in(vic).post("/environments/", {"slug": "production"}).status_code == 403
    assert "New environment" not in text_of(signed_in(vic), "/environments/")
    assert signed_in(alice).post("/environments/", {"slug": "production"}).status_code == 302
    assert invalid(signed_in(alice).post("/environments/", {"slug": "production"})) == ["slug"]
    url = "/environments/production/"
    data = {"slug": "production", "name": "Where it counts"}
    assert signed_in(alice).post(f"{url}edit/", data).status_code == 403
    assert signed_in(mary).post(f"{url}edit/", data).status_code == 302
    assert "Where it counts" in text_of(signed_in(vic), "/environments/")
    assert invalid(signed_in(mary).post(f"{url}edit/", {"slug": "No way"})) == ["slug"]
    assert signed_in(mary).post(f"{url}delete/").status_code == 403
    assert signed_in(ada).post(f"{url}delete/").status_code == 302
    assert not Environment.objects.exists()


def test_an_environment_in_use_stays(ada: User, checkout: Service, signed_in: SignedIn) -> None:
    environment = Environment.objects.create(slug="production")
    checkout.targets.create(environment=environment, branch="main", is_default_branch=True)
    answer = signed_in(ada).post("/environments/production/delete/", follow=True)
    assert "an environment in use cannot be deleted" in answer.content.decode()
    assert Environment.objects.exists()


# --- the account


def test_one_s_own_settings_are_changed(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    assert 'data-shortcuts="off"' not in text_of(client, "/account/")
    data = {"first_name": "Alice", "last_name": "Liddell", "email": "alice@example.com"}  # shortcuts: not ticked
    assert client.post("/account/", data).headers["Location"] == "/account/"
    body = text_of(client, "/account/")
    assert 'data-shortcuts="off"' in body
    assert "Alice Liddell" in body
    assert invalid(client.post("/account/", data | {"email": "nowhere"})) == ["email"]


def test_a_new_password_keeps_this_session_and_ends_the_others(alice: User, signed_in: SignedIn) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    here, elsewhere = signed_in(alice), signed_in(alice)
    data = {"old_password": PASSWORD, "new_password": "another long and odd phrase"}
    assert here.post("/account/password/", data).status_code == 302
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("another long and odd phrase")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("wrong", "another long and odd phrase", "old_password"),
        (PASSWORD, "0dd-but-few", "new_password"),
        (PASSWORD, "qwertyuiop123", "new_password"),
        (PASSWORD, "", "new_password"),
    ],
)
def test_what_is_wrong_with_a_password_is_said_and_it_stays(
    alice: User, signed_in: SignedIn, old: str, new: str, field: str
) -> None:
    alice.set_password(PASSWORD)
    alice.save()
    answer = signed_in(alice).post("/account/password/", {"old_password": old, "new_password": new})
    assert invalid(answer) == [field]
    typed = [each.attributes.get("value") for each in Markup(answer.content.decode()).all("input")]
    assert not {PASSWORD, "wrong", new or "-"} & set(typed)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_token_is_shown_once_and_works(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    answer = client.post("/account/tokens/", {"token-name": "pipeline", "token-scope": "read"})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    secret = Markup(answer.content.decode()).by_id("secret").text
    assert secret not in text_of(client, "/account/")
    assert "pipeline" in text_of(client, "/account/")
    found = Client(headers={"authorization": f"Bearer {secret}"}).get("/api/v1/services/")
    assert [row["slug"] for row in found.json()["results"]] == ["checkout"]


def test_a_revoked_token_works_no_longer(alice: User, signed_in: SignedIn) -> None:
    secret = make_token(alice)
    client = signed_in(alice)
    assert client.post(f"/account/tokens/{Token.objects.get().pk}/revoke/").status_code == 302
    assert Client(headers={"authorization": f"Bearer {secret}"}).get("/api/v1/services/").status_code == 401


def test_what_is_wrong_with_a_token_is_said_at_its_field(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    yesterday = (timezone.now() - timedelta(days=1)).date().isoformat()
    good = {"token-name": "pipeline", "token-scope": "read"}
    assert invalid(client.post("/account/tokens/", good | {"token-expires_on": yesterday})) == ["token-expires_on"]
    assert invalid(client.post("/account/tokens/", good | {"token-name": ""})) == ["token-name"]
    assert invalid(client.post("/account/tokens/", good | {"token-scope": "admin"})) == ["token-scope"]
    assert not Token.objects.exists()


def test_tokens_of_others_are_not_there(alice: User, ada: User, signed_in: SignedIn) -> None:
    make_token(alice)
    client = signed_in(ada)
    token = Token.objects.get()
    assert token.prefix not in text_of(client, "/account/")
    assert client.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert Token.objects.exists()


# --- users


def test_an_administrator_makes_a_user_who_then_works(ada: User, payments: Team, signed_in: SignedIn) -> None:
    client = signed_in(ada)
    data = {"username": "grace", "password": PASSWORD, f"role_{payments.pk}": "manager", "email": "grace@example.com"}
    assert client.post("/users/", data).headers["Location"] == "/users/"
    grace = User.objects.get(username="grace")
    assert grace.check_password(PASSWORD)
    assert Membership.objects.get(user=grace).role == "manager"
    assert "payments: manager" in text_of(client, "/users/")
    assert PASSWORD not in str(AuditEvent.objects.values_list("changes", flat=True))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "two words"}, "username"),
        ({"username": "ada"}, "username"),
        ({"password": "short"}, "password"),
        ({"email": "nowhere"}, "email"),
    ],
)
def test_what_is_wrong_with_a_user_is_said_at_its_field(
    ada: User, payments: Team, signed_in: SignedIn, change: dict[str, str], field: str
) -> None:
    answer = signed_in(ada).post("/users/", {"username": "grace", "password": PASSWORD, **change})
    assert invalid(answer) == [field]
    assert User.objects.count() == 1


def test_roles_are_changed_and_taken_and_the_user_shut_out(
    ada: User, alice: User, payments: Team, search: Team, signed_in: SignedIn
) -> None:
    client, theirs = signed_in(ada), signed_in(alice)
    url = f"/users/{alice.pk}/"
    page = Markup(text_of(client, url))
    chosen = [each.text for each in page.all("option") if "selected" in each.attributes]
    assert "Member" in chosen
    data = {"username": "alice", f"role_{search.pk}": "viewer", "is_active": "on"}
    assert client.post(url, data).status_code == 302
    assert list(Membership.objects.values_list("user", "team", "role")) == [(alice.pk, search.pk, "viewer")]
    assert theirs.get("/").status_code == 200
    client.post(url, {"username": "alice"})
    assert theirs.get("/").status_code == 302
    assert "May not sign in" in text_of(client, "/users/")


def test_the_last_administrator_stays_one(ada: User, signed_in: SignedIn) -> None:
    client = signed_in(ada)
    for data in ({"username": "ada", "is_active": "on"}, {"username": "ada", "is_admin": "on"}):
        answer = client.post(f"/users/{ada.pk}/", data)
        assert invalid(answer) == []
        assert "This is the last administrator" in answer.content.decode()
    ada.refresh_from_db()
    assert ada.is_superuser
    assert ada.is_active


@pytest.mark.parametrize("url", ["/users/", "/audit/", "/users/{pk}/"])
def test_users_and_audit_are_for_administrators(mary: User, signed_in: SignedIn, url: str) -> None:
    client = signed_in(mary)
    body = text_of(client, url.format(pk=mary.pk), status=403)
    assert "administrators" in body
    page = Markup(text_of(client, "/account/"))
    assert not {"/users/", "/audit/"} & {each.attributes["href"] for each in page.all("a")}


# --- the audit


def events(body: str) -> list[str]:
    return re.findall(r'<td class="ttl"><span class="t">([^<]+)</span>', body)


def test_the_audit_goes_back_page_by_page_to_the_beginning(ada: User, signed_in: SignedIn) -> None:
    for number in range(120):
        record(ada, "created", "team", number, f"team-{number}")
    client = signed_in(ada)
    seen: list[str] = []
    url = "/audit/"
    for _ in range(3):
        body = text_of(client, url)
        seen += events(body)
        after = [each.attributes["href"] for each in Markup(body).all("a") if each.attributes.get("rel") == "next"]
        url = f"/audit/{after[0]}" if after else ""
    assert url == ""
    assert seen == [f"team-{number}" for number in reversed(range(120))]
    back = [each.attributes["href"] for each in Markup(body).all("a") if each.attributes.get("rel") == "prev"]
    assert events(text_of(client, f"/audit/{back[0]}")) == seen[50:100]


def test_the_audit_shows_one_kind_and_keeps_it_while_paging(ada: User, signed_in: SignedIn) -> None:
    record(ada, "created", "service", 1, "the-service")
    for number in range(60):
        record(ada, "changed", "team", number, f"team-{number}", changes={"name": ["", 0]}, reason="Tidied")
    client = signed_in(ada)
    body = text_of(client, "/audit/", query={"kind": "team"})
    assert set(events(body)) == {f"team-{number}" for number in range(10, 60)}
    after = next(each.attributes["href"] for each in Markup(body).all("a") if each.attributes.get("rel") == "next")
    assert len(events(text_of(client, f"/audit/{after}"))) == 10
    assert events(text_of(client, "/audit/", query={"kind": "service"})) == ["the-service"]
    assert "Name: – → 0" in " ".join(Markup(body).source.split())
    assert "Tidied" in body
    file = client.get("/audit/", {"kind": "team", "format": "csv"})
    lines = b"".join(file.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 61
    assert lines[0] == "at,actor,action,kind,id,label,changes,reason"
    assert ",ada,changed,team,59,team-59," in lines[1]
    assert "Nothing of this kind was changed" in text_of(client, "/audit/", query={"kind": "token"})


def test_a_foreign_cursor_is_no_page_of_the_audit(ada: User, signed_in: SignedIn) -> None:
    text_of(signed_in(ada), "/audit/", status=404, query={"cursor": "bm90LWEtY3Vyc29y"})


# --- all of them

PAGES = (
    "/services/", "/services/checkout/edit/", "/teams/", "/teams/payments/edit/", "/environments/",
    "/environments/production/edit/", "/ownership/", "/ownership/{rule}/edit/", "/account/", "/users/",
    "/users/{alice}/", "/audit/",
)  # fmt: skip


@pytest.fixture
def hostile(alice: User, payments: Team, checkout: Service) -> dict[str, int]:
    """Script text wherever a page shows what somebody wrote."""
    Team.objects.update(name=ATTACK)
    Service.objects.update(name=ATTACK)
    Environment.objects.create(slug="production", name=ATTACK)
    rule = OwnershipRule.objects.create(
        position=1, kind="path", pattern=f"/{ATTACK}/", team=payments, service=checkout, note=ATTACK
    )
    User.objects.update(first_name=ATTACK, last_name=ATTACK)
    make_finding(checkout, title=ATTACK)
    record(alice, "changed", "team", ATTACK, ATTACK, changes={ATTACK: [ATTACK, ATTACK]}, reason=ATTACK)
    return {"rule": rule.pk, "alice": alice.pk}


@pytest.mark.parametrize("url", PAGES)
def test_a_page_shows_what_people_wrote_as_text_and_is_well_made(
    ada: User, hostile: dict[str, int], signed_in: SignedIn, url: str
) -> None:
    Token.objects.create(user=ada, name=ATTACK, prefix="pr_12345", digest="0" * 64)
    User.objects.filter(pk=ada.pk).update(first_name=ATTACK)
    body = text_of(signed_in(ada), url.format(**hostile))
    assert "&lt;script&gt;alert(1)" in body
    assert faults(body) == []
    assert [each.attributes.get("aria-current") for each in Markup(body).all("li") if "nav" in each.inside][
        -1
    ] == "page"


@pytest.mark.parametrize("url", ["/services/", "/teams/", "/environments/", "/account/", "/users/", "/audit/"])
def test_a_list_asks_the_same_number_of_queries_for_many_rows(
    ada: User, checkout: Service, signed_in: SignedIn, django_assert_max_num_queries: Any,
    django_assert_num_queries: Any, url: str,
) -> None:  # fmt: skip
    def grow(number: int) -> None:
        team = make_team(f"team-{number}")
        make_finding(make_service(f"service-{number}", team))
        make_user(f"user-{number}", **{f"team-{number}": "member"})
        make_token(ada)
        Environment.objects.create(slug=f"environment-{number}")
        record(ada, "created", "team", team.pk, team.slug)

    client = signed_in(ada)
    grow(1)
    with django_assert_max_num_queries(14) as few:
        text_of(client, url)
    for number in range(2, 6):
        grow(number)
    with django_assert_num_queries(len(few)):
        text_of(client, url)


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
@pytest.mark.parametrize("url", [url for url in PAGES if "{" not in url])
def test_a_page_takes_no_other_method(ada: User, checkout: Service, signed_in: SignedIn, url: str, method: str) -> None:
    assert getattr(signed_in(ada), method)(url).status_code == 405


@pytest.mark.parametrize(
    "address",
    ["/services/%00/", "/teams/%00/", "/remedies/a%00/", "/environments/%00/edit/", "/reviews/?team=%00",
     "/imports/?service=%00", "/audit/?kind=%00"],
)  # fmt: skip
def test_an_address_with_a_nul_names_nothing(ada: User, signed_in: SignedIn, address: str) -> None:
    assert signed_in(ada).get(address).status_code == 404
