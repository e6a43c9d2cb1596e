-- The loader's statements (findings/load.py runs them in this order, in one transaction, under the target's advisory
-- lock; compare and insert_new once for each part of the report). Parameters: %(import)s %(scope)s %(target)s
-- %(previous)s %(first)s %(observed_at)s %(late)s %(lane_version)s, the due days of each lane, and %(begins_at)s, the
-- part's first ordinal.

-- name: stage
-- Gone with each commit; a caller that loads twice in one transaction finds them from the first time.
DROP TABLE IF EXISTS findings_staging, findings_seen, findings_gone;
-- Foreign keys are checked with each part, and not all at the commit when nothing else is left to do.
SET CONSTRAINTS ALL IMMEDIATE;
-- COPY writes here. Temporary: gone with the transaction, whatever ends it, and never in the write-ahead log.
-- What is known to be unchanged has no title and nothing after it.
CREATE TEMPORARY TABLE findings_staging (
  ordinal int, fingerprint text, content_hash text, severity_rank smallint, suppressed boolean,
  title text, message text, rule text, rule_name text, check_id text, scanner text, path text, resource text,
  namespace text, image text, package text, package_version text, endpoint text, symbol text, evidence jsonb,
  justification text, quantities jsonb, remedies text[],
  identifiers text[], line int, end_line int, severity text, severity_source text, category text, risk_class text,
  exploit text, outcome text, lane text, lane_reason text, team_id bigint, team_from text
) ON COMMIT DROP

-- name: known
-- What the scope sees and an equal record would leave as it is: closed by hand, it would be reopened by one.
SELECT coalesce(string_agg(fingerprint || content_hash, ' '), '') FROM (
  SELECT f.fingerprint, g.content_hash
  FROM findings_sighting g JOIN findings_finding f ON f.id = g.finding_id
  WHERE g.scope_id = %(scope)s AND g.last_import_id IS NULL AND f.withdrawn_by_id IS NULL
    AND f.status IN ('new', 'triaged', 'in_progress', 'snoozed')
  LIMIT %(most)s
) AS seen

-- name: called
-- What checks of configuration have found in the target, whatever became of it, with the file that it was found in.
SELECT fingerprint, path FROM findings_finding WHERE target_id = %(target)s AND check_id <> '' LIMIT %(most)s

-- name: rename
UPDATE findings_finding f SET fingerprint = n.now, version = f.version + 1, updated_at = now()
FROM unnest(%(before)s::text[], %(now)s::text[]) AS n (before, now)
WHERE f.target_id = %(target)s AND f.fingerprint = n.before
  AND NOT EXISTS (SELECT 1 FROM findings_finding other
                  WHERE other.target_id = %(target)s AND other.fingerprint = n.now)

-- name: seen
CREATE TEMPORARY TABLE findings_seen (
  ordinal int, fingerprint text, content_hash text, finding_id bigint, known_hash text, sighting_id bigint,
  sighted_hash text, kind text
) ON COMMIT DROP

-- name: many
-- What the planner knows may be older than the last import: a table that it takes for a handful of rows would be read
-- once for each record. A part is to be sorted in memory.
SET LOCAL enable_nestloop = off;
SET LOCAL work_mem = '64MB'

-- name: compare
-- Each fingerprint of this part of the report once (the worst, then the first, of its duplicates; one that an earlier
-- part had is a duplicate of that) beside what is known of it.
INSERT INTO findings_seen
SELECT ordinal, fingerprint, content_hash, finding_id, known_hash, sighting_id, sighted_hash, CASE
    WHEN finding_id IS NULL THEN 'new'
    WHEN withdrawn THEN 'revived'
    WHEN %(late)s THEN 'history'
    -- Whatever a person did to it while the report was read: that came after.
    WHEN unchanged THEN 'unchanged'
    WHEN status IN ('fixed', 'verified') THEN 'reopened'
    WHEN status IN ('accepted', 'dismissed') AND NOT suppressed
         AND (severity_rank < decided_rank OR suppressed_by_report) THEN 'reopened'
    WHEN sighting_id IS NULL THEN 'seen_again'
    WHEN sighted_hash = content_hash THEN 'unchanged'
    ELSE 'changed' END
