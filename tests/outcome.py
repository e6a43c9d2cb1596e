"""What imports of a service have left, without numbers and times: equal outcomes are equal, whatever happened between.

Plain SQL, so that it can be asked of the tests' own database and of that of a running product.
"""

from collections.abc import Callable
from typing import Any

# Which of the service's imports it is, instead of its number.
_IMPORTS = (
    "WITH i AS (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM core_import WHERE service_id = %(service)s) "
)
_QUERIES = {
    "imports": """SELECT nth, state, kind, format, source, branch, is_complete, is_late, is_applied, error, read,
        collapsed, new, changed, unchanged, closed, reopened, rejected FROM core_import JOIN i USING (id)""",
    "findings": """SELECT f.fingerprint, f.content_hash, f.title, f.message, f.severity, f.status, f.regressed, f.lane,
        f.team_id, f.owner_id, f.path, f.line, f.evidence::text, f.opened_on, f.due_on, f.first_seen_at, f.closed_at,
        f.version, c.nth, x.nth, f.withdrawn_by_id IS NULL
        FROM findings_finding f
        LEFT JOIN i c ON c.id = f.created_by_import_id LEFT JOIN i x ON x.id = f.fixed_by_import_id
        WHERE f.service_id = %(service)s""",
    "sightings": """SELECT f.fingerprint, o.source, g.content_hash, b.nth, l.nth, e.nth
        FROM findings_sighting g JOIN findings_finding f ON f.id = g.finding_id JOIN core_scope o ON o.id = g.scope_id
        JOIN i b ON b.id = g.first_import_id
        LEFT JOIN i l ON l.id = g.last_import_id LEFT JOIN i e ON e.id = g.ended_by_id
        WHERE f.service_id = %(service)s""",
    "history": """SELECT f.fingerprint, h.source, h.changes::text, h.reason, i.nth
        FROM findings_history h JOIN findings_finding f ON f.id = h.finding_id LEFT JOIN i ON i.id = h.import_row_id
        WHERE f.service_id = %(service)s""",
    "effects": """SELECT f.fingerprint, e.kind, e.before ->> 'content_hash', i.nth
        FROM findings_effect e JOIN findings_finding f ON f.id = e.finding_id JOIN i ON i.id = e.import_row_id
        WHERE f.service_id = %(service)s""",
    "rollups": """SELECT lane, severity, status, has_owner, team_id, sum(count) FROM findings_rollup
        WHERE service_id = %(service)s GROUP BY 1, 2, 3, 4, 5 HAVING sum(count) <> 0""",
    "weeks": """SELECT week, sum(opened), sum(closed) FROM findings_weekrollup
        WHERE service_id = %(service)s GROUP BY 1""",
    "rejects": "SELECT i.nth, r.pointer, r.reason, r.excerpt FROM core_importreject r JOIN i ON i.id = r.import_row_id",
    "scopes": """SELECT o.source, t.branch, i.nth, o.last_complete_at FROM core_scope o
        JOIN core_target t ON t.id = o.target_id LEFT JOIN i ON i.id = o.last_applied_id
        WHERE t.service_id = %(service)s""",
}

Rows = list[tuple[Any, ...]]


def outcome(ask: Callable[[str, dict[str, int]], Rows], service: int) -> dict[str, Rows]:
    """`ask` runs a query with its parameters and returns the rows."""
    return {name: sorted(ask(_IMPORTS + query, {"service": service}), key=repr) for name, query in _QUERIES.items()}
