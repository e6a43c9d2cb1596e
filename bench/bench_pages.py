"""Pages and API at 200,000 findings: server time and queries of each, as a user with one team and as an administrator.

The findings are written by the importer itself, in 20 services of 5 teams. Times are those of Django's test client: the
whole request but the network.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import measure, reports
from findings.models import Finding
from findings.services import compact_rollups
from platform_risk.core.imports import runner, services
from platform_risk.core.imports.services import Destination
from platform_risk.core.models import Import, Membership, Service, Team, User

SERVICES, TEAMS, EACH = 20, 5, 10_000
ROUNDS = 20
PAGES = {
    "findings, grouped": "/findings/?q=is:open",
    "findings, flat": "/findings/?q=is:open&view=flat",
    "findings, filtered": "/findings/?q=is:open+lane:important+service:bench-pages-3&view=flat",
    "findings, searched": "/findings/?q=payment+timeout&view=flat",
    "finding": "/findings/{finding}/",
    "overview": "/",
    "API, 100 findings": "/api/v1/findings/?page_size=100",
    "API, filtered": "/api/v1/findings/?page_size=100&q=is:open+lane:important&service=bench-pages-3",
}


def fill() -> None:
    teams = [Team.objects.get_or_create(slug=f"bench-{number}", defaults={"name": f"Bench {number}"})[0]
             for number in range(TEAMS)]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SERVICES):
            service, _ = Service.objects.get_or_create(
                slug=f"bench-pages-{number}", defaults={"team": teams[number % TEAMS]}
            )
            content = reports.write_sarif(Path(folder) / "r.sarif", EACH, seed=number).read_bytes()
            upload = SimpleUploadedFile(f"{number}.sarif", content)
            row = services.receive(upload, Destination(service=service), user=None)
            runner.run(row.pk)
            row = Import.objects.get(pk=row.pk)
            assert row.state == "done", row.error
    compact_rollups()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


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
    title = f"{Finding.objects.count():,} findings, {SERVICES} services"
    measure.show(title, ("page", "as", "p50 ms", "p95 ms", "queries", "KB"), rows)


if __name__ == "__main__":
    main()
