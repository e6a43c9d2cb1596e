"""What people state about risks: each input with its source, author, date, confidence, and the reason for a change.

A statement and the figures that follow from it are written in one transaction.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from findings import estimating
from findings.checks.registry import CHECKS
from findings.load import redactor
from findings.models import Finding, RiskInput
from findings.risk import stating
from findings.risk.inputs import Confidence
from findings.risk.stating import Kind
from findings.services import PermissionRefused
from platform_risk.core import changing
from platform_risk.core.access.audit import record
from platform_risk.core.acting import acting_as
from platform_risk.core.errors import Refused
from platform_risk.core.models import Service, User

_EARLIEST = date(1970, 1, 1)


def _label(row: RiskInput) -> str:
    about = row.check_id or "all findings"
    if row.finding_id is not None:
        about = f"finding {row.finding_id}"
    return f"{about}: {row.name} in {row.service.slug}"


def label_of_finding(finding_id: int) -> str:
    """How every audit entry about a finding's inputs begins."""
    return f"finding {finding_id}: "


def said(row: RiskInput) -> str:
    unit = stating.UNITS[row.name].format(currency=row.currency)
    return stating.words(Kind(row.kind), row.numbers, unit)


def _check(name: str, kind: str, numbers: Mapping[str, Any]) -> dict[str, str]:
    """The numbers as they are stored. Raises Refused in words."""
    if name not in stating.NAMES:
        raise Refused(f"One of {', '.join(stating.NAMES)}.", field="name")
    if kind not in set(Kind):
        raise Refused(f"One of {', '.join(Kind)}.", field="kind")
    try:
        exact = {key: Decimal(str(value)) for key, value in numbers.items()}
        rounded = {key: float(value) for key, value in exact.items()}
        stating.distribution(name, Kind(kind), rounded)
        stating.check_size(name, Kind(kind), rounded)
    except (ValueError, ArithmeticError, OverflowError) as error:
        words = str(error) if isinstance(error, ValueError) else "These are not numbers"
        raise Refused(f"{words[0].upper()}{words[1:]}.", field="numbers") from error
    return {key: f"{value.normalize():f}" for key, value in exact.items()}


def _currency(name: str, currency: str, service: Service) -> str:
    if name not in stating.MONEY:
        return ""
    if currency and currency != service.currency:
        raise Refused(f"State it in {service.currency}, the currency of {service.slug}.", field="currency")
    return service.currency


def _stated_on(day: date | None) -> date:
    today = timezone.now().date()
    if day is not None and not _EARLIEST <= day <= today:
        raise Refused("The day it was stated is not in the future, and not before 1970.", field="stated_on")
    return day or today


def may_state(user: User, service: Service, finding: Finding | None = None) -> bool:
    return user.may_write(service.team_id, *([finding.team_id] if finding is not None else []))


def _guard(user: User, service: Service, finding: Finding | None) -> None:
    if not may_state(user, service, finding):
        raise PermissionRefused


@transaction.atomic
def state(
    *,
    user: User,
    through: str,
    service: Service,
    name: str,
    kind: str,
    numbers: Mapping[str, Any],
    basis: str,
    reason: str = "",
    finding: Finding | None = None,
    check: str = "",
    currency: str = "",
    confidence: str = Confidence.MEDIUM.value,
    stated_on: date | None = None,
) -> RiskInput:
    """States an input anew. `basis`: what it rests on; `through`: page or api. Raises Refused with the field."""
    _guard(user, service, finding)
    estimating.hold([service.pk])
    if finding is not None and (finding.service_id != service.pk or check):
        raise Refused("Of a finding's input the service is the finding's own, and there is no check.", field="finding")
    if check and check not in CHECKS:
        raise Refused(f"There is no check “{check[:60]}”: it would never count.", field="check")
    redact = redactor().text
    if not basis.strip():
        raise Refused("Say what it rests on: a measurement, a postmortem, whose judgement.", field="source")
    row = RiskInput(
        service=service, finding=finding, check_id=check, name=name, kind=kind, numbers=_check(name, kind, numbers),
        currency=_currency(name, currency, service), source=redact(basis.strip())[:500], confidence=confidence,
        author=user, stated_on=_stated_on(stated_on),
    )  # fmt: skip
    taken = RiskInput.objects.filter(service=service, finding=finding, check_id=check, name=name)
    if taken.exists():
        raise Refused("This input is stated already: change it, or take it back first.", field="name")
    changing.save(row)
    changes: dict[str, list[Any]] = {row.name: [None, said(row)]}
    record(user, "stated", "risk_input", row.pk, _label(row), changes=changes, reason=redact(reason or basis))
    _follow(row, user=user, through=through, reason=reason or basis)
    return row


