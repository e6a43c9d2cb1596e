-- Findings counted by everything that the list of groups (rule × service) can be narrowed by without reading them. Deltas,
-- as findings_rollup (triggers.sql); all branches and all statuses, but not what was withdrawn.
CREATE OR REPLACE FUNCTION findings_group_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO findings_grouprollup (service_id, team_id, environment_id, owner_id, is_default_branch, rule, check_id,
    category, risk_class, severity, severity_source, lane, rank, status, regressed, risk_key, is_merged, count)
  SELECT service_id, team_id, environment_id, owner_id, is_default_branch, rule, check_id, category, risk_class,
    severity, severity_source, lane, rank, status, regressed, risk_key, false, count(*)
  FROM new_rows WHERE withdrawn_by_id IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION findings_group_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO findings_grouprollup (service_id, team_id, environment_id, owner_id, is_default_branch, rule, check_id,
    category, risk_class, severity, severity_source, lane, rank, status, regressed, risk_key, is_merged, count)
  SELECT service_id, team_id, environment_id, owner_id, is_default_branch, rule, check_id, category, risk_class,
    severity, severity_source, lane, rank, status, regressed, risk_key, false, sum(delta) FROM (
    SELECT service_id, team_id, environment_id, owner_id, is_default_branch, rule, check_id, category, risk_class,
      severity, severity_source, lane, rank, status, regressed, risk_key, -1 AS delta
    FROM old_rows WHERE withdrawn_by_id IS NULL
    UNION ALL
    SELECT service_id, team_id, environment_id, owner_id, is_default_branch, rule, check_id, category, risk_class,
      severity, severity_source, lane, rank, status, regressed, risk_key, 1
    FROM new_rows WHERE withdrawn_by_id IS NULL
  ) AS deltas GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 HAVING sum(delta) <> 0;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION findings_group_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO findings_grouprollup (service_id, team_id, environment_id, owner_id, is_default_branch, rule, check_id,
    category, risk_class, severity, severity_source, lane, rank, status, regressed, risk_key, is_merged, count)
  SELECT o.service_id, o.team_id, o.environment_id, o.owner_id, o.is_default_branch, o.rule, o.check_id, o.category,
    o.risk_class, o.severity, o.severity_source, o.lane, o.rank, o.status, o.regressed, o.risk_key, false, -count(*)
  FROM old_rows o JOIN core_service s ON s.id = o.service_id
  WHERE o.withdrawn_by_id IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16;
  RETURN NULL;
END $$;

CREATE TRIGGER group_insert AFTER INSERT ON findings_finding REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_group_insert();
CREATE TRIGGER group_update AFTER UPDATE ON findings_finding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_group_update();
CREATE TRIGGER group_delete AFTER DELETE ON findings_finding REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_group_delete();
