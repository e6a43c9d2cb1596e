"""Bills of any size for benchmarks: FOCUS as CSV or Parquet, written by DuckDB, the same in every run."""

from pathlib import Path

import duckdb

RESOURCES = 50_000
# Combinations of everything but the resource: 60 services of the platform, in 2 environments, and what they use.
KEYS = 2_000


def write(path: Path, lines: int, *, months: int = 1, start: str = "2023-07-01") -> Path:
    """Charges of an hour each, resource by resource; the format follows the path's end."""
    per_month = lines // months
    form = "FORMAT csv, HEADER" if path.suffix == ".csv" else "FORMAT parquet"
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit='2GB'")
        connection.execute(f"COPY ({_select(lines, per_month, start)}) TO '{path}' ({form})")
    return path


def _select(lines: int, per_month: int, start: str) -> str:
    month = f"(DATE '{start}' + to_months((i // {per_month})::INT))::DATE"
    # Hours of the month, spread so that every key has charges on every day of it.
    hour = f"((i % {per_month}) * 671 // {per_month} + (i % {RESOURCES}) * 37) % 672"
    begins = f"({month} + to_hours(({hour})::INT))"
    key = f"(i % {RESOURCES}) % {KEYS}"
    cost = "((i % 997) * 0.000123456789 + 0.01)::DECIMAL(20,12)::VARCHAR"
    return f"""
        SELECT {cost} AS BilledCost, {cost} AS EffectiveCost, '0.2' AS ListCost, '123456789012' AS BillingAccountId,
            'USD' AS BillingCurrency, strftime({month}, '%Y-%m-%dT00:00:00Z') AS BillingPeriodStart,
            strftime({month} + INTERVAL 1 MONTH, '%Y-%m-%dT00:00:00Z') AS BillingPeriodEnd,
            strftime({begins}, '%Y-%m-%dT%H:%M:%SZ') AS ChargePeriodStart,
            strftime({begins} + INTERVAL 1 HOUR, '%Y-%m-%dT%H:%M:%SZ') AS ChargePeriodEnd,
            CASE WHEN i % 50 = 0 THEN 'Tax' ELSE 'Usage' END AS ChargeCategory, NULL::VARCHAR AS ChargeClass,
            'Use of something somewhere, number ' || (i % 500) AS ChargeDescription, (i % 100)::VARCHAR
            AS ConsumedQuantity, 'Hours' AS ConsumedUnit, 'AWS' AS ServiceProviderName,
            'Service ' || ({key} % 40) AS ServiceName, 'Category ' || ({key} % 10) AS ServiceCategory,
            'eu-west-' || ({key} % 3) AS RegionId, 'arn:aws:ec2:eu-west-1:123456789012:instance/i-' ||
            lpad((i % {RESOURCES})::VARCHAR, 17, '0') AS ResourceId, 'sub' || ({key} % 8) AS SubAccountId,
            '{{"service":"bench-' || ({key} % 60) || '","environment":"' || CASE WHEN {key} % 5 = 0 THEN 'staging' ELSE
            'production' END || '","component":"c' || ({key} // 60) || '","Name":"host-' || (i % {RESOURCES}) || '"}}'
            AS Tags
        FROM range({lines}) t(i)"""


def alone(path: Path, folder: Path) -> None:
    """The same sums by DuckDB alone: texts cast as they come, nothing checked, nothing stored elsewhere."""
    source = (
        f"read_csv('{path}', header=true, all_varchar=true)" if path.suffix == ".csv" else f"read_parquet('{path}')"
    )
    tags = ", ".join(
        f"json_extract_string(Tags, '$.{name}') AS {name}" for name in ("service", "environment", "component")
    )
    key = "ServiceProviderName, ServiceName, ServiceCategory, SubAccountId, RegionId, ConsumedUnit"
    sums = ("BilledCost", "EffectiveCost", "ListCost", "ConsumedQuantity")
    with duckdb.connect(str(folder / "alone.duckdb")) as connection:
        connection.execute("SET memory_limit='500MB'; SET preserve_insertion_order=false")
        added = ", ".join(f"sum({name}::DECIMAL(38,18)) AS {name}" for name in sums)
        connection.execute(
            "CREATE TABLE fine AS SELECT substr(BillingPeriodStart, 1, 10)::DATE AS period,"
            " substr(ChargePeriodStart, 1, 10)::DATE AS day, BillingAccountId, BillingCurrency, ChargeCategory,"
            f" {key}, ResourceId, Tags, count(*) AS lines, {added} FROM {source} GROUP BY ALL"
        )
        added = ", ".join(f"sum({name}) AS {name}" for name in sums)
        for name, by in (
            ("cells", "day, ChargeCategory"),
            ("resources", "date_trunc('month', day) AS month, ResourceId"),
        ):
            connection.execute(
                f"CREATE TABLE {name} AS SELECT period, BillingAccountId, BillingCurrency, {by}, {key}, {tags}, {added}"
                " FROM fine GROUP BY ALL"
            )
