"""Loading 100,000 SARIF results through the path of an upload: new, unchanged, a tenth changed, and the floor.

Each import runs in a process of its own, as a worker's. The floor is COPY of the very rows that the import made into a
table with the same columns and indexes, on the same server.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from django.core.files.uploadedfile import UploadedFile
from django.db import connection

from bench import measure, reports
from platform_risk.core.imports import runner, services
from platform_risk.core.imports.services import Destination
from platform_risk.core.models import Import, Service

RESULTS = 100_000
FLOOR_RUNS = 3


def import_here(path: Path, service: str) -> dict[str, Any]:
    """In the child: receives and runs one import, as the web server and a worker do."""
    rows: list[Import] = []
    with path.open("rb") as file:
        upload = UploadedFile(file, name=path.name, size=path.stat().st_size)
        destination = Destination(service=Service.objects.get(slug=service))
        received = measure.seconds(lambda: rows.append(services.receive(upload, destination, user=None)))
    ran = measure.seconds(lambda: runner.run(rows[0].pk))
    row = Import.objects.get(pk=rows[0].pk)
    assert row.state == "done", row.error
    return services.counts(row) | {"received": received, "ran": ran, "peak": measure.peak_mb()}


def import_in_child(path: Path, service: str) -> dict[str, Any]:
    before = updated_rows()
    command = [sys.executable, __file__, str(path), service]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return dict(answer) | {"updated": updated_rows() - before}


def updated_rows() -> int:
    """The database's own counter; a session reports to it at the latest when it ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'findings_finding'")
        return int(cursor.fetchone()[0])


def floor_seconds(folder: Path) -> float:
    """COPY of what findings_finding holds, the generated columns left to the table as they are in the import."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = 'findings_finding'::regclass AND attnum > 0 AND attgenerated = '' AND NOT attisdropped"
        )
        columns = cursor.fetchone()[0]
        data = folder / "rows"
        with data.open("wb") as file, cursor.copy(f"COPY findings_finding ({columns}) TO STDOUT") as copy:
            for block in copy:
                file.write(block)
        times = []
        for _ in range(FLOOR_RUNS):
            cursor.execute("CREATE TABLE bench_floor (LIKE findings_finding INCLUDING ALL)")
            times.append(measure.seconds(lambda: copy_in(data, columns)))
            cursor.execute("DROP TABLE bench_floor")
    return min(times)


def copy_in(data: Path, columns: str) -> None:
    statement = f"COPY bench_floor ({columns}) FROM STDIN"
    with connection.cursor() as cursor, data.open("rb") as file, cursor.copy(statement) as copy:
        while block := file.read(256 * 1024):
            copy.write(block)


def main() -> None:
    Service.objects.get_or_create(slug="bench-load")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = {
            "new": reports.write_sarif(folder / "new.sarif", RESULTS),
            "unchanged": reports.write_sarif(folder / "unchanged.sarif", RESULTS, end=b"\n\n"),
            "a tenth changed": reports.write_sarif(folder / "changed.sarif", RESULTS, changed_percent=10),
        }
        size = files["new"].stat().st_size / 1024**2
        done: dict[str, dict[str, Any]] = {}
        floor = 0.0
        for name, path in files.items():
            done[name] = import_in_child(path, "bench-load")
            floor = floor or floor_seconds(folder)
    assert done["new"]["new"] == done["unchanged"]["unchanged"] == RESULTS
    rows: list[list[object]] = [["COPY (floor)", "", floor, RESULTS / floor, 1.0, "", ""]]
    for name, run in done.items():
        took = run["received"] + run["ran"]
        rows.append([name, run["received"], run["ran"], RESULTS / took, floor / took, run["peak"], run["updated"]])
    headers = ("import", "receive s", "run s", "records/s", "of the floor", "peak MB", "findings updated")
    measure.show(f"{RESULTS:,} SARIF results, {size:.0f} MB", headers, rows)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(import_here(Path(sys.argv[1]), sys.argv[2])))
    else:
        main()
