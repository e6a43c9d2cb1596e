-- Putting a scope back to before its last applied import (findings/load.py, under the target's advisory lock).
-- A compensating change: rows are set back and the history says by whom and why; nothing in it is erased.
-- Parameters: %(import)s %(scope)s.

-- name: withdraw
-- What the import created is taken out of sight, not deleted: its number, comments and history stay.
UPDATE findings_finding SET withdrawn_by_id = %(import)s, version = version + 1, updated_at = now()
WHERE created_by_import_id = %(import)s AND withdrawn_by_id IS NULL

-- name: restore
-- Columns that describe the problem go back as they were. What people decided since stays: status and what hangs on it
-- go back only where nobody has touched them after the import.
UPDATE findings_finding f SET
  content_hash = b.content_hash, title = b.title, message = b.message, category = b.category,
  risk_class = b.risk_class, outcome = b.outcome, rule = b.rule, rule_name = b.rule_name, check_id = b.check_id,
  scanners = b.scanners, path = b.path, line = b.line, end_line = b.end_line, resource = b.resource,
  namespace = b.namespace, image = b.image, package = b.package, package_version = b.package_version,
  endpoint = b.endpoint, symbol = b.symbol, identifiers = b.identifiers, evidence = b.evidence,
  reported_severity = b.reported_severity, reported_severity_source = b.reported_severity_source,
  severity = CASE WHEN f.severity_source = 'user' THEN f.severity ELSE b.severity END,
  severity_source = CASE WHEN f.severity_source = 'user' THEN 'user' ELSE b.severity_source END,
  lane = CASE WHEN f.severity_source = 'user' THEN f.lane ELSE b.lane END,
  lane_reason = CASE WHEN f.severity_source = 'user' THEN f.lane_reason ELSE b.lane_reason END,
  lane_version = CASE WHEN f.severity_source = 'user' THEN f.lane_version ELSE b.lane_version END,
  status = CASE WHEN t.touched THEN f.status ELSE b.status END,
  regressed = CASE WHEN t.touched THEN f.regressed ELSE b.regressed END,
  suppressed_by_report = CASE WHEN t.touched THEN f.suppressed_by_report ELSE b.suppressed_by_report END,
  dismiss_reason = CASE WHEN t.touched THEN f.dismiss_reason ELSE b.dismiss_reason END,
  status_comment = CASE WHEN t.touched THEN f.status_comment ELSE b.status_comment END,
  decided_severity = CASE WHEN t.touched THEN f.decided_severity ELSE b.decided_severity END,
  acceptance_expires_on = CASE WHEN t.touched THEN f.acceptance_expires_on ELSE b.acceptance_expires_on END,
  snoozed_until = CASE WHEN t.touched THEN f.snoozed_until ELSE b.snoozed_until END,
  opened_on = CASE WHEN t.touched THEN f.opened_on ELSE b.opened_on END,
  due_on = CASE WHEN t.touched THEN f.due_on ELSE b.due_on END,
  closed_at = CASE WHEN t.touched THEN f.closed_at ELSE b.closed_at END,
  fixed_by_import_id = CASE WHEN t.touched THEN f.fixed_by_import_id ELSE b.fixed_by_import_id END,
  first_seen_at = b.first_seen_at, created_by_import_id = b.created_by_import_id, withdrawn_by_id = b.withdrawn_by_id,
  version = f.version + 1, updated_at = now()
FROM (SELECT DISTINCT ON (finding_id) finding_id, before FROM findings_effect
      WHERE import_row_id = %(import)s ORDER BY finding_id, id) AS e
CROSS JOIN LATERAL jsonb_populate_record(NULL::findings_finding, e.before) AS b
CROSS JOIN LATERAL (SELECT EXISTS (
    SELECT 1 FROM findings_history h WHERE h.finding_id = e.finding_id AND h.changes ? 'status' AND h.source <> 'import'
    AND h.id > coalesce((SELECT max(i.id) FROM findings_history i
                         WHERE i.finding_id = e.finding_id AND i.import_row_id = %(import)s), 0)
    AND h.at >= (SELECT finished_at FROM core_import WHERE id = %(import)s)) AS touched) AS t
WHERE f.id = e.finding_id

-- name: rehash
UPDATE findings_sighting g SET content_hash = e.before ->> 'sighted_hash'
FROM findings_effect e
WHERE e.import_row_id = %(import)s AND e.before ->> 'sighted_hash' IS NOT NULL
  AND g.finding_id = e.finding_id AND g.scope_id = %(scope)s AND g.last_import_id IS NULL

-- name: forget_sightings
DELETE FROM findings_sighting WHERE first_import_id = %(import)s

-- name: resume_sightings
UPDATE findings_sighting SET last_import_id = NULL, ended_by_id = NULL
WHERE ended_by_id = %(import)s AND first_import_id <> %(import)s

-- name: forget_effects
DELETE FROM findings_effect WHERE import_row_id = %(import)s
