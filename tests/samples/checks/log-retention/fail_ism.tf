# expect: log-retention fail severity=medium line=2
resource "opensearch_ism_policy" "audit" {
  policy_id = "audit"
  body = jsonencode({
    policy = {
      default_state = "hot"
      states        = [{ name = "hot", actions = [{ rollover = { min_index_age = "1d" } }], transitions = [] }]
    }
  })
}
