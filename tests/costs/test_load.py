"""Bills into tables: scopes are replaced exactly, nothing counts twice, and whose it is follows the rules."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from costs import load, ownership
from costs.models import BillScope, BillVersion, ChargeDay, ChargeKey, ChargeMonth, DayTotal, ResourceMonth, SharedCost
from platform_risk.core.catalog import services as catalog
from platform_risk.core.errors import Conflict
from platform_risk.core.imports import runner, services
from platform_risk.core.models import Environment, Import, ImportState, Service, Team, User
from platform_risk.joint.receiving import hand_in
from tests.costs.bills.reduced import COVERED, FOCUS, ON_DEMAND, PAID, azure, focus, table
from tests.database import everything
from tests.factories import make_service

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
SAMPLES = Path(__file__).parents[1] / "samples" / "bills"
JULY = {
    "BillingPeriodStart": "2026-07-01T00:00:00Z", "ChargePeriodStart": "2026-07-01T00:00:00Z", "BilledCost": "7",
}  # fmt: skip


NEW_RELIC = b'[{"timestamp": 1780272000000, "GigabytesIngested": 3.5, "usageMetric": "LoggingBytes"}]'


def send(user: User, content: bytes, name: str = "bill.csv", **names: Any) -> Import:
    row = hand_in(SimpleUploadedFile(name, content), user=user, **names)
    runner.run(row.pk)
    row.refresh_from_db()
    return row


def applied(user: User, content: bytes, **names: Any) -> Import:
    row = send(user, content, **names)
    assert row.state == ImportState.DONE, row.error
    return row


def billed(**of: Any) -> Decimal:
    days = ChargeDay.objects.filter(is_current=True, **of).aggregate(sum=Sum("billed"))["sum"] or Decimal(0)
    if not of:
        months = ChargeMonth.objects.aggregate(sum=Sum("billed"))["sum"] or Decimal(0)
        totals = DayTotal.objects.aggregate(sum=Sum("billed"))["sum"] or Decimal(0)
        assert days == months == totals, "sums equal a recount at all times"
    return days


def state() -> list[Any]:
    """All that a bill leaves, to compare one way with another."""
    days = ChargeDay.objects.filter(is_current=True).order_by("day", "key__digest", "charge_category", "currency")
    months = ChargeMonth.objects.order_by("month", "key__digest", "charge_category", "currency")
    resources = ResourceMonth.objects.filter(is_current=True).order_by("month", "resource", "key__digest")
    return [
        list(days.values_list("day", "key__digest", "charge_category", "currency").annotate(sum=Sum("billed"))),
        list(months.values_list("month", "key__digest", "charge_category", "currency", "billed", "effective")),
        list(resources.values_list("month", "resource", "currency").annotate(sum=Sum("billed"))),
    ]


def test_a_bill_is_found_out_loaded_and_reconciled(ada: User, signed_in: Callable[[User], Client], api: Api) -> None:
    content = focus({}, {"BilledCost": "-0.25", "ChargeCategory": "Credit"}, {"BilledCost": "oops"}, JULY)
    row = applied(ada, content)
    assert (row.kind, row.format, row.export, row.billing_account) == ("bill", "focus", "focus", "payer")
    assert (row.read, row.rejected, row.new, row.collapsed) == (4, 1, 3, 0)
    assert row.totals == [
        {
            "currency": "USD", "charge_category": "Credit", "file_billed": "-0.25", "loaded_billed": "-0.25",
            "file_effective": "1.25", "loaded_effective": "1.25",
        },
        {
            "currency": "USD", "charge_category": "Usage", "file_billed": "8.5", "loaded_billed": "8.5",
            "file_effective": "3.75", "loaded_effective": "2.5",
        },
    ]  # fmt: skip
    assert row.rejects.get().line == 4
    page = signed_in(ada).get(f"/imports/{row.pk}/").content.decode()
    assert "line 4" in page
    (reject,) = api(ada).get(f"/api/v1/imports/{row.pk}/rejects/").json()["results"]
    assert (reject["location"]["line"], reject["reason"][:23]) == (4, "The amount is no number")
    csv = api(ada).get(f"/api/v1/imports/{row.pk}/rejects/?format=csv")
    assert b",4\n" in b"".join(csv).replace(b"\r", b"")
    assert billed() == Decimal("8.25")
    assert [(str(scope.period), scope.is_provisional) for scope in BillScope.objects.order_by("period")] == [
        ("2026-06-01", False), ("2026-07-01", False),
    ]  # fmt: skip


def test_usage_and_credits_of_google_are_told_apart(ada: User) -> None:
    row = applied(ada, (SAMPLES / "gcp-billing" / "one.csv").read_bytes())
    assert {each["charge_category"]: (each["file_billed"], each["loaded_billed"]) for each in row.totals} == {
        "Usage": ("10.75", "10.75"), "Credit": ("-3.5", "-3.5"), "Tax": ("0", "0"),
    }  # fmt: skip
    assert (row.read, row.new, row.collapsed, row.rejected) == (6, 6, 0, 0)
    assert billed(charge_category="Credit", key__service_category="SUD") == Decimal("-2.25")


def test_the_same_file_twice_changes_nothing(ada: User) -> None:
    content = focus({}, JULY)
    first = applied(ada, content)
    before = state()
    again = applied(ada, content)
    assert (again.duplicate_of, again.is_applied, again.unchanged) == (first, False, 2)
    assert again.totals == first.totals
    assert (state(), BillVersion.objects.count()) == (before, 2)


def test_a_restated_month_replaces_exactly_itself_and_shows_the_difference(ada: User) -> None:
    applied(ada, focus({}, {"ServiceName": "S3", "BilledCost": "2"}, JULY))
    row = applied(ada, focus({"BilledCost": "1.75"}, {"ServiceName": "RDS", "BilledCost": "4"}))
    assert (row.new, row.changed, row.unchanged, row.closed) == (1, 1, 0, 1)
    assert billed() == Decimal("12.75")
    version = BillVersion.objects.get(import_row=row)
    assert version.difference == [
        {
            "currency": "USD", "before_billed": "3.5", "after_billed": "5.75", "before_effective": "2.5",
            "after_effective": "2.5",
        }
    ]  # fmt: skip


def test_undo_puts_every_scope_back_and_again(ada: User) -> None:
    first = applied(ada, focus({}, JULY))
    before = state()
    second = applied(ada, focus({"BilledCost": "100"}))
    with pytest.raises(Conflict):
        services.undo(first, user=ada)
    assert not services.can_undo(first)
    services.undo(second, user=ada)
    assert state() == before
    first.refresh_from_db()
    services.undo(first, user=ada)
    assert state() == [[], [], []]
    # A, B, A is three applications.
    third = applied(ada, focus({}, JULY))
    assert (third.duplicate_of, state()) == (None, before)


def test_what_is_no_longer_kept_cannot_come_back_and_says_so(ada: User) -> None:
    rows = [applied(ada, focus({"BilledCost": str(cost)})) for cost in range(1, 6)]
    for row in reversed(rows[-load.KEPT_BEFORE :]):
        services.undo(row, user=ada)
    assert billed() == 3
    with pytest.raises(Conflict, match=f"read import {rows[1].pk} again"):
        services.undo(rows[2], user=ada)


def test_two_exports_of_one_account_and_month_are_refused_with_the_remedy(ada: User) -> None:
    first = applied(ada, focus({}))
    row = send(ada, focus({"BilledCost": "9"}, JULY), export="second")
    assert row.state == ImportState.FAILED
    assert row.error["code"] == "overlapping_export"
    assert f"undo import {first.pk}" in row.error["remedy"]
    assert billed() == Decimal("1.5")
    # Another month of the same account is no overlap, nor is another account.
    applied(ada, focus(JULY), export="second")
    applied(ada, focus({}), export="third", billing_account="other")
    assert billed() == Decimal(10)
    # Azure's two views of the same money are told by their lines.
    applied(ada, azure(PAID, COVERED, ON_DEMAND))
    row = send(ada, azure({**COVERED, "CostInBillingCurrency": "24"}, ON_DEMAND))
    assert row.error["code"] == "overlapping_export"
    assert "as actual cost, and this is amortized cost" in row.error["message"]
    assert billed(currency="EUR") == Decimal("8763.5")
    # Under the same name, too: one is no restatement of the other.
    row = send(ada, azure({**COVERED, "CostInBillingCurrency": "24"}, ON_DEMAND), export="azure-cost")
    assert "is actual cost" in row.error["message"]
    assert applied(ada, azure(PAID, COVERED), export="azure-cost").is_applied


def test_lists_that_name_no_account_are_told_that_they_may_be_anothers(
    ada: User, alice: User, signed_in: Callable[[User], Client]
) -> None:
    def listed(amount: str) -> bytes:
        return f"Date;Service;Cost;Currency\n2026-06-01;Chat;{amount};EUR\n".encode()

    first = applied(ada, listed("1.234,50"), kind="bill", name="chat.csv")
    applied(ada, listed("10,50"), kind="bill", name="chat.csv")  # a restatement as any other
    second = applied(ada, listed("99,5"), kind="bill", name="phone.csv")
    assert "it takes the place of import" in second.format_reason
    assert "state billing_account" in second.format_reason
    services.undo(second, user=ada)
    applied(ada, listed("99,5"), kind="bill", name="phone.csv", billing_account="phone")
    assert billed(currency="EUR") == Decimal("110")
    refused = send(ada, listed("3"), kind="bill", name="other.csv", export="others")
    assert "state billing_account" in refused.error["remedy"]
    # The same bytes for another account are nobody's second bill.
    twice = applied(ada, listed("10,50"), kind="bill", billing_account="other")
    assert "its money counts twice" in twice.format_reason
    assert first.pk < twice.pk
    page = signed_in(ada).get("/costs/reconciliation/").content.decode()
    assert "Amount 10,50 is read as 10.50" in page
    assert "its money counts twice" in page
    assert "How bills were read" not in signed_in(alice).get("/costs/reconciliation/").content.decode()


def test_what_was_observed_before_the_last_adds_nothing(ada: User) -> None:
    applied(ada, focus({}), observed_at=datetime(2026, 8, 2, tzinfo=UTC))
    late = applied(ada, focus({"BilledCost": "50"}), observed_at=datetime(2026, 8, 1, tzinfo=UTC))
    assert (late.is_late, late.is_applied, billed()) == (True, False, Decimal("1.5"))


def test_an_unfinished_month_is_provisional_until_it_is_sent_after_its_end(ada: User) -> None:
    applied(ada, focus({}), observed_at=datetime(2026, 6, 20, tzinfo=UTC))
    assert BillScope.objects.get().is_provisional
    applied(ada, focus({"BilledCost": "3"}), observed_at=datetime(2026, 7, 1, tzinfo=UTC))
    assert not BillScope.objects.get().is_provisional


def test_a_month_of_another_century_makes_no_month_and_what_lies_ahead_is_said(ada: User) -> None:
    slip = dict.fromkeys(("BillingPeriodStart", "ChargePeriodStart"), "2126-01-01T00:00:00Z")
    ahead = {"ChargePeriodStart": "2026-06-21T00:00:00Z"}
    row = applied(ada, focus({}, slip, ahead), observed_at=datetime(2026, 6, 20, tzinfo=UTC))
    assert [str(scope.period) for scope in BillScope.objects.all()] == ["2026-06-01"]
    assert "look at the year" in row.rejects.get().reason
    assert "1 line begins after 20 June 2026" in row.format_reason
    alone = send(ada, focus(slip))
    assert (alone.error["code"], alone.error["location"]["line"]) == ("nothing_usable", 2)


def test_a_month_in_pieces_equals_the_month_in_one(ada: User) -> None:
    lines = [{"BilledCost": str(cost), "ServiceName": name} for cost, name in enumerate("ababc")]
    applied(ada, focus(*lines))
    whole = state()
    services.undo(Import.objects.get(), user=ada)
    applied(ada, focus(*lines[:2]), complete="no")
    piece = applied(ada, focus(*lines[2:]), complete="no")
    assert state() == whole
    assert applied(ada, focus(*lines[2:]), complete="no").duplicate_of == piece
    assert state() == whole
    # A whole month replaces all pieces; a file for each month is one bill, too.
    applied(ada, focus({"BilledCost": "1"}))
    assert billed() == 1


def test_a_zip_with_several_months_is_one_import(ada: User) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("june.csv", focus({}))
        archive.writestr("july.csv", focus(JULY))
    row = applied(ada, out.getvalue(), name="bill.zip")
    assert (row.kind, row.read, billed()) == ("bill", 2, Decimal("8.5"))


def test_bad_files_end_with_place_and_remedy_and_apply_nothing(ada: User) -> None:
    for content, code in (
        (focus({"BilledCost": "x"}), "nothing_usable"),
        (b"PAR1" + b"\0" * 100 + b"PAR1", "cut_file"),
        (b"PAR1" + b"\0" * 100, "cut_file"),
        (focus({}).replace(b"Cost", b"Mood"), "mapping_needed"),
        (focus({}).partition(b"\n")[0], "no_lines"),
        (b"<!DOCTYPE html>\n<html><head><title> Sign in </title></head></html>", "web_page"),
        (bytes(4096), "zero_bytes"),
        (NEW_RELIC, "usage_file"),
    ):
        row = send(ada, content, kind="bill")
        assert row.state == ImportState.FAILED
        assert (row.error["code"], bool(row.error["remedy"])) == (code, True)
        assert row.file.path not in row.error["message"]
    assert "no beginTimeSeconds" in row.error["message"]
    assert "TIMESERIES 1 day" in row.error["remedy"]
    assert state() == [[], [], []]
    assert BillScope.objects.count() == 0


def test_a_bill_of_json_lines_is_cancelled_while_it_is_read(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    line = {"usage_start_time": "2026-05-31 23:00:00 UTC", "currency": "USD", "sku": {"description": "core"}}
    content = "\n".join(json.dumps({**line, "cost": cost}) for cost in range(3_000)).encode()
    check, seen = runner.Job.check, []

    def cancelled_meanwhile(job: runner.Job) -> None:
        seen.append(job.bytes_done)
        if len(seen) == 2:
            Import.objects.filter(pk=job.row.pk).update(cancel_requested_at=timezone.now())
            job.beat()
        check(job)

    monkeypatch.setattr(runner.Job, "check", cancelled_meanwhile)
    row = send(ada, content, "bill.json", kind="bill")
    assert (row.state, row.bytes_total, len(seen)) == (ImportState.CANCELLED, len(content), 2)
    assert 0 < seen[0] < seen[1] == row.bytes_done < len(content)
    assert state() == [[], [], []]
    seen.clear()
    monkeypatch.setattr(runner.Job, "check", lambda job: seen.append(job.bytes_done))
    whole = applied(ada, content, name="bill.json", kind="bill")
    assert seen == sorted(seen)
    assert (seen[0] > 0, whole.bytes_done) == (True, len(content))


# Whose it is


def tagged(**tags: str) -> dict[str, str]:
    return {"Tags": "{" + ",".join(f'"{name}":"{value}"' for name, value in tags.items()) + "}"}


def owner() -> tuple[str | None, str | None, str | None, str]:
    key = ChargeKey.objects.select_related("service", "team", "environment").get()
    parts = [each.slug if each else None for each in (key.service, key.team, key.environment)]
    return parts[0], parts[1], parts[2], key.team_from


def test_tags_name_service_and_environment_and_rules_name_the_team(
    ada: User, checkout: Service, search: Team, payments: Team
) -> None:
    Environment.objects.create(slug="production")
    applied(ada, focus(tagged(service="Checkout", env="production", team="search")))
    assert owner() == ("checkout", "payments", "production", "service")
    rule = catalog.create_rule(user=ada, kind="tag", pattern="team=sea*", team=search)
    assert ownership.reallocate() == 1
    assert owner() == ("checkout", "search", "production", "rule")
    assert DayTotal.objects.get().team == search
    assert ownership.reallocate() == 0
    catalog.change_rule(rule, user=ada, kind="account", pattern="dev-*")
    ownership.reallocate()
    assert owner()[3] == "service"
    SharedCost.objects.create(kind="account", pattern="prod")
    ownership.reallocate()
    assert owner() == ("checkout", None, "production", "")


def test_a_team_sees_its_own_costs_and_unallocated_ones_are_for_managers(
    ada: User, alice: User, bob: User, mary: User, checkout: Service, api: Api
) -> None:
    make_service("orphan", None)
    applied(ada, focus(tagged(service="checkout"), {"BilledCost": "5"}, {**tagged(team="search"), "BilledCost": "9"}))

    def seen(user: User, **asked: str) -> list[Any]:
        answer = api(user).get("/api/v1/costs/daily/", asked)
        assert answer.status_code == 200, answer.content
        return list(answer.json()["results"])

    assert [row["billed"] for row in seen(ada)] == ["15.5"]
    assert [row["billed"] for row in seen(alice)] == ["1.5"]
    assert [row["billed"] for row in seen(bob)] == ["9"]
    assert [row["billed"] for row in seen(mary)] == ["6.5"]
    by_service = seen(ada, group_by="service,region")
    assert by_service[-1] == {
        "day": "2026-06-01", "service": None, "region": "eu-west-1", "billed": "14", "effective": "2.5",
        "currency": "USD",
    }  # fmt: skip
    assert api(bob).get("/api/v1/costs/daily/", {"service": "checkout"}).status_code == 400
    assert [row["billed"] for row in seen(alice, service="checkout", team="payments")] == ["1.5"]


def test_daily_costs_are_paged_bounded_and_exported(ada: User, api: Api) -> None:
    days = [{"ChargePeriodStart": f"2026-06-{day:02}T00:00:00Z", "BilledCost": str(day)} for day in range(1, 8)]
    applied(ada, focus(*days, {**days[0], "BilledCost": "-4", "ChargeCategory": "Credit"}))
    client = api(ada)
    first = client.get("/api/v1/costs/daily/", {"from": "2026-06-01", "to": "2026-06-06", "page_size": "3"}).json()
    assert [row["billed"] for row in first["results"]] == ["-3", "2", "3"]
    second = client.get(first["next"]).json()
    assert ([row["billed"] for row in second["results"]], second["next"]) == (["4", "5"], None)
    assert client.get(second["previous"]).json()["results"] == first["results"]
    apart = client.get("/api/v1/costs/daily/", {"group_by": "charge_category", "charge_category": "Credit"}).json()
    assert [(row["charge_category"], row["billed"]) for row in apart["results"]] == [("Credit", "-4")]
    exported = client.get("/api/v1/costs/daily/", {"format": "csv", "group_by": "account"})
    lines = b"".join(exported).decode().splitlines()
    assert lines[:2] == ["day,account,billed,effective,currency", "2026-06-01,prod,-3,2.5,USD"]
    for bad in ({"from": "June"}, {"group_by": "mood"}, {"from": "2026-06-02", "to": "2026-06-01"}, {"cursor": "x"}):
        assert client.get("/api/v1/costs/daily/", bad).status_code == 400, bad


def test_who_may_hand_in_a_bill(alice: User, mary: User, api: Api) -> None:
    def post(user: User, **names: str) -> Any:
        file = SimpleUploadedFile("b.csv", focus({}))
        return api(user).post("/api/v1/imports/", {"file": file, **names}, format="multipart")

    assert post(alice).status_code == 403
    answer = post(mary, export="invoices", billing_account="A-1")
    assert (answer.status_code, answer.json()["kind"]) == (202, "bill")
    assert answer.json()["scope"]["export"] == "invoices"
    assert post(mary, format="focus").json()["kind"] == "bill"
    # A service given says that it is a report of findings, whatever it looks like.
    assert post(mary, service="checkout").json()["kind"] == "scan"
    assert post(mary, kind="bill", format="sarif").status_code == 400
    assert api(alice).get(answer["Location"]).status_code == 404


def test_columns_that_a_person_has_said_are_remembered(ada: User, signed_in: Callable[[User], Client]) -> None:
    content = table([{"when": "2026-06-01", "x": "5", "squad": "payments"}])
    row = send(ada, content, kind="bill")
    client = signed_in(ada)
    page = client.get(f"/imports/{row.pk}/columns/")
    assert b"What the columns mean" in page.content
    assert b"Say which columns hold the day and the amount" in page.content
    told = {"starts": "when", "billed": "x", "currency": "=EUR", "preview": "1"}
    looked = client.post(f"/imports/{row.pk}/columns/", told, headers={"HX-Request": "true"})
    assert looked.context["preview"].totals[0].billed == 5
    assert (b"June 2026" in looked.content, Import.objects.count(), billed()) == (True, 1, Decimal(0))
    assert client.post(f"/imports/{row.pk}/columns/", {"starts": "when"}).status_code == 422
    client.post(f"/imports/{row.pk}/columns/", {"starts": "when", "billed": "x", "currency": "=EUR"})
    runner.run(Import.objects.latest("pk").pk)
    assert billed(currency="EUR") == 5
    assert b"was said" in client.get(f"/imports/{row.pk}/columns/").content


def test_a_program_sees_what_a_list_would_come_to_and_tells_its_columns(
    ada: User, mary: User, alice: User, api: Api
) -> None:
    content = table([{"when": "01.06.2026", "x": "5,5", "squad": "a"}, {"when": "?", "x": "1,0", "squad": "b"}])
    row = send(ada, content, kind="bill")
    assert row.error["code"] == "mapping_needed"
    address, client = f"/api/v1/imports/{row.pk}/columns/", api(mary)
    found = client.get(address).json()
    assert (found["headers"], found["missing"], found["preview"]) == (
        ["when", "x", "squad"],
        ["starts", "billed"],
        None,
    )
    assert found["columns"] == {"tag_team": "squad"}
    assert {"value": "=comma", "label": "1.234,50, with a comma"} in next(
        each["options"] for each in found["fields"] if each["name"] == "decimals"
    )
    told = {"columns": {"starts": "when", "billed": "x", "currency": "=EUR", "tag_team": "squad"}}
    preview = client.post(f"{address}preview/", told, "application/json").json()["preview"]
    assert (preview["lines"], preview["rejected"], preview["months"]) == (2, 1, ["June 2026"])
    total = {"currency": "EUR", "charge_category": "Usage", "billed": "5.5", "effective": "5.5"}
    assert preview["totals"] == [total]
    assert preview["rows"][0]["values"] == {
        "starts": "2026-06-01", "billed": "5.5", "currency": "EUR", "tag_team": "a"
    }  # fmt: skip
    assert preview["rejects"][0]["location"]["line"] == 3
    assert (Import.objects.count(), client.get(address).json()["remembered_by"]) == (1, None)
    for wrong, pointer in (
        ({"starts": "when"}, "/columns/billed"), ({"starts": "when", "billed": "y"}, "/columns/billed"),
        ({"z": "x"}, "/columns"),
    ):  # fmt: skip
        answer = client.put(address, {"columns": wrong}, "application/json")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    answer = client.put(address, told, "application/json")
    assert (answer.status_code, answer["Location"]) == (202, f"/api/v1/imports/{answer.json()['id']}/")
    runner.run(int(answer.json()["id"]))
    assert billed(currency="EUR") == Decimal("5.5")
    assert client.get(address).json()["remembered_by"] == "mary"
    assert api(mary, "read").put(address, told, "application/json").status_code == 403
    stranger = api(alice)
    assert stranger.get(address).status_code == 404
    assert stranger.put(address, told, "application/json").status_code == 404
    assert stranger.post(f"{address}preview/", told, "application/json").status_code == 404


def test_what_is_no_list_has_no_columns_and_a_broken_one_says_why(ada: User, api: Api) -> None:
    row = applied(ada, focus({}))
    assert api(ada).get(f"/api/v1/imports/{row.pk}/columns/").status_code == 404
    odd = send(ada, table([{"day": "2026-06-01", "cost": "1,234"}]), kind="bill")
    found = api(ada).get(f"/api/v1/imports/{odd.pk}/columns/").json()
    assert found["columns"] == {"starts": "day", "billed": "cost"}
    assert (found["preview"], found["problem"]["code"]) == (None, "unclear_comma")


def test_a_month_of_focus_of_1_4_and_one_of_1_0_meet(ada: User) -> None:
    old = {**FOCUS, "ProviderName": "AWS"}
    del old["ServiceProviderName"]
    applied(ada, focus({}, base=old))
    applied(ada, focus(JULY))
    assert ChargeKey.objects.count() == 1


def test_totals_have_every_digit_however_many_there_are(ada: User) -> None:
    months = [{"BilledCost": "999999999999999999.123456789012", **period} for period in ({}, {
        "BillingPeriodStart": JULY["BillingPeriodStart"], "ChargePeriodStart": JULY["ChargePeriodStart"],
    })]  # fmt: skip
    row = applied(ada, focus(*months, {"BilledCost": "-0.000000000000000001"}))
    (total,) = row.totals
    assert total["file_billed"] == total["loaded_billed"] == "1999999999999999998.246913578023999999"


def test_a_month_handed_in_again_takes_the_place_of_pieces_that_were_added_to_it(ada: User) -> None:
    whole = focus({}, {"BilledCost": "4"})
    applied(ada, whole)
    applied(ada, focus({"BilledCost": "100"}), complete="no")
    again = applied(ada, whole)
    assert (again.is_applied, billed()) == (True, Decimal("5.5"))
    assert applied(ada, whole).duplicate_of == again


def test_a_secret_in_a_bill_is_in_no_table(ada: User) -> None:
    secrets = ("AKIAIOSFODNN7EXAMPLQ", "hunter2-and-more")
    planted = f"key {secrets[0]} password={secrets[1]}"
    row = applied(
        ada,
        focus(
            {
                "ResourceId": planted, "ServiceName": planted, "SubAccountId": planted, **tagged(team=planted),
                "RegionId": planted, "ServiceProviderName": planted,
            },
            {"BilledCost": planted},
        ),
    )  # fmt: skip
    assert (row.rejected, billed()) == (1, Decimal("1.5"))
    stored = everything()
    assert len(stored["costs_resourcemonth"]) == 1
    for name, rows in stored.items():
        assert not [text for text in rows if any(secret in text for secret in secrets)], name