FROM (
  SELECT DISTINCT ON (s.fingerprint)
    s.ordinal, s.fingerprint, s.content_hash, s.severity_rank, s.suppressed, s.title IS NULL AS unchanged,
    f.id AS finding_id, f.withdrawn_by_id IS NOT NULL AS withdrawn, f.status, f.suppressed_by_report,
    array_position(ARRAY['critical', 'high', 'medium', 'low', 'info'], f.decided_severity::text) - 1 AS decided_rank,
    f.content_hash AS known_hash, g.id AS sighting_id, g.content_hash AS sighted_hash
  FROM findings_staging s
  LEFT JOIN findings_finding f ON f.target_id = %(target)s AND f.fingerprint = s.fingerprint AND NOT %(first)s
  LEFT JOIN findings_sighting g ON g.scope_id = %(scope)s AND g.finding_id = f.id AND g.last_import_id IS NULL
  WHERE s.ordinal >= %(begins_at)s AND NOT EXISTS (SELECT 1 FROM findings_seen n WHERE n.fingerprint = s.fingerprint)
  ORDER BY s.fingerprint, s.severity_rank, s.ordinal
) AS once

-- name: keep_before
-- What is about to be overwritten, for the diff page and for undo.
INSERT INTO findings_effect (import_row_id, finding_id, kind, before)
SELECT %(import)s, f.id,
       CASE WHEN n.kind = 'revived' THEN 'seen_again'
            WHEN n.kind = 'seen_again' AND n.content_hash <> n.known_hash THEN 'changed'  -- as it is counted
            ELSE n.kind END,
       to_jsonb(f) - 'search' - 'rank' || jsonb_build_object('sighted_hash', n.sighted_hash)
FROM findings_seen n JOIN findings_finding f ON f.id = n.finding_id
WHERE n.kind IN ('changed', 'reopened', 'seen_again', 'revived')

-- name: insert_new
WITH added AS (
  INSERT INTO findings_finding (
    target_id, service_id, environment_id, branch, is_default_branch, fingerprint, content_hash,
    title, message, severity, severity_source, reported_severity, reported_severity_source, category, risk_class,
    exploit, outcome, rule, rule_name, check_id, scanners, path, line, end_line, resource, namespace, image, package,
    package_version, endpoint, symbol,
    identifiers, evidence, quantities, remedies, lane, lane_reason, lane_version, team_id, team_from,
    status, dismiss_reason, status_comment, suppressed_by_report, decided_severity,
    opened_on, due_on, first_seen_at, closed_at, created_by_import_id, fixed_by_import_id)
  SELECT t.id, t.service_id, t.environment_id, t.branch, t.is_default_branch, s.fingerprint, s.content_hash,
    s.title, s.message, s.severity, s.severity_source, s.severity, s.severity_source, s.category, s.risk_class,
    s.exploit, s.outcome, s.rule,
    s.rule_name, s.check_id, ARRAY[s.scanner], s.path, s.line, s.end_line, s.resource, s.namespace, s.image, s.package,
    s.package_version, s.endpoint, s.symbol, s.identifiers, s.evidence, s.quantities, s.remedies,
    s.lane, s.lane_reason, %(lane_version)s,
    s.team_id, s.team_from,
    CASE WHEN s.suppressed THEN 'dismissed' WHEN %(late)s THEN 'fixed' ELSE 'new' END,
    CASE WHEN s.suppressed THEN 'wont_fix' ELSE '' END, s.justification, s.suppressed,
    CASE WHEN s.suppressed THEN s.severity ELSE '' END,
    (%(observed_at)s AT TIME ZONE 'UTC')::date,
    CASE WHEN t.is_default_branch THEN (%(observed_at)s AT TIME ZONE 'UTC')::date + d.days END,
    %(observed_at)s,
    CASE WHEN s.suppressed OR %(late)s THEN %(observed_at)s END, %(import)s,
    CASE WHEN %(late)s AND NOT s.suppressed THEN %(import)s END
  FROM findings_seen n
  JOIN findings_staging s ON s.ordinal = n.ordinal AND s.ordinal >= %(begins_at)s
  JOIN core_target t ON t.id = %(target)s
  JOIN (VALUES ('immediate', %(immediate)s), ('critical', %(critical)s), ('important', %(important)s),
               ('optimization', %(optimization)s)) AS d (lane, days) ON d.lane = s.lane
  WHERE n.kind = 'new' AND n.ordinal >= %(begins_at)s
  ORDER BY s.ordinal
  RETURNING id, content_hash
)
INSERT INTO findings_sighting (finding_id, scope_id, first_import_id, last_import_id, ended_by_id, content_hash)
SELECT id, %(scope)s, %(import)s, CASE WHEN %(late)s THEN %(import)s END, CASE WHEN %(late)s THEN %(import)s END,
       content_hash
