"""Makers of rows: typed and boring. What is not given is unremarkable."""

import itertools
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from costs.models import Budget, PriceBook, PriceRate, Scenario, UsageFigure, UsageScope
from findings.models import Finding, RiskInput
from platform_risk.core.imports import runner, services
from platform_risk.core.imports.services import Destination
from platform_risk.core.models import Environment, Import, Membership, Role, Service, Target, Team, Token, User
from platform_risk.planning.models import Incident, Remedy

_numbers = itertools.count(1)
PASSWORD = "correct horse battery staple"  # one for all: hashing is slow on purpose


def make_team(slug: str, name: str = "") -> Team:
    return Team.objects.create(slug=slug, name=name or slug.capitalize())


def make_user(username: str, **roles: str) -> User:
    """`make_user("alice", payments="member")`: teams are made when missing."""
    user = User(username=username, email=f"{username}@example.com")
    user.set_unusable_password()
    user.save()
    for slug, role in roles.items():
        team = Team.objects.filter(slug=slug).first() or make_team(slug)
        Membership.objects.create(user=user, team=team, role=Role(role))
    return user


def make_token(user: User, scope: str = "write") -> str:
    secret = f"pr_test_{next(_numbers)}_{user.pk}"
    Token.objects.create(user=user, name="test", prefix=secret[:8], digest=Token.digest_of(secret), scope=scope)
    return secret


def make_service(slug: str = "checkout", team: Team | None = None, **fields: Any) -> Service:
    return Service.objects.create(slug=slug, team=team, **fields)


def make_target(service: Service, branch: str = "", environment: Environment | None = None) -> Target:
    branch = branch or service.default_branch
    return Target.objects.get_or_create(
        service=service,
        environment=environment,
        branch=branch,
        defaults={"is_default_branch": branch == service.default_branch},
    )[0]


def make_finding(service: Service, *, title: str = "A finding", branch: str = "", **fields: Any) -> Finding:
    number = next(_numbers)
    target = make_target(service, branch)
    values: dict[str, Any] = {
        "target": target,
        "service": service,
        "branch": target.branch,
        "is_default_branch": target.is_default_branch,
        "fingerprint": blake2b(str(number).encode(), digest_size=16).hexdigest(),
        "title": title,
        "severity": "high",
        "severity_source": "report",
        "category": "security",
        "risk_class": "security",
        "rule": "RULE_1",
        "scanners": ["checkov"],
        "path": "k8s/api.yaml",
        "line": 12,
        "lane": "critical",
        "lane_reason": "A high security finding.",
        "lane_version": "stage1-1",
        "team": service.team,
        "team_from": "service" if service.team_id else "",
        "opened_on": date(2026, 11, 1),
        "due_on": date(2026, 12, 1) if target.is_default_branch else None,
        "first_seen_at": datetime(2026, 11, 1, tzinfo=UTC),
    } | fields
    values.setdefault("reported_severity", values["severity"])
    values.setdefault("reported_severity_source", values["severity_source"])
    finding = Finding.objects.create(**values)
    finding.refresh_from_db()
    return finding


def make_risk_input(service: Service, *, user: User | None = None, basis: str = "A guess", **fields: Any) -> RiskInput:
    """Of how often something happens, unless told otherwise; a row alone, without what follows from it."""
    values: dict[str, Any] = {
        "name": "frequency",
        "kind": "number",
        "numbers": {"value": "2"},
        "stated_on": date(2026, 11, 1),
    }
    return RiskInput.objects.create(service=service, author=user, source=basis, **values | fields)


def make_remedy(slug: str = "own", **fields: Any) -> Remedy:
    return Remedy.objects.create(slug=slug, **{"title": slug, "effort_days": 2, "checks": ["dns"]} | fields)


def make_incident(service: Service, *findings: Finding, **fields: Any) -> Incident:
    values: dict[str, Any] = {"title": "It broke", "started_at": datetime(2026, 11, 2, tzinfo=UTC)} | fields
    incident = Incident.objects.create(service=service, **values)
    incident.findings.set(findings)
    return incident


