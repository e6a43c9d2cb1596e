"""Usage of an observability platform, read from what its tools say of it: one module per format. PURE."""
