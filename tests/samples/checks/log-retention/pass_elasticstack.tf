# expect: log-retention pass
resource "elasticstack_elasticsearch_index_lifecycle" "logs" {
  name = "logs"

  hot {
    rollover {
      max_age = "1d"
    }
  }

  delete {
    min_age = "30d"
    delete {}
  }
}

resource "opensearch_ism_policy" "audit" {
  policy_id = "audit"
  body = jsonencode({
    policy = {
      default_state = "hot"
      states = [
        { name = "hot", actions = [], transitions = [{ state_name = "gone", conditions = { min_index_age = "90d" } }] },
        { name = "gone", actions = [{ delete = {} }], transitions = [] },
      ]
    }
  })
}
