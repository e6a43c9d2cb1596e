"""Sums of the days in force, kept in the transaction that changes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from costs.models import ChargeDay
from platform_risk.core.sqlfile import statements

SQL = Path(__file__).resolve().parent / "sql" / "load.sql"
_LOCK = 0xB111


def lock() -> None:
    """One writer of bills at a time, until the transaction ends."""
    assert transaction.get_connection().in_atomic_block, "the lock would be gone at once"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_LOCK])


def run(name: str, **parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements(SQL)[name], parameters)


def ask(name: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statements(SQL)[name], parameters)
        return list(cursor.fetchall())


def recount(scopes: Sequence[int]) -> None:
    """Months and day totals of these scopes, anew."""
    for name in ("forget_months", "add_months", "forget_totals", "add_totals"):
        run(name, scopes=list(scopes))


def recount_totals(keys: Sequence[int]) -> None:
    """Day totals of the scopes in which these keys have changed hands."""
    scopes = list(
        ChargeDay.objects.filter(is_current=True, key_id__in=keys)
        .values_list("version__scope_id", flat=True)
        .distinct()
    )
    for name in ("forget_totals", "add_totals"):
        run(name, scopes=scopes)
