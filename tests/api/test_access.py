"""Who gets in: a walk over every address of the product, pages and API alike, also those added later."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve
from django.utils.regex_helper import normalize

from costs.models import Budget, PriceRate, Scenario, SeenAnomaly
from findings.actions import Update
from findings.models import Comment, Finding, RiskInput
from findings.services import act
from platform_risk.core.models import Import, ImportReject, OwnershipRule, Service, Team, Token, User
from platform_risk.planning.models import Incident, Remedy, ReviewNote, ReviewSnapshot
from platform_risk.planning.reviews import figures
from tests.costs.bills.reduced import focus
from tests.costs.spending import spend, weekly
from tests.factories import (
    make_budget,
    make_finding,
    make_import,
    make_incident,
    make_remedy,
    make_risk_input,
    make_scenario,
    make_service,
    make_usage,
    sarif,
    sarif_result,
    upload,
    upload_bill,
)

Api = Callable[..., Client]
JSON = "application/json"
# What anybody may have: health, the way in, and style sheets.
OPEN = re.compile(r"^/(livez|readyz|sign-in/|static/|admin/(login|jsi18n)/)")
METHODS = ("get", "post", "patch", "put", "delete")
# In everything that team payments has and team search must not see.
CANARY = "zqx-canary"


def addresses() -> list[tuple[str, list[str]]]:
    """Every pattern as a format string (`/findings/%(id)s/`) and the names of its parameters."""

    def walk(patterns: list[Any], before: str) -> Iterator[tuple[str, list[str]]]:
        for pattern in patterns:
            assert isinstance(pattern, URLPattern | URLResolver)
            regex = before + pattern.pattern.regex.pattern.lstrip("^").removesuffix("$").removesuffix(r"\Z")
            if isinstance(pattern, URLResolver):
                yield from walk(list(pattern.url_patterns), regex)
            else:
                yield from ((f"/{text}", names) for text, names in normalize(regex))

    return sorted(set_of(walk(get_resolver().url_patterns, "")))


def set_of(found: Iterator[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    return list({text: (text, names) for text, names in found}.values())


def filled(known: list[str]) -> Iterator[str]:
    return (url for _, url in by_pattern(known))


def by_pattern(known: list[str]) -> Iterator[tuple[str, str]]:
    """Every address with every known value in place of its parameter, and its pattern. Of several parameters the first
    takes each, the others the same or the first of all: all with all would be thousands."""
    for text, names in addresses():
        if not names:
            yield text, text
            continue
        for value in known:
            for other in dict.fromkeys((value, known[0])) if len(names) > 1 else (value,):
                url = text % (dict.fromkeys(names, other) | {names[0]: value})
                if leads_somewhere(url):
                    yield text, url


def leads_somewhere(url: str) -> bool:
    """A name where the address has a number, or the other way round, is no address: no view hears of it."""
    try:
        resolve(url)
    except Resolver404:
        return False
    return True


def body_of(answer: HttpResponseBase) -> str:
    if isinstance(answer, StreamingHttpResponse):
        return b"".join(answer).decode("utf-8", "replace")
    return bytes(getattr(answer, "content", b"")).decode("utf-8", "replace")


def test_the_walk_finds_pages_and_api() -> None:
    found = {text for text, _ in addresses()}
    assert {"/livez", "/api/docs/", "/api/v1/findings/", "/api/v1/findings/%(id)s/history/"} <= found
    assert len(found) >= 30


def test_anonymous_gets_nothing_anywhere(client: Client, checkout: Service) -> None:
    finding = make_finding(checkout, title=CANARY)
    for url in filled([str(finding.pk), "checkout"]):
        if OPEN.match(url):
            continue
        for method in METHODS:
            answer = getattr(client, method)(url)
            assert answer.status_code in (301, 302, 401, 403, 404, 405), (method, url)
            if answer.status_code in (301, 302):
                assert re.match(r"^(/sign-in/|/admin/login/)", answer["Location"]), (method, url)
            if url.startswith("/api/v1/"):
                assert answer.status_code == 401, (method, url)
                assert answer["WWW-Authenticate"] == "Bearer"
            assert CANARY not in body_of(answer)


@pytest.fixture
def _numbers_that_are_the_same(db: None) -> None:
    """What comes first of its kind has one number in all kinds: a walk that tries every number at every address would
    otherwise ask fifteen times for what is not there for each time that it asks for what is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(format('%I.%I', schemaname, sequencename), 7000000) FROM pg_sequences")


