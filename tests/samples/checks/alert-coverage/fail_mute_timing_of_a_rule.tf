# expect: alert-coverage fail severity=medium alerts_that_tell_nobody=1
resource "grafana_contact_point" "on_call" {
  name = "on-call"

  slack {
    url = var.hook
  }
}

variable "hook" {
  type = string
}

resource "grafana_mute_timing" "later" {
  name = "later"

  intervals {
    weekdays = ["monday:friday"]
  }
  intervals {
    weekdays = ["saturday:sunday"]
    times {
      start = "00:00"
      end   = "24:00"
    }
  }
}

resource "grafana_notification_policy" "main" {
  contact_point = grafana_contact_point.on_call.name
  group_by      = ["alertname"]

  policy {
    contact_point = grafana_contact_point.on_call.name
    matcher {
      label = "severity"
      match = "="
      value = "page"
    }
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
    notification_settings {
      contact_point = grafana_contact_point.on_call.name
      mute_timings  = [grafana_mute_timing.later.name]
    }
    data {
      ref_id         = "A"
      datasource_uid = "prometheus"
      model = jsonencode({
        instant = true
        expr    = "sum(rate(http_requests_total{code=~\"5..\"}[5m])) > 5"
      })
    }
  }
}
