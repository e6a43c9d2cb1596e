"""The list's groups, counts and pages by figures: from the rollup they are what reading every finding would give."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from findings import estimating, grouping, latest, selectors, stating
from findings.models import Finding, GroupRollup
from findings.query import ORDERINGS, parse
from findings.services import compact_rollups
from platform_risk.core import keyset
from platform_risk.core.catalog.services import delete_service
from platform_risk.core.models import Service, Team, User
from tests.factories import make_finding, make_service, sarif, sarif_result, upload

pytestmark = pytest.mark.django_db
FILTERS = (
    "", "is:open -is:other_branch", "is:closed", "is:open is:overdue", "is:unowned", "-is:unassigned", "is:regressed",
    "is:other_branch", "lane:immediate lane:critical", "-lane:critical is:open", "status:snoozed", "severity:low",
    "-severity:high", "rule:RULE_1", "-rule:RULE_1", "service:checkout", "category:security", "class:stability",
    "check:dns", "owner:me", "-owner:me", "owner:none", "team:none", "band:high", "band:none", "-band:high", "impact:1",
    "environment:none", "cell:minutes-after-1-3", "cell:minutes-current-1-3", "-cell:minutes-inherent-1-3",
    "is:unrated", "tag:urgent", "scanner:checkov", "another", "is:open due:<2020-01-03", "is:open due:none", "find",
)  # fmt: skip
FIELDS = (
    "service_id", "team_id", "environment_id", "owner_id", "is_default_branch", "rule", "check_id", "category",
    "risk_class", "severity", "severity_source", "lane", "rank", "status", "regressed", "risk_key",
)  # fmt: skip


@pytest.fixture
def many(checkout: Service, search: Team, alice: User) -> Service:
    index, orphan = make_service("index", search), make_service("orphan")
    for number in range(3):
        make_finding(checkout, rule="RULE_1", due_on=date(2020, 1, 1 + number))
        make_finding(checkout, rule="RULE_1", lane="immediate", severity="critical", owner=alice)
        make_finding(checkout, rule="RULE_2", status="verified")
        make_finding(checkout, rule="RULE_2", category="architecture", risk_class="stability", check_id="dns")
        make_finding(checkout, rule="RULE_3", severity="low", regressed=True, title="Another")
        make_finding(index, rule="RULE_1", team=checkout.team)
        make_finding(index, rule="RULE_4", severity="low", severity_source="unrated")
        make_finding(orphan, rule="RULE_1", status="snoozed", tags=["urgent"])
    make_finding(checkout, rule="RULE_1", branch="feature/x")
    estimating.upkeep()
    moved = Finding.objects.filter(rule="RULE_3").earliest("id")
    Finding.objects.filter(pk=moved.pk).update(lane="immediate", lane_reason="Changed")
    Finding.objects.filter(pk=moved.pk).update(lane="optimization", lane_reason="Changed back")
    return checkout


def recounted() -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = {}
    for row in Finding.objects.filter(withdrawn_by=None).values_list(*FIELDS):
        found[row] = found.get(row, 0) + 1
    return found


def rolled_up() -> dict[tuple[Any, ...], int]:
    rows = GroupRollup.objects.order_by().values_list(*FIELDS).annotate(n=Sum("count"))
    return {tuple(key): n for *key, n in rows if n}


def test_groups_and_counts_are_those_of_the_findings_whatever_the_filter_and_whoever_asks(
    many: Service, alice: User, mary: User, ada: User
) -> None:
    answered = 0
    for user in (alice, mary, ada):
        for q in FILTERS:
            query = parse(q)
            rows = selectors.found(query, user)
            told = grouping.rolled(query, user)
            only_open = grouping._is_only_open(query)
            one_by_one, samples = grouping._one_by_one(rows, 0, 50, only_open=only_open)
            assert grouping.counted(query, user, rows) == (rows.count(), False), q
            groups = grouping.groups(query, user, rows, offset=0, size=50)
            assert [(each.rule, each.service_id, each.count) for each in groups] == [
                (each.rule, each.service_id, each.n) for each in one_by_one
            ]
            if told is None:
                firsts = grouping._firsts(rows, one_by_one, only_open=only_open)
                assert [first for _, _, first, _, _ in firsts] == samples, q
            for each in groups:
                mine = rows.filter(rule=each.rule, service_id=each.service_id)
                assert mine.filter(pk=each.sample_id, title=each.title).exists()
                if "is:open" in q:
                    assert each.first_due == mine.open().order_by("due_on").values_list("due_on", flat=True)[0]
            if told is not None:
                answered += 1
                assert grouping._from_rollup(told, 0, 50) == one_by_one, q
    assert answered == 3 * (len(FILTERS) - 7)


@pytest.mark.parametrize("q", ["is:open due:<2020-01-03", "is:overdue lane:critical", "is:open first_seen:>=today-7d"])
def test_what_is_due_or_new_within_days_is_grouped_without_reading_findings(
    checkout: Service, mary: User, ada: User, q: str
) -> None:
    for user in (mary, ada):
        query = parse(f"{q} -is:other_branch")
        with CaptureQueriesContext(connection) as captured:
            grouping.groups(query, user, selectors.found(query, user), offset=0, size=50)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # as with many
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            # Which of the others an almost empty table makes cheaper is nothing that can be told.
            cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'findings_finding'")
            for (name,) in cursor.fetchall():
                if name not in ("finding_overdue", "finding_new", "finding_once", "findings_finding_pkey"):
                    cursor.execute(f'DROP INDEX "{name}"')
            cursor.execute("EXPLAIN " + next(each["sql"] for each in captured if "GROUP BY" in each["sql"]))
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Index Only Scan using finding_" in plan, plan


@pytest.mark.parametrize("ordering", [each for each in ORDERINGS if not each.endswith(("seen", "loss", "minutes"))])
def test_a_list_is_read_in_its_order_from_an_index(checkout: Service, ada: User, ordering: str) -> None:
    query = parse("is:open", ordering=ordering)
    rows = selectors.found(query, ada).order_by(*query.keyset)[:51]
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        plan = rows.explain()
    assert "Sort" not in plan, plan


def test_the_rollup_of_groups_equals_a_recount_also_when_it_is_merged_and_when_an_owner_or_a_service_goes(
    many: Service, alice: User, mary: User, ada: User
) -> None:
    assert rolled_up() == recounted()
    compact_rollups()
    assert rolled_up() == recounted()
    assert not GroupRollup.objects.filter(is_merged=False).exists()
    before = GroupRollup.objects.exclude(service=many).latest("id").pk
    Finding.objects.filter(rule="RULE_3").update(owner=mary)
    compact_rollups()
    assert GroupRollup.objects.exclude(service=many).latest("id").pk == before  # only what changed is written anew
    alice.delete()
    delete_service(Service.objects.get(slug="index"), user=ada)
    assert rolled_up() == recounted()


def test_pages_by_when_findings_were_last_seen_hold_every_one_once_and_in_order(
    checkout: Service, search: Team, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = timezone.now() - timedelta(days=90)
    services = [checkout, make_service("index", search), make_service("payouts", checkout.team)]
    for number in range(6):
        kept = [sarif_result("R1", f"{n}.py") for n in range(3 + number % 4)]
        for service in services[: 1 + number % 3]:
            upload(sarif(*kept), service, source=f"s{number % 2}", observed_at=begin + timedelta(days=number // 2))
    make_finding(checkout, first_seen_at=begin + timedelta(days=1), title="R1, written")
    make_finding(services[1], first_seen_at=begin, team=checkout.team, title="R1, given")
    found_near = 0
    for q, ordering, most in product(("", "is:open service:checkout", "R1"), ("last_seen", "-last_seen"), (12, 2)):
        monkeypatch.setattr(latest, "MOST_RUNS", most)
        query = parse(q, ordering=ordering)
        rows = selectors.found(query, alice)
        wanted = list(rows.order_by(*query.keyset).values_list("pk", flat=True))
        assert len(wanted) >= 5
        pages, cursor = [], None
        while True:
            near = grouping.narrowed(query, alice, rows, cursor=cursor, size=2)
            found_near += near is not rows
            pages.append(keyset.page(near, ordering=query.keyset, cursor=cursor, size=2))
            if (cursor := pages[-1].next) is None:
                break
        assert [row.pk for page in pages for row in page.rows] == wanted
        near = grouping.narrowed(query, alice, rows, cursor=pages[-1].previous, size=2)
        assert keyset.page(near, ordering=query.keyset, cursor=pages[-1].previous, size=2).rows == pages[-2].rows
    assert found_near >= 5
    with pytest.raises(keyset.BadCursor):
        grouping.narrowed(query, alice, rows, cursor=keyset._encode(rows[0], ("id",), "n"), size=2)


@pytest.mark.parametrize("ordering", ["-bad_minutes", "bad_minutes", "-annual_loss"])
def test_pages_by_figures_hold_every_finding_once_and_in_order_however_many_share_an_estimate(
    many: Service, alice: User, ordering: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stating.state(
        user=alice, through="page", service=many, check="dns", name="frequency", kind="number", numbers={"value": "9"},
        basis="Counted",
    )  # fmt: skip
    query = parse("is:open", ordering=ordering)
    rows = selectors.found(query, alice)
    wanted = list(rows.order_by(*query.keyset).values_list("pk", flat=True))
    assert len(set(wanted)) == len(wanted) == 16
    for sorted_at_once in (2_000, 0):
        monkeypatch.setattr(grouping, "_SORTED", sorted_at_once)
        for size in (1, 2, 5):
            seen: list[int] = []
            cursor, backwards = None, None
            while True:
                near = grouping.narrowed(query, alice, rows, cursor=cursor, size=size)
                page = keyset.page(near, ordering=query.keyset, cursor=cursor, size=size)
                seen += [row.pk for row in page.rows]
                if page.next is None:
                    break
                cursor, backwards = page.next, page
            assert seen == wanted
            assert backwards is not None
            near = grouping.narrowed(query, alice, rows, cursor=page.previous, size=size)
            before = keyset.page(near, ordering=query.keyset, cursor=page.previous, size=size)
            assert [row.pk for row in before.rows] == [row.pk for row in backwards.rows]
    cursor = keyset._encode(rows[0], ("id",), "n")
    with pytest.raises(keyset.BadCursor):
        grouping.narrowed(query, alice, rows, cursor=cursor, size=5)
