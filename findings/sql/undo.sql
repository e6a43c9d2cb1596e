-- Putting a scope back to before its last applied import (findings/load.py, under the target's advisory lock).
-- A compensating change: rows are set back and the history says by whom and why; nothing in it is erased. What other
-- scopes have seen since, and what people have decided since, stays.
-- Parameters: %(import)s, %(scope)s, %(lanes)s: severity and class -> lane, reason, days; %(days)s: lane -> days.

-- name: begin
-- A caller that undoes twice in one transaction finds them from the first time.
DROP TABLE IF EXISTS findings_lost, findings_resumed, findings_decided

-- name: lost
-- What the scope saw first in this import: it never did.
CREATE TEMPORARY TABLE findings_lost ON COMMIT DROP AS
SELECT finding_id FROM findings_sighting WHERE first_import_id = %(import)s

-- name: resumed
-- What the scope saw until this import: it still does.
CREATE TEMPORARY TABLE findings_resumed ON COMMIT DROP AS
SELECT finding_id FROM findings_sighting WHERE ended_by_id = %(import)s AND first_import_id <> %(import)s

-- name: restore_content
-- What describes the problem, where this import was the last to write it. Not of what it brought back from an earlier
-- undo: that was as new.
UPDATE findings_finding f SET
  content_hash = b.content_hash, title = b.title, message = b.message, category = b.category,
  risk_class = b.risk_class, exploit = coalesce(b.exploit, ''), outcome = b.outcome, rule = b.rule, rule_name = b.rule_name, check_id = b.check_id,
  scanners = b.scanners, path = b.path, line = b.line, end_line = b.end_line, resource = b.resource,
  namespace = b.namespace, image = b.image, package = b.package, package_version = b.package_version,
  endpoint = b.endpoint, symbol = b.symbol, identifiers = b.identifiers, evidence = b.evidence,
  quantities = b.quantities, remedies = b.remedies,
  reported_severity = b.reported_severity, reported_severity_source = b.reported_severity_source,
  severity = s.severity, severity_source = s.source, lane = CASE WHEN f.lane_from = '' THEN l.lane ELSE f.lane END,
  lane_reason = CASE WHEN f.lane_from = '' THEN l.reason ELSE f.lane_reason END,
  due_on = CASE WHEN f.is_default_branch
                THEN f.opened_on + CASE WHEN f.lane_from = '' THEN l.days ELSE (%(days)s::jsonb ->> f.lane::text)::int END END,
  version = f.version + 1, updated_at = now()
FROM findings_effect e
JOIN findings_finding o ON o.id = e.finding_id
JOIN findings_sighting g ON g.finding_id = o.id AND g.scope_id = %(scope)s AND g.last_import_id IS NULL
CROSS JOIN LATERAL jsonb_populate_record(NULL::findings_finding, e.before) AS b
CROSS JOIN LATERAL (SELECT
  CASE WHEN o.severity_source = 'user' THEN o.severity ELSE b.reported_severity END AS severity,
  CASE WHEN o.severity_source = 'user' THEN 'user' ELSE b.reported_severity_source END AS source) AS s
JOIN jsonb_to_recordset(%(lanes)s) AS l (severity text, risk_class text, lane text, reason text, days int)
  ON l.severity = s.severity AND l.risk_class = b.risk_class
WHERE e.import_row_id = %(import)s AND e.kind IN ('changed', 'reopened', 'seen_again')
  AND f.id = o.id AND o.content_hash = g.content_hash AND b.withdrawn_by_id IS NULL

-- name: decided
-- What people have decided since; not the clock, other imports or their undoing.
CREATE TEMPORARY TABLE findings_decided ON COMMIT DROP AS
SELECT DISTINCT h.finding_id FROM findings_history h
WHERE h.changes ? 'status' AND h.source IN ('page', 'api')
  AND h.at >= (SELECT finished_at FROM core_import WHERE id = %(import)s)
  AND h.finding_id IN (SELECT finding_id FROM findings_effect WHERE import_row_id = %(import)s
                       UNION SELECT finding_id FROM findings_resumed)

-- name: restore_status
-- Status and what hangs on it, where nobody has decided otherwise since.
UPDATE findings_finding f SET
  status = b.status, regressed = b.regressed, suppressed_by_report = b.suppressed_by_report,
  dismiss_reason = b.dismiss_reason, status_comment = b.status_comment, decided_severity = b.decided_severity,
  acceptance_expires_on = b.acceptance_expires_on, snoozed_until = b.snoozed_until, opened_on = b.opened_on,
  due_on = CASE WHEN f.is_default_branch
                THEN b.opened_on + CASE WHEN f.lane_from = '' THEN l.days ELSE (%(days)s::jsonb ->> f.lane::text)::int END END,
  closed_at = b.closed_at, fixed_by_import_id = b.fixed_by_import_id, version = f.version + 1, updated_at = now()
FROM findings_effect e
JOIN findings_finding o ON o.id = e.finding_id
CROSS JOIN LATERAL jsonb_populate_record(NULL::findings_finding, e.before) AS b
JOIN jsonb_to_recordset(%(lanes)s) AS l (severity text, risk_class text, lane text, reason text, days int)
  ON l.severity = o.severity AND l.risk_class = o.risk_class
WHERE e.import_row_id = %(import)s AND f.id = o.id AND b.withdrawn_by_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM findings_decided d WHERE d.finding_id = o.id)

