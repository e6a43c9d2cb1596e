resource "aws_msk_topic" "events" {
  name = "events"
  partition_count = 8
}
