"""Bills reduced to a daily cube, without Django: 1,000,000 and 10,000,000 lines of FOCUS as CSV and Parquet.

The floor is DuckDB alone, in the same run, adding up the same columns by the same dimensions of the same file, with as
many threads and as much memory. Each is done in a process of its own, so that its memory is its own.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import duckdb

from bench import measure
from costs.bills.cube import Cube
from costs.bills.database import MEMORY
from costs.bills.opening import open_bill
from costs.bills.tags import KEYS

SIZES = (1_000_000, 10_000_000)
RESOURCES = 50_000
# What makes a line of the cube: the same for both.
_DIMENSIONS = (
    "BillingAccountId", "BillingPeriodStart", "BillingCurrency", "ChargeCategory", "ProviderName", "ServiceName",
    "ServiceCategory", "SubAccountId", "SubAccountName", "RegionId", "ResourceId", "ConsumedUnit", "Tags",
)  # fmt: skip


def lines(count: int) -> str:
    """SQL: so many lines of a month, of 50,000 resources of 40 cloud services; the same ones each time."""
    return f"""SELECT
        'acme' AS BillingAccountId, 'Acme Ltd' AS BillingAccountName, 'USD' AS BillingCurrency,
        '2026-07-01T00:00:00Z' AS BillingPeriodEnd, '2026-06-01T00:00:00Z' AS BillingPeriodStart,
        CASE WHEN n % 997 = 0 THEN 'Credit' WHEN n % 499 = 0 THEN 'Tax' ELSE 'Usage' END AS ChargeCategory,
        'charge of ' || (n % 1000) AS ChargeDescription,
        strftime(TIMESTAMP '2026-06-01' + INTERVAL (n % 720 + 1) HOUR, '%Y-%m-%dT%H:%M:%SZ') AS ChargePeriodEnd,
        strftime(TIMESTAMP '2026-06-01' + INTERVAL (n % 720) HOUR, '%Y-%m-%dT%H:%M:%SZ') AS ChargePeriodStart,
        CAST(n % 24 + 1 AS VARCHAR) AS ConsumedQuantity, 'Hours' AS ConsumedUnit,
        CAST(CAST((hash(n) % 1000000000) / 1e9 AS DECIMAL(18,12)) * (CASE WHEN n % 997 = 0 THEN -1 ELSE 1 END)
            AS VARCHAR) AS BilledCost,
        CAST(CAST((hash(n + 1) % 1000000000) / 1e9 AS DECIMAL(18,12)) AS VARCHAR) AS EffectiveCost,
        CAST(CAST((hash(n + 2) % 1000000000) / 1e9 AS DECIMAL(18,12)) AS VARCHAR) AS ListCost,
        'AWS' AS ProviderName, 'region-' || (r % 6) AS RegionId, 'arn:aws:thing/' || r AS ResourceId,
        'Category ' || (r % 8) AS ServiceCategory, 'Service ' || (r % 40) AS ServiceName,
        'account-' || (r % 20) AS SubAccountId, 'Account ' || (r % 20) AS SubAccountName,
        '{{"team": "team-' || (r % 15) || '", "app": "app-' || (r % 60) || '", "build": "' || (r % 500) || '"}}' AS Tags
        FROM (SELECT range AS n, hash(range // 24) % {RESOURCES} AS r FROM range({count}))"""


def write(path: Path, count: int) -> None:
    how = "(FORMAT parquet)" if path.suffix == ".parquet" else "(FORMAT csv, HEADER)"
    duckdb.sql(f"COPY ({lines(count)}) TO '{path}' {how}")


def floor(path: Path, folder: Path) -> dict[str, Any]:
    """DuckDB alone: texts cast to decimals and days, added up by everything else."""
    connection = duckdb.connect(str(folder / "floor.duckdb"))
    connection.execute(f"SET memory_limit='{MEMORY}'; SET threads=2; SET preserve_insertion_order=false")
    source = f"'{path}'" if path.suffix == ".parquet" else f"read_csv('{path}', all_varchar=true)"
    sums = ", ".join(
        f"sum(CAST({name} AS DECIMAL(38,18))) AS {name}"
        for name in ("BilledCost", "EffectiveCost", "ListCost", "ConsumedQuantity")
    )
    query = (
        f"CREATE TABLE floor AS SELECT CAST(substr(ChargePeriodStart, 1, 10) AS DATE) AS day,"
        f" {', '.join(_DIMENSIONS)}, {sums}, count(*) AS lines FROM {source} GROUP BY ALL"
    )
    took = measure.seconds(lambda: connection.execute(query))
    (total,) = connection.execute("SELECT sum(BilledCost) FROM floor").fetchall()[0]
    return {"seconds": took, "cpu": time.process_time(), "peak": measure.peak_mb(), "total": str(total), "ticks": 0}


def reduced(path: Path, folder: Path) -> dict[str, Any]:
    ticks: list[float] = []
    found: list[str] = []

    def work() -> None:
        bill = open_bill([("", path)], folder=folder, tag_keys=KEYS)
        with Cube(bill, folder=folder, tag_keys=KEYS, tick=ticks.append) as cube:
            found.append(str(sum(total.billed for total in cube.totals())))
            cube.number({key[0]: number for number, key in enumerate(cube.charge_keys())})
            for scope in cube.scopes():
                for _ in cube.cell_lines(scope, 1):
                    pass
                for _ in cube.resource_lines(scope, 1):
                    pass

    took = measure.seconds(work)
    return {
        "seconds": took, "cpu": time.process_time(), "peak": measure.peak_mb(), "total": found[0], "ticks": len(ticks),
    }  # fmt: skip


def measured(what: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, what, str(path)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def main(sizes: tuple[int, ...] = SIZES) -> None:
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as place:
        for count in sizes:
            for kind in ("csv", "parquet"):
                path = Path(place) / f"bill.{kind}"
                write(path, count)
                alone, ours = measured("floor", path), measured("reduced", path)
                assert float(alone["total"]) == float(ours["total"])
                for name, run in (("DuckDB alone", alone), ("the cube", ours)):
                    took = run["seconds"]
                    rows.append([f"{count:,} {kind}: {name}", path.stat().st_size / 1024**2, took, count / took,
                                 took / alone["seconds"], run["cpu"], run["cpu"] / alone["cpu"], run["peak"],
                                 int(run["ticks"])])  # fmt: skip
                path.unlink()
    headers = ("what", "MB", "s", "lines/s", "of DuckDB", "CPU s", "of DuckDB", "peak MB", "told")
    measure.show("Bills to a daily cube", headers, rows)


if __name__ == "__main__":
    works = {"floor": floor, "reduced": reduced}
    if sys.argv[1:] and sys.argv[1] in works:
        with tempfile.TemporaryDirectory() as name:
            print(json.dumps(works[sys.argv[1]](Path(sys.argv[2]), Path(name))))
    else:
        main(tuple(int(each) for each in sys.argv[1:]) or SIZES)
