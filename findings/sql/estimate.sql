-- Estimates and lanes that follow from them (findings/estimating.py).

-- name: missing_of_target
-- One finding of each kind that has no figures yet. The key first: sorting wide rows takes longer than all the rest.
SELECT f.risk_key, f.service_id, f.check_id, f.severity, f.risk_class, f.exploit, f.quantities,
       CASE WHEN f.has_own_inputs THEN f.id END AS own
FROM (SELECT risk_key, min(id) AS id FROM findings_finding WHERE target_id = %(target)s GROUP BY risk_key) AS kinds
JOIN findings_finding f ON f.id = kinds.id
WHERE NOT EXISTS (SELECT 1 FROM findings_estimate e WHERE e.key = kinds.risk_key)

-- name: missing_of_findings
SELECT f.risk_key, f.service_id, f.check_id, f.severity, f.risk_class, f.exploit, f.quantities,
       CASE WHEN f.has_own_inputs THEN f.id END AS own
FROM (SELECT risk_key, min(id) AS id FROM findings_finding WHERE id = ANY (%(ids)s) GROUP BY risk_key) AS kinds
JOIN findings_finding f ON f.id = kinds.id
WHERE NOT EXISTS (SELECT 1 FROM findings_estimate e WHERE e.key = kinds.risk_key)

-- name: missing_anywhere
-- From key to key through the index: there are few, however many findings there are.
WITH RECURSIVE kinds AS (
  (SELECT risk_key FROM findings_finding ORDER BY risk_key LIMIT 1)
  UNION ALL
  SELECT (SELECT f.risk_key FROM findings_finding f WHERE f.risk_key > kinds.risk_key ORDER BY f.risk_key LIMIT 1)
  FROM kinds WHERE kinds.risk_key IS NOT NULL
)
SELECT f.risk_key, f.service_id, f.check_id, f.severity, f.risk_class, f.exploit, f.quantities,
       CASE WHEN f.has_own_inputs THEN f.id END AS own
FROM kinds CROSS JOIN LATERAL (
  SELECT * FROM findings_finding g WHERE g.risk_key = kinds.risk_key ORDER BY g.id LIMIT 1
) AS f
WHERE NOT EXISTS (SELECT 1 FROM findings_estimate e WHERE e.key = kinds.risk_key)

-- name: forget_unused
DELETE FROM findings_estimate e WHERE NOT EXISTS (SELECT 1 FROM findings_finding f WHERE f.risk_key = e.key)

-- name: decide_lanes
-- Where the figures decide the lane, or did until now. A person's word stays.
UPDATE findings_finding f SET
  lane = e.lane, lane_reason = e.lane_reason, lane_version = e.lane_version,
  lane_from = CASE WHEN e.lane_version = %(by_risk)s THEN 'risk' ELSE '' END,
  due_on = CASE WHEN f.is_default_branch THEN f.opened_on + (%(days)s::jsonb ->> e.lane::text)::int END,
  version = f.version + 1, updated_at = now()
FROM findings_estimate e
WHERE e.service_id = %(service)s AND f.service_id = %(service)s AND f.risk_key = e.key AND f.lane_from <> 'user'
  AND (e.lane_version = %(by_risk)s OR f.lane_from = 'risk')
  AND (f.lane, f.lane_reason, f.lane_version) IS DISTINCT FROM (e.lane, e.lane_reason, e.lane_version)
