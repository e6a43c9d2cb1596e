"""Quantities: values with their source, units, money and rates. PURE. Grows with the checks and costs."""