def sarif(*results: dict[str, Any], tool: str = "Probe", at: str = "", **run: Any) -> bytes:
    """A SARIF report of one run. A result is `sarif_result(...)` or any dictionary."""
    rules = sorted({str(result.get("ruleId", "R1")) for result in results})
    body: dict[str, Any] = {
        "tool": {"driver": {"name": tool, "rules": [{"id": rule} for rule in rules]}},
        "results": list(results),
        **run,
    }
    if at:
        body["invocations"] = [{"executionSuccessful": True, "endTimeUtc": at}]
    return json.dumps({"version": "2.1.0", "runs": [body]}).encode()


def sarif_result(
    rule: str = "R1", path: str = "app/main.py", line: int = 1, *, level: str = "error", text: str = "", code: str = ""
) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": line}
    region["snippet"] = {"text": code or f"call_{rule}()"}
    place = {"physicalLocation": {"artifactLocation": {"uri": path}, "region": region}}
    return {"ruleId": rule, "level": level, "message": {"text": text or f"{rule} in {path}"}, "locations": [place]}


def upload(
    content: bytes,
    service: Service | None,
    *,
    name: str = "report.sarif",
    user: User | None = None,
    run: bool = True,
    **to: Any,
) -> Import:
    """The very path of a user's upload, without the broker; `run=False` leaves it queued."""
    row = services.receive(SimpleUploadedFile(name, content), Destination(service=service, **to), user=user)
    if run:
        runner.run(row.pk)
        row.refresh_from_db()
    return row


def make_price(item: str = "Storage", *, book: str = "own", **fields: Any) -> PriceRate:
    made, _ = PriceBook.objects.get_or_create(slug=book, defaults={"name": book})
    values: dict[str, Any] = {"unit": "per_gb_month", "amount": Decimal("0.03"), "provider": "aws-cloudwatch-logs"}
    return PriceRate.objects.create(book=made, item=item, **values | fields)


def make_budget(service: Service, amount: int = 100, **fields: Any) -> Budget:
    return Budget.objects.create(service=service, amount=amount, currency="USD", **fields)


def make_scenario(user: User, name: str = "Thirty days", **fields: Any) -> Scenario:
    inputs = {"gb_per_day": 10, "price": "0.03", "price_unit": "per_gb_month", "months": 12}
    return Scenario.objects.create(name=name, vector="logs", inputs=inputs, created_by=user, **fields)


def make_usage(
    service: Service | None, measure: str, value: int | None, subject: str = "", **fields: Any
) -> UsageFigure:
    """One figure of an applied import."""
    row = Import.objects.create(
        kind="usage", file_name="usage.json", size_bytes=1, sha256="0" * 64, is_applied=True, service=service,
        observed_at=datetime(2026, 11, 1, tzinfo=UTC),
    )  # fmt: skip
    about = {"source": fields.pop("source", "prometheus"), "format": "prometheus-tsdb", "service": service}
    provider = fields.pop("provider", "prometheus")
    scope, _ = UsageScope.objects.get_or_create(**about, defaults={"provider": provider})
    UsageScope.objects.filter(pk=scope.pk).update(last_applied=row)
    return UsageFigure.objects.create(
        scope=scope, import_row=row, measure=measure, value=value, subject=subject, **fields
    )  # fmt: skip


# What pages and API tests call "an import of this service", when its content does not matter.
def make_import(service: Service, user: User | None = None) -> Import:
    return upload(sarif(sarif_result()), service, user=user)


def upload_bill(
    content: bytes, *, name: str = "bill.csv", user: User | None = None, run: bool = True, **to: Any
) -> Import:
    """As `upload`: of a bill, which is of no service."""
    destination = Destination(service=None, kind="bill", **to)
    row = services.receive(SimpleUploadedFile(name, content), destination, user=user)
    if run:
        runner.run(row.pk)
        row.refresh_from_db()
    return row
