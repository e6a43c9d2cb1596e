resource "aws_route53_health_check" "frankfurt" {
  type              = "HTTPS"
  fqdn              = "frankfurt.shop.example"
  request_interval  = 10
  failure_threshold = 9
}

resource "aws_route53_record" "frankfurt" {
  zone_id         = aws_route53_zone.shop.zone_id
  name            = "api.shop.example"
  type            = "A"
  ttl             = 300
  records         = ["192.0.2.10"]
  set_identifier  = "frankfurt"
  health_check_id = aws_route53_health_check.frankfurt.id
  failover_routing_policy { type = "PRIMARY" }
}

resource "aws_route53_record" "dublin" {
  zone_id        = aws_route53_zone.shop.zone_id
  name           = "api.shop.example"
  type           = "A"
  ttl            = 300
  records        = ["192.0.2.20"]
  set_identifier = "dublin"
  failover_routing_policy { type = "SECONDARY" }
}
