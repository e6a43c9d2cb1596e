"""Weekly reviews: what a week is told of, that a past one stays true, who sees it; digests go once."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from smtplib import SMTPServerDisconnected
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from costs.models import BillScope, DayTotal
from findings import estimating
from findings.models import Finding
from findings.portfolio import sums
from platform_risk.core.models import Service, Team, User
from platform_risk.core.templatetags.money import change
from platform_risk.planning import reviews, tasks
from platform_risk.planning.models import Digest, ReviewNote, ReviewSnapshot
from tests.factories import make_finding, make_service
from tests.platform_risk.pages import text_of

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
SignedIn = Callable[[User], Client]
JSON = "application/json"
WEEK = date(2026, 11, 16)
TUESDAY = datetime(2026, 11, 17, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _it_is_wednesday_after(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 25, 9, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)


def cost(service: Service, day: date, amount: str) -> None:
    scope, _ = BillScope.objects.get_or_create(export="e", billing_account="a", period=date(2026, 11, 1))
    DayTotal.objects.create(
        scope=scope, day=day, provider="AWS", cloud_service="EC2", service=service, team=service.team,
        charge_category="Usage", currency="USD", billed=Decimal(amount), effective=Decimal(amount),
    )  # fmt: skip


@pytest.fixture
def week(checkout: Service, search: Team) -> dict[str, Finding]:
    """Of team payments one of each kind, and of team search one that is new."""
    earlier = TUESDAY - timedelta(weeks=3)
    made = {
        "new": make_finding(checkout, title="Fresh", first_seen_at=TUESDAY, lane="immediate"),
        "regressed": make_finding(
            checkout, title="Back", first_seen_at=earlier, regressed=True, opened_on=TUESDAY.date()
        ),
        "closed": make_finding(checkout, title="Gone", first_seen_at=earlier, status="fixed", closed_at=TUESDAY),
        "overdue": make_finding(checkout, title="Late", first_seen_at=earlier, due_on=WEEK + timedelta(days=2)),
        "expiring": make_finding(
            checkout, title="Borne", first_seen_at=earlier, status="accepted", closed_at=earlier,
            acceptance_expires_on=WEEK + timedelta(days=10), due_on=None,
        ),
        "other": make_finding(make_service("index", search), title="Theirs", first_seen_at=TUESDAY),
    }  # fmt: skip
    make_finding(checkout, title="Branch", branch="feature/x", first_seen_at=TUESDAY)
    estimating.follow([each.pk for each in made.values()])
    for number in range(7):
        cost(checkout, WEEK + timedelta(days=number), "30")
        cost(checkout, WEEK - timedelta(days=7 - number), "20")
    return made


def kept(team: Team | None) -> dict[str, Any]:
    found: dict[str, Any] = ReviewSnapshot.objects.get(team=team, week=WEEK).figures
    return found


def test_a_week_counts_what_happened_in_it_and_a_recount_says_the_same(
    week: dict[str, Finding], payments: Team, search: Team
) -> None:
    assert reviews.keep(WEEK) == 3  # two teams, and nobody's
    told = kept(payments)
    assert {name: told[name] for name in reviews.COUNTS} == dict.fromkeys(reviews.COUNTS, 1)
    assert {name: told["listed"][name][0]["title"] for name in reviews.COUNTS} == {
        "new": "Fresh", "regressed": "Back", "closed": "Gone", "overdue": "Late", "expiring": "Borne",
    }  # fmt: skip
    assert told["open_by_lane"] == {"immediate": 1, "critical": 2, "important": 0, "optimization": 0}
    assert told["bad_minutes_per_year"] > 0
    assert told["costs"] == [
        {"service": "checkout", "currency": "USD", "before_per_day": "20.00", "now_per_day": "30.00",
         "change_per_day": "10.00"}
    ]  # fmt: skip
    assert (kept(search)["new"], kept(search)["costs"], kept(None)["new"]) == (1, [], 0)


def test_of_many_findings_the_same_ones_are_listed_as_of_few(
    week: dict[str, Finding], checkout: Service, payments: Team, search: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        make_finding(checkout, first_seen_at=TUESDAY, lane="critical" if number % 2 else "important")
        make_finding(checkout, first_seen_at=TUESDAY, team=None, team_from="")
    teams = [payments, search, None]
    few = reviews.figures(teams, WEEK)
    monkeypatch.setattr(reviews, "_FEW", 0)
    assert reviews.figures(teams, WEEK) == few
    assert [len(few[key]["listed"]["new"]) for key in (payments.pk, search.pk, None)] == [25, 1, 25]


def test_a_past_review_stays_true_whatever_happens_later(week: dict[str, Finding], payments: Team) -> None:
    tasks.keep_reviews()
    before = json.dumps(kept(payments), sort_keys=True)
    Finding.objects.all().update(title="Other words", status="dismissed", closed_at=None, first_seen_at=timezone.now())
    week["new"].delete()
    assert tasks.keep_reviews() == 0
    assert json.dumps(kept(payments), sort_keys=True) == before
    late = Team.objects.create(slug="late", name="Late")
    assert reviews.keep(WEEK) == 1
    assert kept(late)["new"] == 0
    with pytest.raises(ValueError, match="has ended"):
        reviews.keep(reviews.this_week())


def test_what_a_year_is_expected_to_cost_is_held_against_the_end_of_the_week_before(
    week: dict[str, Finding], checkout: Service, ada: User, alice: User, bob: User, signed_in: SignedIn
) -> None:
    Service.objects.update(value_per_bad_minute=10)
    for each in Service.objects.all():
        estimating.refresh(each.pk)
    reviews.keep(WEEK)
    assert "since the last week ended" not in text_of(signed_in(alice), "/")  # kept on Wednesday, it tells of that day
    ReviewSnapshot.objects.update(created_at=datetime(2026, 11, 23, 0, 10, tzinfo=UTC))
    for path in ("a.yaml", "b.yaml", "c.yaml"):  # one of the same kind more for each that is open
        make_finding(checkout, path=path)
    now = sums(alice)
    then = kept(checkout.team)
    expected = change(now.bad_minutes / then["bad_minutes_per_year"] - 1)
    assert expected == "+100 %"
    body = text_of(signed_in(alice), "/")
    assert f'{expected}<span class="vh"> since the last week ended' in body
    assert body.count(expected) == 2  # minutes and money
    assert f"the week of {WEEK}</a> ended" in body
    assert "since the last week ended" in text_of(signed_in(bob), "/")
    assert change(0.0) in text_of(signed_in(bob), "/")  # nothing of another team's
    page = " ".join(text_of(signed_in(ada), "/reviews/").split())
    assert re.search(
        r"bad minutes a year \(\+\d+ %\) and [\d,.]+ USD \(\+\d+ %\), against the end of the week before", page
    )
    assert "against the end" not in text_of(signed_in(ada), f"/reviews/{WEEK}/")  # nothing was kept of the one before


def test_each_sees_the_weeks_of_their_own_teams(
    week: dict[str, Finding], alice: User, bob: User, mary: User, ada: User, api: Api, signed_in: SignedIn
) -> None:
    reviews.keep(WEEK)
    seen = {
        user.username: sorted(str(row["team"]) for row in api(user).get("/api/v1/reviews/").json()["results"])
        for user in (alice, bob, mary, ada)
    }
    assert seen == {
        "alice": ["payments"], "bob": ["search"], "mary": ["None", "payments"], "ada": ["None", "payments", "search"],
    }  # fmt: skip
    theirs = ReviewSnapshot.objects.get(team__slug="payments")
    assert api(bob).get(f"/api/v1/reviews/{theirs.pk}/").status_code == 404
    assert api(alice).get(f"/api/v1/reviews/{theirs.pk}/").json()["listed"]["new"][0]["title"] == "Fresh"
    assert api(bob).get("/api/v1/reviews/", {"team": "payments"}).status_code == 400
    assert api(bob).get("/api/v1/reviews/", {"week": "x"}).status_code == 400
    body = signed_in(bob).get(f"/reviews/{WEEK}/").content.decode()
    assert "Theirs" in body
    assert "Fresh" not in body
    assert signed_in(bob).get(f"/reviews/{WEEK}/?team=payments").status_code == 404
    mine = signed_in(alice).get(f"/reviews/{WEEK}/?team=payments").content.decode()
    assert all(title in mine for title in ("Fresh", "Back", "Gone", "Late", "Borne", "Kept as it was", "10.00 USD"))
    assert "Nothing was kept" in signed_in(alice).get("/reviews/2026-11-09/").content.decode()
    assert signed_in(alice).get("/reviews/2026-11-17/").status_code == 404
    assert signed_in(alice).get("/reviews/?week=2026-11-16&team=payments")["Location"].endswith("?team=payments")


def test_the_running_week_is_counted_now_with_as_many_queries_for_any_number_of_teams(
    week: dict[str, Finding], ada: User, signed_in: SignedIn, django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    client = signed_in(ada)
    make_finding(week["new"].service, first_seen_at=timezone.now())
    with django_assert_max_num_queries(36) as few:
        assert "It runs until Sunday" in client.get("/reviews/").content.decode()
    team = Team.objects.create(slug="more", name="More")
    make_finding(make_service("more", team), title="Just now", first_seen_at=timezone.now())
    with django_assert_num_queries(len(few)):
        assert "Just now" in client.get("/reviews/").content.decode()


def test_decisions_are_kept_by_team(
    week: dict[str, Finding], alice: User, bob: User, vic: User, api: Api, signed_in: SignedIn, payments: Team
) -> None:
    client = signed_in(alice)
    form = {"kind": "decision", "team": payments.pk, "text": "We take pooling first."}
    assert client.post(f"/reviews/{WEEK}/note/", form).status_code == 302
    assert client.post(f"/reviews/{WEEK}/note/", {**form, "text": ""}).status_code == 422
    assert signed_in(bob).post(f"/reviews/{WEEK}/note/", form).status_code == 422
    assert signed_in(vic).post(f"/reviews/{WEEK}/note/", form).status_code == 422
    sent = {"week": str(WEEK), "team": "payments", "kind": "note", "text": "Seen."}
    assert api(alice).post("/api/v1/reviews/notes/", sent, JSON).status_code == 201
    assert api(vic).post("/api/v1/reviews/notes/", sent, JSON).status_code == 403
    assert api(bob).post("/api/v1/reviews/notes/", sent, JSON).status_code == 400
    assert api(alice).post("/api/v1/reviews/notes/", {**sent, "week": "2026-11-17"}, JSON).status_code == 400
    assert [row["text"] for row in api(vic).get("/api/v1/reviews/notes/").json()["results"]] == [
        "Seen.", "We take pooling first.",
    ]  # fmt: skip
    assert api(bob).get("/api/v1/reviews/notes/").json()["results"] == []
    assert "We take pooling first." in signed_in(vic).get(f"/reviews/{WEEK}/").content.decode()
    assert ReviewNote.objects.count() == 2


def subscribe(user: User, **kinds: bool) -> None:
    User.objects.filter(pk=user.pk).update(**{f"{kind}_digest": wanted for kind, wanted in kinds.items()})


def test_digests_go_once_to_those_who_asked_and_tell_what_each_may_see(
    week: dict[str, Finding], alice: User, bob: User, vic: User, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://risk.example.com/"
    subscribe(alice, weekly=True)
    subscribe(bob, weekly=True)
    assert tasks.send_digests() == 2
    assert tasks.send_digests() == 0
    by_reader = {message.to[0]: message for message in mail.outbox}
    assert set(by_reader) == {"alice@example.com", "bob@example.com"}
    mine: Any = by_reader["alice@example.com"]
    assert mine.subject == "Platform Risk, week of 2026-11-16: 1 new, 1 came back, 1 closed"
    html = mine.alternatives[0][0]
    for text in (mine.body, html):
        assert "Fresh" in text
        assert "https://risk.example.com/account/" in text
        assert "Theirs" not in text
    assert "checkout: 10.00 USD, from 20.00 to 30.00" in mine.body
    assert "Fresh" not in by_reader["bob@example.com"].body


def test_a_daily_digest_tells_of_yesterday_and_nothing_goes_when_there_is_nothing(
    week: dict[str, Finding], checkout: Service, alice: User, bob: User
) -> None:
    subscribe(alice, daily=True)
    subscribe(bob, daily=True)
    make_finding(checkout, title="<b>Yesterday</b>", first_seen_at=timezone.now() - timedelta(days=1))
    assert tasks.send_digests() == 1
    (message,) = mail.outbox
    assert "<b>Yesterday</b>" in message.body
    assert "&lt;b&gt;Yesterday" in message.alternatives[0][0]  # type: ignore[attr-defined]
    assert Digest.objects.filter(sent_at__isnull=False).count() == 2


def test_a_daily_digest_counts_all_and_names_the_worst(checkout: Service, alice: User) -> None:
    subscribe(alice, daily=True)
    for number in range(reviews.LISTED + 3):
        make_finding(checkout, title=f"Number {number}.", first_seen_at=timezone.now() - timedelta(days=1))
    assert tasks.send_digests() == 1
    (message,) = mail.outbox
    assert message.subject == "Platform Risk, 2026-11-24: 28 new"
    assert "New (28)" in message.body
    assert (message.body.count(" Number "), "  and more" in message.body) == (25, True)


def test_each_list_of_a_daily_digest_leads_to_the_findings_that_it_counts(
    checkout: Service, alice: User, ada: User, signed_in: SignedIn, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://risk.example.com/"
    subscribe(alice, daily=True)
    day = date(2026, 11, 24)
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for days in (-1, 0, 1):
        make_finding(checkout, title="Seen", first_seen_at=noon + timedelta(days=days))
        make_finding(checkout, title="Back", regressed=True, opened_on=day + timedelta(days=days))
        make_finding(checkout, title="Late", owner=alice, due_on=day + timedelta(days=days))
    make_finding(checkout, title="Another's", owner=ada, due_on=day)
    make_finding(checkout, title="A branch's", branch="try", first_seen_at=noon)
    for days in range(6):
        make_finding(
            checkout, title="Borne", status="accepted", closed_at=noon - timedelta(days=9),
            acceptance_expires_on=day + timedelta(days=days), due_on=None,
        )  # fmt: skip
    assert tasks.send_digests() == 1
    message: Any = mail.outbox[0]
    links = re.findall(r"^([\w ]+) \((\d+)\): https://risk\.example\.com(\S+)$", message.body, re.MULTILINE)
    counts = {"New": "1", "Came back": "1", "Overdue": "2", "Acceptances that expire": "3"}
    assert {title: count for title, count, _ in links} == counts
    for title, count, link in links:
        assert signed_in(alice).get(link).context["count"] == int(count), title
        assert f'href="https://risk.example.com{escape(link)}"' in message.alternatives[0][0]


def test_a_mail_that_is_refused_is_tried_again(
    week: dict[str, Finding], alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(alice, weekly=True)

    def refuse(*args: Any, **kwargs: Any) -> int:
        raise SMTPServerDisconnected

    with monkeypatch.context() as patch:
        patch.setattr(mail.EmailMessage, "send", refuse)
        assert tasks.send_digests() == 0
    assert not Digest.objects.exists()
    assert tasks.send_digests() == 1


def test_the_account_page_switches_digests_on_and_off(alice: User, signed_in: SignedIn) -> None:
    client = signed_in(alice)
    fields = {"email": "alice@example.com", "shortcuts": "on"}
    assert client.post("/account/", {**fields, "daily_digest": "on", "weekly_digest": "on"}).status_code == 302
    alice.refresh_from_db()
    assert (alice.daily_digest, alice.weekly_digest) == (True, True)
    client.post("/account/", fields)
    alice.refresh_from_db()
    assert (alice.daily_digest, alice.weekly_digest) == (False, False)


def test_each_list_of_the_week_that_runs_leads_to_the_findings_that_it_counts(
    week: dict[str, Finding], alice: User, api: Api, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    sunday = datetime.combine(WEEK + timedelta(days=6), datetime.min.time(), UTC)
    monkeypatch.setattr(timezone, "now", lambda: sunday)
    page = signed_in(alice).get("/reviews/", {"team": "payments"})
    lists = {each.name: each for column in page.context["columns"] for each in column}
    assert lists.keys() == set(reviews.COUNTS)
    for name, each in lists.items():
        assert f'href="{escape(each.url)}"' in page.content.decode()
        found = api(alice).get("/api/v1/findings/", {"q": parse_qs(urlsplit(each.url).query)["q"][0]}).json()["results"]
        assert [row["number"] for row in found] == [week[name].pk], name
        assert signed_in(alice).get(each.url).context["count"] == each.count
    ended = signed_in(alice).get(f"/reviews/{WEEK - timedelta(weeks=1)}/")
    assert not any(each.url for column in ended.context["columns"] for each in column)
