"""Reads a platform's own configuration into one immutable model with source positions. PURE."""
