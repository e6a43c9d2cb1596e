"""Who owns what, by pages: rules in their order, a tester that explains, CODEOWNERS files in two steps."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from findings.models import Finding
from findings.tasks import reassign_teams
from platform_risk.core.models import AuditEvent, OwnershipRule, Service, Team, User
from tests.factories import make_finding, make_service
from tests.platform_risk.pages import Markup, faults, text_of

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
PAGE = "/ownership/"
READ = "/ownership/codeowners/"
IMPORT = "/ownership/codeowners/import/"
FILE = "# ours\n*.tf @org/payments\n/docs/ @org/writers\n/k8s/ @org/search alice@example.com\n"


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Any:
    """`with worker():` does at its end what a worker would do after the commit."""
    monkeypatch.setattr("findings.tasks.reassign_teams.delay", reassign_teams)
    return lambda: django_capture_on_commit_callbacks(execute=True)


def rule(pattern: str, team: Team, service: Service | None = None, **fields: Any) -> OwnershipRule:
    position = OwnershipRule.objects.count() + 1
    return OwnershipRule.objects.create(
        **{"position": position, "kind": "path", "pattern": pattern, "team": team, "service": service} | fields
    )


def patterns() -> list[str]:
    return list(OwnershipRule.objects.order_by("position", "id").values_list("pattern", flat=True))


def shown(body: str) -> list[str]:
    """Patterns in the order of the table."""
    return re.findall(r'<tr id="rule-\d+">.*?<span class="t mono">([^<]+)</span>', body, re.DOTALL)


@pytest.fixture
def rules(payments: Team, search: Team, checkout: Service) -> list[OwnershipRule]:
    return [rule("/a/", payments, checkout), rule("/b/", search, checkout), rule("/c/", payments, checkout)]


def test_rules_stand_in_the_order_in_which_they_are_asked(
    alice: User, rules: list[OwnershipRule], signed_in: SignedIn
) -> None:
    OwnershipRule.objects.filter(pattern="/c/").update(position=0)
    assert shown(text_of(signed_in(alice), PAGE)) == ["/c/", "/a/", "/b/"]


def test_a_rule_moves_up_and_down_and_not_beyond_the_ends(
    mary: User, rules: list[OwnershipRule], signed_in: SignedIn
) -> None:
    client = signed_in(mary)
    first, second, third = rules
    assert client.post(f"{PAGE}{second.pk}/move/", {"direction": "up"}).status_code == 302
    assert patterns() == ["/b/", "/a/", "/c/"]
    client.post(f"{PAGE}{second.pk}/move/", {"direction": "down"})
    assert patterns() == ["/a/", "/b/", "/c/"]
    client.post(f"{PAGE}{first.pk}/move/", {"direction": "up"})
    client.post(f"{PAGE}{third.pk}/move/", {"direction": "down"})
    assert patterns() == ["/a/", "/b/", "/c/"]


def test_the_first_cannot_go_up_and_the_last_not_down(
    ada: User, rules: list[OwnershipRule], signed_in: SignedIn
) -> None:
    page = Markup(text_of(signed_in(ada), PAGE))
    off = {each.attributes["aria-label"] for each in page.all("button") if "disabled" in each.attributes}
    assert off == {"Move /a/ up", "Move /c/ down"}


def test_a_new_rule_is_asked_last_and_gives_findings_to_its_team(
    mary: User, checkout: Service, payments: Team, rules: list[OwnershipRule], signed_in: SignedIn, worker: Any
) -> None:
    finding = make_finding(checkout, path="infra/main.tf", team=None, team_from="")
    data = {"kind": "path", "pattern": "*.tf", "team": payments.pk, "service": checkout.pk, "note": "Terraform"}
    with worker():
        answer = signed_in(mary).post(PAGE, data)
    assert answer.status_code == 302
    assert patterns() == ["/a/", "/b/", "/c/", "*.tf"]
    finding.refresh_from_db()
    assert finding.team == payments
    assert AuditEvent.objects.get(kind="ownership_rule").actor == mary


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pattern": "[a-z]/x"}, "pattern"),
        ({"pattern": ""}, "pattern"),
        ({"kind": "colour"}, "kind"),
        ({"team": "999999"}, "team"),
        ({"service": ""}, "service"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_at_its_field(
    mary: User, checkout: Service, payments: Team, signed_in: SignedIn, change: dict[str, str], field: str
) -> None:
    data = {"kind": "path", "pattern": "*.tf", "team": payments.pk, "service": checkout.pk, **change}
    answer = signed_in(mary).post(PAGE, data)
    assert answer.status_code == 422
    page = Markup(answer.content.decode())
    invalid = [each.attributes["name"] for each in page.elements if each.attributes.get("aria-invalid") == "true"]
    assert invalid == [field]
    assert page.by_id(f"id_{field}_error").text.strip()
    assert "open" in next(each for each in page.all("details") if "New rule" in each.text).attributes
    assert not OwnershipRule.objects.exists()
    assert faults(page.source) == []


def test_a_rule_is_changed_and_deleted(
    mary: User, checkout: Service, payments: Team, rules: list[OwnershipRule], signed_in: SignedIn
) -> None:
    client = signed_in(mary)
    url = f"{PAGE}{rules[0].pk}/edit/"
    assert 'value="/a/"' in text_of(client, url)
    data = {"kind": "path", "pattern": "/z/", "team": payments.pk, "service": checkout.pk}
    assert client.post(url, data).headers["Location"] == PAGE
    assert patterns() == ["/z/", "/b/", "/c/"]
    assert client.post(url, data | {"pattern": "a//b"}).status_code == 422
    assert client.post(f"{PAGE}{rules[0].pk}/delete/").status_code == 302
    assert patterns() == ["/b/", "/c/"]


@pytest.mark.parametrize("name", ["vic", "alice"])
def test_who_does_not_manage_the_service_reads_its_rules_and_changes_none(
    alice: User,
    vic: User,
    payments: Team,
    checkout: Service,
    rules: list[OwnershipRule],
    signed_in: SignedIn,
    name: str,
) -> None:
    client = signed_in(User.objects.get(username=name))
    body = text_of(client, PAGE)
    assert shown(body) == ["/a/", "/b/", "/c/"]
    assert not [each for each in Markup(body).all("button") if "formaction" in each.attributes]
    assert "New rule" not in body
    pk = rules[0].pk
    data = {"kind": "path", "pattern": "*.tf", "team": payments.pk, "service": checkout.pk}
    assert client.get(f"{PAGE}{pk}/edit/").status_code == 403
    assert client.post(f"{PAGE}{pk}/move/", {"direction": "down"}).status_code == 403
    assert client.post(f"{PAGE}{pk}/delete/").status_code == 403
    assert client.post(PAGE, data).status_code == 422  # the service is not among those offered
    assert patterns() == ["/a/", "/b/", "/c/"]


def test_rules_of_another_team_are_not_there(bob: User, payments: Team, checkout: Service, signed_in: SignedIn) -> None:
    hidden = rule("/secret-of-payments/", payments, checkout)
    client = signed_in(bob)
    assert "secret-of-payments" not in text_of(client, PAGE)
    for verb in ("edit", "move", "delete"):
        assert client.post(f"{PAGE}{hidden.pk}/{verb}/").status_code == 404


def test_a_rule_for_every_service_takes_an_administrator(
    mary: User, ada: User, payments: Team, checkout: Service, signed_in: SignedIn
) -> None:
    data = {"kind": "path", "pattern": "*.tf", "team": payments.pk, "service": ""}
    assert signed_in(mary).post(PAGE, data).status_code == 422
    assert signed_in(ada).post(PAGE, data).status_code == 302
    assert OwnershipRule.objects.get().service is None
    assert "every service" in text_of(signed_in(mary), PAGE)


# --- the tester


def asked(body: str) -> list[str]:
    return [
        " ".join(each.text.split()) for each in Markup(body).all("li") if "ol" in each.inside and "main" in each.inside
    ]


def test_the_tester_tells_what_each_rule_said_until_one_matched(
    alice: User, checkout: Service, rules: list[OwnershipRule], signed_in: SignedIn
) -> None:
    query = {"test-service": checkout.pk, "test-path": "b/main.py"}
    body = text_of(signed_in(alice), PAGE, query=query)
    steps = asked(body)
    assert len(steps) == 2
    assert "/a/ does not match b/main.py." in steps[0]
    assert "Matches. /b/ matches b/main.py." in steps[1]
    assert "A team that you do not see" in body  # alice is not in team search
    assert 'value="b/main.py"' in body


def test_the_tester_falls_back_to_the_team_of_the_service_and_then_to_nobody(
    ada: User, checkout: Service, signed_in: SignedIn
) -> None:
    client = signed_in(ada)
    assert "so it is checkout’s own team" in text_of(client, PAGE, query={"test-service": checkout.pk})
    nobody = text_of(client, PAGE, query={"test-path": "x.py"})
    assert "No rule matches and no team has the service." in nobody
    assert "<b>Nobody</b>" in nobody


def test_the_tester_hides_what_rules_of_other_teams_say(
    alice: User, search: Team, checkout: Service, signed_in: SignedIn
) -> None:
    rule("/hidden-zqx/", search)
    body = text_of(signed_in(alice), PAGE, query={"test-service": checkout.pk, "test-path": "hidden-zqx/a"})
    assert "/hidden-zqx/" not in body.replace('value="hidden-zqx/a"', "")
    assert "A rule of a team that you do not see." in body


def test_the_tester_asks_nothing_about_a_service_of_another_team(
    bob: User, checkout: Service, signed_in: SignedIn
) -> None:
    body = text_of(signed_in(bob), PAGE, query={"test-service": checkout.pk, "test-path": "x"})
    assert "Select a valid choice" in body
    assert not asked(body)


# --- CODEOWNERS


def hidden(body: str) -> dict[str, str]:
    return {
        each.attributes["name"]: each.attributes.get("value", "")
        for each in Markup(body).all("input")
        if each.attributes.get("type") == "hidden"
    }


def test_a_codeowners_file_becomes_rules_in_two_steps(
    mary: User, payments: Team, checkout: Service, signed_in: SignedIn, worker: Any
) -> None:
    finding = make_finding(checkout, path="infra/main.tf", team=None, team_from="")
    client = signed_in(mary)
    file = SimpleUploadedFile("CODEOWNERS", FILE.encode())
    answer = client.post(READ, {"service": checkout.pk, "file": file})
    assert answer.status_code == 200
    page = Markup(answer.content.decode())
    owners = {each.text: each.attributes["for"] for each in page.all("label") if "@" in each.text}
    assert set(owners) == {"@org/payments", "@org/search", "@org/writers", "alice@example.com"}
    # A team of the same name is proposed.
    chosen = [each.text for each in page.all("option") if "selected" in each.attributes and "table" in each.inside]
    assert "Payments" in chosen
    assert faults(page.source) == []
    data = hidden(page.source) | {owners["@org/payments"].removeprefix("id_"): str(payments.pk)}
    with worker():
        done = client.post(IMPORT, data, follow=True)
    assert "1 rules imported, 0 of the file before removed. 2 lines were left out" in done.content.decode()
    assert list(OwnershipRule.objects.values_list("pattern", "team", "service", "origin")) == [
        ("*.tf", payments.pk, checkout.pk, "codeowners")
    ]
    assert Finding.objects.get(pk=finding.pk).team == payments


def test_the_file_replaces_the_rules_of_the_file_before_and_no_others(
    mary: User, payments: Team, checkout: Service, signed_in: SignedIn
) -> None:
    by_hand = rule("/by-hand/", payments, checkout)
    rule("/of-the-file-before/", payments, checkout, origin="codeowners")
    text = "*.sql @org/payments\n"
    data = {"service": str(checkout.pk), "text": text, "owner_0": str(payments.pk)}
    signed_in(mary).post(IMPORT, data)
    assert patterns() == [by_hand.pattern, "*.sql"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"text": ""}, "Choose a file or paste its text."),
        ({"text": "# only a comment\n"}, "There is no rule in this file."),
        ({"text": "*.py nobody\n"}, "Line 1:"),
        ({"text": "*.py @org/a", "service": "999999"}, "Select a valid choice"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_before_anything_changes(
    mary: User, checkout: Service, signed_in: SignedIn, data: dict[str, str], words: str
) -> None:
    answer = signed_in(mary).post(READ, {"service": checkout.pk, **data})
    assert answer.status_code == 422
    page = Markup(answer.content.decode())
    assert words in page.source
    assert "open" in next(each for each in page.all("details") if "CODEOWNERS file" in each.text).attributes
    assert faults(page.source) == []
    assert not OwnershipRule.objects.exists()


def test_a_service_that_went_to_another_team_between_the_steps_is_left_alone(
    mary: User, payments: Team, search: Team, checkout: Service, signed_in: SignedIn
) -> None:
    Service.objects.filter(pk=checkout.pk).update(team=search)
    data = {"service": str(checkout.pk), "text": "*.sql @org/payments\n", "owner_0": str(payments.pk)}
    done = signed_in(mary).post(IMPORT, data, follow=True)
    assert "Choose the file again" in done.content.decode()
    assert not OwnershipRule.objects.exists()


@pytest.mark.parametrize(
    ("text", "words"), [("", "There is no rule"), ("# nothing\n", "There is no rule"), ("*.py nobody\n", "Line 1:")]
)
def test_a_second_step_with_a_damaged_text_changes_nothing(
    mary: User, checkout: Service, signed_in: SignedIn, text: str, words: str
) -> None:
    answer = signed_in(mary).post(IMPORT, {"service": str(checkout.pk), "text": text}, follow=True)
    errors = [
        each.text for each in Markup(answer.content.decode()).all("div") if "error" in each.attributes.get("class", "")
    ]
    assert [words in each for each in errors] == [True]
    assert not OwnershipRule.objects.exists()


def test_names_in_the_file_are_shown_as_text(mary: User, checkout: Service, signed_in: SignedIn) -> None:
    text = '/<script>alert(1)</script>/ @a"><script>alert(1)</script>\n/ok/ @org/<b>x</b>\n'
    answer = signed_in(mary).post(READ, {"service": checkout.pk, "text": text})
    assert "<script>alert" not in answer.content.decode()


def test_the_page_asks_the_same_number_of_queries_for_many_rules(
    mary: User, payments: Team, checkout: Service, signed_in: SignedIn, django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    client = signed_in(mary)
    rule("/0/", payments, checkout)
    with django_assert_max_num_queries(25) as few:
        text_of(client, PAGE)
    for number in range(1, 8):
        rule(f"/{number}/", payments, make_service(f"service-{number}", payments))
    with django_assert_num_queries(len(few)):
        text_of(client, PAGE)
