"""What a file that was read but for some of its records can say of what it does not name."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet

from platform_risk.core.models import Import

_ANEW = """
SELECT count(*) FROM (
  SELECT reason, excerpt FROM core_importreject WHERE import_row_id = %s
  EXCEPT ALL
  SELECT reason, excerpt FROM core_importreject WHERE import_row_id = %s
) AS anew"""


def unless_rejected(row: Import, rejected: int, of_scope: QuerySet[Import]) -> dict[str, Any]:
    """What makes `row` incomplete: records that it rejects and the last complete import of its scope did not reject as
    well, any of which may be of what it seems to miss. Nothing where there are none. `rejected` counts all of them, for
    not every one is kept; `of_scope` are the imports of its scope."""
    if not rejected:
        return {}
    complete = of_scope.filter(is_applied=True, is_complete=True, is_late=False).order_by("-observed_at", "-pk").first()
    with connection.cursor() as cursor:
        cursor.execute(_ANEW, [row.pk, complete.pk if complete else None])
        anew = max(cursor.fetchone()[0], rejected - (complete.rejected if complete else 0))
    return {"is_complete": False, "incomplete_because": _why(anew)} if anew else {}


def as_before(row: Import, last: Import) -> dict[str, Any]:
    """What `row` says of its completeness when it is the file of `last` again: what was rejected then is rejected now,
    and whether that left it incomplete is known of the first time. Nothing where something else was asked for."""
    if not last.rejected or not last.complete == row.complete == "auto":
        return {}
    return {"is_complete": last.is_complete, "incomplete_because": last.incomplete_because}


def _why(anew: int) -> str:
    records = "1 record" if anew == 1 else f"{anew:,} records"
    return (
        f"{records} could not be read that the last complete import did not reject: what this may be of is taken to be"
        " there still. Mend it, or hand it in with complete=yes."
    )
