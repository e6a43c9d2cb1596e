# expect: cell-failover unknown provide="its SECONDARY record"
resource "aws_route53_record" "frankfurt" {
  name            = "api.shop.example"
  type            = "CNAME"
  ttl             = 60
  set_identifier  = "frankfurt"
  health_check_id = "0a1b2c3d"
  failover_routing_policy { type = "PRIMARY" }
}