FROM added

-- name: update_known
-- Changed, seen again after it was closed, or seen by one more source. A person's severity and team stay.
UPDATE findings_finding f SET
  content_hash = s.content_hash, title = s.title, message = s.message, category = s.category,
  risk_class = s.risk_class, exploit = s.exploit, outcome = s.outcome, rule = s.rule, rule_name = s.rule_name, check_id = s.check_id,
  scanners = CASE WHEN s.scanner = ANY (f.scanners) THEN f.scanners ELSE f.scanners || s.scanner::varchar END,
  path = s.path, line = s.line, end_line = s.end_line, resource = s.resource, namespace = s.namespace,
  image = s.image, package = s.package, package_version = s.package_version, endpoint = s.endpoint,
  symbol = s.symbol, identifiers = s.identifiers, evidence = s.evidence, quantities = s.quantities, remedies = s.remedies,
  reported_severity = s.severity,
  reported_severity_source = s.severity_source,
  severity = CASE WHEN f.severity_source = 'user' THEN f.severity ELSE s.severity END,
  severity_source = CASE WHEN f.severity_source = 'user' THEN 'user' ELSE s.severity_source END,
  -- What figures or a person decided stays: figures are asked anew once all is loaded.
  lane = CASE WHEN k.kept THEN f.lane ELSE s.lane END,
  lane_reason = CASE WHEN k.kept THEN f.lane_reason ELSE s.lane_reason END,
  lane_version = CASE WHEN k.kept THEN f.lane_version ELSE %(lane_version)s END,
  team_id = CASE WHEN f.team_from = 'user' THEN f.team_id ELSE s.team_id END,
  team_from = CASE WHEN f.team_from = 'user' THEN 'user' ELSE s.team_from END,
  status = a.status,
  regressed = CASE WHEN n.kind = 'revived' THEN false
                   WHEN n.kind = 'reopened' AND NOT f.suppressed_by_report AND a.status = 'new' THEN true
                   ELSE f.regressed END,
  suppressed_by_report = s.suppressed AND (a.was = 'dismissed' AND f.suppressed_by_report
                                           OR a.was <> 'dismissed' AND a.status = 'dismissed'),
  dismiss_reason = CASE WHEN a.status <> 'dismissed' THEN '' WHEN a.was <> 'dismissed' THEN 'wont_fix'
                        ELSE f.dismiss_reason END,
  status_comment = CASE WHEN a.status = a.was AND n.kind <> 'revived' THEN f.status_comment ELSE s.justification END,
  decided_severity = CASE WHEN a.status = 'dismissed' AND a.was <> 'dismissed' THEN s.severity
                          WHEN a.status IN ('accepted', 'dismissed') THEN f.decided_severity ELSE '' END,
  acceptance_expires_on = CASE WHEN a.status = 'accepted' THEN f.acceptance_expires_on END,
  snoozed_until = CASE WHEN a.status = 'snoozed' THEN f.snoozed_until END,
  first_seen_at = CASE WHEN n.kind = 'revived' THEN %(observed_at)s ELSE f.first_seen_at END,
  created_by_import_id = CASE WHEN n.kind = 'revived' THEN %(import)s ELSE f.created_by_import_id END,
  opened_on = a.opened_on,
  due_on = CASE WHEN f.is_default_branch THEN a.opened_on + d.days END,
  closed_at = CASE WHEN a.status = a.was AND n.kind <> 'revived' THEN f.closed_at
                   WHEN a.status IN ('fixed', 'dismissed') THEN %(observed_at)s END,
  fixed_by_import_id = CASE WHEN a.status = 'fixed' THEN %(import)s END,
  withdrawn_by_id = NULL, version = f.version + 1, updated_at = now()
