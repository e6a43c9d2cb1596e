"""The demo: brought in through the path of an upload, and taken out whole."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from costs.models import (
    BillScope,
    BillVersion,
    Budget,
    ChargeDay,
    ChargeKey,
    ChargeMonth,
    DayTotal,
    ResourceMonth,
    SharedCost,
)
from findings.models import BulkAction, Comment, Finding, RiskInput, RiskPolicy, Rollup, Sighting
from platform_risk.core.models import Environment, Import, OwnershipRule, Service, Team, User
from platform_risk.management import demo_bill, demo_practice
from platform_risk.management.commands import demo as command
from platform_risk.planning.models import Incident
from tests.factories import make_finding, make_import, make_service, make_target

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_failure_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the twins of all the others are judged to be is tested without a database; the whole bill's totals too."""
    monkeypatch.setattr(command, "failure_modes", lambda: ["dns"])
    monkeypatch.setattr(demo_bill, "MONTHS", 2)
    monkeypatch.setattr(demo_bill, "FLEET", (("data-collector", demo_bill.EC2, 2), ("", demo_bill.S3, 1)))


def demo(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def files_of(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def test_the_demo_shows_findings_decisions_history_and_what_nobody_owns_and_twice_changes_nothing(ada: User) -> None:
    said = demo("--without-worker")
    assert "findings in 6 services" in said
    assert Import.objects.exclude(state="done").count() == 0
    assert set(Finding.objects.values_list("status", flat=True)) >= {"new", "fixed", "dismissed", "accepted", "snoozed"}
    assert 0 < Finding.objects.filter(team=None).count() < Finding.objects.filter(scanners=["findings-csv"]).count()
    by_rule = Finding.objects.filter(team_from="rule").values_list("team__slug", flat=True)
    assert set(by_rule) == {"cloud", "routing", "ingest"}
    # What happened tells how often it does; each incident is linked to a finding that the demo really has.
    assert all(each.findings.exists() for each in Incident.objects.all())
    told = RiskInput.objects.filter(source__startswith="Incidents: ", name="frequency").values_list(
        "check_id", flat=True
    )
    assert set(told) == {each.check for each in demo_practice.HAPPENED}
    assert RiskPolicy.objects.get().tolerance
    sized = Finding.objects.get(check_id="db-connections")
    twins = Finding.objects.filter(service__slug="failure-modes", check_id="dns")
    assert set(twins.values_list("environment__slug", flat=True)) == {"bad"}
    sent = Import.objects.filter(service__slug="failure-modes").values_list("environment__slug", flat=True)
    assert set(sent) == {"bad", "good", "unknown"}
    assert {each["name"]: each["value"] for each in sized.quantities or []}["connections_refused_percent"] == 50
    assert not Finding.objects.filter(severity_source="unrated").exists()
    assert Finding.objects.filter(owner__is_demo=True).exists()
    sums = ChargeMonth.objects.aggregate(Sum("billed"), Sum("effective"))
    last = timezone.now().date() - timedelta(days=1)
    lines = [*demo_bill.lines(last), *demo_bill.corrections(last)]
    assert sums["billed__sum"] == sum(Decimal(line["BilledCost"]) for line in lines)
    assert sums["effective__sum"] == sum(Decimal(line["EffectiveCost"]) for line in lines)
    assert ChargeMonth.objects.values("month").distinct().count() == demo_bill.MONTHS
    assert ChargeKey.objects.filter(shared__isnull=False).exists()
    assert Budget.objects.count() == 4
    assert Comment.objects.exists()
    spent = set(DayTotal.objects.values_list("service__slug", "team__slug", "environment__slug"))
    assert spent >= {("data-collector", "ingest", "production"), (None, None, None)}
    bill, restated = Import.objects.filter(kind="bill").order_by("pk")
    assert bill.totals
    assert all(each["file_billed"] == each["loaded_billed"] for each in (*bill.totals, *restated.totals))
    version = BillVersion.objects.get(import_row=restated)
    assert version.scope.period == demo_bill.restated_month(last)
    change = sum(Decimal(each["after_billed"]) - Decimal(each["before_billed"]) for each in version.difference)
    assert change == 7 * Decimal("8.125") - Decimal("118.4")
    # The month that runs is not final; on its first day the bill ends with the month before.
    assert BillScope.objects.filter(is_provisional=True).exists() == (last.month == timezone.now().month)

    before = counts()
    demo("--without-worker")
    assert counts() == before


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in (Import, Finding, BulkAction, Comment)}


def test_removing_the_demo_leaves_what_is_ones_own_and_nothing_else(
    ada: User, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    """Its files go with it; an environment that a service of one's own uses stays, as one's own."""
    own = make_service("own")
    make_finding(own)
    make_import(own)
    kept = files_of(tmp_path)
    demo("--without-worker")
    make_target(own, environment=Environment.objects.get(slug="production"))
    assert Environment.objects.count() > 1
    assert len(files_of(tmp_path)) > len(kept)
    with django_capture_on_commit_callbacks(execute=True):
        demo("--remove")
    assert files_of(tmp_path) == kept
    assert list(Service.objects.all()) == [own]
    for gone in (BillScope, ChargeDay, ChargeMonth, ChargeKey, DayTotal, ResourceMonth, SharedCost, Budget):
        assert not gone._default_manager.exists(), gone
    assert not Team.objects.exists()
    assert not OwnershipRule.objects.exists()
    assert Environment.objects.get().slug == "production"
    assert Environment.objects.get().is_demo is False
    assert list(User.objects.all()) == [ada]
    assert set(Finding.objects.values_list("service", flat=True)) == {own.pk}
    assert set(Import.objects.values_list("service", flat=True)) == {own.pk}
    assert not Rollup.objects.exclude(service=own).exists()
    assert not Sighting.objects.exclude(finding__service=own).exists()
    assert not BulkAction.objects.exists()
    for lived in (Incident, RiskInput, RiskPolicy):
        assert not lived._default_manager.exists(), lived


def test_services_of_ones_own_are_never_taken_for_the_demos(ada: User) -> None:
    make_service("data-collector")
    with pytest.raises(CommandError, match="data-collector"):
        demo("--without-worker")
    demo("--remove")
    assert Service.objects.filter(slug="data-collector").exists()


def test_without_an_administrator_it_says_what_is_missing(db: None) -> None:
    with pytest.raises(CommandError, match="prepare"):
        demo()


def test_the_demos_files_name_no_machine() -> None:
    files = (path for path in (settings.BASE_DIR / "demo").rglob("*") if path.is_file() and path.suffix != ".pyc")
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert len(texts) > 20
    assert not [text for text in texts if "/tmp" in text or "/root" in text or "/home" in text]
