"""What is stored, as text: to prove that nothing was, or that something was not."""

from django.db import connection

# Django's own, and the row of the import itself with its lease and its error.
_ASIDE = ("django_", "auth_", "core_import")


def everything() -> dict[str, list[str]]:
    """Table → its rows as PostgreSQL writes them out; every table of the database."""
    with connection.cursor() as cursor:
        found: dict[str, list[str]] = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t ORDER BY 1")
            found[table] = [row[0] for row in cursor.fetchall()]
    return found


def applied() -> dict[str, list[str]]:
    """All that an import changes when it is applied."""
    return {table: rows for table, rows in everything().items() if not table.startswith(_ASIDE) or "reject" in table}
