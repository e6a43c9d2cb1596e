# expect: alert-delay fail severity=medium time_to_open_best_seconds=180 line=2
aggregation_delay = 120  # 2 minutes
aggregation_window = 60   # 1 minute
