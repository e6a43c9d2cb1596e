resource "kafka_topic" "events" {
  name = "events"
  partitions = 8
}
