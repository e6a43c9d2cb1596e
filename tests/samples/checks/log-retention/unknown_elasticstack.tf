# expect: log-retention unknown provide="the plan"
variable "retention" {
  type = list(string)
}

resource "elasticstack_elasticsearch_index_lifecycle" "logs" {
  name = "logs"

  hot {
    rollover {
      max_age = "1d"
    }
  }

  dynamic "delete" {
    for_each = var.retention
    content {
      min_age = delete.value
      delete {}
    }
  }
}
