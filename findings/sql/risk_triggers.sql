-- Open findings of default branches by estimate, team and lane: what matrix, summary and lanes are summed from. Deltas,
-- as findings_rollup (triggers.sql).
CREATE OR REPLACE FUNCTION findings_at_risk(status text, is_default_branch boolean, withdrawn bigint)
RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT is_default_branch AND withdrawn IS NULL AND status IN ('new', 'triaged', 'in_progress') $$;

CREATE OR REPLACE FUNCTION findings_risk_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO findings_riskrollup (service_id, team_id, lane, risk_key, count)
  SELECT service_id, team_id, lane, risk_key, count(*)
  FROM new_rows WHERE findings_at_risk(status, is_default_branch, withdrawn_by_id) GROUP BY 1, 2, 3, 4;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION findings_risk_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO findings_riskrollup (service_id, team_id, lane, risk_key, count)
  SELECT service_id, team_id, lane, risk_key, sum(delta) FROM (
    SELECT service_id, team_id, lane, risk_key, -1 AS delta FROM old_rows
    WHERE findings_at_risk(status, is_default_branch, withdrawn_by_id)
    UNION ALL
    SELECT service_id, team_id, lane, risk_key, 1 FROM new_rows
    WHERE findings_at_risk(status, is_default_branch, withdrawn_by_id)
  ) AS deltas GROUP BY 1, 2, 3, 4 HAVING sum(delta) <> 0;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION findings_risk_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO findings_riskrollup (service_id, team_id, lane, risk_key, count)
  SELECT o.service_id, o.team_id, o.lane, o.risk_key, -count(*)
  FROM old_rows o JOIN core_service s ON s.id = o.service_id
  WHERE findings_at_risk(o.status, o.is_default_branch, o.withdrawn_by_id) GROUP BY 1, 2, 3, 4;
  RETURN NULL;
END $$;

CREATE TRIGGER risk_insert AFTER INSERT ON findings_finding REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_risk_insert();
CREATE TRIGGER risk_update AFTER UPDATE ON findings_finding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_risk_update();
CREATE TRIGGER risk_delete AFTER DELETE ON findings_finding REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_risk_delete();