FROM findings_seen n
JOIN findings_staging s USING (ordinal)
JOIN findings_finding o ON o.id = n.finding_id
-- A revived finding is as new, whatever it was in the life that was undone; of a late report it is in the past.
CROSS JOIN LATERAL (SELECT CASE WHEN n.kind = 'revived' THEN 'new' ELSE o.status END AS was,
    CASE WHEN s.suppressed AND (n.kind = 'revived' OR o.status NOT IN ('accepted', 'dismissed')) THEN 'dismissed'
         WHEN n.kind = 'revived' AND %(late)s THEN 'fixed'
         WHEN n.kind IN ('reopened', 'revived') THEN 'new' ELSE o.status END AS status,
    CASE WHEN n.kind IN ('reopened', 'revived') THEN (%(observed_at)s AT TIME ZONE 'UTC')::date
         ELSE o.opened_on END AS opened_on) AS a
CROSS JOIN LATERAL (SELECT o.severity_source = 'user' OR o.lane_from <> '' AS kept) AS k
CROSS JOIN LATERAL (SELECT CASE CASE WHEN k.kept THEN o.lane ELSE s.lane END
    WHEN 'immediate' THEN %(immediate)s WHEN 'critical' THEN %(critical)s WHEN 'important' THEN %(important)s
    ELSE %(optimization)s END AS days) AS d
WHERE f.id = n.finding_id AND n.kind IN ('changed', 'reopened', 'seen_again', 'revived')

-- name: begin_sightings
-- Intervals of what was known but not in sight of this scope. A late report's interval is closed at once.
INSERT INTO findings_sighting (finding_id, scope_id, first_import_id, last_import_id, ended_by_id, content_hash)
SELECT finding_id, %(scope)s, %(import)s, CASE WHEN %(late)s THEN %(import)s END, CASE WHEN %(late)s THEN %(import)s END,
       content_hash
FROM findings_seen
WHERE sighting_id IS NULL AND kind IN ('reopened', 'seen_again', 'revived', 'history')

-- name: renew_sightings
UPDATE findings_sighting g SET content_hash = n.content_hash
FROM findings_seen n WHERE g.id = n.sighting_id AND n.kind IN ('changed', 'reopened', 'revived')

-- name: end_sightings
-- Complete reports only: what this scope saw until its last import and does not see now.
CREATE TEMPORARY TABLE findings_gone ON COMMIT DROP AS
WITH ended AS (
  UPDATE findings_sighting g SET last_import_id = coalesce(%(previous)s, g.first_import_id), ended_by_id = %(import)s
  WHERE g.scope_id = %(scope)s AND g.last_import_id IS NULL AND g.first_import_id <> %(import)s
    AND NOT EXISTS (SELECT 1 FROM findings_seen n WHERE n.sighting_id = g.id)
  RETURNING g.finding_id, g.id
)
SELECT finding_id FROM ended
WHERE NOT EXISTS (SELECT 1 FROM findings_sighting other WHERE other.finding_id = ended.finding_id
                  AND other.id <> ended.id AND other.last_import_id IS NULL)

