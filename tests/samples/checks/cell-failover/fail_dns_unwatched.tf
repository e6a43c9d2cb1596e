# expect: cell-failover fail severity=high seconds_to_fail_over=null
# The alias is answered whatever its load balancer's health.
resource "aws_route53_record" "frankfurt" {
  name           = "api.shop.example"
  type           = "A"
  set_identifier = "frankfurt"
  alias {
    name                   = "frankfurt.elb.example"
    zone_id                = "Z2"
    evaluate_target_health = false
  }
  failover_routing_policy { type = "PRIMARY" }
}

resource "aws_route53_record" "dublin" {
  name           = "api.shop.example"
  type           = "A"
  set_identifier = "dublin"
  alias {
    name                   = "dublin.elb.example"
    zone_id                = "Z3"
    evaluate_target_health = true
  }
  failover_routing_policy { type = "SECONDARY" }
}
