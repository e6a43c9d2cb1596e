aggregation_delay = 120
