# expect: log-retention fail severity=medium line=2
resource "elasticstack_elasticsearch_index_lifecycle" "logs" {
  name = "logs"

  hot {
    rollover {
      max_age                = "1d"
      max_primary_shard_size = "50gb"
    }
  }

  warm {
    min_age = "7d"
    forcemerge {
      max_num_segments = 1
    }
  }
}
