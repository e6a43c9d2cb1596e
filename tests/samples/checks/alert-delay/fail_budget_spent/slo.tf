resource "newrelic_service_level" "checkout" {
  objective {
    target = 99.95
    time_window {
      rolling {
        count = 7
        unit  = "DAY"
      }
    }
  }
}
