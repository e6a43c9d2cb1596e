"""The contract of services, teams, environments, ownership rules, users and tokens."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from platform_risk.core.models import AuditEvent, Environment, IdempotencyKey, OwnershipRule, Service, Team, Token, User
from tests.factories import PASSWORD, make_service, make_token

Api = Callable[..., Client]
JSON = "application/json"


def test_a_service_is_created_read_changed_and_deleted(api: Api, mary: User) -> None:
    client = api(mary)
    body = {
        "slug": "ledger",
        "team": "payments",
        "criticality": "high",
        "slo": "0.9990",
        "value_per_bad_minute": "12.50",
    }
    made = client.post("/api/v1/services/", body, JSON)
    assert made.status_code == 201
    assert made["Location"] == "/api/v1/services/ledger/"
    shown = client.get("/api/v1/services/ledger/").json()
    assert shown == made.json()
    assert client.get(f"/api/v1/services/{shown['id']}/").json() == shown
    assert (shown["slo"], shown["value_per_bad_minute"], shown["default_branch"]) == ("0.999", "12.5", "main")
    changed = client.patch("/api/v1/services/ledger/", {"default_branch": "trunk", "slo": None}, JSON).json()
    assert (changed["default_branch"], changed["slo"]) == ("trunk", None)
    assert client.delete("/api/v1/services/ledger/").status_code == 204
    assert client.get("/api/v1/services/ledger/").status_code == 404
    assert list(AuditEvent.objects.filter(kind="service").order_by("id").values_list("action", flat=True)) == [
        "created",
        "changed",
        "deleted",
    ]


def test_a_stale_change_of_a_service_is_refused(api: Api, mary: User, checkout: Service) -> None:
    client = api(mary)
    url = "/api/v1/services/checkout/"
    tag = client.get(url)["ETag"]
    assert client.patch(url, {"name": "Checkout"}, JSON, headers={"if-match": tag}).status_code == 200
    assert client.patch(url, {"name": "Basket"}, JSON, headers={"if-match": tag}).status_code == 412
    assert client.delete(url, headers={"if-match": tag}).status_code == 412
    assert client.delete(url, headers={"if-match": "*"}).status_code == 204


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"slug": "Not a slug"}, "/slug"),
        ({"slug": "checkout"}, "/slug"),
        ({"team": "search"}, "/team"),
        ({"slo": "1.5"}, "/slo"),
        ({"slo": "1e999"}, "/slo"),
        ({"value_per_bad_minute": "-1"}, "/value_per_bad_minute"),
        ({"value_per_bad_minute": "9" * 30}, "/value_per_bad_minute"),
        ({"currency": "dollars"}, "/currency"),
        ({"criticality": "extreme"}, "/criticality"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    api: Api, mary: User, checkout: Service, search: Team, change: dict[str, Any], pointer: str
) -> None:
    answer = api(mary).post("/api/v1/services/", {"slug": "ledger", "team": "payments", **change}, JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_members_see_but_do_not_change_services(api: Api, alice: User, vic: User, checkout: Service) -> None:
    for user in (alice, vic):
        client = api(user)
        assert client.get("/api/v1/services/checkout/").status_code == 200
        assert client.patch("/api/v1/services/checkout/", {"name": "x"}, JSON).status_code == 403
        assert client.delete("/api/v1/services/checkout/").status_code == 403


def test_what_nobody_owns_is_for_managers_and_admins(api: Api, alice: User, mary: User, ada: User) -> None:
    make_service("orphan", None)
    assert api(alice).get("/api/v1/services/orphan/").status_code == 404
    assert api(mary).get("/api/v1/services/orphan/").status_code == 200
    assert api(ada).get("/api/v1/services/orphan/").status_code == 200


def test_teams_are_made_by_admins_and_seen_by_their_own(api: Api, ada: User, alice: User, bob: User) -> None:
    client = api(ada)
    made = client.post("/api/v1/teams/", {"slug": "data", "name": "Data"}, JSON)
    assert made.status_code == 201
    assert client.patch("/api/v1/teams/data/", {"name": "Data platform"}, JSON).json()["name"] == "Data platform"
    assert client.delete("/api/v1/teams/data/").status_code == 204
    assert [row["slug"] for row in api(alice).get("/api/v1/teams/").json()["results"]] == ["payments"]
    assert api(bob).get("/api/v1/teams/payments/").status_code == 404
    assert api(alice).post("/api/v1/teams/", {"slug": "mine", "name": "Mine"}, JSON).status_code == 403


def test_environments_are_everybodys(api: Api, alice: User, mary: User, ada: User) -> None:
    assert api(alice).post("/api/v1/environments/", {"slug": "production"}, JSON).status_code == 201
    assert api(alice).patch("/api/v1/environments/production/", {"name": "P"}, JSON).status_code == 403
    assert api(mary).patch("/api/v1/environments/production/", {"name": "P"}, JSON).json()["name"] == "P"
    assert api(ada).delete("/api/v1/environments/production/").status_code == 204
    assert not Environment.objects.exists()


def test_an_environment_in_use_is_not_deleted(api: Api, ada: User, checkout: Service) -> None:
    environment = Environment.objects.create(slug="production")
    checkout.targets.create(environment=environment, branch="main", is_default_branch=True)
    assert api(ada).delete("/api/v1/environments/production/").status_code == 409


def test_rules_keep_the_place_they_are_given(api: Api, mary: User, ada: User, checkout: Service) -> None:
    client = api(mary)
    body = {"kind": "path", "pattern": "k8s/**", "team": "payments", "service": "checkout"}
    first = client.post("/api/v1/ownership-rules/", body, JSON)
    assert first.status_code == 201
    second = client.post("/api/v1/ownership-rules/", {**body, "pattern": "docs/**", "position": 1}, JSON).json()
    listed = client.get("/api/v1/ownership-rules/").json()["results"]
    assert [row["pattern"] for row in listed] == ["docs/**", "k8s/**"]
    url = f"/api/v1/ownership-rules/{second['id']}/"
    assert client.patch(url, {"note": "Docs are ours.", "position": 2}, JSON).json()["position"] == 2
    assert client.delete(url).status_code == 204
    everywhere = {"kind": "path", "pattern": "**", "team": "payments"}
    assert client.post("/api/v1/ownership-rules/", everywhere, JSON).status_code == 403
    assert api(ada).post("/api/v1/ownership-rules/", everywhere, JSON).status_code == 201
    assert OwnershipRule.objects.count() == 2


def test_users_are_kept_by_admins_with_a_token_that_says_so(api: Api, ada: User, mary: User, payments: Team) -> None:
    assert api(mary).get("/api/v1/users/").status_code == 403
    assert api(mary, "admin").get("/api/v1/users/").status_code == 403
    assert api(ada, "write").get("/api/v1/users/").status_code == 403
    client = api(ada, "admin")
    body = {"username": "carol", "password": PASSWORD, "teams": [{"team": "payments", "role": "member"}]}
    made = client.post("/api/v1/users/", body, JSON)
    assert made.status_code == 201
    assert "password" not in made.json()
    assert made.json()["teams"] == [{"team": "payments", "role": "member"}]
    assert User.objects.get(username="carol").check_password(PASSWORD)
    changed = client.patch("/api/v1/users/carol/", {"teams": []}, JSON)
    assert changed.json()["teams"] == []
    assert client.delete("/api/v1/users/carol/").status_code == 204
    assert client.get("/api/v1/users/carol/").json()["is_active"] is False


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"password": "short"}, "/password"),
        ({"username": "a b"}, "/username"),
        ({"username": "ada"}, "/username"),
        ({"teams": [{"team": "nowhere", "role": "member"}]}, "/team"),
        ({"teams": [{"team": "payments", "role": "boss"}]}, "/teams/0/role"),
        ({"email": "no address"}, "/email"),
    ],
)
def test_a_user_that_cannot_be_is_refused(
    api: Api, ada: User, payments: Team, change: dict[str, Any], pointer: str
) -> None:
    answer = api(ada, "admin").post("/api/v1/users/", {"username": "carol", "password": PASSWORD, **change}, JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_page_of_users_takes_two_queries(
    api: Api, ada: User, alice: User, mary: User, django_assert_num_queries: Any
) -> None:
    client = api(ada, "admin")
    client.get("/api/v1/users/")
    with django_assert_num_queries(2):
        assert len(client.get("/api/v1/users/").json()["results"]) == 3


@pytest.mark.parametrize("what", ["services", "ownership-rules"])
def test_a_page_of_the_catalogue_takes_three_queries(
    api: Api, mary: User, checkout: Service, what: str, django_assert_num_queries: Any
) -> None:
    for number in range(3):
        make_service(f"s{number}", checkout.team)
        OwnershipRule.objects.create(
            position=number, kind="path", pattern="x", team_id=checkout.team_id or 0, service=checkout
        )
    client = api(mary)
    client.get(f"/api/v1/{what}/")
    with django_assert_num_queries(3):
        client.get(f"/api/v1/{what}/")


def test_a_token_is_shown_once_and_kept_as_a_hash(api: Api, alice: User) -> None:
    client = api(alice)
    made = client.post("/api/v1/tokens/", {"name": "ci", "scope": "write"}, JSON)
    assert made.status_code == 201
    secret = made.json()["token"]
    row = Token.objects.get(name="ci")
    assert secret not in str(row.__dict__)
    assert row.digest == Token.digest_of(secret)
    assert client.get(f"/api/v1/tokens/{row.pk}/").json()["token"] is None
    assert Client(headers={"authorization": f"Bearer {secret}"}).get("/api/v1/services/").status_code == 200
    assert client.delete(f"/api/v1/tokens/{row.pk}/").status_code == 204
    assert Client(headers={"authorization": f"Bearer {secret}"}).get("/api/v1/services/").status_code == 401


def test_a_tokens_secret_is_not_kept_for_replays(api: Api, alice: User) -> None:
    client = api(alice)
    headers = {"idempotency-key": "k1"}
    secret = client.post("/api/v1/tokens/", {"name": "ci"}, JSON, headers=headers).json()["token"]
    again = client.post("/api/v1/tokens/", {"name": "ci"}, JSON, headers=headers)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json()["token"] is None
    assert secret not in IdempotencyKey.objects.get().body
    assert Token.objects.filter(name="ci").count() == 1


def test_an_expired_token_is_refused(api: Api, alice: User) -> None:
    client = api(alice)
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = client.get("/api/v1/findings/")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_makes_none_that_may_do_more(api: Api, ada: User) -> None:
    answer = api(ada, "write").post("/api/v1/tokens/", {"name": "x", "scope": "admin"}, JSON)
    assert answer.status_code == 403
    assert api(ada, "read").post("/api/v1/tokens/", {"name": "x"}, JSON).status_code == 403


def test_tokens_of_others_are_for_admins_with_scope_admin(api: Api, ada: User, alice: User, bob: User) -> None:
    make_token(bob)
    bobs = Token.objects.get(user=bob)
    for client in (api(alice), api(ada, "write")):
        assert client.get(f"/api/v1/tokens/{bobs.pk}/").status_code == 404
        assert client.delete(f"/api/v1/tokens/{bobs.pk}/").status_code == 404
        assert client.post("/api/v1/tokens/", {"name": "x", "user": "bob"}, JSON).status_code == 403
    client = api(ada, "admin")
    made = client.post("/api/v1/tokens/", {"name": "x", "user": "bob", "expires_on": "2030-01-01"}, JSON)
    assert (made.json()["user"], made.json()["expires_on"]) == ("bob", "2030-01-01")
    assert client.delete(f"/api/v1/tokens/{bobs.pk}/").status_code == 204


def test_a_token_is_renamed_and_its_last_day_moved(api: Api, alice: User) -> None:
    client = api(alice)
    url = f"/api/v1/tokens/{Token.objects.get().pk}/"
    day = (timezone.now().date() + timedelta(days=10)).isoformat()
    changed = client.patch(url, {"name": "laptop", "expires_on": day}, JSON).json()
    assert (changed["name"], changed["expires_on"]) == ("laptop", day)
    assert client.patch(url, {"expires_on": "2020-01-01"}, JSON).status_code == 400
    assert client.patch(url, {"scope": "admin"}, JSON).status_code == 400


def test_create_token_prints_the_token_and_nothing_else(alice: User) -> None:
    out, err = StringIO(), StringIO()
    call_command("create_token", "ci", "--user", "alice", "--scope", "write", "--days", "7", stdout=out, stderr=err)
    token = Token.objects.get()
    assert out.getvalue() == out.getvalue().strip() + "\n"
    assert Token.digest_of(out.getvalue().strip()) == token.digest
    assert (token.scope, err.getvalue()) == ("write", "")
    assert token.expires_at is not None
    assert timedelta(days=6) < token.expires_at - timezone.now() < timedelta(days=8)


def test_create_token_needs_a_user_who_exists(db: None) -> None:
    with pytest.raises(CommandError, match="no user nobody"):
        call_command("create_token", "ci", "--user", "nobody")
