"""Every format of bill: its own columns and traps, from small files in the shape of real ones."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costs.bills import charges_csv, registry
from costs.bills.opening import open_bill
from costs.bills.preview import preview
from costs.bills.records import NO_CURRENCY
from tests.costs.bills.reduced import COVERED, FOCUS, ON_DEMAND, PAID, azure, focus, reduce, refused, table

SAMPLES = Path(__file__).parents[2] / "samples" / "bills"


@pytest.mark.parametrize(
    ("name", "billed", "effective", "lines"),
    [
        ("focus/many.csv", "24.3126", "20.05", 8),
        ("aws-cur/one.csv", "13.0816", "15.1816", 6),
        ("aws-cur2/one.csv", "1.75", "1.75", 2),
        ("azure-cost/one.csv", "1.26136926505726", "1.26136926505726", 3),
        ("azure-cost/german.csv", "0.075", "0.075", 1),
        ("opencost/allocation.json", "1.77816", "1.77816", 3),
        ("opencost/cloud_cost.json", "1143.6968755312012", "1100.25", 1),
        ("opencost/export.csv", "0.02098749347202301", "0.02098749347202301", 2),
        ("aws-cost-explorer/grouped.json", "10.8456793012", "10.8456793012", 3),
        ("gcp-billing/one.csv", "7.25", "7.25", 6),
        ("charges-csv/one.csv", "-1234.5", "-1234.5", 2),
    ],
)
def test_a_sample_of_each_format_adds_up(tmp_path: Path, name: str, billed: str, effective: str, lines: int) -> None:
    found = reduce(tmp_path, (SAMPLES / name).read_bytes())
    assert found.format == name.partition("/")[0]
    assert (found.lines, found.rejected) == (lines, 0)
    assert (found.billed(), found.effective()) == (Decimal(billed), Decimal(effective))
    assert found.loaded == Decimal(billed)


def test_every_format_has_a_sample() -> None:
    assert {folder.name for folder in SAMPLES.iterdir()} == set(registry.FORMATS)


# FOCUS


def test_focus_of_1_4_names_no_provider_but_the_service_provider(tmp_path: Path) -> None:
    both = {**FOCUS, "ProviderName": "Reseller"}
    assert next(iter(reduce(tmp_path, focus({}, base=both)).keys.values()))[0] == "AWS"
    none = {name: value for name, value in FOCUS.items() if name != "ServiceProviderName"}
    assert next(iter(reduce(tmp_path, focus({}, base=none)).keys.values()))[0] == ""


def test_focus_with_few_columns_has_no_currency_rather_than_a_guessed_one(tmp_path: Path) -> None:
    few = (
        "BillingPeriodStart",
        "ChargePeriodStart",
        "ChargePeriodEnd",
        "ChargeCategory",
        "BilledCost",
        "EffectiveCost",
    )
    found = reduce(tmp_path, focus({}, base={name: FOCUS[name] for name in few}))
    assert list(found.totals) == [(NO_CURRENCY, "Usage")]
    assert found.scopes[0].billing_account == "unnamed"
    assert reduce(tmp_path, focus({}), account="stated").scopes[0].billing_account == "stated"


def test_what_microsoft_writes_for_nothing_is_nothing(tmp_path: Path) -> None:
    nothing = {"SubAccountId": "-2", "RegionId": "Unassigned", "ResourceId": "Unassigned"}
    for base, expected in ((FOCUS, ("-2", "Unassigned")), ({**FOCUS, "x_BillingProfileId": "1"}, ("", ""))):
        key = next(iter(reduce(tmp_path, focus(nothing, base=base)).keys.values()))
        assert (key[3], key[5]) == expected


def test_columns_of_focus_before_1_0_say_what_later_ones_do(tmp_path: Path) -> None:
    names = {"ServiceProviderName": "Provider", "RegionId": "Region", "ConsumedQuantity": "UsageQuantity"}
    base = {{**names, "ConsumedUnit": "UsageUnit"}.get(name, name): value for name, value in FOCUS.items()}
    whole, early = reduce(tmp_path, focus({})), reduce(tmp_path, focus({}, base=base))
    assert (early.keys, early.cells) == (whole.keys, whole.cells)


def test_a_table_of_contract_commitments_is_called_one(tmp_path: Path) -> None:
    contract = {"ContractCommitmentId": "c", "ContractCommitmentCost": "9", "BillingCurrency": "USD"}
    assert "contract commitments, which holds no charges" in refused(tmp_path, table([contract])).message


def test_an_upfront_purchase_is_billed_once_and_effective_where_it_is_used(tmp_path: Path) -> None:
    found = reduce(
        tmp_path,
        focus(
            {"ChargeCategory": "Purchase", "BilledCost": "8760.00", "EffectiveCost": "0.00"},
            {"BilledCost": "0", "EffectiveCost": "1", "ConsumedQuantity": "null", "ConsumedUnit": "null"},
        ),
    )
    assert [found.billed(), found.effective()] == [8760, 1]


# AWS


def test_amortized_cost_follows_commitments(tmp_path: Path) -> None:
    """Reservation, savings plan covered usage with its negation, and both fees: the invoice is kept, the effective
    cost counts each commitment once."""
    base = {
        "bill/PayerAccountId": "1", "bill/BillingPeriodStartDate": "2026-06-01T00:00:00Z",
        "lineItem/UsageStartDate": "2026-06-02T00:00:00Z", "lineItem/LineItemType": "Usage",
        "lineItem/UnblendedCost": "0", "lineItem/CurrencyCode": "USD", "reservation/EffectiveCost": "",
        "reservation/ReservationARN": "", "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": "",
        "reservation/UnusedRecurringFee": "", "savingsPlan/SavingsPlanEffectiveCost": "",
        "savingsPlan/TotalCommitmentToDate": "", "savingsPlan/UsedCommitment": "", "resourceTags/user:team": "core",
    }  # fmt: skip
    lines = [
        {"lineItem/LineItemType": "DiscountedUsage", "reservation/EffectiveCost": "2.5"},
        {
            "lineItem/LineItemType": "RIFee", "lineItem/UnblendedCost": "3",
            "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": "0.25", "reservation/UnusedRecurringFee": "0.25",
        },
        {"lineItem/LineItemType": "Fee", "lineItem/UnblendedCost": "100", "reservation/ReservationARN": "arn:ri"},
        {
            "lineItem/LineItemType": "SavingsPlanCoveredUsage", "lineItem/UnblendedCost": "10",
            "savingsPlan/SavingsPlanEffectiveCost": "7",
        },
        {"lineItem/LineItemType": "SavingsPlanNegation", "lineItem/UnblendedCost": "-10"},
        {
            "lineItem/LineItemType": "SavingsPlanRecurringFee", "lineItem/UnblendedCost": "8",
            "savingsPlan/TotalCommitmentToDate": "8", "savingsPlan/UsedCommitment": "7",
        },
        {"lineItem/LineItemType": "Refund", "lineItem/UnblendedCost": "-1"},
    ]  # fmt: skip
    found = reduce(tmp_path, table([{**base, **line} for line in lines]))
    assert found.billed() == 110
    assert found.effective() == Decimal("2.5") + Decimal("0.5") + 7 + 1 - 1
    assert {kind for _, kind in found.totals} == {"Usage", "Purchase", "Adjustment"}
    assert {key[-1] for key in found.keys.values()} == {'{"team": "core"}'}


def manifest(*keys: str) -> bytes:
    return json.dumps(
        {"assemblyId": "a", "account": "999", "reportName": "hourly", "columns": [], "reportKeys": list(keys)}
    ).encode()


def test_a_manifest_names_the_export_and_the_account(tmp_path: Path) -> None:
    content = (SAMPLES / "aws-cur" / "one.csv").read_bytes()
    found = reduce(tmp_path, manifest("x/r-1.csv.gz"), content, names=("Manifest.json", "a/r-1.csv"))
    assert (found.export, found.scopes[0].billing_account) == ("hourly", "999")


def test_a_report_of_which_a_part_is_missing_is_refused(tmp_path: Path) -> None:
    content = (SAMPLES / "aws-cur" / "one.csv").read_bytes()
    lone = manifest("x/r-1.csv.gz", "x/r-2.csv.gz")
    error = refused(tmp_path, lone, content, names=("Manifest.json", "r-1.csv"))
    assert (error.code, error.location["entry"]) == ("part_missing", "r-2.csv")
    assert refused(tmp_path, lone).code == "no_bill"


def test_one_page_of_cost_explorer_is_not_taken_for_all(tmp_path: Path) -> None:
    document = json.loads((SAMPLES / "aws-cost-explorer" / "grouped.json").read_text())
    assert reduce(tmp_path, json.dumps(document).encode()).estimated == {"2026-06"}
    assert refused(tmp_path, json.dumps({**document, "NextPageToken": "x"}).encode()).code == "one_page"
    del document["ResultsByTime"][0]["TimePeriod"]["Start"]
    error = refused(tmp_path, json.dumps(document).encode())
    assert (error.code, error.location["pointer"]) == ("wrong_shape", "/ResultsByTime/0/TimePeriod/Start")


LEGACY = {
    "bill/PayerAccountId": "1", "bill/BillingPeriodStartDate": "2026-06-01T00:00:00Z",
    "lineItem/UsageStartDate": "2026-06-02T00:00:00Z", "lineItem/LineItemType": "Usage",
    "lineItem/UnblendedCost": "1.5", "lineItem/CurrencyCode": "USD",
}  # fmt: skip


def delivered(assembly: str, *keys: str) -> bytes:
    period = {"start": "20260601T000000.000Z", "end": "20260701T000000.000Z"}
    about = {"assemblyId": assembly, "account": "9", "reportName": "cur", "billingPeriod": period}
    return json.dumps({**about, "reportKeys": list(keys)}).encode()


def test_a_month_that_was_delivered_twice_counts_once_or_is_refused(tmp_path: Path) -> None:
    """A report comes whole with each delivery, under another assembly."""
    first, second = table([LEGACY]), table([{**LEGACY, "lineItem/UnblendedCost": "2"}])
    names = ("a/cur-Manifest.json", "b/cur-Manifest.json", "a/cur-1.csv", "b/cur-1.csv")
    error = refused(tmp_path, delivered("a", "a/cur-1.csv"), delivered("b", "b/cur-1.csv"), first, second, names=names)
    assert (error.code, "of cur for 2026-06" in error.message) == ("two_deliveries", True)
    # The manifest of one delivery stands in two folders.
    once = reduce(tmp_path, delivered("a", "a/cur-1.csv"), delivered("a", "a/cur-1.csv"), first, names=names[:3])
    assert (once.export, once.loaded) == ("cur", Decimal("1.5"))
    copied = refused(tmp_path, first, first, names=("cur-1.csv", "copy of cur-1.csv"))
    assert (copied.code, copied.location["entry"]) == ("same_file_twice", "copy of cur-1.csv")
    header = first.splitlines(keepends=True)[0]
    assert reduce(tmp_path, first, header, header, names=("1.csv", "2.csv", "3.csv")).lines == 1


def test_the_manifest_of_a_data_export_names_it_and_its_files(tmp_path: Path) -> None:
    files = [f"s3://b/x/data/BILLING_PERIOD=2026-06/x-{number}.csv" for number in (1, 2)]
    described = {
        "executionId": "e1", "columns": [], "dataFiles": files,
        "exportArn": "arn:aws:bcm-data-exports:us-east-1:1:export/all-usage-1298e4fd-17f5-4a1d-8426-2e47493e0a45",
    }  # fmt: skip
    lines = (SAMPLES / "aws-cur2" / "one.csv").read_bytes()
    error = refused(tmp_path, json.dumps(described).encode(), lines, names=("x-Manifest.json", "x-1.csv"))
    assert (error.code, error.location["entry"]) == ("part_missing", "x-2.csv")
    files.pop()
    found = reduce(tmp_path, json.dumps(described).encode(), lines, names=("x-Manifest.json", "x-1.csv"))
    assert (found.format, found.export, found.lines) == ("aws-cur2", "all-usage", 2)


def test_a_line_of_aws_without_a_time_begins_with_its_month(tmp_path: Path) -> None:
    tax = {**LEGACY, "lineItem/LineItemType": "Tax", "lineItem/UsageStartDate": ""}
    found = reduce(tmp_path, table([LEGACY, tax]))
    assert (found.rejected, found.days) == (0, ["2026-06-01", "2026-06-02"])


# Azure, OpenCost, Google


def test_azures_tags_without_braces_and_american_days_are_read(tmp_path: Path) -> None:
    found = reduce(tmp_path, (SAMPLES / "azure-cost" / "one.csv").read_bytes())
    assert found.days == ["2023-09-02", "2023-09-13", "2023-09-30"]
    assert {key[-1] for key in found.keys.values()} == {'{"team": "data"}', "{}"}


def test_an_amortized_file_of_azure_is_told_by_its_lines_and_bills_nothing_that_is_paid(tmp_path: Path) -> None:
    unused = {**COVERED, "ChargeType": "UnusedReservation", "CostInBillingCurrency": "0.25"}
    for lines in ((ON_DEMAND, {**COVERED, "CostInBillingCurrency": "0.75"}, unused), (unused, ON_DEMAND)):
        found = reduce(tmp_path, azure(*lines))
        assert (found.export, found.billed()) == ("azure-amortized", Decimal("3.5"))
        assert found.effective() == sum(Decimal(line["CostInBillingCurrency"]) for line in lines)
        assert "Amortized cost" in found.notes[0]


def test_an_actual_file_of_azure_is_what_the_invoice_says(tmp_path: Path) -> None:
    found = reduce(tmp_path, azure(PAID, COVERED, ON_DEMAND))
    assert (found.export, found.billed(), found.effective()) == ("azure-cost", Decimal("8763.5"), Decimal("8763.5"))
    assert {kind for _, kind in found.totals} == {"Usage", "Purchase"}
    alike = reduce(tmp_path, azure(ON_DEMAND))  # without commitments both are the same
    assert (alike.export, alike.billed(), alike.notes) == ("azure-cost", Decimal("3.5"), ())


def test_a_file_of_azure_with_actual_and_amortized_lines_is_refused(tmp_path: Path) -> None:
    unused = {**COVERED, "ChargeType": "UnusedReservation", "CostInBillingCurrency": "0.25"}
    assert refused(tmp_path, azure(PAID, unused)).code == "actual_and_amortized"
    assert refused(tmp_path, azure(PAID), azure(unused), names=("a.csv", "b.csv")).code == "actual_and_amortized"


def test_azures_manifest_names_the_export_and_its_files(tmp_path: Path) -> None:
    described = {
        "exportConfig": {"exportName": "all-subs", "type": "AmortizedCost"},
        "blobs": [{"blobName": "x/a.csv"}],
    }
    whole = reduce(tmp_path, json.dumps(described).encode(), azure(ON_DEMAND), names=("manifest.json", "a.csv"))
    assert (whole.export, whole.billed()) == ("all-subs", Decimal("3.5"))
    described["blobs"].append({"blobName": "x/b.csv"})  # type: ignore[attr-defined]  # a list of them
    error = refused(tmp_path, json.dumps(described).encode(), azure(ON_DEMAND), names=("manifest.json", "a.csv"))
    assert (error.code, error.location["entry"]) == ("part_missing", "b.csv")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{"code": 200, "data": null}', "empty"),
        ('{"code": 200, "data": [{"a": {"totalCost": 1, "properties": {}}', "not_json"),
        ('{"code": 200, "data": {"totalCost": 1, "properties": {}}}', "wrong_shape"),
        ('{"code": 200, "data": [1, {"totalCost": 1, "properties": {}}]}', "wrong_shape"),
    ],
)
def test_an_answer_of_opencost_that_makes_no_sense_is_refused(tmp_path: Path, document: str, code: str) -> None:
    assert refused(tmp_path, document.encode()).code == code


def test_what_opencost_answered_to_a_request_that_failed_is_shown(tmp_path: Path) -> None:
    error = refused(tmp_path, b'{"code": 400, "data": null, "message": "bad window"}')
    assert (error.code, error.message) == ("not_an_answer", "OpenCost answered with an error (400): bad window")


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_an_answer_of_opencost_is_told_by_window_allocation_and_field(
    tmp_path: Path, odd: str
) -> None:
    good = '{"totalCost": 1.5, "properties": {}, "window": {"start": "2026-06-01T00:00:00Z"}}'
    bad = f'{{"properties": {{}}, "cpuCost": 1, "totalCost": {odd}, "ramCost": {odd}}}'
    document = f'{{"code": 200, "data": [{{"shop/api": {good}}}, {{"shop/api": {good}, "shop/db": {bad}}}]}}'
    error = refused(tmp_path, document.encode(), names=("june.json",))
    assert (error.code, error.location["entry"]) == ("not_json", "june.json")
    assert error.location["pointer"] == "/data/1/shop/db/totalCost"
    assert error.message.startswith(f"At /data/1/shop/db/totalCost stands {odd},")


def test_deep_json_ends_no_worker(tmp_path: Path) -> None:
    error = refused(tmp_path, b'{"ResultsByTime":\n' + b"[" * 200_000)
    assert error.code == "too_deep"
    assert "more than 200 levels deep at line 2, column 200 (byte 217)" in error.message
    assert (error.location["line"], error.location["byte"]) == (2, 217)
    assert "Export it again" in error.remedy


def test_googles_credits_stand_apart_and_its_invoice_month_counts(tmp_path: Path) -> None:
    found = reduce(tmp_path, (SAMPLES / "gcp-billing" / "one.csv").read_bytes())
    assert [(str(scope.period), scope.lines) for scope in found.scopes] == [("2026-06-01", 6)]
    assert found.days == ["2026-05-31", "2026-06-01"]
    assert {key: both[0] for key, both in found.totals.items()} == {
        ("USD", "Usage"): Decimal("10.75"), ("USD", "Credit"): Decimal("-3.5"), ("USD", "Tax"): 0,
    }  # fmt: skip
    credits = {found.keys[cell[1]][2]: Decimal(cell[4]) for cell in found.cells if cell[2] == "Credit"}
    assert credits == {"SUD": Decimal("-2.25"), "x": -1, "y": Decimal("-0.25")}
    assert {found.keys[cell[1]][1] for cell in found.cells} == {"Compute Engine"}


@pytest.mark.parametrize(
    ("cost", "credits", "reason"),
    [
        ("1", "[{'name': 'a', 'amount': -1}, {'name': 'b', 'amount': None}]", "A credit of it has no amount"),
        ("1", "[{'name': 'a', 'amount': -1}, {'name'", "A credit of it has no amount"),
        ("1", "half off", "A credit of it has no amount"),
        ("1", "[{'name': 'a', 'amount': -0." + "0" * 30 + "1}]", "A credit of it has more digits"),
        ("much", "[{'name': 'a', 'amount': -1}]", "The amount is no number"),
    ],
)
def test_a_line_of_google_is_used_with_all_its_credits_or_not_at_all(
    tmp_path: Path, cost: str, credits: str, reason: str
) -> None:
    first, *_ = (SAMPLES / "gcp-billing" / "one.csv").read_text().splitlines()
    base = dict.fromkeys(first.split(","), "") | {"usage_start_time": "2026-06-01 00:00:00 UTC", "currency": "USD"}
    odd = """[{"name": "half } 'off'", "amount": -0.5, "id": "x"}, {'type': 'PROMOTION', 'amount': Decimal('-2')}]"""
    rows = [{"cost": "4", "credits": odd}, {"cost": cost, "credits": credits}, {"cost": "1", "credits": "[]"}]
    found = reduce(tmp_path, table([{**base, **row} for row in rows]))
    assert (found.lines, found.rejected, found.loaded) == (5, 1, Decimal("2.5"))
    assert [(each.line, each.reason.startswith(reason)) for each in found.rejects] == [(3, True)]
    named = {found.keys[cell[1]][2] for cell in found.cells if cell[2] == "Credit"}
    assert named == {"half } 'off'", "PROMOTION"}


def bigquery(cost: Any, **more: Any) -> dict[str, Any]:
    return {
        "billing_account_id": "01A", "service": {"id": "6F81", "description": "Compute Engine"},
        "usage_start_time": "2026-05-31 23:00:00 UTC", "project": {"id": "shop", "labels": []}, "cost": cost,
        "labels": [{"key": "team", "value": "core"}], "location": {"region": "europe-west1"}, "currency": "USD",
        "usage": {"amount": 3600.0, "unit": "seconds"}, "invoice": {"month": "202606"},
    } | more  # fmt: skip


def test_google_as_bigquery_writes_it_is_the_same_with_lines_and_credits(tmp_path: Path) -> None:
    credit = [{"name": "SUD", "amount": -2.25, "type": "SUSTAINED"}]
    rows = [bigquery(10.5, credits=credit, cost_type="regular"), bigquery("1e-7", service=None, credits=[]),
            bigquery("much"), bigquery(1.5, credit_amount=-0.5, cost_type="tax")]  # fmt: skip
    as_lines = "\n".join(map(json.dumps, rows)).replace("10.5", "10.500000000000000001").replace("\n", "\n\n", 1)
    for content, places in ((as_lines, [("line 4", 4)]), (json.dumps(rows), [("/2", None)])):
        found = reduce(tmp_path, content.encode("utf-8-sig"))
        assert (found.format, found.days, str(found.scopes[0].period)) == ("gcp-billing", ["2026-05-31"], "2026-06-01")
        last = Decimal("1e-18") if content is as_lines else 0
        assert {key: both[0] for key, both in found.totals.items()} == {
            ("USD", "Usage"): Decimal("10.5000001") + last,
            ("USD", "Credit"): Decimal("-2.75"), ("USD", "Tax"): Decimal("1.5"),
        }  # fmt: skip
        assert [(each.pointer, each.line) for each in found.rejects] == places
        assert {key[1] for key in found.keys.values()} == {"Compute Engine", ""}
    error = refused(tmp_path, as_lines[:-20].encode())
    assert (error.code, error.location["line"]) == ("not_json", 5)
    assert "cut off" in error.message


def test_lines_of_bigquery_tell_how_far_they_are_and_stop_when_nobody_wants_them_any_more(tmp_path: Path) -> None:
    files = []
    for number, lines in enumerate((2_500, 1_200)):
        files.append((f"{number}.json", tmp_path / f"{number}"))
        files[-1][1].write_text("\n".join(json.dumps(bigquery(f"{cost}")) for cost in range(lines)))
    shares: list[float] = []
    open_bill(files, folder=tmp_path, tag_keys=frozenset(), tick=shares.append)
    assert shares == sorted(shares)
    assert [round(share, 1) for share in shares] == [0.3, 0.5, 0.9]

    class Stop(Exception):
        pass

    def stop(share: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        open_bill(files, folder=tmp_path, tag_keys=frozenset(), tick=stop)


@pytest.mark.parametrize("month", ["202606", "202606.0", "2026-06"])
def test_a_query_that_takes_googles_columns_apart_loses_no_credit(tmp_path: Path, month: str) -> None:
    base = {
        "usage_start_time": "2026-05-31 23:00:00 UTC", "cost": "4", "invoice_month": month, "service_description": "VM",
        "sku_description": "core", "project_id": "p", "credit_amount": "0.0",
    }  # fmt: skip
    for name in ("credit_amount", "credits.amount"):
        rows = [{**base, name: amount} for amount in ("-1.5", "0.0", "", "half")]
        found = reduce(tmp_path, table(rows))
        assert (found.format, [each.line for each in found.rejects]) == ("gcp-billing", [5])
        assert (found.loaded, [str(scope.period) for scope in found.scopes]) == (Decimal("10.5"), ["2026-06-01"])
        assert {key[1] for key in found.keys.values()} == {"VM"}


# Lists of charges


def test_german_lists_have_commas_and_their_own_days(tmp_path: Path) -> None:
    rows = [{"Datum": "01.06.2026", "Betrag": "1.234,50", "Währung": "EUR"}]
    rows.append({"Datum": "30.06.2026", "Betrag": "0,5", "Währung": "EUR"})
    found = reduce(tmp_path, table(rows, ";"))
    assert (found.billed("EUR"), found.days) == (Decimal(1235), ["2026-06-01", "2026-06-30"])


def test_a_comma_that_may_mean_two_things_is_refused(tmp_path: Path) -> None:
    rows = [{"Date": "2026-06-01", "Amount": "1,234"}]
    assert refused(tmp_path, table(rows)).code == "unclear_comma"
    assert reduce(tmp_path, table([*rows, {"Date": "2026-06-01", "Amount": "1,5"}])).loaded == Decimal("2.734")


def test_days_tell_by_themselves_whether_the_month_comes_first(tmp_path: Path) -> None:
    american = [{"Date": day, "Amount": "1"} for day in ("6/7/26", "6/30/26")]
    british = [{"Date": day, "Amount": "1"} for day in ("6/7/2026", "30/6/2026")]
    assert reduce(tmp_path, table(american)).days == ["2026-06-07", "2026-06-30"]
    assert reduce(tmp_path, table(british)).days == ["2026-06-30", "2026-07-06"]


def test_what_a_person_said_of_the_columns_is_used(tmp_path: Path) -> None:
    rows = [{"when": "2026-06-01", "what": "disk", "x": "5", "squad": "core"}]
    assert refused(tmp_path, table(rows)).code == "mapping_needed"
    said: dict[str, Any] = {
        charges_csv.signature(["squad", "x", "what", "when"]): {
            "starts": "when", "billed": "x", "currency": "=CHF", "cloud_service": "what", "tag_team": "squad",
        }
    }  # fmt: skip
    found = reduce(tmp_path, table(rows), requested="charges-csv", remembered=said.get)
    assert found.billed("CHF") == 5
    ((_, service, *_, tags),) = found.keys.values()
    assert (service, tags) == ("disk", '{"team": "core"}')


def test_what_a_person_said_of_the_writing_is_used(tmp_path: Path) -> None:
    rows = [{"when": "6/7/2026", "x": "1,234"}, {"when": "7/7/2026", "x": "5"}]
    columns = {"starts": "when", "billed": "x", "currency": "=EUR"}
    for written, days, total in (
        ({"days": "=day first", "decimals": "=comma"}, ["2026-07-06", "2026-07-07"], "6.234"),
        ({"days": "=month first", "decimals": "=point"}, ["2026-06-07", "2026-07-07"], "1239"),
    ):
        said = {**columns, **written}
        found = reduce(tmp_path, table(rows, ","), requested="charges-csv", remembered=lambda _, said=said: said)  # type: ignore[misc]  # a default of its own
        assert (found.days, found.loaded) == (days, Decimal(total))


def test_a_preview_says_what_a_list_would_come_to(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(
        table(
            [
                {"Datum": "06.07.2026", "Betrag": "1.234,50", "Squad": "core"},
                {"Datum": "bald", "Betrag": "1", "Squad": ""},
            ],
            ";",
        )
    )
    columns = {"starts": "Datum", "billed": "Betrag", "currency": "=EUR", "tag_team": "Squad"}
    found = preview([("", tmp_path / "f")], columns, folder=tmp_path, tag_keys=frozenset())
    assert found.columns == [("Day", "Datum"), ("Amount", "Betrag"), ("Currency", "EUR"), ("Team", "Squad")]
    (cells, wrong), (_, bad) = found.rows
    assert cells == [("2026-07-06", "06.07.2026"), ("1234.5", "1.234,50"), ("EUR", ""), ("core", "")]
    assert (wrong, "day cannot be read" in bad) == ("", True)
    assert (found.lines, found.rejected, found.is_whole, found.months) == (2, 1, True, ["July 2026"])
    assert (found.days, found.decimals) == ("30.06.2026", "1.234,50, with a comma")
    assert [(total.currency, total.billed) for total in found.totals] == [("EUR", Decimal("1234.5"))]


def test_a_preview_of_a_long_list_reads_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("costs.bills.preview.MOST", 200)
    for item in ("EC2", "several\nlines\nof words"):
        (tmp_path / "f").write_bytes(table([{"Date": "2026-06-01", "Amount": "1.5", "Item": item}] * 50))
        found = preview(
            [("", tmp_path / "f")], {"starts": "Date", "billed": "Amount"}, folder=tmp_path, tag_keys=frozenset()
        )
        assert (found.is_whole, found.rejected, 0 < found.lines < 50) == (False, 0, True)


@pytest.mark.parametrize("says", ["sep=;\r\n", '"sep=;"\n', "\r\nsep=;\r\n"])
def test_the_line_that_tells_excel_what_divides_columns_is_no_header(tmp_path: Path, says: str) -> None:
    bill = table([{"Date": "2026-06-01", "Amount": "1.5"}, {"Date": "soon", "Amount": "2"}], ";")
    found = reduce(tmp_path, says.replace("\n", "\r\n").replace("\r\r", "\r").encode() + bill)
    assert (found.format, found.loaded) == ("charges-csv", Decimal("1.5"))
    assert [each.line for each in found.rejects] == [3 + says.count("\n")]


def test_what_stands_above_a_header_or_beside_a_bill_is_named_with_what_to_do(tmp_path: Path) -> None:
    error = refused(tmp_path, b"Billing report of June\n" + focus({}))
    assert "its first line, “Billing report of June”, is no header" in error.message
    assert "above the header" in error.remedy
    error = refused(tmp_path, focus({}), b"See the invoice.\n", names=("june/bill.csv", "june/README.txt"))
    assert error.location["entry"] == "june/README.txt"
    assert "If june/README.txt is no part of the bill, take it out" in error.remedy
    left = b"\x00\x00\x00\x01Bud1"
    assert reduce(tmp_path, focus({}), left, names=("june/bill.csv", "june/.DS_Store")).lines == 1


def test_one_point_and_all_zeros_are_bills_too(tmp_path: Path) -> None:
    rows = [{"Date": "2024-02-29", "Amount": "0.00", "Currency": "USD"}]
    found = reduce(tmp_path, table(rows))
    assert (found.lines, found.rejected, found.days) == (1, 0, ["2024-02-29"])
    assert found.loaded == 0


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_bill_is_read_in_any_encoding_that_its_bytes_tell(tmp_path: Path, encoding: str) -> None:
    found = reduce(tmp_path, focus({"ServiceName": "Größe"}).decode().encode(encoding))
    assert (found.loaded, found.rejected) == (Decimal("1.5"), 0)
    assert {key[1] for key in found.keys.values()} == {"Größe"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "name", ["opencost/allocation.json", "opencost/cloud_cost.json", "aws-cost-explorer/grouped.json"]
)
def test_a_bill_of_json_is_read_in_any_encoding_that_its_bytes_tell(tmp_path: Path, name: str, encoding: str) -> None:
    content = (SAMPLES / name).read_bytes()
    plain, found = reduce(tmp_path, content), reduce(tmp_path, content.decode().encode(encoding))
    assert (found.totals, found.cells, found.rejected) == (plain.totals, plain.cells, 0)
    assert any("for it is not UTF-8" in note for note in found.notes)


def test_json_of_another_encoding_has_the_same_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (SAMPLES / "opencost" / "allocation.json").read_text()
    for most in (len(content) - 1, len(content) // 8):
        monkeypatch.setattr("costs.bills.tables.MOST_JSON", most)
        monkeypatch.setattr("costs.bills.json_rows.MOST_JSON", most)
        assert refused(tmp_path, content.encode("utf-32")).code == "too_large"
    deep = ('{"ResultsByTime":' + "[" * 100_000).encode("utf-16")
    monkeypatch.undo()
    assert refused(tmp_path, deep).code == "too_deep"


def test_two_columns_of_one_name_are_refused_only_where_money_or_time_is_read_from_them(tmp_path: Path) -> None:
    header, line = focus({}).decode().split()
    for twice in (f"{header},BilledCost\n{line},7\n".encode(), b"Date,Amount,Amount\n2026-06-01,1,2\n"):
        assert refused(tmp_path, twice).code == "duplicate_header"
    assert reduce(tmp_path, f"{header},Note,Note\n{line},7,8\n".encode()).loaded == Decimal("1.5")


@pytest.mark.parametrize(
    ("document", "code", "said"),
    [
        (b'{"code": 200,\n "data": [{"a": ', "not_json", "ends in the middle, at line 2, column 17"),
        (b'{"code": 200,\n "data": [1,, 2]}', "not_json", "breaks at line 2, column 13 (byte 26)"),
        (b"[]", "empty", "an empty list"),
        ('{"code": 200,\n "data": [1,, 2]}'.encode("utf-16-be"), "not_json", "breaks at line 2, column 13"),
        ('{"data": [{"a": {"totalCost": 1}}]}'.encode("utf-32-le")[:-61], "not_json", "ends in the middle"),
        ('{"some": 1, "other": "\ud800 ends here"}'.encode("utf-16", "surrogatepass"), "unknown_format", "OpenCost"),
        (b"[" * 100_000, "too_deep", "more than 200 levels deep at line 1, column 201 (byte 200)"),
        (b'{"a": 1}', "unknown_format", "OpenCost"),
    ],
)
def test_json_that_is_no_bill_is_refused_for_what_is_wrong_with_it(
    tmp_path: Path, document: bytes, code: str, said: str
) -> None:
    error = refused(tmp_path, document)
    assert error.code == code
    assert said in error.message


def test_half_of_a_surrogate_pair_is_no_character_and_ends_no_import(tmp_path: Path) -> None:
    answer = json.loads((SAMPLES / "opencost" / "allocation.json").read_text())
    answer["data"] = [{"\ud800": next(iter(answer["data"][0].values()))}]
    assert [row[1] for row in reduce(tmp_path, json.dumps(answer).encode()).resources] == ["?"]


@pytest.mark.parametrize(
    "text",
    [
        "Coût;Jour;Devise;Produit\n1,50;03/06/2026;EUR;X\n2,00;30/06/2026;EUR;X\n",
        "Importe;Fecha;Moneda\n3.5;2026-06-01;EUR\n",
    ],
)
def test_headers_in_other_languages_are_understood(tmp_path: Path, text: str) -> None:
    found = reduce(tmp_path, text.encode())
    assert (found.format, found.billed("EUR"), found.rejected) == ("charges-csv", Decimal("3.5"), 0)
