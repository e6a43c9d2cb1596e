-- Decisions of people (findings/services.py). Parameters: %(bulk)s, %(ids)s.

-- name: keep_before
INSERT INTO findings_bulkitem (bulk_id, finding_id, before, version_after)
SELECT %(bulk)s, f.id, to_jsonb(f) - 'search' - 'rank' - 'message' - 'evidence', f.version + 1
FROM findings_finding f WHERE f.id = ANY (%(ids)s)

-- name: take_back
-- Only where nobody has touched the finding since: a later decision is not undone by undoing an earlier one.
UPDATE findings_finding f SET
  status = b.status, regressed = b.regressed, dismiss_reason = b.dismiss_reason, status_comment = b.status_comment,
  decided_severity = b.decided_severity, suppressed_by_report = b.suppressed_by_report,
  snoozed_until = b.snoozed_until, snoozed_from = b.snoozed_from, acceptance_expires_on = b.acceptance_expires_on,
  closed_at = b.closed_at, fixed_by_import_id = b.fixed_by_import_id, owner_id = b.owner_id, team_id = b.team_id,
  team_from = b.team_from, tags = b.tags, severity = b.severity, severity_source = b.severity_source,
  lane = b.lane, lane_reason = b.lane_reason, lane_version = b.lane_version, lane_from = coalesce(b.lane_from, ''), opened_on = b.opened_on,
  due_on = b.due_on, version = f.version + 1, updated_at = now()
FROM findings_bulkitem i
CROSS JOIN LATERAL jsonb_populate_record(NULL::findings_finding, i.before) AS b
WHERE i.bulk_id = %(bulk)s AND f.id = i.finding_id AND f.version = i.version_after

-- name: move
-- Findings of some places to a team: team, how it was found, paths, images, namespaces, service.
UPDATE findings_finding f SET team_id = %s, team_from = %s, version = version + 1, updated_at = now()
FROM unnest(%s::text[], %s::text[], %s::text[]) AS place (path, image, namespace)
WHERE f.service_id = %s AND f.team_from <> 'user'
  AND f.path = place.path AND f.image = place.image AND f.namespace = place.namespace
