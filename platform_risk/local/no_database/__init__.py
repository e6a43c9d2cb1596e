"""Stands in as database engine while no database is known."""