-- name: keep_closed
-- What describes the problem stays as it is: only the status, and what hangs on it, is kept for undo.
INSERT INTO findings_effect (import_row_id, finding_id, kind, before)
SELECT %(import)s, f.id, 'closed', jsonb_build_object('status', f.status,
  'regressed', f.regressed, 'suppressed_by_report', f.suppressed_by_report, 'dismiss_reason', f.dismiss_reason,
  'status_comment', f.status_comment, 'decided_severity', f.decided_severity,
  'acceptance_expires_on', f.acceptance_expires_on, 'snoozed_until', f.snoozed_until, 'opened_on', f.opened_on,
  'closed_at', f.closed_at, 'fixed_by_import_id', f.fixed_by_import_id)
FROM findings_gone JOIN findings_finding f ON f.id = finding_id
WHERE f.status IN ('new', 'triaged', 'in_progress', 'snoozed') OR f.status = 'fixed' AND f.fixed_by_import_id IS NULL

-- name: close_gone
UPDATE findings_finding f SET status = 'fixed', closed_at = %(observed_at)s, fixed_by_import_id = %(import)s,
  snoozed_until = NULL, version = f.version + 1, updated_at = now()
FROM findings_gone
WHERE f.id = finding_id
  AND (f.status IN ('new', 'triaged', 'in_progress', 'snoozed') OR f.status = 'fixed' AND f.fixed_by_import_id IS NULL)

-- name: keep_verified
INSERT INTO findings_effect (import_row_id, finding_id, kind, before)
SELECT %(import)s, f.id, 'verified', jsonb_build_object('status', f.status,
  'regressed', f.regressed, 'suppressed_by_report', f.suppressed_by_report, 'dismiss_reason', f.dismiss_reason,
  'status_comment', f.status_comment, 'decided_severity', f.decided_severity,
  'acceptance_expires_on', f.acceptance_expires_on, 'snoozed_until', f.snoozed_until, 'opened_on', f.opened_on,
  'closed_at', f.closed_at, 'fixed_by_import_id', f.fixed_by_import_id)
FROM findings_finding f JOIN core_import i ON i.id = f.fixed_by_import_id
WHERE f.status = 'fixed' AND i.scope_id = %(scope)s AND i.id <> %(import)s
  AND NOT EXISTS (SELECT 1 FROM findings_seen n WHERE n.finding_id = f.id)

-- name: verify
-- Fixed becomes verified after one more complete import of the scope without it.
UPDATE findings_finding f SET status = 'verified', version = f.version + 1, updated_at = now()
FROM findings_effect e
WHERE e.import_row_id = %(import)s AND e.kind = 'verified' AND f.id = e.finding_id

-- name: count
SELECT count(*) FILTER (WHERE kind IN ('new', 'revived')),
       count(*) FILTER (WHERE kind = 'changed' OR kind = 'seen_again' AND content_hash <> known_hash),
       count(*) FILTER (WHERE kind IN ('unchanged', 'history') OR kind = 'seen_again' AND content_hash = known_hash),
       count(*) FILTER (WHERE kind = 'reopened'),
       (SELECT count(*) FROM findings_effect WHERE import_row_id = %(import)s AND kind = 'closed')
FROM findings_seen

-- name: analyze
-- Only what is filtered, joined and grouped by: words, messages and evidence take most of the time and nobody asks.
ANALYZE findings_finding (target_id, service_id, team_id, environment_id, is_default_branch, severity, category, rule,
  lane, status, rank, owner_id, due_on, fixed_by_import_id, withdrawn_by_id), findings_sighting
