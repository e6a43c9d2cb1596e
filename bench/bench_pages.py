"""Pages and API at 1,000,000 findings, 200,000 of them open: server time and queries of each, as a user with one team
and as an administrator. The aim is a p95 below 100 ms.

The findings are written by the importer itself, in 100 services of 5 teams; four of five are then closed. Times are
those of Django's test client: the whole request but the network.
"""

import sys
import tempfile
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import measure, reports
from findings.models import Finding
from findings.services import compact_rollups
from platform_risk.core.acting import acting_as
from platform_risk.core.imports import runner, services
from platform_risk.core.imports.services import Destination
from platform_risk.core.models import Import, Membership, Service, Team, User

SERVICES, TEAMS, EACH, CLOSED = 100, 5, 10_000, 5  # all but every fifth are closed
AIM_MS = 100
ROUNDS = 20
PAGES = {
    "findings, grouped": "/findings/?q=is:open",
    "findings, flat": "/findings/?q=is:open&view=flat",
    "findings, filtered": "/findings/?q=is:open+lane:important+service:bench-pages-3&view=flat",
    "findings, searched": "/findings/?q=payment+timeout&view=flat",
    "finding": "/findings/{finding}/",
    "overview": "/",
    "risk": "/risk/",
    "risk, of one service": "/risk/?q=service:bench-pages-0",
    "risk, filtered": "/risk/?q=severity:high",
    "how bad a year": "/risk/exceedance/",
    "service": "/services/bench-pages-0/",
    "team": "/teams/bench-0/",
    "findings, by minutes": "/findings/?q=is:open&view=flat&ordering=-bad_minutes",
    "findings, of a cell": "/findings/?q=is:open+-is:other_branch+cell:minutes-current-1-3&view=flat",
    "API, matrix": "/api/v1/risk/matrix/",
    "API, summary": "/api/v1/risk/summary/",
    "API, 100 findings": "/api/v1/findings/?page_size=100",
    "API, filtered": "/api/v1/findings/?page_size=100&q=is:open+lane:important&service=bench-pages-3",
}


def fill() -> None:
    teams = [Team.objects.get_or_create(slug=f"bench-{number}", defaults={"name": f"Bench {number}"})[0]
             for number in range(TEAMS)]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SERVICES):
            service, _ = Service.objects.get_or_create(
                slug=f"bench-pages-{number}", defaults={"team": teams[number % TEAMS], "slo": Decimal("0.999")}
            )
            content = reports.write_sarif(Path(folder) / "r.sarif", EACH, seed=number).read_bytes()
            upload = SimpleUploadedFile(f"{number}.sarif", content)
            row = services.receive(upload, Destination(service=service), user=None)
            runner.run(row.pk)
            row = Import.objects.get(pk=row.pk)
            assert row.state == "done", row.error
    with transaction.atomic():
        acting_as(None, source="clock", reason="Bench")
        Finding.objects.annotate(fifth=F("id") % CLOSED).exclude(fifth=0).update(status="verified")
    compact_rollups()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def user(name: str, *, admin: bool) -> Client:
    made, _ = User.objects.get_or_create(username=name, defaults={"is_superuser": admin})
    if not admin:
        Membership.objects.get_or_create(user=made, team=Team.objects.get(slug="bench-0"), defaults={"role": "member"})
    client = Client()
    client.force_login(made)
    return client


def measured(client: Client, url: str) -> tuple[float, float, int, float]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    queries = len(captured)
    times = [measure.seconds(lambda: client.get(url)) * 1000 for _ in range(ROUNDS)]
    return measure.percentile(times, 50), measure.percentile(times, 95), queries, len(answer.content) / 1024


def main() -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    fill()
    clients = {"admin": user("bench-admin", admin=True), "member": user("bench-member", admin=False)}
    finding = Finding.objects.filter(service__slug="bench-pages-0").earliest("id").pk
    rows: list[list[object]] = []
    for page, url in PAGES.items():
        for who, client in clients.items():
            if who == "member" and "bench-pages-3" in url:
                continue  # another team's
            rows.append([page, who, *measured(client, url.format(finding=finding))])
    opened = Finding.objects.open().count()
    title = f"{Finding.objects.count():,} findings, {opened:,} open, {SERVICES} services; aim: p95 < {AIM_MS} ms"
    measure.show(title, ("page", "as", "p50 ms", "p95 ms", "queries", "KB"), rows)


if __name__ == "__main__":
    main()
