"""Who is changing findings, and why: settings of the transaction that the history trigger reads."""

from datetime import datetime

from django.db import connection, transaction

from platform_risk.core.models import User

_NAMES = ("actor", "source", "reason", "import", "bulk", "at")


def acting_as(
    user: User | None,
    *,
    source: str,
    reason: str = "",
    import_id: int | None = None,
    bulk_id: int | None = None,
    at: datetime | None = None,
) -> None:
    """`at`: when what a report tells was observed; the weeks' figures count it then, and not when it was sent.

    Holds until the transaction ends; calling it again in one transaction replaces what was said before."""
    assert transaction.get_connection().in_atomic_block, "the settings would be gone at once"
    values = (
        user.pk if user else "",
        source,
        reason[:2000].replace("\x00", ""),
        import_id or "",
        bulk_id or "",
        at or "",
    )
    calls = ", ".join(f"set_config('platform_risk.{name}', %s, true)" for name in _NAMES)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", [str(value) for value in values])
