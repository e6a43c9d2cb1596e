"""PURE: billing exports to a daily cube of exact decimals. One module per format; DuckDB reads and adds."""
