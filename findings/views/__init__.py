"""Pages of findings: a view parses, makes one call, answers."""