@transaction.atomic
def restate(row: RiskInput, *, user: User, through: str, reason: str = "", **fields: Any) -> RiskInput:
    """Changes what is stated; who does it is its author from now on. `fields`: kind, numbers, basis, confidence,
    stated_on, currency."""
    estimating.hold([row.service_id])
    row = (
        RiskInput.objects.select_for_update(of=("self",)).select_related("service", "finding", "author").get(pk=row.pk)
    )
    _guard(user, row.service, row.finding)
    before = said(row)
    kind, numbers = fields.pop("kind", row.kind), fields.pop("numbers", row.numbers)
    wanted: dict[str, Any] = {
        "kind": kind,
        "numbers": _check(row.name, kind, numbers),
        "currency": _currency(row.name, fields.pop("currency", ""), row.service),
        "stated_on": _stated_on(fields.pop("stated_on", None)),
        "author": user,
    }
    if "basis" in fields:
        wanted["source"] = redactor().text(fields.pop("basis").strip())[:500]
        if not wanted["source"]:
            raise Refused("Say what it rests on.", field="source")
    changes = changing.set_fields(row, wanted | fields)
    changes.pop("numbers", None)
    changes.pop("kind", None)
    if said(row) != before:
        changes[row.name] = [before, said(row)]
    record(user, "changed", "risk_input", row.pk, _label(row), changes=changes, reason=redactor().text(reason))
    _follow(row, user=user, through=through, reason=reason)
    return row


@transaction.atomic
def renew(row: RiskInput, *, numbers: Mapping[str, Any], basis: str, reason: str) -> bool:
    """What was counted is counted to this day: by the clock, so who stated it stays. Whether anything changed."""
    estimating.hold([row.service_id])
    row = RiskInput.objects.select_for_update(of=("self",)).select_related("service", "finding").get(pk=row.pk)
    before = said(row)
    wanted = {"numbers": _check(row.name, row.kind, numbers), "source": redactor().text(basis)[:500]}
    if not changing.set_fields(row, wanted):
        return False
    record(None, "changed", "risk_input", row.pk, _label(row), changes={row.name: [before, said(row)]}, reason=reason)
    _follow(row, user=None, through="clock", reason=reason)
    return True


@transaction.atomic
def withdraw(row: RiskInput, *, user: User, through: str, reason: str = "") -> None:
    """Takes a statement back: what is measured or assumed holds again."""
    _guard(user, row.service, row.finding)
    estimating.hold([row.service_id])
    pk, label, before = row.pk, _label(row), said(row)
    row.delete()
    changes: dict[str, list[Any]] = {row.name: [before, None]}
    record(user, "withdrew", "risk_input", pk, label, changes=changes, reason=redactor().text(reason))
    _follow(row, user=user, through=through, reason=reason)


def _follow(row: RiskInput, *, user: User | None, through: str, reason: str) -> None:
    acting_as(user, source=through, reason=redactor().text(reason or f"Risk input {row.name}"))
    finding = row.finding
    if finding is None:
        estimating.refresh(row.service_id)
        return
    own = finding.risk_inputs.exists()
    if own != finding.has_own_inputs:
        Finding.objects.filter(pk=finding.pk).update(has_own_inputs=own, version=F("version") + 1, updated_at=Now())
    estimating.follow_finding(finding.pk)
