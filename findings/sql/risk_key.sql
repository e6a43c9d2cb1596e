-- Which estimate a finding has: the same for all that are estimated alike. IMMUTABLE holds: nothing here depends on a
-- setting. `own` is the finding's id where it has inputs of its own.
CREATE OR REPLACE FUNCTION findings_risk_key(service bigint, check_id text, severity text, risk_class text, exploit text,
  quantities jsonb, own bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT hashtextextended(service::text || '|' || check_id || '|' || severity || '|' || risk_class || '|' || exploit
     || '|' || coalesce(own::text, '') || '|' || coalesce(quantities::text, ''), 0) $$;
