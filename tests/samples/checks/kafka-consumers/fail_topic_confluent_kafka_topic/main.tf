resource "confluent_kafka_topic" "events" {
  topic_name = "events"
  partitions_count = 8
}
