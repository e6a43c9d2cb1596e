# expect: alert-coverage fail severity=medium alarms_that_tell_nobody=1 line=16
# The workflow of the first policy is switched off; the second has a channel.
resource "newrelic_alert_policy_channel" "batch" {
  policy_id   = newrelic_alert_policy.batch.id
  channel_ids = [newrelic_alert_channel.on_call.id]
}

resource "newrelic_alert_policy" "api" {
  name = "api"
}

resource "newrelic_alert_policy" "batch" {
  name = "batch"
}

resource "newrelic_workflow" "api" {
  name    = "api"
  enabled = false

  issues_filter {
    name = "policy"
    type = "FILTER"

    predicate {
      attribute = "labels.policyIds"
      operator  = "EXACTLY_MATCHES"
      values    = [newrelic_alert_policy.api.id]
    }
  }

  destination {
    channel_id = newrelic_notification_channel.on_call.id
  }
}

resource "newrelic_nrql_alert_condition" "errors" {
  policy_id = newrelic_alert_policy.api.id
  name      = "errors"

  nrql {
    query = "SELECT count(*) FROM TransactionError"
  }

  critical {
    operator              = "above"
    threshold             = 5
    threshold_duration    = 60
    threshold_occurrences = "all"
  }
}

resource "newrelic_nrql_alert_condition" "late" {
  policy_id = newrelic_alert_policy.batch.id
  name      = "late"

  nrql {
    query = "SELECT average(duration) FROM Transaction"
  }

  critical {
    operator              = "above"
    threshold             = 5
    threshold_duration    = 60
    threshold_occurrences = "all"
  }
}
