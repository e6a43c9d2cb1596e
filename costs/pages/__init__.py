"""Pages of costs beside bills: prices, budgets, the forecast."""
