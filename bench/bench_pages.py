"""Pages and API at 1,000,000 findings, 200,000 of them open, and 36 months of costs: server time and queries of each,
as an administrator, a manager of one team and a member of one. The aim is a p95 below 100 ms.

The findings are written by the importer itself, in 100 services of 5 teams; four of five are then closed, a tenth of
the open ones is overdue, and one of seven has an owner. Times are those of Django's test client: the whole request but
the network. What is there already is not written again, so that a database can be kept: DATABASE_URL, REDIS_URL and
PLATFORM_RISK_DATA name it. BENCH_ROUNDS=100 for more than 20 of each.
"""

import os
import sys
import tempfile
import time
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["PLATFORM_RISK_IMPORT_STORED_BYTES_BILL"] = "8GiB"

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.db import connection, transaction
from django.db.models import DurationField, ExpressionWrapper, F, Value
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench import bills, measure, reports
from costs import ownership
from costs.models import ChargeDay
from findings import estimating
from findings.models import Finding
from findings.query import ORDERINGS
from findings.services import compact_rollups
from platform_risk.core.acting import acting_as
from platform_risk.core.imports import runner, services
from platform_risk.core.imports.services import Destination
from platform_risk.core.models import Environment, Import, Membership, Service, Team, User

SERVICES, TEAMS, EACH, CLOSED = 100, 5, 10_000, 5  # all but every fifth are closed
MONTHS, LINES_A_MONTH = 36, 200_000
AIM_MS = 100
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "20"))
OPEN = "is:open+-is:other_branch"
PAGES = {
    "grouped": f"/findings/?q={OPEN}",
    "grouped, page 20": f"/findings/?q={OPEN}&page=20",
    "grouped, new": "/findings/?q=status:new+-is:other_branch",
    "grouped, mine": f"/findings/?q={OPEN}+owner:me",
    "grouped, overdue": "/findings/?q=is:open+is:overdue",
    "grouped, closed": "/findings/?q=is:closed+-is:other_branch",
    "grouped, all": "/findings/",
    "grouped, of a band": f"/findings/?q={OPEN}+band:high",
    "rows of a group": f"/findings/group/?q={OPEN}+rule:bench/rule-001+service:bench-pages-0",
    **{f"flat, {name}": f"/findings/?q={OPEN}&view=flat&ordering={name}" for name in ORDERINGS},
    "flat, overdue, due": "/findings/?q=is:open+is:overdue&view=flat&ordering=due",
    "flat, all, due": "/findings/?view=flat&ordering=due",
    "flat, all, -first_seen": "/findings/?view=flat&ordering=-first_seen",
    "flat, all, -bad_minutes": "/findings/?view=flat&ordering=-bad_minutes",
    "flat, mine, -annual_loss": f"/findings/?q={OPEN}+owner:me&view=flat&ordering=-annual_loss",
    "flat, filtered": "/findings/?q=is:open+lane:important+service:bench-pages-3&view=flat",
    "grouped, searched": "/findings/?q=payment+timeout",
    "grouped, due within a week": "/findings/?q=is:open+due:<=today%2B7d",
    "flat, searched": "/findings/?q=payment+timeout&view=flat",
    "flat, first seen this week": f"/findings/?q={OPEN}+first_seen:>=today-7d&view=flat",
    "flat, of a cell": f"/findings/?q={OPEN}+cell:minutes-current-1-3&view=flat&ordering=-bad_minutes",
    "finding": "/findings/{finding}/",
    "overview": "/",
    "costs": "/costs/",
    "risk": "/risk/",
    "risk, of one service": "/risk/?q=service:bench-pages-0",
    "risk, filtered": "/risk/?q=severity:high",
    "how bad a year": "/risk/exceedance/",
    "service": "/services/bench-pages-0/",
    "team": "/teams/bench-0/",
    "remedies": "/remedies/",
    "weekly review": "/reviews/",
    "API, matrix": "/api/v1/risk/matrix/",
    "API, summary": "/api/v1/risk/summary/",
    "API, 100 findings": "/api/v1/findings/?page_size=100",
    "API, by loss": "/api/v1/findings/?page_size=100&is=open&ordering=-annual_loss",
    "API, filtered": "/api/v1/findings/?page_size=100&q=is:open+lane:important&service=bench-pages-3",
}


