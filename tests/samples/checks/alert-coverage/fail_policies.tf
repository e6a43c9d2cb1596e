# expect: alert-coverage fail severity=low alerts_that_tell_nobody=1 line=37
resource "grafana_contact_point" "on_call" {
  name = "on-call"

  pagerduty {
    integration_key = var.pagerduty_key
  }
}

resource "grafana_contact_point" "later" {
  name = "later"

  email {
    addresses = ["<example@email.com>"]
  }
}

variable "pagerduty_key" {
  type      = string
  sensitive = true
}

resource "grafana_notification_policy" "main" {
  contact_point = grafana_contact_point.later.name
  group_by      = ["alertname"]

  policy {
    contact_point = grafana_contact_point.on_call.name
    continue      = true
    matcher {
      label = "severity"
      match = "="
      value = "page"
    }
  }

  policy {
    matcher {
      label = "severity"
      match = "=~"
      value = "warning|info"
    }
    contact_point = grafana_contact_point.later.name
  }
}

resource "grafana_rule_group" "shop" {
  name             = "shop"
  folder_uid       = "shop"
  interval_seconds = 60

  rule {
    name      = "Errors"
    condition = "A"
    for       = "2m"
    labels    = { severity = "page" }
    data {
      ref_id         = "A"
      datasource_uid = "prometheus"
      model = jsonencode({
        instant = true
        expr    = "sum(rate(http_requests_total{code=~\"5..\"}[5m])) / sum(rate(http_requests_total[5m])) > 0.05"
      })
    }
  }

  rule {
    name      = "Slow"
    condition = "A"
    for       = "5m"
    labels    = { severity = "warning" }
    data {
      ref_id         = "A"
      datasource_uid = "prometheus"
      model = jsonencode({
        instant = true
        expr    = "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 1"
      })
    }
  }
}