-- name: rehash
UPDATE findings_sighting g SET content_hash = e.before ->> 'sighted_hash'
FROM findings_effect e
WHERE e.import_row_id = %(import)s AND e.before ->> 'sighted_hash' IS NOT NULL
  AND g.finding_id = e.finding_id AND g.scope_id = %(scope)s AND g.last_import_id IS NULL

-- name: forget_sightings
DELETE FROM findings_sighting WHERE first_import_id = %(import)s

-- name: resume_sightings
UPDATE findings_sighting SET last_import_id = NULL, ended_by_id = NULL WHERE ended_by_id = %(import)s

-- name: withdraw
-- What no import has seen is taken out of sight, not deleted: its number, comments and history stay.
UPDATE findings_finding f SET withdrawn_by_id = %(import)s, version = version + 1, updated_at = now()
FROM findings_lost
WHERE f.id = finding_id AND NOT EXISTS (SELECT 1 FROM findings_sighting g WHERE g.finding_id = f.id)

-- name: hand_over
-- What this import created and others have seen since is theirs.
UPDATE findings_finding f SET created_by_import_id = i.id, first_seen_at = i.observed_at
FROM (SELECT DISTINCT ON (g.finding_id) g.finding_id, g.first_import_id
      FROM findings_lost JOIN findings_sighting g USING (finding_id) ORDER BY g.finding_id, g.id) AS other
JOIN core_import i ON i.id = other.first_import_id
WHERE f.id = other.finding_id AND f.created_by_import_id = %(import)s

-- name: close_unseen
-- Only this import still saw it: others have stopped to see it since.
UPDATE findings_finding f SET status = 'fixed', closed_at = i.observed_at, fixed_by_import_id = i.id,
  snoozed_until = NULL, version = f.version + 1, updated_at = now()
FROM (SELECT g.finding_id, max(g.ended_by_id) AS ended_by_id
      FROM (SELECT DISTINCT finding_id FROM findings_lost) AS lost JOIN findings_sighting g USING (finding_id)
      GROUP BY g.finding_id HAVING bool_and(g.last_import_id IS NOT NULL)) AS ended
JOIN core_import i ON i.id = ended.ended_by_id
WHERE f.id = ended.finding_id AND f.status IN ('new', 'triaged', 'in_progress', 'snoozed')
  AND ended.ended_by_id > %(import)s

-- name: open_seen
-- Closed, by evidence that came after this import; but the scope does see it, or another has come to see it.
UPDATE findings_finding f SET status = 'new', regressed = f.regressed OR g.began, closed_at = NULL,
  fixed_by_import_id = NULL, version = f.version + 1, updated_at = now()
FROM (SELECT finding_id FROM findings_resumed UNION SELECT finding_id FROM findings_effect
      WHERE import_row_id = %(import)s) AS touched
JOIN (SELECT finding_id, bool_or(first_import_id > %(import)s) AS began FROM findings_sighting
      WHERE last_import_id IS NULL GROUP BY finding_id) AS g USING (finding_id)
WHERE f.id = touched.finding_id AND f.status IN ('fixed', 'verified')
  AND (g.began OR f.fixed_by_import_id > %(import)s)
  AND NOT EXISTS (SELECT 1 FROM findings_decided d WHERE d.finding_id = f.id)

-- name: forget_evidence
-- Where a person has decided since, the status stays; but this import is no evidence for it any more, and the next one
-- without the finding is the first that is.
UPDATE findings_finding SET fixed_by_import_id = NULL, version = version + 1, updated_at = now()
WHERE fixed_by_import_id = %(import)s

-- name: forget_effects
DELETE FROM findings_effect WHERE import_row_id = %(import)s
