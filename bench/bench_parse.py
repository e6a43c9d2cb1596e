"""Reading reports, without Django's database: megabytes and records a second, against json.loads of the same bytes.

Each is read in a process of its own, from the file and mapped into memory, as an import does it.
"""

import json
import mmap
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import measure, reports
from findings.scans import registry
from findings.scans.options import Options

RESULTS = 100_000
RUNS = 3


def records_of(format_name: str, path: Path) -> int:
    with path.open("rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    report = registry.formats()[format_name].open(data, Options())
    return sum(1 for _ in report.records())


def loads(path: Path) -> int:
    return len(json.loads(path.read_bytes()))


def measured_here(format_name: str, path: Path) -> dict[str, float]:
    """In the child: the best of some runs, and the most memory that any of them took."""
    counts: list[int] = []

    def read() -> None:
        counts.append(loads(path) if format_name == "json.loads" else records_of(format_name, path))

    best = min(measure.seconds(read) for _ in range(RUNS))
    return {"seconds": best, "records": counts[0], "peak": measure.peak_mb()}


def measured(format_name: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, format_name, str(path)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return dict(answer)


def main() -> None:
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as place:
        files = {
            "sarif": reports.write_sarif(Path(place) / "report.sarif", RESULTS),
            "checkov": reports.write_checkov(Path(place) / "report.json", RESULTS),
        }
        for name, path in files.items():
            size = path.stat().st_size / 1024**2
            floor = measured("json.loads", path)
            found = measured(name, path)
            assert found["records"] == RESULTS
            for what, run in ((f"{name}: json.loads", floor), (f"{name}: records", found)):
                took = run["seconds"]
                rows.append([what, size, took, size / took, RESULTS / took, floor["seconds"] / took, run["peak"]])
    headers = ("what", "MB", "s", "MB/s", "records/s", "of json.loads", "peak MB")
    measure.show(f"Reading {RESULTS:,} results", headers, rows)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measured_here(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()
