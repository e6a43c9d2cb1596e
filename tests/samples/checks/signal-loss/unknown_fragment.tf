# expect: signal-loss unknown provide="expiration_duration and open_violation_on_expiration"
aggregation_delay = 120  # 2 minutes
aggregation_window = 60   # 1 minute
