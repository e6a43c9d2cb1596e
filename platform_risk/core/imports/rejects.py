"""What a file that was read but for some of its records can say of what it does not name."""

from django.db import connection

from platform_risk.core.models import Import

_ANEW = """
SELECT count(*) FROM (
  SELECT reason, excerpt FROM core_importreject WHERE import_row_id = %s
  EXCEPT ALL
  SELECT reason, excerpt FROM core_importreject WHERE import_row_id = %s
) AS anew"""


def rejected_anew(row: Import, rejected: int, complete: Import | None) -> int:
    """How many records of `row` could not be read that the last complete import of its scope did not reject as well:
    any of them may be of what `row` seems to miss. `rejected` in all, for not every one is kept."""
    if not rejected:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_ANEW, [row.pk, complete.pk if complete else None])
        anew: int = cursor.fetchone()[0]
    return max(anew, rejected - (complete.rejected if complete else 0))


def why_incomplete(anew: int) -> str:
    records = "1 record" if anew == 1 else f"{anew:,} records"
    return (
        f"{records} could not be read that the last complete import did not reject: what this may be of is taken to be"
        " there still. Mend it, or hand it in with complete=yes."
    )
