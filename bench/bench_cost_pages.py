"""Bills as a worker imports them, PostgreSQL and all, against DuckDB adding the same file up alone; and the pages
of costs at three years of 50,000 resources.

Each import and each floor runs in a process of its own, so that its peak memory is its own; the import is the worker's
whole work: reading, checking, adding up, COPY into PostgreSQL, sums, reconciliation. BENCH_LINES=1000000 keeps to the
small ones.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["PLATFORM_RISK_IMPORT_STORED_BYTES_BILL"] = "8GiB"  # ten million lines of CSV, not packed

from bench import bills, measure

SIZES = tuple(int(text) for text in os.environ.get("BENCH_LINES", "1000000,10000000").split(","))
MONTHS, LINES_A_MONTH = 36, 200_000
ROUNDS = 20
PAGES = {
    "overview": "/costs/",
    "overview by team, billed": "/costs/?by=team&cost=billed",
    "explorer, six months": "/costs/explorer/",
    "explorer, three years": "/costs/explorer/?rows=service&columns=region&from=2023-07-01&to=2026-06-30",
    "explorer, a month by day": "/costs/explorer/?rows=cloud_service&step=day&from=2026-05-01&to=2026-05-31",
    "resources that came or went": "/costs/changed-resources/",
    "reconciliation": "/costs/reconciliation/",
    "showback": "/costs/showback/",
    "API, daily, 90 days by service": "/api/v1/costs/daily/?group_by=service&from=2026-04-01&to=2026-07-01",
}


def child(work: str, path: str) -> dict[str, float]:
    """The work in a process of its own: {seconds, peak_mb}."""
    found = subprocess.run([sys.executable, __file__, work, path], capture_output=True, text=True, check=False)
    if found.returncode:
        raise RuntimeError(found.stderr[-2000:])
    answer: dict[str, float] = json.loads(found.stdout.splitlines()[-1])
    return answer


def alone(path: Path) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return measure.seconds(lambda: bills.alone(path, Path(folder)))


def imported(path: Path) -> float:
    """As a worker does it; what it leaves is taken out again, unless it is for the pages."""
    import django

    django.setup()
    from django.core.files.uploadedfile import UploadedFile

    from costs import load
    from platform_risk.core.imports import runner
    from platform_risk.core.imports.services import Destination, receive
    from platform_risk.core.models import ImportState

    with path.open("rb") as file:
        upload = UploadedFile(file, path.name, size=path.stat().st_size)
        row = receive(upload, Destination(service=None, kind="bill"), user=None)
    took = measure.seconds(lambda: runner.run(row.pk))
    row.refresh_from_db()
    if row.state != ImportState.DONE:
        raise RuntimeError(str(row.error))
    if not path.name.startswith("pages"):
        load.forget_imports([row.pk])
        row.file.delete(save=False)
        row.delete()
    return took


def speed(folder: Path) -> None:
    rows: list[list[object]] = []
    for lines in SIZES:
        for form in ("csv", "parquet"):
            path = bills.write(folder / f"bill.{form}", lines)
            floor, ours = child("alone", str(path)), child("imported", str(path))
            rows.append(
                [f"{lines:,} lines, {form}", path.stat().st_size / 1e6, floor["seconds"], ours["seconds"],
                 ours["seconds"] / floor["seconds"], lines / ours["seconds"], ours["peak_mb"]]
            )  # fmt: skip
            path.unlink()
    headers = ["bill", "MB", "DuckDB alone, s", "import, s", "ratio", "lines/s", "peak, MB"]
    measure.show("Bills of 50,000 resources (aim: ratio 1.5, peak 1,000 MB)", headers, rows)


def pages(folder: Path) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from costs import ownership
    from costs.models import ChargeDay, ChargeMonth, ResourceMonth
    from platform_risk.core.models import Environment, Service, Team, User

    settings.ALLOWED_HOSTS = ["testserver"]
    teams = [Team.objects.get_or_create(slug=f"bench-{n}", defaults={"name": f"Bench {n}"})[0] for n in range(5)]
    for number in range(60):
        Service.objects.get_or_create(slug=f"bench-{number}", defaults={"team": teams[number % 5]})
    for slug in ("production", "staging"):
        Environment.objects.get_or_create(slug=slug)
    path = bills.write(folder / "pages.parquet", MONTHS * LINES_A_MONTH, months=MONTHS)
    child("imported", str(path))
    ownership.reallocate()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    admin, _ = User.objects.get_or_create(username="bench-admin", defaults={"is_superuser": True})
    client = Client()
    client.force_login(admin)
    rows: list[list[object]] = []
    for name, address in PAGES.items():
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        count = len(queries)
        times = [measure.seconds(lambda address=address: client.get(address)) * 1000 for _ in range(ROUNDS)]  # type: ignore[misc]
        rows.append([name, measure.percentile(times, 50), measure.percentile(times, 95), count])
    counts = [model.objects.count() for model in (ChargeDay, ChargeMonth, ResourceMonth)]
    title = "Pages at three years of 50,000 resources: {:,} cells, {:,} months, {:,} resource months (aim: p95 150 ms)"
    measure.show(title.format(*counts), ["page", "median, ms", "p95, ms", "queries"], rows)


def main() -> None:
    if len(sys.argv) == 3:
        work = {"alone": alone, "imported": imported}[sys.argv[1]]
        took = work(Path(sys.argv[2]))
        print(json.dumps({"seconds": took, "peak_mb": measure.peak_mb()}))
        return
    with tempfile.TemporaryDirectory() as name:
        speed(Path(name))
        pages(Path(name))


if __name__ == "__main__":
    main()
