-- name: compare
-- What the new version of a scope changes against the days in force: new, changed, unchanged and gone cells.
WITH fresh AS (
    SELECT day, key_id, charge_category, currency, sum(billed) AS billed, sum(effective) AS effective
    FROM costs_chargeday WHERE version_id = %(version)s GROUP BY 1, 2, 3, 4
), old AS (
    SELECT day, key_id, charge_category, currency, sum(billed) AS billed, sum(effective) AS effective
    FROM costs_chargeday WHERE version_id = ANY(%(replaced)s) GROUP BY 1, 2, 3, 4
)
SELECT count(*) FILTER (WHERE old.day IS NULL),
       count(*) FILTER (WHERE old.billed <> fresh.billed OR old.effective <> fresh.effective),
       count(*) FILTER (WHERE old.billed = fresh.billed AND old.effective = fresh.effective),
       count(*) FILTER (WHERE fresh.day IS NULL)
FROM fresh FULL JOIN old USING (day, key_id, charge_category, currency)

-- name: difference
-- A month before and after, by currency.
SELECT currency,
       coalesce(sum(billed) FILTER (WHERE version_id = ANY(%(replaced)s)), 0),
       coalesce(sum(billed) FILTER (WHERE version_id = %(version)s), 0),
       coalesce(sum(effective) FILTER (WHERE version_id = ANY(%(replaced)s)), 0),
       coalesce(sum(effective) FILTER (WHERE version_id = %(version)s), 0)
FROM costs_chargeday
WHERE version_id = ANY(%(replaced)s) OR version_id = %(version)s
GROUP BY currency ORDER BY currency

-- name: loaded
-- Only days whose key and version are there: no constraint sees to it, and what is missing does not reconcile.
SELECT d.currency, d.charge_category, sum(d.billed), sum(d.effective), count(*)
FROM costs_chargeday d JOIN costs_chargekey k ON k.id = d.key_id JOIN costs_billversion v ON v.id = d.version_id
WHERE d.version_id = %(version)s GROUP BY 1, 2

-- name: days_in_force
UPDATE costs_chargeday SET is_current = %(current)s WHERE version_id = ANY(%(versions)s)

-- name: resources_in_force
UPDATE costs_resourcemonth SET is_current = %(current)s WHERE version_id = ANY(%(versions)s)

-- name: drop_days
DELETE FROM costs_chargeday WHERE version_id = ANY(%(versions)s)

-- name: drop_resources
DELETE FROM costs_resourcemonth WHERE version_id = ANY(%(versions)s)

-- name: forget_months
DELETE FROM costs_chargemonth WHERE scope_id = ANY(%(scopes)s)

-- name: add_months
INSERT INTO costs_chargemonth (scope_id, month, key_id, charge_category, currency, billed, effective, list, quantity)
SELECT v.scope_id, date_trunc('month', d.day)::date, d.key_id, d.charge_category, d.currency, sum(d.billed),
       sum(d.effective), sum(d.list), sum(d.quantity)
FROM costs_chargeday d JOIN costs_billversion v ON v.id = d.version_id
WHERE v.scope_id = ANY(%(scopes)s) AND v.is_current
GROUP BY 1, 2, 3, 4, 5

-- name: forget_totals
DELETE FROM costs_daytotal WHERE scope_id = ANY(%(scopes)s)

-- name: add_totals
INSERT INTO costs_daytotal (scope_id, day, provider, cloud_service, service_id, team_id, environment_id,
                            charge_category, currency, billed, effective)
SELECT v.scope_id, d.day, k.provider, k.cloud_service, k.service_id, k.team_id, k.environment_id,
       d.charge_category, d.currency, sum(d.billed), sum(d.effective)
FROM costs_chargeday d JOIN costs_billversion v ON v.id = d.version_id JOIN costs_chargekey k ON k.id = d.key_id
WHERE v.scope_id = ANY(%(scopes)s) AND v.is_current
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