@pytest.fixture
def secrets(_numbers_that_are_the_same: None, alice: User, ada: User, checkout: Service, search: Team) -> list[str]:
    """Team payments has one of everything, each with the canary in it; the ids and names of all of it."""
    row = upload(sarif(sarif_result()), checkout, run=False, name=f"{CANARY}.sarif", user=alice, source=CANARY)
    ImportReject.objects.create(import_row=row, pointer=f"/{CANARY}", reason=CANARY, excerpt=CANARY)
    findings = [
        make_finding(checkout, title=f"{CANARY} {number}", rule=f"{CANARY}-rule", tags=[CANARY], path=f"{CANARY}.yaml",
                     message=CANARY, evidence={"excerpt": CANARY}, created_by_import=row, owner=alice)
        for number in range(3)
    ]  # fmt: skip
    bulk = act(Finding.objects.all(), Update(fields={"add_tags": [CANARY]}, comment=CANARY), user=alice, source="api")
    Comment.objects.create(finding=findings[0], author=alice, text=CANARY)
    rule = OwnershipRule.objects.create(
        position=1, kind="path", pattern=CANARY, team_id=checkout.team_id or 0, service=checkout, note=CANARY
    )
    everywhere = OwnershipRule.objects.create(
        position=2, kind="path", pattern=f"{CANARY}/**", team_id=checkout.team_id or 0
    )
    bill = focus({"ServiceName": CANARY, "SubAccountId": CANARY, "Tags": '{"app": "checkout"}'})
    upload_bill(bill, name=CANARY, user=ada)
    make_risk_input(checkout, user=alice, basis=CANARY)
    stated = make_risk_input(checkout, user=alice, basis=CANARY, finding=findings[0])
    token = Token.objects.create(user=alice, name=CANARY, prefix="x", digest="x")
    Team.objects.filter(slug="payments").update(name=CANARY)
    Service.objects.filter(pk=checkout.pk).update(name=CANARY)
    make_finding(make_service(f"{CANARY}-unowned", None), title=CANARY)
    remedy = make_remedy(f"{CANARY}-remedy", title=CANARY, how=CANARY, team=checkout.team)
    incident = make_incident(checkout, findings[0], title=CANARY, notes=CANARY, created_by=alice)
    told = figures([checkout.team], date(2026, 11, 16))[checkout.team_id]
    told["listed"]["new"] = [{"number": 1, "title": CANARY, "service": CANARY, "lane": "critical", "due_on": None}]
    review = ReviewSnapshot.objects.create(week=date(2026, 11, 16), team=checkout.team, figures=told)
    ReviewNote.objects.create(week=date(2026, 11, 16), team=checkout.team, text=CANARY, author=alice)
    # One of everybody, that somebody of the team has
    Remedy.objects.filter(slug="dns-resilience").update(owner=alice)
    budget = make_budget(checkout, note=CANARY)
    scenario = make_scenario(alice, name=CANARY, team=checkout.team)
    make_usage(checkout, "series_of_metric", 7, CANARY, source=CANARY)
    make_usage(None, "stored_bytes", 7, CANARY, source=f"{CANARY}-of-all", provider="aws-cloudwatch-logs")
    spend(weekly(60, 5), team=checkout.team, service=checkout, name=CANARY, account=CANARY)
    things: tuple[Any, ...] = (
        budget,
        scenario,
        review,
        incident,
        remedy,
        row,
        findings[0],
        bulk,
        rule,
        everywhere,
        token,
        stated,
        checkout,
        checkout.team,
        alice,
    )
    numbers = sorted({str(thing.pk) for thing in things})
    assert len(numbers) < 6, numbers
    return [*numbers, "checkout", "payments", "alice"]


