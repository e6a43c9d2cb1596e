"""Costs: bills, usage and projections. Empty until the first bill can be read."""
