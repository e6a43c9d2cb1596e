-- History and rollups of findings_finding, kept by statement-level triggers: one set-based statement however many
-- rows change (measured 62-66 k rows/s; row triggers 26-41 k).
--
-- Who and why come from settings of the transaction (findings.services.acting_as sets them):
--   platform_risk.actor   user id or ''        platform_risk.source  page, api, import, rule, clock
--   platform_risk.reason  text                 platform_risk.import, platform_risk.bulk  ids or ''
--   platform_risk.at      when it was observed, or '' for now

CREATE OR REPLACE FUNCTION findings_setting(name text) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT nullif(current_setting('platform_risk.' || name, true), '') $$;

-- Snoozed is set aside, not resolved.
CREATE OR REPLACE FUNCTION findings_is_unresolved(status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT status IN ('new', 'triaged', 'in_progress', 'snoozed') $$;

-- Its plan is kept from the first, small change: without the setting, old and new rows of a large one are compared each
-- with each (measured: 4,000 changed rows 5 s).
CREATE OR REPLACE FUNCTION findings_history() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
BEGIN
  INSERT INTO findings_history (finding_id, at, actor_id, source, import_row_id, bulk_id, changes, reason)
  SELECT finding_id, clock_timestamp(), findings_setting('actor')::int, coalesce(findings_setting('source'), 'page'),
         findings_setting('import')::bigint, findings_setting('bulk')::bigint, changes,
         coalesce(findings_setting('reason'), '')
  FROM (
    SELECT n.id AS finding_id, jsonb_strip_nulls(jsonb_build_object(
      'status',     CASE WHEN o.status IS DISTINCT FROM n.status THEN jsonb_build_array(o.status, n.status) END,
      'regressed',  CASE WHEN o.regressed IS DISTINCT FROM n.regressed THEN jsonb_build_array(o.regressed, n.regressed) END,
      'dismiss_reason', CASE WHEN o.dismiss_reason IS DISTINCT FROM n.dismiss_reason THEN jsonb_build_array(o.dismiss_reason, n.dismiss_reason) END,
      'severity',   CASE WHEN o.severity IS DISTINCT FROM n.severity THEN jsonb_build_array(o.severity, n.severity) END,
      'severity_source', CASE WHEN o.severity_source IS DISTINCT FROM n.severity_source THEN jsonb_build_array(o.severity_source, n.severity_source) END,
      'lane',       CASE WHEN o.lane IS DISTINCT FROM n.lane THEN jsonb_build_array(o.lane, n.lane) END,
      'owner',      CASE WHEN o.owner_id IS DISTINCT FROM n.owner_id THEN jsonb_build_array(coalesce(o.owner_id, 0), coalesce(n.owner_id, 0)) END,
      'team',       CASE WHEN o.team_id IS DISTINCT FROM n.team_id THEN jsonb_build_array(coalesce(o.team_id, 0), coalesce(n.team_id, 0)) END,
      'tags',       CASE WHEN o.tags IS DISTINCT FROM n.tags THEN jsonb_build_array(to_jsonb(o.tags), to_jsonb(n.tags)) END,
      'due_on',     CASE WHEN o.due_on IS DISTINCT FROM n.due_on THEN jsonb_build_array(coalesce(o.due_on::text, ''), coalesce(n.due_on::text, '')) END,
      'snoozed_until', CASE WHEN o.snoozed_until IS DISTINCT FROM n.snoozed_until THEN jsonb_build_array(coalesce(o.snoozed_until::text, ''), coalesce(n.snoozed_until::text, '')) END,
      'acceptance_expires_on', CASE WHEN o.acceptance_expires_on IS DISTINCT FROM n.acceptance_expires_on THEN jsonb_build_array(coalesce(o.acceptance_expires_on::text, ''), coalesce(n.acceptance_expires_on::text, '')) END,
      'title',      CASE WHEN o.title IS DISTINCT FROM n.title THEN jsonb_build_array(o.title, n.title) END,
      'path',       CASE WHEN o.path IS DISTINCT FROM n.path THEN jsonb_build_array(o.path, n.path) END,
      'line',       CASE WHEN o.line IS DISTINCT FROM n.line THEN jsonb_build_array(coalesce(o.line, 0), coalesce(n.line, 0)) END,
      'withdrawn',  CASE WHEN (o.withdrawn_by_id IS NULL) IS DISTINCT FROM (n.withdrawn_by_id IS NULL) THEN jsonb_build_array(o.withdrawn_by_id IS NOT NULL, n.withdrawn_by_id IS NOT NULL) END
    )) AS changes
    FROM old_rows o JOIN new_rows n USING (id)
  ) AS compared
  WHERE changes <> '{}'::jsonb;
  RETURN NULL;
END $$;

-- A finding counts when it is of a default branch and not withdrawn.
CREATE OR REPLACE FUNCTION findings_rollup_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO findings_rollup (service_id, team_id, environment_id, lane, severity, status, has_owner, count)
  SELECT service_id, team_id, environment_id, lane, severity, status, owner_id IS NOT NULL, count(*)
  FROM new_rows WHERE is_default_branch AND withdrawn_by_id IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7;
  INSERT INTO findings_weekrollup (service_id, team_id, week, opened, closed)
  SELECT service_id, team_id, date_trunc('week', first_seen_at AT TIME ZONE 'UTC')::date, count(*), 0
  FROM new_rows WHERE is_default_branch AND withdrawn_by_id IS NULL AND findings_is_unresolved(status) GROUP BY 1, 2, 3;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION findings_rollup_update() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
BEGIN
  INSERT INTO findings_rollup (service_id, team_id, environment_id, lane, severity, status, has_owner, count)
  SELECT service_id, team_id, environment_id, lane, severity, status, has_owner, sum(delta) FROM (
    SELECT service_id, team_id, environment_id, lane, severity, status, owner_id IS NOT NULL AS has_owner, -1 AS delta
    FROM old_rows WHERE is_default_branch AND withdrawn_by_id IS NULL
    UNION ALL
    SELECT service_id, team_id, environment_id, lane, severity, status, owner_id IS NOT NULL, 1
    FROM new_rows WHERE is_default_branch AND withdrawn_by_id IS NULL
  ) AS deltas GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(delta) <> 0;

  -- A week's figures say what happened in it; what is taken back in a later week is taken back there.
  INSERT INTO findings_weekrollup (service_id, team_id, week, opened, closed)
  SELECT service_id, team_id, date_trunc('week', coalesce(findings_setting('at')::timestamptz, now()) AT TIME ZONE 'UTC')::date,
         count(*) FILTER (WHERE is_now), count(*) FILTER (WHERE NOT is_now)
  FROM (
    SELECT n.service_id, n.team_id,
           o.withdrawn_by_id IS NULL AND findings_is_unresolved(o.status) AS was,
           n.withdrawn_by_id IS NULL AND findings_is_unresolved(n.status) AS is_now
    FROM old_rows o JOIN new_rows n USING (id) WHERE n.is_default_branch
  ) AS turned WHERE was <> is_now GROUP BY 1, 2;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION findings_rollup_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO findings_rollup (service_id, team_id, environment_id, lane, severity, status, has_owner, count)
  SELECT o.service_id, o.team_id, o.environment_id, o.lane, o.severity, o.status, o.owner_id IS NOT NULL, -count(*)
  FROM old_rows o JOIN core_service s ON s.id = o.service_id
  WHERE o.is_default_branch AND o.withdrawn_by_id IS NULL GROUP BY 1, 2, 3, 4, 5, 6, 7;
  RETURN NULL;
END $$;

CREATE TRIGGER history AFTER UPDATE ON findings_finding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_history();
CREATE TRIGGER rollup_insert AFTER INSERT ON findings_finding REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_rollup_insert();
CREATE TRIGGER rollup_update AFTER UPDATE ON findings_finding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_rollup_update();
CREATE TRIGGER rollup_delete AFTER DELETE ON findings_finding REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION findings_rollup_delete();

-- Append-only: nobody rewrites history. Rows go only with their finding (the demo's removal) or with their actor's,
-- import's or bulk action's disappearance (the reference is cleared, the row stays).
CREATE OR REPLACE FUNCTION findings_history_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.finding_id, NEW.at, NEW.source, NEW.changes, NEW.reason)
     IS DISTINCT FROM (OLD.finding_id, OLD.at, OLD.source, OLD.changes, OLD.reason) THEN
    RAISE EXCEPTION 'history is append-only';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON findings_history FOR EACH ROW EXECUTE FUNCTION findings_history_frozen();