def test_a_stranger_sees_nothing_of_another_team_at_any_address(
    secrets: list[str], bob: User, signed_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_risk.core.api.throttling.CALLS_PER_MINUTE", 10**9)
    client = signed_in(bob)
    of_all = ("", "?format=csv", "?format=jsonl", f"?q={CANARY}")
    # No page knows two of these, and each passes over what it does not know; the API may refuse that.
    of_pages = (*of_all, "?view=flat&group=none&kind=new")
    of_api = (*of_all, "?view=flat", "?group=none", "?kind=new", "?group_by=cloud_service,account")
    lists = {text for text, names in addresses() if not names}
    unread: set[str] = set()  # addresses that are only written to, whatever is named in them
    for pattern, url in by_pattern(secrets):
        suffixes = of_api if url.startswith("/api/v1/") else of_pages
        # What names one thing is asked for as it is and as an export; the other ways of asking are those of lists.
        for suffix in suffixes if url in lists else suffixes[:2]:
            if OPEN.match(url) or pattern in unread:
                break
            answer = client.get(url + suffix)
            if answer.status_code == 405:
                unread.add(pattern)
            assert answer.status_code < 500, (url, suffix)
            body = body_of(answer).replace(f'value="{CANARY}', "").replace(f"q={CANARY}", "")
            assert CANARY not in body, (url, suffix)


def test_a_stranger_changes_nothing_of_another_team_at_any_address(
    secrets: list[str], bob: User, signed_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_risk.core.api.throttling.CALLS_PER_MINUTE", 10**9)
    client = signed_in(bob)

    before = _state(bob)
    ids = list(Finding.objects.values_list("pk", flat=True))
    body = {"to": "triaged", "tags": ["x"], "text": "x", "comment": "x", "name": "x", "reason": "x", "ids": ids}
    # A method that an address does not have is refused whatever is named in it: once is enough.
    without: set[tuple[str, str]] = set()
    for pattern, url in by_pattern(secrets):
        if OPEN.match(url):
            continue
        if url == "/sign-out/":
            continue  # he would be nobody from here on
        for method in METHODS[1:]:
            if (pattern, method) in without:
                continue
            # Pages take forms, the API takes JSON: each would see an empty body in what the other is sent.
            form = method == "post" and not url.startswith("/api/v1/")
            sent = ({**body, "action": "triaged"},) if form else (json.dumps(body), JSON)
            status = getattr(client, method)(url, *sent).status_code
            assert status < 500, (method, url)
            if status == 405:
                without.add((pattern, method))
    assert len(without) < 4 * len(addresses())
    after = _state(bob)
    assert {key: row for key, row in after.items() if key in before} == before


def _state(user: User) -> dict[tuple[str, int], Any]:
    """Every row that is not the user's own."""
    found = {}
    for model in (
        Budget,
        Scenario,
        SeenAnomaly,
        PriceRate,
        Finding,
        Import,
        Service,
        Team,
        OwnershipRule,
        User,
        Comment,
        Token,
        ImportReject,
        RiskInput,
        Remedy,
        Incident,
        ReviewSnapshot,
        ReviewNote,
    ):
        for row in model._default_manager.values():
            if row["id"] != user.pk or model is not User:
                found[model.__name__, row["id"]] = row
    return found


API_READS = (
    "findings/{finding}/", "findings/{finding}/history/", "findings/{finding}/comments/", "imports/{row}/",
    "imports/{row}/rejects/", "services/checkout/", "teams/payments/", "findings/bulk/{bulk}/",
    "ownership-rules/{rule}/", "remedies/{remedy}/", "incidents/{incident}/", "reviews/{review}/",
    "risk/inputs/{input}/", "findings/{finding}/risk/",
)  # fmt: skip


@pytest.fixture
def ids(alice: User, checkout: Service) -> dict[str, int]:
    finding = make_finding(checkout)
    bulk = act(Finding.objects.all(), Update(fields={"tags": ["a"]}), user=alice, source="api")
    rule = OwnershipRule.objects.create(
        position=1, kind="path", pattern="x", team_id=checkout.team_id or 0, service=checkout
    )
    return {
        "finding": finding.pk,
        "row": upload(sarif(sarif_result()), checkout, run=False).pk,
        "bulk": bulk.pk,
        "rule": rule.pk,
        "review": ReviewSnapshot.objects.create(week=date(2026, 11, 16), team=checkout.team, figures={}).pk,
        "incident": make_incident(checkout, finding).pk,
        "remedy": make_remedy("own", team=checkout.team).pk,
        "input": make_risk_input(checkout, user=alice).pk,
    }


@pytest.mark.parametrize("path", API_READS)
def test_strangers_get_404_and_the_team_gets_it(
    api: Api, alice: User, bob: User, ids: dict[str, int], path: str
) -> None:
    url = f"/api/v1/{path.format(**ids)}"
    assert api(bob).get(url).status_code == 404
    assert api(alice, "read").get(url).status_code == 200


WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("patch", "findings/{finding}/", {"tags": ["b"]}),
    ("post", "findings/{finding}/transitions/", {"to": "triaged"}),
    ("post", "findings/{finding}/comments/", {"text": "x"}),
    ("post", "imports/{row}/cancel/", {}),
    ("post", "imports/{row}/undo/", {}),
    ("put", "imports/{row}/columns/", {"columns": {}}),
    ("post", "imports/{row}/columns/preview/", {"columns": {}}),
    ("patch", "services/checkout/", {"name": "x"}),
    ("delete", "services/checkout/", {}),
    ("patch", "teams/payments/", {"name": "x"}),
    ("delete", "teams/payments/", {}),
    ("patch", "ownership-rules/{rule}/", {"note": "x"}),
    ("delete", "ownership-rules/{rule}/", {}),
    ("patch", "remedies/{remedy}/", {"title": "x"}),
    ("patch", "incidents/{incident}/", {"title": "x"}),
    ("delete", "incidents/{incident}/", {}),
    ("delete", "remedies/{remedy}/", {}),
    ("patch", "risk/inputs/{input}/", {"confidence": "low"}),
    ("delete", "risk/inputs/{input}/", {}),
)


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_viewers_get_403_strangers_404_and_reading_tokens_403_for_every_change(
    api: Api, alice: User, vic: User, bob: User, ids: dict[str, int], method: str, path: str, body: dict[str, Any]
) -> None:
    url = f"/api/v1/{path.format(**ids)}"
    for user, scope, status in ((vic, "write", 403), (bob, "write", 404), (alice, "read", 403)):
        assert getattr(api(user, scope), method)(url, body, JSON).status_code == status, (user, scope)


def test_a_viewer_writes_no_finding_and_decides_about_none(api: Api, vic: User, checkout: Service) -> None:
    finding = make_finding(checkout)
    client = api(vic)
    body = {"title": "t", "category": "security", "severity": "high", "service": "checkout"}
    assert client.post("/api/v1/findings/", body, JSON).status_code == 403
    decided = client.post("/api/v1/findings/bulk/", {"ids": [str(finding.pk)], "action": "triage"}, JSON).json()
    assert decided["results"][0]["result"] == "refused"
    assert client.post("/api/v1/findings/bulk/", {"q": "", "action": "triage"}, JSON).json()["applied"] == 0


def test_unowned_findings_are_for_managers_and_admins(
    api: Api, alice: User, bob: User, mary: User, ada: User, vic: User
) -> None:
    finding = make_finding(make_service("orphan", None))
    for user, status in ((alice, 404), (bob, 404), (vic, 404), (mary, 200), (ada, 200)):
        client = api(user)
        assert client.get(f"/api/v1/findings/{finding.pk}/").status_code == status
        assert len(client.get("/api/v1/findings/").json()["results"]) == (status == 200)


def test_a_browser_session_needs_its_csrf_token_to_change_anything(alice: User, checkout: Service) -> None:
    finding = make_finding(checkout)
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    url = f"/api/v1/findings/{finding.pk}/"
    assert client.get(url).status_code == 200
    answer = client.patch(url, {"tags": ["x"]}, JSON)
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer nonsense", "Bearer \xff", "Basic YTpi"])
def test_a_token_that_is_none_is_401(client: Client, db: None, header: str) -> None:
    answer = client.get("/api/v1/findings/", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"


def test_a_token_of_somebody_who_left_is_401(api: Api, alice: User) -> None:
    client = api(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get("/api/v1/findings/").status_code == 401


def test_an_unknown_address_and_a_wrong_method_are_problems(api: Api, alice: User) -> None:
    client = api(alice)
    for url in ("/api/v1/nothing/", "/api/v1/findings", "/api/v1/findings/x/", "/api/v1/services/%00/"):
        answer = client.get(url)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), url
    answer = client.put("/api/v1/findings/", {}, JSON)
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
    assert "GET" in answer["Allow"]
    answer = client.get("/api/v1/services/", headers={"accept": "image/png"})
    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")


def test_a_charset_that_is_none_is_not_tried(api: Api, alice: User, checkout: Service) -> None:
    answer = api(alice).generic("GET", "/api/v1/findings/", b"", "application/json; charset=hex", QUERY_STRING="q=a")
    assert answer.status_code == 200


def test_callers_that_go_wild_are_slowed_down(api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform_risk.core.api.throttling.CALLS_PER_MINUTE", 1)
    client = api(alice)
    answers = [client.get("/api/v1/findings/") for _ in range(3)]
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1]["Retry-After"]) <= 61


def test_an_import_of_a_stranger_is_no_filter(api: Api, bob: User, checkout: Service) -> None:
    row = make_import(checkout)
    assert api(bob).get("/api/v1/findings/", {"import": str(row.pk)}).status_code == 400
