resource "aws_route53_record" "east" {
  name           = "api.example.com"
  type           = "A"
  set_identifier = "east"
  weighted_routing_policy {
    weight = 75
  }
}

resource "aws_route53_record" "west" {
  name           = "api.example.com"
  type           = "A"
  set_identifier = "west"
  weighted_routing_policy {
    weight = 25
  }
}
