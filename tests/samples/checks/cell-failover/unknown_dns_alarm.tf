# expect: cell-failover unknown provide="a health check that asks"
# How fast the alarm is, the alarm decides.
resource "aws_route53_health_check" "frankfurt" {
  type                            = "CLOUDWATCH_METRIC"
  cloudwatch_alarm_name           = "frankfurt-errors"
  cloudwatch_alarm_region         = "eu-central-1"
  insufficient_data_health_status = "LastKnownStatus"
}

resource "aws_route53_record" "frankfurt" {
  name            = "api.shop.example"
  type            = "CNAME"
  ttl             = 60
  set_identifier  = "frankfurt"
  health_check_id = aws_route53_health_check.frankfurt.id
  failover_routing_policy { type = "PRIMARY" }
}

resource "aws_route53_record" "dublin" {
  name           = "api.shop.example"
  type           = "CNAME"
  ttl            = 60
  set_identifier = "dublin"
  failover_routing_policy { type = "SECONDARY" }
}