def fill() -> None:
    teams = [Team.objects.get_or_create(slug=f"bench-{number}", defaults={"name": f"Bench {number}"})[0]
             for number in range(TEAMS)]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SERVICES):
            # One of two says what a bad minute costs.
            value = Decimal(number + 1) if number % 2 else None
            service, _ = Service.objects.get_or_create(
                slug=f"bench-pages-{number}",
                defaults={"team": teams[number % TEAMS], "slo": Decimal("0.999"), "value_per_bad_minute": value},
            )
            content = reports.write_sarif(Path(folder) / "r.sarif", EACH, seed=number).read_bytes()
            imported(SimpleUploadedFile(f"{number}.sarif", content), Destination(service=service))
        settled()
        for slug in ("production", "staging"):
            Environment.objects.get_or_create(slug=slug)
        path = bills.write(Path(folder) / "bill.parquet", MONTHS * LINES_A_MONTH, months=MONTHS)
        with path.open("rb") as file:
            imported(UploadedFile(file, path.name, size=path.stat().st_size), Destination(service=None, kind="bill"))
    ownership.reallocate()
    compact_rollups()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def imported(file: "UploadedFile[Any]", destination: Destination) -> None:
    row = services.receive(file, destination, user=None)
    runner.run(row.pk)
    row = Import.objects.get(pk=row.pk)
    assert row.state == "done", row.error


def settled() -> None:
    """What people and time do to findings."""
    owner = user("bench-owner", "member")[1]
    with transaction.atomic():
        acting_as(None, source="clock", reason="Bench")
        # They came and went over two years, not all in the week of the benchmark.
        day = Value(timedelta(days=1), DurationField())
        age = ExpressionWrapper((F("id") % 730) * day, DurationField())
        Finding.objects.update(first_seen_at=timezone.now() - age)
        numbered = Finding.objects.annotate(fifth=F("id") % CLOSED, tenth=F("id") % 50, seventh=F("id") % 35)
        numbered.exclude(fifth=0).update(status="verified", closed_at=F("first_seen_at"))
        numbered.filter(tenth=0).update(due_on=F("due_on") - timedelta(days=365))
        numbered.filter(seventh=0).update(owner=owner)
    estimating.upkeep()


def user(name: str, role: str) -> tuple[Client, User]:
    made, _ = User.objects.get_or_create(username=name, defaults={"is_superuser": role == "admin"})
    if role != "admin":
        Membership.objects.get_or_create(user=made, team=Team.objects.get(slug="bench-0"), defaults={"role": role})
    client = Client()
    client.force_login(made)
    return client, made


def processor_seconds() -> float:
    """Of this process and of the database's that serves it, where both are on one Linux machine: what a busy machine
    does not lengthen."""
    ours = time.process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return ours
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return ours + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(client: Client, url: str) -> tuple[float, float, float, float, int, float]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    queries = len(captured)
    begun = processor_seconds()
    times = [measure.seconds(lambda: client.get(url)) * 1000 for _ in range(ROUNDS)]
    busy = (processor_seconds() - begun) * 1000 / ROUNDS
    spread = measure.percentile(times, 50), measure.percentile(times, 95)
    return busy, min(times), *spread, queries, len(answer.content) / 1024


def main() -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    if Finding.objects.count() < SERVICES * EACH:
        fill()
    import_module("platform_risk.wsgi")  # what the web server does before its first request
    clients = {role: user(f"bench-{role}", role)[0] for role in ("admin", "manager", "member")}
    only = sys.argv[1:]
    finding = Finding.objects.filter(service__slug="bench-pages-0").earliest("id").pk
    rows: list[list[object]] = []
    for page, url in PAGES.items():
        if only and not any(page.startswith(each) for each in only):
            continue
        for who, client in clients.items():
            if who != "admin" and "bench-pages-3" in url:
                continue  # another team's
            rows.append([page, who, *measured(client, url.format(finding=finding))])
    opened = Finding.objects.open().count()
    title = (
        f"{Finding.objects.count():,} findings, {opened:,} open, {SERVICES} services,"
        f" {ChargeDay.objects.count():,} cells of costs; aim: p95 < {AIM_MS} ms"
    )
    measure.show(title, ("page", "as", "processor ms", "least ms", "p50 ms", "p95 ms", "queries", "KB"), rows)


if __name__ == "__main__":
    main()
