"""Pages of findings: the list with its filters, one finding, decisions about one and about many."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from findings import bulk, estimating, services
from findings.models import BulkAction, Comment, Finding, History
from platform_risk.core.models import SavedView, Service, Team, User
from tests.factories import make_finding, make_service

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
LIST = "/findings/"


def numbers(body: str) -> list[int]:
    """The findings that a list shows, in their order."""
    return [int(number) for number in re.findall(r'id="finding-(\d+)"', body)]


def text_of(client: Client, url: str, **query: Any) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200, (url, answer.status_code)
    return str(answer.content.decode())


# --- the list


def test_findings_of_one_rule_in_one_service_are_one_row_until_it_is_expanded(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    for path in ("a.tf", "b.tf", "c.tf"):
        make_finding(checkout, rule="CKV_1", title="Bucket is public", path=path)
    body = text_of(signed_in(alice), LIST)
    assert body.count("Bucket is public</a>") == 1
    assert not numbers(body)
    rows = re.search(r'data-rows="([^"]+)"', body)
    assert rows is not None
    expanded = text_of(signed_in(alice), rows[1].replace("&amp;", "&"))
    assert len(numbers(expanded)) == 3
    assert "<html" not in expanded


def test_a_group_of_one_leads_straight_to_its_finding(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    finding = make_finding(checkout)
    assert f'href="/findings/{finding.pk}/"' in text_of(signed_in(alice), LIST)


def test_the_filter_is_the_address(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    wanted = make_finding(checkout, lane="immediate", title="Vault token in the environment")
    make_finding(checkout, lane="important")
    make_finding(checkout, lane="immediate", status="dismissed")
    body = text_of(signed_in(alice), LIST, q="is:open lane:immediate vault", view="flat")
    assert numbers(body) == [wanted.pk]
    assert 'value="is:open lane:immediate vault"' in body


def test_a_filter_that_cannot_be_read_is_said_and_kept(alice: User, signed_in: SignedIn) -> None:
    answer = signed_in(alice).get(LIST, {"q": "lane:urgent"})
    assert answer.status_code == 400
    body = answer.content.decode()
    assert "lane is one of" in body
    assert 'value="lane:urgent"' in body


@pytest.mark.parametrize("cursor", ["x", "bm90LWEtY3Vyc29y", "%00"])
def test_a_foreign_cursor_is_refused_in_words(alice: User, signed_in: SignedIn, cursor: str) -> None:
    answer = signed_in(alice).get(LIST, {"view": "flat", "cursor": cursor})
    assert answer.status_code == 400
    assert "cursor" in answer.content.decode()


def test_flat_pages_follow_one_another_without_a_gap(
    alice: User, checkout: Service, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("findings.views.listing.PAGE_SIZE", 3)
    made = [make_finding(checkout).pk for _ in range(8)]
    client, url, seen = signed_in(alice), f"{LIST}?view=flat", []
    while url:
        body = text_of(client, url)
        seen += numbers(body)
        following = re.search(r'rel="next" href="([^"]+)"', body)
        url = LIST + following[1].replace("&amp;", "&") if following else ""
    assert seen == made


def test_groups_come_in_pages_too(
    alice: User, checkout: Service, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("findings.views.listing.GROUPS", 2)
    for rule in ("A", "B", "C"):
        make_finding(checkout, rule=rule, title=f"About {rule}")
    client = signed_in(alice)
    first, second = text_of(client, LIST), text_of(client, LIST, page="2")
    assert ("About A" in first, "About C" in first, "About C" in second) == (True, False, True)


def test_the_selected_finding_stands_beside_the_list(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    finding = make_finding(checkout, message="It lets everybody in.")
    body = text_of(signed_in(alice), LIST, selected=str(finding.pk))
    assert "It lets everybody in." in body


def test_a_strangers_finding_is_neither_listed_nor_selected_nor_opened(
    bob: User, checkout: Service, signed_in: SignedIn
) -> None:
    finding = make_finding(checkout, title="Only for payments")
    client = signed_in(bob)
    assert "Only for payments" not in text_of(client, LIST, selected=str(finding.pk))
    for url in (f"/findings/{finding.pk}/", f"/findings/{finding.pk}/panel/", f"/findings/{finding.pk}/assign/"):
        assert client.get(url).status_code == 404


def test_every_figure_and_menu_keeps_the_rest_of_the_filter(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    make_finding(checkout)
    body = text_of(signed_in(alice), LIST, q="is:open lane:critical")
    links = re.findall(r'class="plain" href="([^"]+)"[^>]*>[^<]*(?:<[^>]+>)*High', body)
    kept = "?q=is%3Aopen+lane%3Acritical"
    assert links == [f"{kept}+severity%3Ahigh", f"{kept}+band%3Ahigh"]


def test_the_csv_link_gives_what_the_screen_shows(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    make_finding(checkout, title="Shown")
    make_finding(checkout, title="Hidden", status="dismissed")
    client = signed_in(alice)
    link = re.search(r'href="(/api/v1/findings/\?[^"]+)"', text_of(client, LIST, q="is:open"))
    assert link is not None
    answer = client.get(link[1].replace("&amp;", "&"))
    content = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]  # a streamed answer
    assert "Shown" in content
    assert "Hidden" not in content


PINNED = {
    LIST: 14,
    f"{LIST}?q=is:open+-is:other_branch": 14,
    f"{LIST}?view=flat&q=is:open+-is:other_branch": 14,
    f"{LIST}?view=flat&q=is:open+-is:other_branch&ordering=due": 14,
    f"{LIST}?view=flat&q=is:open+-is:other_branch&ordering=-first_seen": 14,
    f"{LIST}?view=flat&q=is:open+-is:other_branch&ordering=-bad_minutes": 15,
    f"{LIST}?view=flat&q=is:open+-is:other_branch&ordering=-annual_loss": 15,
    "/risk/": 12,
    "/risk/?view=inherent&unit=money": 13,
    "/risk/?view=after&chart=scatter": 15,
}


def test_lists_in_every_order_and_the_matrix_take_as_many_queries_as_ever_however_much_there_is(
    alice: User, checkout: Service, signed_in: SignedIn, django_assert_max_num_queries: Any,
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    client = signed_in(alice)
    make_finding(checkout, owner=alice)
    estimating.upkeep()
    counts = {}
    for url, most in PINNED.items():
        with django_assert_max_num_queries(most) as captured:
            assert client.get(url).status_code == 200
        counts[url] = len(captured)
    for number in range(30):
        make_finding(checkout, rule=f"R{number}", owner=alice)
    estimating.upkeep()
    for url, few in counts.items():
        with django_assert_num_queries(few):
            client.get(url)


# --- one finding


def test_a_finding_tells_what_where_and_who(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    evidence = {"excerpt": "resource x {\n  public = true\n}", "excerpt_line": 11, "help_uri": "https://example.com/r"}
    finding = make_finding(
        checkout, message="Anybody can read it.", path="s3.tf", line=12, end_line=12, evidence=evidence, owner=alice
    )
    body = text_of(signed_in(alice), f"/findings/{finding.pk}/")
    assert "Anybody can read it." in body
    assert re.search(r'class="ln hit" data-n="12">\s+public = true', body)
    assert "https://example.com/r" in body
    assert "alice" in body


def test_no_link_of_a_report_can_carry_a_script(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    finding = make_finding(checkout, evidence={"help_uri": "javascript:alert(1)"}, title="<script>alert(2)</script>")
    body = text_of(signed_in(alice), f"/findings/{finding.pk}/")
    assert "javascript:" not in body
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(2)" in body


def test_dismissing_needs_a_reason_and_leaves_who_why_from_and_to(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    finding = make_finding(checkout)
    client, url = signed_in(alice), f"/findings/{finding.pk}/dismiss/"
    answer = client.post(url, {"reason": "", "comment": "no", "version": finding.version})
    assert answer.status_code == 422
    assert Finding.objects.get().status == "new"
    answer = client.post(url, {"reason": "inaccurate", "comment": "It is a test.", "version": finding.version})
    assert answer.status_code == 302
    assert Finding.objects.get().status == "dismissed"
    event = History.objects.get()
    assert (event.actor, event.source, event.changes["status"]) == (alice, "page", ["new", "dismissed"])
    body = text_of(client, f"/findings/{finding.pk}/")
    assert "It is a test." in body
    assert "new</span> → <b>dismissed" in body


def test_a_decision_in_the_dialog_answers_with_what_was_done_and_how_to_undo_it(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    finding = make_finding(checkout)
    client = signed_in(alice)
    answer = client.post(
        f"/findings/{finding.pk}/assign/", {"owner": "alice", "team": "keep"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 204
    event = json.loads(answer["HX-Trigger"])["decided"]
    assert Finding.objects.get().owner == alice
    assert client.post(event["undo"], headers={"HX-Request": "true"}).status_code == 204
    assert Finding.objects.get().owner is None


def test_the_form_comes_as_a_fragment_to_scripts_and_as_a_page_to_everybody_else(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    url = f"/findings/{make_finding(checkout).pk}/snooze/"
    client = signed_in(alice)
    assert "<html" in client.get(url).content.decode()
    fragment = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert 'name="until"' in fragment


def test_what_somebody_else_changed_meanwhile_is_not_overwritten_unseen(
    alice: User, mary: User, checkout: Service, signed_in: SignedIn
) -> None:
    finding = make_finding(checkout)
    client, url = signed_in(alice), f"/findings/{finding.pk}/triaged/"
    signed_in(mary).post(f"/findings/{finding.pk}/in_progress/", {"comment": ""})
    answer = client.post(url, {"comment": "", "version": finding.version})
    assert answer.status_code == 422
    assert "in progress now" in answer.content.decode()
    assert Finding.objects.get().status == "in_progress"
    again = re.search(r'name="version" value="(\d+)"', answer.content.decode())
    assert again is not None
    assert client.post(url, {"comment": "", "version": again[1]}).status_code == 302
    assert Finding.objects.get().status == "triaged"


def test_a_status_that_cannot_follow_is_refused_in_words(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    finding = make_finding(checkout, status="dismissed")
    answer = signed_in(alice).post(f"/findings/{finding.pk}/in_progress/", {"comment": ""})
    assert answer.status_code == 422
    assert "cannot become" in answer.content.decode()


def test_a_viewer_sees_no_buttons_and_cannot_decide(vic: User, checkout: Service, signed_in: SignedIn) -> None:
    finding = make_finding(checkout)
    client = signed_in(vic)
    assert "data-decide" not in text_of(client, f"/findings/{finding.pk}/")
    assert client.post(f"/findings/{finding.pk}/assign/", {"owner": "vic"}).status_code == 403
    assert client.post(f"/findings/{finding.pk}/comment/", {"text": "hello"}).status_code == 403
    assert not Comment.objects.exists()


def test_only_verbs_that_exist_have_pages(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    finding = make_finding(checkout)
    assert signed_in(alice).get(f"/findings/{finding.pk}/explode/").status_code == 404


def test_a_comment_is_kept_without_the_secret_in_it(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    finding = make_finding(checkout)
    key = "AKIA" + "Q3EXAMPLEKEY7QZA"
    client = signed_in(alice)
    assert client.post(f"/findings/{finding.pk}/comment/", {"text": f"seen {key} there"}).status_code == 302
    assert key not in Comment.objects.get().text
    assert key not in text_of(client, f"/findings/{finding.pk}/")
    assert client.post(f"/findings/{finding.pk}/comment/", {"text": "  "}).status_code == 422


def test_one_finding_takes_the_same_number_of_queries_however_long_its_story(
    alice: User, checkout: Service, signed_in: SignedIn, django_assert_num_queries: Any
) -> None:
    finding = make_finding(checkout)
    client, url = signed_in(alice), f"/findings/{finding.pk}/"

    def longer() -> None:
        client.post(f"{url}assign/", {"owner": "alice", "team": "keep"})
        client.post(f"{url}assign/", {"owner": "", "team": "keep"})
        client.post(f"{url}comment/", {"text": "noted"})

    longer()
    with django_assert_num_queries(16, exact=False) as captured:
        text_of(client, url)
    few = len(captured)
    longer()
    longer()
    with django_assert_num_queries(few):
        text_of(client, url)


# --- many


def test_a_selection_of_rows_and_groups_is_decided_at_once_and_taken_back_at_once(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    single = make_finding(checkout, rule="ONE")
    grouped = [make_finding(checkout, rule="MANY two words") for _ in range(3)]
    other = make_finding(checkout, rule="OTHER")
    client = signed_in(alice)
    chosen = {"id": [single.pk], "group": ["checkout MANY two words"], "q": "is:open"}
    asked = client.post("/findings/bulk/dismiss/", chosen)
    assert asked.status_code == 200
    assert "4 findings" in asked.content.decode()
    answered = {"answered": "1", "reason": "duplicate", "comment": "Twice reported."}
    assert client.post("/findings/bulk/dismiss/", chosen | answered).status_code == 302
    dismissed = set(Finding.objects.filter(status="dismissed").values_list("pk", flat=True))
    assert dismissed == {single.pk, *(finding.pk for finding in grouped)}
    assert Finding.objects.get(pk=other.pk).status == "new"
    decision = BulkAction.objects.get()
    assert "Twice reported." in text_of(client, f"/findings/decisions/{decision.pk}/")
    assert client.post(f"/findings/decisions/{decision.pk}/undo/").status_code == 302
    assert not Finding.objects.filter(status="dismissed").exists()


def test_the_whole_filter_means_all_of_it_but_nothing_of_other_teams(
    alice: User, checkout: Service, search: Team, signed_in: SignedIn
) -> None:
    mine = [make_finding(checkout) for _ in range(3)]
    make_finding(checkout, lane="optimization")
    theirs = make_finding(make_service("index", search))
    data = {"whole": "1", "q": "lane:critical", "answered": "1", "owner": "alice", "team": "keep"}
    assert signed_in(alice).post("/findings/bulk/assign/", data).status_code == 302
    owned = set(Finding.objects.filter(owner=alice).values_list("pk", flat=True))
    assert owned == {finding.pk for finding in mine}
    assert Finding.objects.get(pk=theirs.pk).owner is None


def test_a_large_bulk_goes_to_a_worker_and_its_page_follows(
    alice: User, checkout: Service, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "ITEMIZED", 2)
    sent: list[int] = []
    monkeypatch.setattr("findings.views.bulk.run_bulk.delay", sent.append)
    for _ in range(3):
        make_finding(checkout)
    client = signed_in(alice)
    until = (timezone.now() + timedelta(days=3)).date().isoformat()
    answer = client.post("/findings/bulk/snooze/", {"whole": "1", "q": "", "answered": "1", "until": until})
    decision = BulkAction.objects.get()
    assert answer.headers["Location"] == f"/findings/decisions/{decision.pk}/"
    assert "every 1s" in text_of(client, answer.headers["Location"])
    bulk.run(decision.pk)
    body = text_of(client, answer.headers["Location"])
    assert "every 1s" not in body
    assert Finding.objects.filter(status="snoozed").count() == 3


def test_nothing_selected_and_nonsense_are_said(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    make_finding(checkout)
    client = signed_in(alice)
    fragment = {"HX-Request": "true"}
    assert client.post("/findings/bulk/assign/", {"q": ""}, headers=fragment).status_code == 409
    assert client.post("/findings/bulk/assign/", {"q": "lane:x", "whole": "1"}, headers=fragment).status_code == 409
    assert client.post("/findings/bulk/explode/", {"q": "", "whole": "1"}).status_code == 404
    assert client.post("/findings/bulk/tags/", {"whole": "1", "answered": "1"}).status_code == 422


def test_somebody_elses_decision_is_not_for_others_to_take_back(
    alice: User, mary: User, checkout: Service, signed_in: SignedIn
) -> None:
    make_finding(checkout)
    signed_in(alice).post("/findings/bulk/assign/", {"whole": "1", "answered": "1", "owner": "alice", "team": "keep"})
    decision = BulkAction.objects.get()
    assert signed_in(mary).post(f"/findings/decisions/{decision.pk}/undo/").status_code == 404
    assert Finding.objects.get().owner == alice


def test_the_way_back_leads_only_to_our_own_pages(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    finding = make_finding(checkout)
    answer = signed_in(alice).post(
        f"/findings/{finding.pk}/assign/", {"owner": "alice", "team": "keep", "back": "https://evil.example/"}
    )
    assert answer.headers["Location"] == f"/findings/{finding.pk}/"


# --- saved views and findings by hand


def test_a_view_is_saved_without_page_and_selection_and_deleted_by_its_maker(
    alice: User, bob: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    answer = client.post("/findings/views/", {"name": "Ours", "query": "q=is%3Aopen&view=flat&cursor=abc&selected=4"})
    assert answer.headers["Location"] == "/findings/?q=is%3Aopen&view=flat"
    view = SavedView.objects.get()
    assert "Ours" in text_of(client, LIST)
    assert signed_in(bob).post(f"/findings/views/{view.pk}/delete/").status_code == 404
    assert client.post(f"/findings/views/{view.pk}/delete/").status_code == 302
    assert not SavedView.objects.exists()


def test_a_viewer_cannot_share_a_view_with_the_team(vic: User, signed_in: SignedIn) -> None:
    answer = signed_in(vic).post("/findings/views/", {"name": "Ours", "query": "q=x", "team": "payments"})
    assert answer.status_code == 403
    assert not SavedView.objects.exists()


def test_a_finding_is_written_by_hand(alice: User, checkout: Service, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    data = {"title": "Nobody may deploy on Friday", "service": "checkout", "severity": "high", "category": "operations"}
    answer = client.post("/findings/new/", data)
    finding = Finding.objects.get()
    assert answer.headers["Location"] == f"/findings/{finding.pk}/"
    assert (finding.severity_source, finding.scanners, finding.written_by) == ("user", ["manual"], alice)
    assert client.post("/findings/new/", data | {"title": ""}).status_code == 422


def test_nobody_writes_into_a_service_of_others(bob: User, vic: User, checkout: Service, signed_in: SignedIn) -> None:
    make_service("index", Team.objects.get(slug="search"))
    data = {"title": "x", "service": "checkout", "severity": "high", "category": "operations"}
    assert signed_in(bob).post("/findings/new/", data).status_code == 422
    assert signed_in(vic).get("/findings/new/").status_code == 403
    assert not Finding.objects.exists()


def test_an_input_of_a_figure_can_be_changed_by_address_alone(
    signed_in: SignedIn, alice: User, checkout: Service
) -> None:
    steps = {"name": "seconds_to_max", "value": 30, "unit": "s", "formula": "steps × period", "inputs": [
        {"name": "min_replicas", "value": 1, "unit": "pods", "source": "file", "path": "hpa.yaml", "line": 6},
        {"name": "max_replicas", "value": 10, "unit": "pods", "source": "file", "path": "hpa.yaml", "line": 7},
        {"name": "percent_per_15_s", "value": 100, "unit": "%", "source": "provider_default"},
        {"name": "pods_per_15_s", "value": 4, "unit": "pods", "source": "provider_default"}]}  # fmt: skip
    finding = make_finding(checkout, check_id="autoscaling", quantities=[steps])
    client = signed_in(alice)
    page = client.get(f"/findings/{finding.pk}/").content.decode()
    assert "Change an input" in page
    assert "hpa.yaml:7" in page
    page = client.get(f"/findings/{finding.pk}/?set-max_replicas=200&set-min_replicas=x").content.decode()
    assert "With your inputs" in page
    assert "<b>105 s</b>" in page
    assert "This is not a number." in page
    finding.refresh_from_db()
    assert finding.quantities == [steps]


def test_the_scatter_follows_view_and_filter_has_its_table_and_says_when_nothing_has_a_place(
    alice: User, checkout: Service, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    make_finding(checkout, check_id="db-connections", rule="db-connections", risk_class="stability")
    estimating.upkeep()
    content = client.get("/risk/?chart=scatter").content.decode()
    assert ('class="spot' in content, "Groups of findings by likelihood and impact" in content) == (True, True)
    for nothing in ("/risk/?chart=scatter&q=-service:checkout", "/risk/?chart=scatter&view=after"):
        assert "Nothing has a place here" in client.get(nothing).content.decode()


def test_of_an_empty_workspace_nothing_is_said_to_rest_on_what_was_stated(alice: User, signed_in: SignedIn) -> None:
    for page in ("/risk/", "/risk/inputs/"):
        content = signed_in(alice).get(page).content.decode()
        assert ("Known once something is open" in content, "Every figure rests on" in content) == (True, False)
